package exchange

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
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

// hardlyInputs are what may stand in an entry, and what is hardly different.
var hardlyInputs = []string{`{}`, `{"a":{"0":1}}`, `{"b":{"1":2,"0":-1},"a":{}}`, `null`, `{"a":null}`, `{"a":{"0":null}}`, `{"a":{"0":1,"0":2}}`, `{"a":{"0":1},"a":{"1":2}}`,
	`{"a":{"0":1,"\u0030":2}}`, `{"a":{"\u0031":2}}`, `{"a":{"00":1}}`, `{"a":{"+1":1}}`, `{"a":{"":1}}`, `{"a":{" 0":1}}`, `{"a":{"x":1}}`, `{"a":{"-1":1}}`, `{"a":{"-0":1}}`, `{"a":{"0":1,"-0":2}}`, `{"a":{"-01":1}}`, `{"a":{"1e0":1}}`,
	`{"a":{"9223372036854775808":1}}`, `{"a":{"0":9223372036854775808}}`, `{"a":{"0":1.0}}`, `{"a":{"0":1e2}}`, `{"a":{"0":-0}}`, `{"a":{"0":"1"}}`, `{"a":[]}`, `{"a":1}`, `[]`, `""`, `1`,
	`{"a<&>\u2028\"":{"0":1}}`, "{\"\\u00e9\xff\":{}}", `{"a":{"0":1},"A":{"0":2}}`}

// FuzzInputs reads what may stand in an entry: what is taken is written the same again.
func FuzzInputs(f *testing.F) {
	for _, text := range hardlyInputs {
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

// FuzzInputsAsMaps: entries had maps before they had Inputs, and are taken, refused, written and left out as they were then.
func FuzzInputsAsMaps(f *testing.F) {
	for _, text := range hardlyInputs {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var now struct {
			Inputs Inputs `json:"inputs,omitzero"`
		}
		var before struct {
			Inputs map[string]map[int]int64 `json:"inputs,omitempty"`
		}
		text = append(append([]byte(`{"inputs":`), text...), '}')
		err, errBefore := jsonv2.Unmarshal(text, &now), jsonv2.Unmarshal(text, &before)
		if (err == nil) != (errBefore == nil) {
			t.Fatalf("%s: %v, before %v", text, err, errBefore)
		}
		if err != nil {
			return
		}
		if len(now.Inputs.topics) != len(before.Inputs) {
			t.Fatalf("%s: %v, before %v", text, now, before)
		}
		for topic, next := range before.Inputs {
			if !maps.Equal(now.Inputs.Next(topic), next) {
				t.Fatalf("%s: %v, before %v", text, now, before)
			}
		}
		written, _ := jsonv2.Marshal(now)
		var again struct {
			Inputs map[string]map[int]int64 `json:"inputs,omitempty"`
		}
		if err := jsonv2.Unmarshal(written, &again); err != nil || (len(before.Inputs) == 0) != (string(written) == "{}") {
			t.Fatalf("%s: written %s, %v", text, written, err)
		}
	})
}
