package broker

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// byReflection is what is spelt, as the library writes it.
func byReflection(t testing.TB, v any) string {
	t.Helper()
	out, err := jsonv2.Marshal(v, jsonv2.Deterministic(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func sameSpelling(t testing.TB, answers []exchange.Answer) {
	t.Helper()
	got, err := Spell(answers)
	if want := byReflection(t, answers); err != nil || string(got) != want {
		t.Fatalf("%v\nspelt   %s\nlibrary %s", err, got, want)
	}
	c := Conclusion{ID: "1", Time: now.Add(time.Nanosecond), Case: "LL-1", Item: "i", ItemName: exchange.Text{ZH: "事项 <1>"}, Applicant: "4302**", Answers: answers}
	c.Receipt.ID, c.Receipt.Time, c.Receipt.Offset, c.Receipt.Path = "1", now, 7, "a/+="
	got, err = c.Spell()
	if want := byReflection(t, c) + "\n"; err != nil || string(got) != want {
		t.Fatalf("%v\nspelt   %s\nlibrary %s", err, got, want)
	}
}

func TestSpeltAsTheLibraryDoes(t *testing.T) {
	for _, answers := range [][]exchange.Answer{nil, {}, {{}}, {{Evidence: []exchange.Evidence{{}}}, {Ask: []exchange.Question{{}}}}} {
		sameSpelling(t, answers)
	}
	worlds(t, func(t *testing.T, r *rand.Rand, ask string, world []premise) {
		sameSpelling(t, Decide(premises(ask, world...)))
	})
	for _, fields := range []string{`{}`, `{"a" : "\u4e2d\/<&>", "b":[ 1.50, 2e3 ], "c":{}, "d":null}`, "{\n}", `{"a":"` + "\u2028" + `"}`} {
		sameSpelling(t, []exchange.Answer{{Evidence: []exchange.Evidence{{Fields: json.RawMessage(fields)}}}})
	}
}

// Whatever is added to an answer, or to a receipt, must be spelt too.
func TestEveryMemberIsSpelt(t *testing.T) {
	var c Conclusion
	filled(t, reflect.ValueOf(&c).Elem(), "")
	got, err := c.Spell()
	if want := byReflection(t, c) + "\n"; err != nil || string(got) != want {
		t.Fatalf("%v\nspelt   %s\nlibrary %s", err, got, want)
	}
}

// filled gives every exported field a value that is not zero.
func filled(t *testing.T, v reflect.Value, name string) {
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = now
		return
	case *json.RawMessage:
		*value = json.RawMessage(`{"a":"` + name + `"}`)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				filled(t, v.Field(i), f.Name)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		filled(t, v.Index(0), name)
		filled(t, v.Index(1), name)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(t, v.Elem(), name)
	case reflect.String:
		v.SetString("some " + name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint64:
		v.SetUint(4)
	default:
		t.Fatalf("%s is a %s", name, v.Kind())
	}
}

func TestWhatIsNoTextIsNotSpelt(t *testing.T) {
	for _, a := range []exchange.Answer{{Material: "\xff"}, {Evidence: []exchange.Evidence{{Fields: json.RawMessage(`{"a":`)}}}} {
		if out, err := Spell([]exchange.Answer{a}); err == nil {
			t.Errorf("spelt as %s", out)
		}
	}
}

func BenchmarkSpell(b *testing.B) {
	var c Conclusion
	for i := range 6 {
		name := exchange.Text{ZH: fmt.Sprintf("证照 %d", i), EN: fmt.Sprintf("certificate %d", i)}
		c.Answers = append(c.Answers, exchange.Answer{Material: name.EN, Name: name, Basis: name, Outcome: exchange.Held, Assurance: "A", Evidence: []exchange.Evidence{{
			Type: "certificate", Outcome: exchange.Held, Keeper: "scjg", AsOf: now, Record: "00112233445566778899aabbccddeeff", Version: 1795762282238223, Assurance: "A",
			Fields: json.RawMessage(`{"area":"106.56","certificateNumber":"湘(2008)醴陵市不动产权第0000001号","issuedOn":"2008-10-13","location":"醴陵市茶冲镇安居新城19栋2708室"}`)}}})
	}
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Spell(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			byReflection(b, c)
		}
	})
}
