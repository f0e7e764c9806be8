package gate

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestTextAndID(t *testing.T) {
	for in, want := range map[string]string{
		" { \"b\" : [ 1.50 , 1e2, -0 ] ,\n\"a\":{ } , \"c\":[ ]} ":       `{"b":[1.50,1e2,-0],"a":{},"c":[]}`,
		`{"description":"\u4e2d\/\u001f\u000a\t\"\\\ud842\udfb7\u007f"}`: "{\"description\":\"中/\\u001F\\n\\t\\\"\\\\𠮷\u007f\"}",
		`{"enum":[null,true,false,{"a":[[],[1,2]]},""]}`:                 `{"enum":[null,true,false,{"a":[[],[1,2]]},""]}`,
		` true `:                     `true`,
		`{}`:                         `{}`,
		`{"examples":["<&>\u2028"]}`: "{\"examples\":[\"<&>\u2028\"]}",
	} {
		s, err := Admit([]byte(in))
		if err != nil || string(s.Text) != want {
			t.Errorf("%s: got %s, %v", in, s.Text, err)
		}
	}
	s, err := Admit([]byte(`{ "type" : "string" }`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "2809284b-6e54-d0d3-4017-715ffe5636bd"; s.ID() != want { // md5sum of {"type":"string"}
		t.Errorf("got %s, want %s", s.ID(), want)
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1.0,"a":{"z":[2,1],"y":null}}`: `{"a":{"y":null,"z":[2,1]},"b":1.0}`,
		`{"\u00e9":1,"a":9007199254740993}`:  `{"a":9007199254740993,"é":1}`,
		`true`:                               `true`,
	} {
		got, err := Normalize([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
		if again, err := Normalize(got); err != nil || string(again) != want {
			t.Errorf("%s: again %s, %v", in, again, err)
		}
	}
	for _, in := range []string{``, `{`, `{"a":1,"a":2}`, `{}{}`, `"\ud800"`} {
		if got, err := Normalize([]byte(in)); err == nil {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"\u0001\n"}],"c":{}}`))
	f.Add([]byte(` "x" `))
	f.Fuzz(func(t *testing.T, text []byte) {
		want, _, err := decode(text, schemaLimits())
		if err != nil {
			return
		}
		short, err := compact(text)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := decode(short, schemaLimits())
		if err != nil || !reflect.DeepEqual(got, want) || len(short) > 3*len(text) {
			t.Fatalf("%s: got %s, %v", text, short, err)
		}
		if again, err := compact(short); err != nil || string(again) != string(short) {
			t.Fatalf("%s: again %s, %v", short, again, err)
		}
		if sorted, err := Normalize(text); err != nil || !json.Valid(sorted) {
			t.Fatalf("%s: sorted %s, %v", text, sorted, err)
		}
	})
}
