package spell

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// said has one of each that is written.
type said struct {
	Text   string          `json:"text"`
	Some   string          `json:"some,omitempty"`
	Number int64           `json:"number"`
	Count  uint64          `json:"count,omitzero"`
	Flag   bool            `json:"flag,omitzero"`
	Time   time.Time       `json:"time"`
	Object json.RawMessage `json:"object,omitempty"`
	Any    map[string]int  `json:"any"`
	List   []int64         `json:"list"`
}

func (s *said) spell() ([]byte, error) {
	var w Writer
	w.Text(`{"text":`, s.Text)
	w.Some(`,"some":`, s.Some)
	w.Number(`,"number":`, s.Number)
	w.Count(`,"count":`, s.Count)
	w.Flag(`,"flag":`, s.Flag)
	w.Time(`,"time":`, s.Time)
	w.Object(`,"object":`, s.Object)
	w.Any(`,"any":`, s.Any)
	w.List(`,"list":`, len(s.List), func(i int) { w.Number("", s.List[i]) })
	w.Raw("}")
	return w.Done()
}

func TestNothing(t *testing.T) {
	var w Writer
	if out, err := w.Done(); len(out) != 0 || err != nil {
		t.Errorf("%s, %v", out, err)
	}
	w.Room(8)
	w.Bytes([]byte("1"))
	if out, err := w.Done(); string(out) != "1" || err != nil || cap(out) != 8 {
		t.Errorf("%s, %v", out, err)
	}
}

// FuzzAsTheLibrary holds what is spelt to the library: the same bytes, and an error where it has one.
func FuzzAsTheLibrary(f *testing.F) {
	f.Add("a", "b", int64(-1), uint64(1<<63), true, int64(1700000000), []byte(`{"a" : "\u4e2d\/<&>", "b":[ 1.50, 2e3 ], "c":{}}`), 3)
	f.Add("", "", int64(0), uint64(0), false, int64(0), []byte(nil), 0)
	f.Add("\xff", "\"\\\n\x7f", int64(1), uint64(1), true, int64(1<<60), []byte("{\n}"), 1)
	f.Add("a", "b", int64(0), uint64(0), false, int64(0), []byte(`{"a":`), 2)
	f.Fuzz(func(t *testing.T, text, some string, number int64, count uint64, flag bool, at int64, object []byte, n int) {
		if len(object) > 0 && object[0] != '{' { // only objects are left out where they are empty
			return
		}
		s := said{text, some, number, count, flag, time.Unix(at, 1000).UTC(), object, map[string]int{"b": n, "a": 1}, make([]int64, min(max(n, 0), 3))}
		got, err := s.spell()
		want, wantErr := jsonv2.Marshal(s, jsonv2.Deterministic(true))
		if (err != nil) != (wantErr != nil) {
			if wantErr != nil && err == nil && json.Valid(got) { // names that stand twice are let through here
				return
			}
			t.Fatalf("%s, %v; the library: %s, %v", got, err, want, wantErr)
		}
		if err == nil && string(got) != string(want) {
			t.Fatalf("spelt   %s\nlibrary %s", got, want)
		}
	})
}

// FuzzMembers holds plain objects to the library: it writes them as they are, and its members are theirs.
func FuzzMembers(f *testing.F) {
	for _, object := range []string{`{}`, `{"a":1}`, `{"a":"中","b":[1,-0.5e+3,true,false,null,{"c":[]}],"a":""}`, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":1e}`, `{"a":"\u0041"}`,
		`{"a": 1}`, `{"a":1,}`, `{,"a":1}`, `{"a":[,]}`, `{"a":[1,]}`, `{"a":tru}`, `{"a"}`, `{"a":}`, `{"a":1}}`, `{"a":1`, `[1]`, `1`, ``, "{\"a\":\"\xff\"}", "{\"a\":\"\n\"}", "{\"a\":\"\x7f\"}",
		"{\"a\":\"\u2028<&>\x7f\U0010ffff\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xc0\xaf\"}", `{"a":-0,"b":0e0,"c":1E-999,"d":12345678901234567890123}`, `{"a":00}`, `{"a":+1}`, `{"a":.5}`, `{"a":-}`,
		`{"a":nulll}`, `{"a":"b"c}`, `{"a":{}`, `{"a":[}`, `{"a":{]}`, `{"a":1,"a":2}`, `{"":""}`, `{1:2}`} {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		rebuilt := []byte("{")
		plain := Members(object, func(name, value []byte) {
			if len(rebuilt) > 1 {
				rebuilt = append(rebuilt, ',')
			}
			rebuilt = append(append(append(append(rebuilt, '"'), name...), `":`...), value...)
		})
		if !plain {
			return
		}
		want, err := jsontext.AppendFormat(nil, object, jsontext.AllowDuplicateNames(true))
		if err != nil || string(want) != string(object) || string(rebuilt)+"}" != string(object) {
			t.Fatalf("%q is not plain: the library writes %q, %v; its members make %q", object, want, err, rebuilt)
		}
	})
}

// TestUnescaped: every sign at every place, between signs that the arithmetic could take for others, is found or passed.
func TestUnescaped(t *testing.T) {
	for _, around := range []byte{' ', '!', '[', ']', 0x7f, 0x80, 0x9f, 0xdc, 0xff} {
		text := bytes.Repeat([]byte{around}, 17)
		for at := range text {
			for c := range 256 {
				text[at] = byte(c)
				if got, want := unescaped(text), c >= ' ' && c != '\\'; got != want {
					t.Fatalf("% x: %v", text, got)
				}
			}
			text[at] = around
		}
	}
}

func TestMembers(t *testing.T) {
	for object, plain := range map[string]bool{
		`{}`: true, `{"name":"张示例","classes":["C1","D"],"months":163,"x":{"y":-1.5e3}}`: true,
		`{"a":1} `: false, `{"a" :1}`: false, `{"a":"\n"}`: false, `[]`: false,
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`: false, // left to the other reader
	} {
		if got := Members([]byte(object), nil); got != plain {
			t.Errorf("%s: plain %v", object, got)
		}
	}
}
