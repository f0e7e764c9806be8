package exchange

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestInputs(t *testing.T) {
	next := map[string]map[int]int64{"evidence.b": {10: 3, 2: 5}, "coverage.a": {0: 1}, "erasures": nil}
	inputs := InputsOf(next)
	text, err := json.Marshal(inputs)
	if want := `{"coverage.a":{"0":1},"erasures":{},"evidence.b":{"2":5,"10":3}}`; err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
	more := inputs.With("catalogue", map[int]int64{0: 7}).With("erasures", map[int]int64{0: 2})
	if more.Next("catalogue")[0] != 7 || more.Next("erasures")[0] != 2 || more.Next("evidence.b")[10] != 3 || more.Next("evidence.c") != nil {
		t.Errorf("%+v", more)
	}
	if inputs.Next("catalogue") != nil || inputs.Next("erasures")[0] != 0 {
		t.Error("what was given away has changed")
	}
	var back Inputs
	if text, err = json.Marshal(more); err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, more) {
		t.Errorf("%s, %v: %+v", text, err, back)
	}
	for _, none := range []Inputs{{}, InputsOf(nil), InputsOf(map[string]map[int]int64{})} {
		if !none.IsZero() || none.Next("a") != nil || none.With("a", nil).IsZero() {
			t.Errorf("%+v", none)
		}
	}
}

// FuzzInputs reads what may stand in an entry: what is taken is written the same again.
func FuzzInputs(f *testing.F) {
	for _, text := range []string{`{"a":{"0":1}}`, `{"b":{"1":2,"0":-1},"a":{}}`, `null`, `{"a":null}`, `{"a":{"0":1,"0":2}}`, `{"a":{"00":1}}`, `{"a":{"x":1}}`, `[]`, "{\"\\u00e9\xff\":{}}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var once, twice Inputs
		if once.UnmarshalJSON(text) != nil {
			return
		}
		spelt, _ := once.MarshalJSON()
		err := twice.UnmarshalJSON(spelt)
		if again, _ := twice.MarshalJSON(); err != nil || string(again) != string(spelt) {
			t.Fatalf("%s: %s, %v", text, spelt, err)
		}
	})
}
