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
		"a party":    {Parties: map[exchange.Role]Party{exchange.Spouse: {Subject: "s"}}, Inputs: exchange.InputsOf(map[string]map[int]int64{"a": {0: 1}})},
		"odd inputs": {Inputs: exchange.InputsOf(map[string]map[int]int64{"a": nil, "b": {}, "c": {10: -1, 2: 3}})}} {
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back, same Entry
		got, err := e.encode()
		if err != nil || json.Unmarshal(got, &back) != nil || json.Unmarshal(want, &same) != nil {
			t.Fatalf("%s: %v\n%s", name, err, got)
		}
		if !reflect.DeepEqual(back, same) {
			t.Errorf("%s:\n%s\n%s", name, got, want)
		}
		if again, _ := e.encode(); !bytes.Equal(got, again) {
			t.Errorf("%s: twice is not the same", name)
		}
		e.Inputs, e.Parties = exchange.Inputs{}, nil // without the inputs, which come last, and what is rare, it is the library's, byte for byte
		got, _ = e.encode()
		var library bytes.Buffer
		plainly := json.NewEncoder(&library)
		plainly.SetEscapeHTML(false)
		err = plainly.Encode(e)
		if want := bytes.ReplaceAll(bytes.TrimSpace(library.Bytes()), []byte(`\u2028`), []byte("\u2028")); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n%s\n%s", name, err, got, want)
		}
	}
}

// everything is an entry in which every member that is written is there, so that one that is added later is not forgotten.
func everything(t *testing.T) Entry {
	var e Entry
	fill(t, reflect.ValueOf(&e).Elem())
	e.Chosen, e.Parties = nil, nil // with them it is the library that writes
	e.Holder, e.Stating, e.Told = exchange.Holder{}, nil, nil
	return e
}

func fill(t *testing.T, v reflect.Value) {
	switch of := v.Addr().Interface().(type) {
	case *time.Time:
		*of = noon
		return
	case *exchange.Inputs:
		*of = exchange.InputsOf(map[string]map[int]int64{"a": {0: 1}})
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
	if err != nil || len(whole.Materials) != 6 || whole.Inputs.Next("evidence.certificate-5")[3] != 123459 || whole.Clerk != "w3-017" || !whole.Time.Equal(noon.Truncate(time.Millisecond)) {
		t.Fatalf("%+v, %v", whole, err)
	}
	skimmed, err := Skim(k, v)
	whole.Inputs = exchange.Inputs{}
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

// hardly are entries that are hardly different from one, as somebody could put onto the topic who may write there.
func hardly(t testing.TB) (key []byte, values []string) {
	k, v := appended(t, sixMaterials())
	evaluated := string(v[bytes.Index(v, []byte(`"evaluated":"`))+len(`"evaluated":"`):])
	evaluated = evaluated[:strings.Index(evaluated, `"`)]
	values = []string{string(v), string(v[:len(v)-1]) + " }"}
	for _, at := range []string{"2026-11-23T1:00:00Z", "2026-11-23T12:00:00,5Z", "2026-11-23T12:00:00+24:00", "2026-11-23T12:00:00+08:60", "2026-11-23T12:00:00+08:00",
		"2026-11-23T12:00:00.5000000001Z", "2026-11-23T24:00:00Z", "2026-11-23T12:00:60Z", "2026-11-23t12:00:00z", "Z", ""} {
		values = append(values, strings.Replace(string(v), evaluated, at, 1))
	}
	for old, others := range map[string][]string{
		`"0":123456`:    {`"0":9223372036854775808`, `"0":99999999999999999999`, `"0":-1`, `"0":1.0`, `"00":1`, `"9223372036854775808":1`, `"+1":1`, `"0":1,"0":1`, `"1":1`},
		`"version":3`:   {`"version":18446744073709551615`, `"version":18446744073709551616`, `"version":0`, `"version":03`, `"version":-1`},
		`"inputs":{`:    {`"inputs":[],"a":{`, `"inputs":"text","a":{`, `"inputs":null,"a":{`, `"Inputs":{`},
		`"materials":[`: {`"materials":[],"a":[`, `"materials":[null,`, `"materials":[{"material":"a","outcome":"held","evidence":[]},`},
	} {
		for _, other := range others {
			values = append(values, strings.Replace(string(v), old, other, 1))
		}
	}
	return k, values
}

func skimmedAsParsed(t *testing.T, k, v []byte) {
	t.Helper()
	skimmed, err := Skim(k, v)
	whole, wholeErr := Parse(k, v)
	whole.Inputs = exchange.Inputs{}
	if err != wholeErr || !reflect.DeepEqual(skimmed, whole) {
		t.Fatalf("of %s\nskimmed %+v, %v\nparsed  %+v, %v", v, skimmed, err, whole, wholeErr)
	}
}

func TestSkimmedAsParsed(t *testing.T) {
	k, values := hardly(t)
	for _, v := range values {
		skimmedAsParsed(t, k, []byte(v))
	}
}

// TestOddInputsOfEveryKind: entries that say they were made from nothing, or from a topic of which nothing was folded, were taken before
// there was the type Inputs, whatever their kind.
func TestOddInputsOfEveryKind(t *testing.T) {
	for kind, e := range map[Kind]Entry{Query: entry(), Rejection: {Kind: Rejection, Decision: Refused, Refusal: "forged"},
		Access: {Kind: Access, Department: "scjg", Clerk: "a", Decision: Answered, Holder: holder}, Act: {Kind: Act, Clerk: "a", Act: "revoke"}} {
		e.Inputs = exchange.Inputs{}
		k, v := appended(t, e)
		for _, inputs := range []string{`{}`, `null`, `{"a":null}`, `{"a":{}}`, `{"a":{"0":null}}`, `{"b":{"0":1},"a":{"1":2,"0":3}}`} {
			odd := append(v[:len(v)-1:len(v)-1], `,"inputs":`+inputs+`}`...)
			skimmedAsParsed(t, k, odd)
			whole, err := Parse(k, odd)
			if nothing := inputs == `{}` || inputs == `null`; err != nil || whole.Inputs.IsZero() != nothing {
				t.Errorf("kind %q, inputs %s: %+v, %v", kind, inputs, whole.Inputs, err)
			}
		}
	}
}

// TestEntryOfAMessage is the same whether a bus has read it on the way in or not, and what is none stays none.
func TestEntryOfAMessage(t *testing.T) {
	k, v := appended(t, sixMaterials())
	plain := exchange.Message{Key: k, Value: v}
	read := exchange.Message{Key: k, Value: v, Read: new(Recent).Read(k, v)}
	want, err := EntryOf(&plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := EntryOf(&read); err != nil || got != read.Read || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	none := exchange.Message{Key: k, Value: []byte("{}"), Read: new(Recent).Read(k, []byte("{}"))}
	if _, err := EntryOf(&none); none.Read != nil || err != ErrNoEntry {
		t.Errorf("read as %v, %v", none.Read, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range []Entry{entry(), {Kind: Act, Clerk: "a", Act: "revoke"}} {
		k, v := appended(f, e)
		f.Add(k, v)
	}
	k, values := hardly(f)
	for _, v := range values {
		f.Add(k, []byte(v))
	}
	f.Fuzz(func(t *testing.T, k, v []byte) {
		skimmedAsParsed(t, k, v)
		e, err := Parse(k, v)
		if err != nil {
			return
		}
		if !ValidID(string(k)) || e.ID != string(k) {
			t.Fatalf("id %q of an entry with the key %q", e.ID, k)
		}
		if identity.ContainsCitizen(e.Clerk + " " + e.Target + " " + e.Nonce) {
			t.Fatal("what must not stand there passed")
		}
	})
}

// FuzzSkim holds the quick reader to the one that knows all of JSON: what it takes for plain is JSON and means the same there.
func FuzzSkim(f *testing.F) {
	_, values := hardly(f)
	for _, v := range values {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		quick, plain := skim(v)
		if !plain {
			return
		}
		var slow Entry
		if err := jsonv2.Unmarshal(v, &slow); err != nil {
			t.Fatalf("%v: %s", err, v)
		}
		if slow.Inputs = (exchange.Inputs{}); !reflect.DeepEqual(quick, slow) {
			t.Fatalf("quick %+v, slow %+v", quick, slow)
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
