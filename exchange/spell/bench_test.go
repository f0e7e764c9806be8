package spell

import "testing"

const document = `{"citizenNumber":"430281199001011230","name":"张示例","division":"430281","personalNumber":"000000000012","employerName":"醴陵市示例瓷业有限公司","insurances":[{"kind":"企业职工基本养老保险","state":"参保缴费","insuredSince":"2012-07-01","paidUntil":"2026-01","monthsPaid":163},{"kind":"工伤保险","state":"参保缴费"}],"issuingAuthority":"醴陵市人力资源和社会保障局","validFrom":"2012-07-01","status":"正常"}`

func BenchmarkMembers(b *testing.B) {
	object := []byte(document)
	b.SetBytes(int64(len(object)))
	for b.Loop() {
		if !Members(object, nil) {
			b.Fatal("not plain")
		}
	}
}
