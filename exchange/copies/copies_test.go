package copies

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

const (
	citizen = "430281199001010017" // a made-up person
	address = "醴陵市示例路3号1栋1单元501室"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)

// press has keys that follow from a seed.
func press(seed byte) *Press {
	keys := Keys{Signature: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), Codes: bytes.Repeat([]byte{seed}, 32)}
	return NewPress(func(context.Context) (Keys, error) { return keys, nil }, nil)
}

// sample is a copy of a made-up title.
func sample() Copy {
	return Copy{Type: "property-title", Name: "不动产权证书", TypeCode: "11100000MB03271699001", Holder: "430281********0017",
		Fields: []Field{{"不动产权证号", "湘(2008)醴陵市不动产权第0000001号"}, {"坐落", address}},
		Keeper: "市自然资源和规划局", AsOf: noon.Add(-time.Hour), Until: "", Assurance: exchange.AssuranceA,
		Use: "办理事项：购房落户；收件号：LL-2026-1123-0041", Department: "xzsp", Asker: "市行政审批服务局", Made: noon, Expires: noon.AddDate(0, 0, 30),
		Receipt: audit.Receipt{ID: "01KAQ6M3K8ZD2W7N5YB4T9XE1C", Time: noon.UTC(), Hash: strings.Repeat("ab", 32)}}
}

func printed(t testing.TB, p *Press, c Copy) []byte {
	t.Helper()
	file, err := p.Print(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
