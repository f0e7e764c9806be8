package tabular

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters/adaptertest"
)

// The file was written before, or by a clock that is ahead of ours, in either encoding.
func TestPromises(t *testing.T) {
	for _, encoding := range []string{"utf-8", "gb18030"} {
		for name, at := range map[string]time.Time{"before": written, "ahead": now.Add(time.Hour)} {
			t.Run(encoding+" "+name, func(t *testing.T) {
				adaptertest.Promises(t, func(t *testing.T) adaptertest.Fixture { return promising(t, encoding, at) })
			})
		}
	}
}

const promisedRows = 3000

func promising(t *testing.T, encoding string, at time.Time) adaptertest.Fixture {
	write := func(s string) []byte { return []byte(s) }
	if encoding == "gb18030" {
		write = func(s string) []byte { return gb(t, s) }
	}
	var b bytes.Buffer
	b.Write(write("甲,乙,丙\n"))
	for i := range promisedRows {
		b.Write(write(fmt.Sprintf("编号%05d,\"株洲市,\n醴陵\",第%d号\n", i, i)))
	}
	s := source(t, b.Bytes(), "utf-8", encoding)
	put := func(content []byte, err error) {
		if err == nil {
			err = os.WriteFile(s.path, content, 0o600)
		}
		if err == nil {
			err = os.Chtimes(s.path, at, at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(b.Bytes(), nil)
	sound := func() []byte { return bytes.Clone(b.Bytes()) }
	return adaptertest.Fixture{
		Source: s, Rows: promisedRows, Now: now,
		Change: func() { put(append(sound(), write("编号新,乙,丙\n")...), nil) },
		Damage: func() {
			before, after, _ := bytes.Cut(sound(), write("第1500号"))
			put(bytes.Join([][]byte{before, after}, []byte("\xff\xff")), nil)
		},
		Cut: func() { // in the middle of a quoted cell
			whole := sound()
			put(whole[:bytes.Index(whole, write("编号02000"))+len(write("编号02000,\"株洲"))], nil)
		},
		Remove: func() { put(nil, os.Remove(s.path)) },
	}
}
