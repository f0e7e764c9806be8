package audit

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

func TestEncodeAsJSONDoes(t *testing.T) {
	for name, e := range map[string]Entry{"plain": entry(), "six materials": sixMaterials(), "nothing": {}, "everything": everything(t), "odd": {Catalogue: "a\"<张\u2028", Clerk: "&"},
		"a party":    {Parties: map[exchange.Role]Party{exchange.Spouse: {Subject: "s"}}, Inputs: map[string]map[int]int64{"a": {0: 1}}},
		"odd inputs": {Inputs: map[string]map[int]int64{"a": nil, "b": {}, "c": {10: -1, 2: 3}}}} {
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back, same Entry
		got, err := e.encode()
		if err != nil || json.Unmarshal(got, &back) != nil || json.Unmarshal(want, &same) != nil {
			t.Fatalf("%s: %v\n%s", name, err, got)
		}
		for topic, partitions := range same.Inputs { // null and {} are the same
			if partitions == nil {
				same.Inputs[topic] = map[int]int64{}
			}
		}
		if !reflect.DeepEqual(back, same) {
			t.Errorf("%s:\n%s\n%s", name, got, want)
		}
		if again, _ := e.encode(); !bytes.Equal(got, again) {
			t.Errorf("%s: twice is not the same", name)
		}
		inputs := e.Inputs
		if e.Inputs = nil; len(inputs) == 0 {
			continue
		}
		got, _ = e.encode() // without the inputs it is the library's, byte for byte
		if want, _ := json.Marshal(e); !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\n%s", name, got, want)
		}
	}
}

// everything is an entry in which every member that is written is there, so that one that is added later is not forgotten.
func everything(t *testing.T) Entry {
	var e Entry
	fill(t, reflect.ValueOf(&e).Elem())
	e.Chosen, e.Parties = nil, nil // with them it is the library that writes
	e.Holder, e.Stating, e.Told = exchange.Holder{}, nil, nil
	e.Inputs = map[string]map[int]int64{"a": {0: 1}}
	return e
}

func fill(t *testing.T, v reflect.Value) {
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = noon
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.String:
		v.SetString("some")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(4)
	case reflect.Map:
	default:
		t.Fatalf("a member is a %s", v.Kind())
	}
}

func TestParse(t *testing.T) {
	k, v := appended(t, sixMaterials())
	whole, err := Parse(k, v)
	if err != nil || len(whole.Materials) != 6 || len(whole.Inputs) != 6 || whole.Clerk != "w3-017" || !whole.Time.Equal(noon.Truncate(time.Millisecond)) {
		t.Fatalf("%+v, %v", whole, err)
	}
	skimmed, err := Skim(k, v)
	whole.Inputs = nil
	if err != nil || !reflect.DeepEqual(skimmed, whole) {
		t.Errorf("skimmed %+v, %v", skimmed, err)
	}
	if _, plain := skim(v); !plain {
		t.Error("what Append writes is not read the quick way")
	}
	change := func(old, new string) string {
		if !strings.Contains(string(v), old) {
			t.Fatalf("%q is not in the entry", old)
		}
		return strings.Replace(string(v), old, new, 1)
	}
	last := "0"
	if k[25] == '0' {
		last = "1"
	}
	other := string(k[:25]) + last
	for name, m := range map[string][2]string{
		"no key":           {"", string(v)},
		"another key":      {other, string(v)},
		"key in lower":     {strings.ToLower(string(k)), string(v)},
		"nothing":          {string(k), ""},
		"no JSON":          {string(k), "{"},
		"more behind":      {string(k), string(v) + "{}"},
		"no object":        {string(k), `["` + string(k) + `"]`},
		"member twice":     {string(k), change(`"clerk":`, `"clerk":"a","clerk":`)},
		"skipped twice":    {string(k), change(`"inputs":`, `"inputs":{},"inputs":`)},
		"no UTF-8":         {string(k), change("w3-017", "\xff")},
		"another time":     {string(k), change("12:00:00.123Z", "12:00:00.124Z")},
		"number as clerk":  {string(k), change("w3-017", number)},
		"name as clerk":    {string(k), change("w3-017", "张晓明")},
		"number as case":   {string(k), change("LL-2026-1123-0041", number)},
		"number for token": {string(k), change(whole.Subject, number)},
		"unknown kind":     {string(k), change(`"time":`, `"kind":"gossip","time":`)},
		"too long":         {string(k), change(`"time":`, `"note":"`+strings.Repeat("a", MaxEntry)+`","time":`)},
		"id too late":      {"8" + string(k[1:]), change(string(k), "8"+string(k[1:]))},
	} {
		for which, parse := range map[string]func(k, v []byte) (Entry, error){"Parse": Parse, "Skim": Skim} {
			if e, err := parse([]byte(m[0]), []byte(m[1])); err != ErrNoEntry || !reflect.DeepEqual(e, Entry{}) {
				t.Errorf("%s, %s: %+v, %v", which, name, e, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range []Entry{entry(), sixMaterials(), {Kind: Act, Clerk: "a", Act: "revoke"}} {
		k, v := appended(f, e)
		f.Add(k, v)
	}
	f.Fuzz(func(t *testing.T, k, v []byte) {
		skimmed, err := Skim(k, v)
		whole, wholeErr := Parse(k, v)
		if wholeErr == nil && err != nil {
			t.Fatal("a sound entry is not sound when skimmed")
		}
		if err != nil {
			return
		}
		if whole.Inputs = nil; wholeErr == nil && !reflect.DeepEqual(skimmed, whole) {
			t.Fatalf("skimmed %+v, parsed %+v", skimmed, whole)
		}
		if !ValidID(string(k)) || skimmed.ID != string(k) {
			t.Fatalf("id %q of an entry with the key %q", skimmed.ID, k)
		}
		if identity.ContainsCitizen(skimmed.Clerk + " " + skimmed.Target + " " + skimmed.Nonce) {
			t.Fatal("what must not stand there passed")
		}
	})
}

// FuzzSkim holds the quick reader to the one that knows all of JSON: what it takes for plain is JSON and means the same there.
func FuzzSkim(f *testing.F) {
	_, v := appended(f, sixMaterials())
	f.Add(v)
	f.Fuzz(func(t *testing.T, v []byte) {
		quick, plain := skim(v)
		if !plain {
			return
		}
		var most struct {
			Entry
			Inputs skipped `json:"inputs"`
		}
		if err := jsonv2.Unmarshal(v, &most); err != nil || !reflect.DeepEqual(quick, most.Entry) {
			t.Fatalf("%v: quick %+v, slow %+v", err, quick, most.Entry)
		}
	})
}

func TestValidID(t *testing.T) {
	l, _ := newLog(t, &fakeTopic{})
	for _, at := range []time.Time{time.UnixMilli(0), noon, noon.AddDate(100, 0, 0)} {
		id, err := l.newID(at)
		if read, ok := TimeOf(id); err != nil || !ok || !read.Equal(at.Truncate(time.Millisecond)) {
			t.Errorf("%s: %v, %v", id, read, ok)
		}
	}
	for _, id := range []string{"", "01ARYZ6S41", "01ARYZ6S41000000000000000I", "81ARYZ6S410000000000000000", "01aryz6s410000000000000000"} {
		if ValidID(id) {
			t.Errorf("%q passed", id)
		}
	}
}
