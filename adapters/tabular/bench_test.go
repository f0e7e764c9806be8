package tabular

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/onedoor/yimen/adapters"
)

// generated is a file of ten short columns.
func generated(rows int) []byte {
	var b bytes.Buffer
	b.WriteString("甲,乙,丙,丁,戊,己,庚,辛,壬,癸\n")
	for i := range rows {
		fmt.Fprintf(&b, "示例瓷业公司,9143028%011d,2003-05-18,集体,张某,500万人民币,日用陶瓷,湖南,株洲,示例路%d号\n", i, i%1000)
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	const rows = 50_000
	content := generated(rows)
	for _, encoding := range []string{"utf-8", "gb18030"} {
		b.Run(encoding, func(b *testing.B) {
			data := content
			if encoding == "gb18030" {
				data = gb(b, string(content))
			}
			s := source(b, data, "utf-8", encoding)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				n := 0
				if _, err := s.Read(context.Background(), nil, func(adapters.Row) error { n++; return nil }); err != nil || n != rows {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkUnchanged(b *testing.B) {
	s := source(b, generated(100_000))
	reading, err := s.Read(context.Background(), nil, func(adapters.Row) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := s.Read(context.Background(), reading.Place, nil); err != nil || !r.Unchanged {
			b.Fatal(r, err)
		}
	}
}
