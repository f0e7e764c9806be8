package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
	"github.com/onedoor/yimen/schemas/registry"
)

func TestSubjectNames(t *testing.T) {
	for _, row := range []struct {
		name    string
		literal bool
		want    string
	}{
		{"business-licence", false, "evidence.business-licence-value"},
		{"business-licence", true, "business-licence"},
		{"evidence.business-licence-value", false, "evidence.business-licence-value"},
		{"orders-value", false, "orders-value"},
		{"orders-key", false, "orders-key"},
		{"Orders", false, "Orders"},
		{"a/b", false, "a/b"},
		{"", false, ""},
	} {
		if got := (subjectName{row.literal}).subject(row.name); got != row.want {
			t.Errorf("%q literal %v stands for %q, want %q", row.name, row.literal, got, row.want)
		}
	}
}

func TestDifferences(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		{"equal", `{"a":[1,{"b":2}]}`, `{"a":[1,{"b":2}]}`, ""},
		{"a member", `{}`, `{"a/b~":1}`, "+ /a~1b~0 1"},
		{"a member less", `{"a":1}`, `{}`, "- /a 1"},
		{"a value", `{"a":1}`, `{"a":"1"}`, `- /a 1|+ /a "1"`},
		{"an object for a list", `{"a":{}}`, `{"a":[]}`, "- /a {}|+ /a []"},
		{"a set", `{"required":["a","b"]}`, `{"required":["c","b"]}`, `- /required "a"|+ /required "c"`},
		{"the order of a list", `{"a":[1,2]}`, `{"a":[2,1]}`, "- /a [1,2]|+ /a [2,1]"},
		{"within a list", `{"a":[{"b":1}]}`, `{"a":[{"b":1},{"c":2}]}`, `+ /a/1 {"c":2}`},
		{"the whole", `true`, `{}`, "- # true|+ # {}"},
		{"numbers as they are written", `{"a":9007199254740993}`, `{"a":9007199254740992}`, "- /a 9007199254740993|+ /a 9007199254740992"},
	} {
		t.Run(row.name, func(t *testing.T) {
			old, err := gate.Decode([]byte(row.old))
			new, err2 := gate.Decode([]byte(row.new))
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range differences(old, new) {
				got = append(got, d.Sign+" "+d.Pointer+" "+excerpt(d.Value, 100))
			}
			if strings.Join(got, "|") != row.want {
				t.Errorf("%s, want %s", strings.Join(got, "|"), row.want)
			}
		})
	}
}

func TestCompared(t *testing.T) {
	admit := func(text string) *gate.Schema {
		s, err := gate.Admit([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	narrow, wide := admit(`{"type":"integer"}`), admit(`{"type":["integer","string"]}`)
	for _, row := range []struct {
		level  string
		new    *gate.Schema
		old    []*gate.Schema
		want   bool
		versus string
	}{
		{"NONE", narrow, []*gate.Schema{wide}, true, ""},
		{"BACKWARD", wide, []*gate.Schema{narrow}, true, "1 backward"},
		{"BACKWARD", narrow, []*gate.Schema{wide}, false, "1 backward"},
		{"BACKWARD", narrow, []*gate.Schema{wide, narrow}, true, "2 backward"},
		{"BACKWARD_TRANSITIVE", narrow, []*gate.Schema{wide, narrow}, false, "2 backward|1 backward"},
		{"FORWARD", narrow, []*gate.Schema{wide}, true, "1 forward"},
		{"FORWARD", wide, []*gate.Schema{narrow}, false, "1 forward"},
		{"FULL", wide, []*gate.Schema{narrow}, false, "1 backward|1 forward"},
		{"FULL_TRANSITIVE", wide, []*gate.Schema{wide, wide}, true, "2 backward|2 forward|1 backward|1 forward"},
	} {
		var against []earlier
		for i, s := range row.old {
			against = append(against, earlier{i + 1, s})
		}
		j := compared(registry.Level{Compatibility: row.level, Policy: compat.Strict}, row.new, against)
		var versus []string
		for _, c := range j.Against {
			versus = append(versus, fmt.Sprint(c.Version, " ", c.Direction))
		}
		if j.Compatible != row.want || strings.Join(versus, "|") != row.versus {
			t.Errorf("%s: compatible %v against %v", row.level, j.Compatible, versus)
		}
	}
}

func TestReferencesNamed(t *testing.T) {
	for _, row := range []struct{ written, want string }{
		{"a.json=b-value:2", "[{a.json b-value 2}]"},
		{"http://x/a=b=c:d:2", "[{http://x/a=b c:d 2}]"},
		{"a.json", ""}, {"a=b", ""}, {"a=b:", ""}, {"a=b:0", ""}, {"a=b:-1", ""}, {"a=b:x", ""}, {"=b:1", ""}, {"a=:1", ""}, {"", ""},
	} {
		got, err := referencesNamed([]string{row.written})
		if row.want == "" && codeIn(err) != "YM-CLI-0705" || row.want != "" && (err != nil || fmt.Sprint(got) != row.want) {
			t.Errorf("%q: %v, %v", row.written, got, err)
		}
	}
}

func TestLevelAsked(t *testing.T) {
	for _, row := range []struct {
		args          string
		literal       bool
		subject, want string
		code          string
	}{
		{"", false, "", "", ""},
		{"full", false, "", "FULL", ""},
		{"full", true, "full", "", ""},
		{"backward-transitive", false, "", "BACKWARD_TRANSITIVE", ""},
		{"food-licence", false, "evidence.food-licence-value", "", ""},
		{"food-licence None", false, "evidence.food-licence-value", "NONE", ""},
		{"food-licence fulll", false, "", "", "YM-CLI-0701"},
		{"full fulll", false, "", "", "YM-CLI-0701"},
	} {
		subject, level, err := (subjectName{row.literal}).levelAsked(strings.Fields(row.args))
		if codeIn(err) != row.code || subject != row.subject || level.Compatibility != row.want {
			t.Errorf("%q: %q %q %v", row.args, subject, level.Compatibility, err)
		}
	}
}

func TestRetirementMoment(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 5, time.UTC)
	for _, row := range []struct{ after, on, want string }{
		{"30d", "", "2026-12-23T10:00:00Z"},
		{"0d", "", "2026-11-23T10:00:00Z"},
		{"90m", "", "2026-11-23T11:30:00Z"},
		{"30d", "2026-12-31", "2026-12-30T16:00:00Z"},
		{"30d", "2026-12-31T08:00:00+08:00", "2026-12-31T00:00:00Z"},
		{"soon", "", ""}, {"-1d", "", ""}, {"-1h", "", ""}, {"d", "", ""}, {"", "", ""}, {"99999999999999d", "", ""}, {"40000d", "", ""},
		{"30d", "31.12.2026", ""}, {"30d", "2026-13-01", ""},
	} {
		got, err := (&retirement{after: row.after, on: row.on}).from(now)
		if row.want == "" && codeIn(err) != "YM-CLI-0712" || row.want != "" && (err != nil || got.UTC().Format(time.RFC3339) != row.want) {
			t.Errorf("--after %q --at %q: %v, %v", row.after, row.on, got, err)
		}
	}
}

func TestFileName(t *testing.T) {
	for subject, want := range map[string]string{
		"evidence.a-value": "evidence.a-value", "..": "%2E%2E", ".": "%2E", "a/b": "a%2Fb", "证": "%E8%AF%81", "a b%": "a%20b%25", "a.": "a%2E",
	} {
		if got := fileName(subject); got != want {
			t.Errorf("%q is written %q, want %q", subject, got, want)
		}
	}
}

// TestNamesAreTyped answers the question before a retirement.
func TestNamesAreTyped(t *testing.T) {
	terminal := func(context.Context) ([]byte, error) { return nil, nil }
	for _, row := range []struct {
		name, typed, confirmed string
		terminal               bool
		code                   string
	}{
		{"typed", "food-licence\n", "", true, ""},
		{"typed on Windows", "food-licence\r\n", "", true, ""},
		{"given", "", "food-licence", false, ""},
		{"typed wrongly", "food-license\n", "", true, "YM-CLI-0711"},
		{"yes is no name", "yes\n", "", true, "YM-CLI-0711"},
		{"nothing typed", "\n", "", true, "YM-CLI-0711"},
		{"the end", "", "", true, "YM-CLI-0711"},
		{"given wrongly", "food-licence\n", "food-license", true, "YM-CLI-0713"},
		{"nobody there", "food-licence\n", "", false, "YM-CLI-0713"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := surroundings(io.Discard, io.Discard)
			p.in = strings.NewReader(row.typed)
			if row.terminal {
				p.hidden = terminal
			}
			if err := (&session{process: p}).nameTyped(t.Context(), "food-licence", row.confirmed); codeIn(err) != row.code {
				t.Errorf("%v, want %q", err, row.code)
			}
		})
	}
}

func TestAsyncAPIDocumentsEveryHeader(t *testing.T) {
	batch := envelopetest.New().Sealer(t, "scjg/licences", make([]byte, 32), nil).Batch()
	record, err := batch.Record(envelope.Draft{Type: "business-licence", Schema: "00112233-4455-6677-8899-aabbccddeeff", Payload: []byte("{}")})
	row, err2 := batch.Rejection(envelope.Rejection{Type: "business-licence", Code: "YM-ID-0102"})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	signed := []exchange.Message{record, row}
	if err := batch.Sign(signed); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]exchange.Message{"recordHeaders": signed[0], "rowHeaders": signed[1]} {
		documented := asyncSchemas()[name].(asyncObject)["properties"].(asyncObject)
		for _, h := range m.Headers {
			if documented[h.Name] == nil {
				t.Errorf("%s: %s is not documented", name, h.Name)
			}
		}
		if untraced := len(documented) - 1; untraced != len(m.Headers) {
			t.Errorf("%s: %d headers are documented besides that of a trace, messages have %d", name, untraced, len(m.Headers))
		}
	}
}

func TestAsyncAPIMovesReferences(t *testing.T) {
	text := `{"definitions":{"a":{"type":"string"}},"properties":{"b":{"$ref":"#/definitions/a"}},"examples":[{"$ref":"#/definitions/a"}],"n":9007199254740993}`
	moved, err := json.Marshal(embedded(&schemas.Schema{Type: "x", Text: []byte(text)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"b":{"$ref":"#/components/schemas/x/schema/definitions/a"}`, `"examples":[{"$ref":"#/definitions/a"}]`, "9007199254740993"} {
		if !strings.Contains(string(moved), want) {
			t.Errorf("%s lacks %s", moved, want)
		}
	}
}

// TestRegistryRefusals shows what a registry's answers become on the command line.
func TestRegistryRefusals(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		want   code
		said   string
	}{
		{"incompatible", 409, `{"error_code":409,"message":"m","problem":{"code":"YM-REG-409","kind":"conflict","what":{"zh":"不兼容","en":"incompatible"}},
			"findings":{"against":[{"version":2,"direction":"backward","findings":[{"pointer":"/required","what":{"zh":"要求","en":"requires it"},"mend":{"zh":"改","en":"make it optional"},"document":{"a":1}}]},
			{"version":1,"direction":"backward","undecided":true}]}}`, exitIncompatible, `because: /required  requires it (v2); such as {"a":1}  → make it optional`},
		{"unknown", 404, `{"error_code":40401,"message":"Subject 'x' not found."}`, exitNotFound, "YM-REG-40401"},
		{"not allowed", 403, `{"error_code":40301,"message":"no"}`, exitDenied, "YM-REG-40301"},
		{"who are you", 401, `{"error_code":40101,"message":"no"}`, exitLogin, "YM-REG-40101"},
		{"another service", 200, `<html>`, exitDown, "YM-REG-0503"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(row.status)
				io.WriteString(w, row.body)
			}))
			defer server.Close()
			var talk strings.Builder
			p := surroundings(io.Discard, &talk)
			p.in = strings.NewReader("t0ken")
			args := []string{"schema", "register", "orders-value", "--file", "testdata/orders.json", "--token", "-", "--server", server.URL, "--lang", "en"}
			if got := run(t.Context(), p, args); got != row.want || !strings.Contains(talk.String(), row.said) || strings.Contains(talk.String(), "t0ken") {
				t.Errorf("exit code %d, said\n%s", got, talk.String())
			}
		})
	}
}
