package opinion

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// TestMain is the child process too: the real one, and some that misbehave.
func TestMain(m *testing.M) {
	AnswerIfAsked()
	if len(os.Args) > 2 && os.Args[1] == "misbehave" {
		misbehave(os.Args[2])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func misbehave(how string) {
	switch how {
	case "garbage":
		fmt.Println("姓名：张三")
	case "surplus":
		fmt.Println(`{"accepted":true} true true true`)
	case "too few":
		fmt.Println(`{"accepted":true} true`)
	case "flood":
		for {
			fmt.Println(strings.Repeat("x", 4096))
		}
	case "hang":
		time.Sleep(time.Hour)
	case "memory":
		if err := confine(); err != nil {
			panic(err)
		}
		var held [][]byte
		for len(held) < 1<<20 {
			held = append(held, bytes.Repeat([]byte("x"), 1<<20))
		}
		fmt.Println(len(held))
	case "stack":
		if err := confine(); err != nil {
			panic(err)
		}
		fmt.Println(recurse(1))
	case "processor":
		if err := confine(); err != nil {
			panic(err)
		}
		for began := time.Now(); time.Since(began) < time.Hour; {
		}
	case "panic":
		panic("430281199001010017")
	case "late panic":
		fmt.Println(`{"accepted":true} true`)
		panic("430281199001010017")
	case "exit":
		fmt.Fprintln(os.Stderr, "430281199001010017")
		os.Exit(1)
	}
}

// recurse goes deeper than any stack, for those who ask for more than nothing.
func recurse(n int) int {
	if n == 0 {
		return 0
	}
	return recurse(n+1) + 1
}

func ask(t *testing.T, schema string, documents ...string) (Opinion, error) {
	t.Helper()
	q := Question{Schema: []byte(schema)}
	for _, d := range documents {
		q.Documents = append(q.Documents, []byte(d))
	}
	return Asker{}.Ask(t.Context(), q)
}

func TestAsk(t *testing.T) {
	for _, c := range []struct {
		name, schema string
		documents    []string
		want         []bool // nil: the schema is not accepted
	}{
		{"type", `{"type":"string"}`, []string{`"a"`, `1`, `null`, `{}`}, []bool{true, false, false, false}},
		{"no document", `{"type":"string"}`, nil, []bool{}},
		{"true", `true`, []string{`1`}, []bool{true}},
		{"false", `false`, []string{`1`}, []bool{false}},
		{"draft-04", `{"$schema":"http://json-schema.org/draft-04/schema#","maximum":3,"exclusiveMaximum":true}`, []string{`3`, `2`}, []bool{false, true}},
		{"draft-06", `{"$schema":"http://json-schema.org/draft-06/schema#","exclusiveMaximum":3}`, []string{`3`, `2`}, []bool{false, true}},
		{"draft-07", `{"$schema":"https://json-schema.org/draft-07/schema","if":{"type":"string"},"then":{"minLength":2}}`, []string{`"a"`, `"ab"`, `1`}, []bool{false, true, true}},
		{"own format", `{"format":"cn-credit-code"}`, []string{`"91430281000000019C"`, `"91430281000000019D"`, `7`}, []bool{true, false, true}},
		{"date-time", `{"format":"date-time"}`, []string{`"2026-01-02T03:04:05+08:00"`, `"2026-01-02"`, `"03:04:05"`}, []bool{true, false, false}},
		{"large numbers", `{"maximum":9007199254740992}`, []string{`9007199254740992`, `9007199254740993`}, []bool{true, false}},
		{"local reference", `{"$ref":"#/definitions/a","definitions":{"a":{"type":"integer"}}}`, []string{`1`, `"a"`}, []bool{true, false}},
		{"recursive", `{"type":"object","additionalProperties":{"$ref":"#"}}`, []string{`{"a":{"a":{}}}`, `{"a":{"a":1}}`}, []bool{true, false}},
		{"unknown keyword of another draft", `{"prefixItems":[{"type":"string"}]}`, []string{`[1]`}, []bool{true}},
		{"no type", `{"type":"strange"}`, []string{`1`}, nil},
		{"minLength of text", `{"minLength":"3"}`, []string{`1`}, nil},
		{"minLength 2.0, which is sound", `{"minLength":2.0}`, []string{`1`}, nil},
		{"required is no list", `{"required":true}`, []string{`1`}, nil},
		{"empty enum", `{"enum":[]}`, []string{`1`}, nil},
		{"pattern of no regular expression", `{"pattern":"("}`, []string{`1`}, nil},
		{"pattern with look-around", `{"pattern":"^(?=a)"}`, []string{`1`}, nil},
		{"escape that Go does not know", `{"pattern":"[\\u4e00-\\u9fa5]"}`, []string{`1`}, nil}, // the caller translates
		{"reference to nothing", `{"$ref":"#/definitions/b"}`, []string{`1`}, nil},
		{"remote reference", `{"$ref":"http://127.0.0.1:1/a.json"}`, []string{`1`}, nil},
		{"file reference", `{"$ref":"file:///etc/hostname"}`, []string{`1`}, nil},
		{"relative reference", `{"$ref":"a.json"}`, []string{`1`}, nil},
		{"remote reference by $id", `{"$id":"http://127.0.0.1:1/","items":{"$ref":"a.json"}}`, []string{`1`}, nil},
		{"boolean in draft-04", `{"$schema":"http://json-schema.org/draft-04/schema#","items":true}`, []string{`1`}, nil},
		{"schema is a list", `[]`, []string{`1`}, nil},
		{"schema is a text", `"a"`, []string{`1`}, nil},
	} {
		o, err := ask(t, c.schema, c.documents...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.want == nil {
			if o.Accepted || o.Why == "" || len(o.Valid) > 0 {
				t.Errorf("%s: %+v, want a refusal with its reason", c.name, o)
			}
			continue
		}
		if !o.Accepted || !reflect.DeepEqual(append([]bool{}, o.Valid...), c.want) {
			t.Errorf("%s: %+v, want %v", c.name, o, c.want)
		}
	}
}

func TestAskWithReferences(t *testing.T) {
	address := []byte(`{"$id":"http://example.test/x","definitions":{"city":{"type":"string"}},"required":["city"],"properties":{"city":{"$ref":"#/definitions/city"}}}`)
	deep := []byte(`{"allOf":[{"$ref":"address"}]}`)
	for _, c := range []struct {
		name, schema string
		references   map[string][]byte
		accepted     bool
	}{
		{"by name", `{"properties":{"at":{"$ref":"address"}}}`, map[string][]byte{"address": address}, true},
		{"by name that looks like a file", `{"properties":{"at":{"$ref":"a/b.json#"}}}`, map[string][]byte{"a/b.json": address}, true},
		{"by address", `{"properties":{"at":{"$ref":"http://127.0.0.1:1/a.json"}}}`, map[string][]byte{"http://127.0.0.1:1/a.json": address}, true},
		{"under an $id", `{"$id":"http://127.0.0.1:1/","properties":{"at":{"$ref":"address"}}}`, map[string][]byte{"address": address}, true},
		{"through another", `{"properties":{"at":{"$ref":"deep"}}}`, map[string][]byte{"address": address, "deep": deep}, true},
		{"by another name", `{"properties":{"at":{"$ref":"adress"}}}`, map[string][]byte{"address": address}, false},
		{"to no place in it", `{"properties":{"at":{"$ref":"address#/definitions/street"}}}`, map[string][]byte{"address": address}, false},
		{"through another that is missing", `{"properties":{"at":{"$ref":"deep"}}}`, map[string][]byte{"deep": deep}, false},
		{"that is no schema", `{"properties":{"at":{"$ref":"address"}}}`, map[string][]byte{"address": []byte(`{"type":7}`)}, false},
	} {
		o, err := Asker{}.Ask(t.Context(), Question{Schema: []byte(c.schema), References: c.references,
			Documents: [][]byte{[]byte(`{"at":{"city":"醴陵"}}`), []byte(`{"at":{"city":1}}`), []byte(`{"at":{}}`)}})
		if err != nil || o.Accepted != c.accepted || c.accepted && !reflect.DeepEqual(o.Valid, []bool{true, false, false}) {
			t.Errorf("%s: %+v, %v", c.name, o, err)
		}
	}
}

// TestConstantsAreNotReferences: what stands in const and enum is data.
func TestConstantsAreNotReferences(t *testing.T) {
	o, err := Asker{}.Ask(t.Context(), Question{Schema: []byte(`{"enum":[{"$ref":"a"}]}`), References: map[string][]byte{"a": []byte(`{}`)},
		Documents: [][]byte{[]byte(`{"$ref":"a"}`), []byte(`{"$ref":"http://reference.invalid/0"}`)}})
	if err != nil || !reflect.DeepEqual(o.Valid, []bool{true, false}) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestNoOpinion(t *testing.T) {
	misbehaving := func(how string) Asker { return Asker{Command: []string{os.Args[0], "misbehave", how}} }
	two := [][]byte{[]byte(`1`), []byte(`2`)}
	for _, c := range []struct {
		name     string
		asker    Asker
		question Question
		code     string
		says     string
	}{
		{"reference to itself", Asker{}, Question{Schema: []byte(`{"$ref":"#"}`), Documents: two}, "", ""},
		{"references in a ring", Asker{}, Question{Schema: []byte(`{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}`), Documents: two}, "", ""},
		{"ring through allOf", Asker{}, Question{Schema: []byte(`{"allOf":[{"$ref":"#"}]}`), Documents: two}, "YM-OPN-0104", "document 1 of 2"},
		{"monstrous number", Asker{}, Question{Schema: []byte(`{"type":"number","maximum":5}`), Documents: [][]byte{[]byte(`1`), []byte(`1e5000000`)}}, "YM-OPN-0105", "document 2 of 2"},
		{"draft 2020-12", Asker{}, Question{Schema: []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema"}`)}, "YM-OPN-0110", "draft-07 only"},
		{"draft that is no text", Asker{}, Question{Schema: []byte(`{"$schema":7}`)}, "YM-OPN-0110", ""},
		{"reference of another draft", Asker{}, Question{Schema: []byte(`{}`), References: map[string][]byte{"a": []byte(`{"$schema":"urn:x"}`)}}, "YM-OPN-0110", ""},
		{"schema that is no JSON", Asker{}, Question{Schema: []byte(`{`)}, "YM-OPN-0111", ""},
		{"two schemas", Asker{}, Question{Schema: []byte(`{}{}`)}, "YM-OPN-0111", ""},
		{"reference that is no JSON", Asker{}, Question{Schema: []byte(`{}`), References: map[string][]byte{"a": []byte(`x`)}}, "YM-OPN-0111", ""},
		{"document that is no JSON", Asker{}, Question{Schema: []byte(`{}`), Documents: [][]byte{[]byte(`{"a":430281199001010017`)}}, "YM-OPN-0111", ""},
		{"too many documents", Asker{}, Question{Schema: []byte(`{}`), Documents: [][]byte{make([]byte, mostAsked)}}, "YM-OPN-0112", "16 MiB"},
		{"no program", Asker{Command: []string{"/nowhere/yimen"}}, Question{}, "YM-OPN-0101", "cannot be started"},
		{"no permission", Asker{Command: []string{t.TempDir()}}, Question{}, "YM-OPN-0101", "cannot be started"},
		{"garbage", misbehaving("garbage"), Question{}, "YM-OPN-0109", "no answer"},
		{"silence", misbehaving("nothing"), Question{}, "YM-OPN-0109", "no answer"},
		{"more verdicts than documents", misbehaving("surplus"), Question{Documents: two}, "YM-OPN-0109", "no answer"},
		{"fewer verdicts than documents", misbehaving("too few"), Question{Documents: two}, "YM-OPN-0109", "no answer"},
		{"endless output", misbehaving("flood"), Question{}, "YM-OPN-0109", "no answer"},
		{"memory", misbehaving("memory"), Question{}, "YM-OPN-0103", "256 MiB"},
		{"stack", misbehaving("stack"), Question{}, "YM-OPN-0104", "recursed"},
		{"panic", misbehaving("panic"), Question{}, "YM-OPN-0105", "panicked"},
		{"panic on a document", misbehaving("late panic"), Question{Documents: two}, "YM-OPN-0105", "on document 2 of 2"},
		{"failure", misbehaving("exit"), Question{}, "YM-OPN-0107", "failure"},
	} {
		began := time.Now()
		o, err := c.asker.Ask(t.Context(), c.question)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Kind != exchange.Unavailable || c.code != "" && p.Code != c.code || !strings.Contains(p.In(exchange.EN), c.says) {
			t.Errorf("%s: %+v, %v, want %s", c.name, o, err, c.code)
			continue
		}
		if p.What.ZH == "" || p.Why.ZH == "" || p.Why.EN == "" || p.Mend.ZH == "" || p.Mend.EN == "" {
			t.Errorf("%s: the problem does not say all it should: %+v", c.name, p)
		}
		if said := p.In(exchange.ZH) + p.In(exchange.EN); strings.Contains(said, "430281199001010017") || strings.Contains(said, "张三") {
			t.Errorf("%s: it tells of a document: %s", c.name, said)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: told after %v", c.name, took)
		}
		t.Logf("%s, %v: %v", c.name, time.Since(began).Round(time.Millisecond), err)
	}
}

// TestHang waits for a child that never answers as long as its request does.
func TestHang(t *testing.T) {
	for _, how := range []string{"hang", "processor"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := Asker{Command: []string{os.Args[0], "misbehave", how}}.Ask(ctx, Question{Schema: []byte(`{}`)})
		if !errors.Is(err, context.DeadlineExceeded) || exchange.KindOf(err) != exchange.Unavailable || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v after %v", how, err, time.Since(began))
		}
	}
}

// TestHangForEver waits out the bound on time itself.
func TestHangForEver(t *testing.T) {
	const patience = 500 * time.Millisecond
	began := time.Now()
	_, err := Asker{Command: []string{os.Args[0], "misbehave", "hang"}, patience: patience}.Ask(t.Context(), Question{Schema: []byte(`{}`)})
	var p *exchange.Problem
	if took := time.Since(began); !errors.As(err, &p) || p.Code != "YM-OPN-0102" || took < patience || took > wallClock {
		t.Errorf("%v after %v", err, took)
	}
}

func TestSlots(t *testing.T) {
	a := Asker{Slots: make(chan struct{}, 1)}
	a.Slots <- struct{}{} // a child is running
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Ask(ctx, Question{Schema: []byte(`{}`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("it did not wait for its turn: %v", err)
	}
	<-a.Slots
	for range 2 { // each gives its slot back
		if _, err := a.Ask(t.Context(), Question{Schema: []byte(`{}`)}); err != nil {
			t.Error(err)
		}
	}
	if len(a.Slots) != 0 {
		t.Error("a slot was not given back")
	}
}

// TestChildKnowsNothing makes sure that the child gets no environment, where secrets may stand.
func TestChildKnowsNothing(t *testing.T) {
	t.Setenv("YIMEN_SECRET", "s3cret")
	a := Asker{Command: []string{"/bin/sh", "-c", `test -z "$YIMEN_SECRET" && echo '{"accepted":true} "answered"'`}}
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("skipped: there is no /bin/sh")
	}
	if o, err := a.Ask(t.Context(), Question{}); err != nil || !o.Accepted {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestChildrenHaveNoChildren: a program that does not call AnswerIfAsked must not start itself over and over.
func TestChildrenHaveNoChildren(t *testing.T) {
	t.Setenv(marked, "1")
	if _, err := ask(t, `{}`); exchange.KindOf(err) != exchange.Unavailable || !strings.Contains(err.Error(), "AnswerIfAsked") {
		t.Errorf("%v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	good, err := json.Marshal(Question{Schema: []byte(`{"a":1}`), References: map[string][]byte{"x": []byte(`true`)}, Documents: [][]byte{[]byte(`1`)}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(good), `{}`, `{}{}`, `null`, `{"schema":"e30="}`, `{"schema":1}`, `{"x":1}`, `{"documents":[null]}`, "\x00", ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		q, err := readQuestion(json.NewDecoder(bytes.NewReader(request)))
		if err != nil {
			if strings.Contains(err.Error(), string(request)) && len(request) > 20 {
				t.Fatal("the error quotes the question")
			}
			return
		}
		text, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readQuestion(json.NewDecoder(bytes.NewReader(text)))
		if err != nil || !bytes.Equal(again.Schema, q.Schema) || len(again.Documents) != len(q.Documents) || len(again.References) != len(q.References) {
			t.Fatalf("%v: a question changes on its way", err)
		}
		for _, d := range append(again.Documents, again.Schema) {
			if v, err := decode(d); err == nil {
				dialect(v)
				redirect(v, map[string]string{"x": "http://reference.invalid/0"})
			}
		}
		_, _, _ = readAnswer(json.NewDecoder(bytes.NewReader(request)), 2) // what a child writes is as little to be trusted
	})
}

func TestIdle(t *testing.T) {
	idle := &Idle{}
	a := Asker{Idle: idle}
	ask := func(schema string) {
		t.Helper()
		if o, err := a.Ask(t.Context(), Question{Schema: []byte(schema), Documents: [][]byte{[]byte(`1`)}}); err != nil || !o.Accepted || !o.Valid[0] {
			t.Fatalf("%+v %v", o, err)
		}
	}
	ask(`{"type":"integer"}`)
	first := idle.child
	if _, err := a.Ask(t.Context(), Question{Schema: []byte(`{`)}); err == nil || idle.child != first {
		t.Error("a refusal is an answer too", err)
	}
	ask(`{"type":"number"}`)
	if idle.child != first || first.asked != 3 {
		t.Error("the child was not asked again")
	}
	first.cmd.Process.Kill() // as the system does when memory is short
	ask(`{"minimum":1}`)
	if idle.child == first {
		t.Fatal("a dead child answers")
	}
	if _, err := a.Ask(t.Context(), Question{Schema: []byte(`{"allOf":[{"$ref":"#"}]}`), Documents: [][]byte{[]byte(`1`)}}); err == nil || idle.child != nil {
		t.Error("a child that died is kept", err)
	}
	ask(`{"minimum":1}`)
	worn := idle.child
	worn.asked = mostQuestions - 1
	ask(`{"minimum":1}`)
	if idle.child != nil {
		t.Error("it is never replaced")
	}
	ask(`{"minimum":1}`)
	last := idle.child
	idle.expire()
	if last.cmd.ProcessState == nil || idle.child != nil {
		t.Error("it waits for ever")
	}
	ask(`{"minimum":1}`)
	last = idle.child
	idle.Close()
	if last.cmd.ProcessState == nil {
		t.Error("it outlives its closing")
	}
	if ask(`{"minimum":1}`); idle.child != nil {
		t.Error("one was kept after the closing")
	}
}
