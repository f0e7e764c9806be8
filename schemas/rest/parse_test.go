package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
)

// code is the error code of an error, 0 for none.
func code(err error) int {
	if err == nil {
		return 0
	}
	n, _ := codeOf(problemOf(err))
	return n
}

func TestSegments(t *testing.T) {
	for path, want := range map[string][]string{
		"": nil, "/": nil, "/subjects": {"subjects"}, "/subjects/": {"subjects"},
		"/subjects/a%2Fb/versions":                          {"subjects", "a/b", "versions"},
		"/subjects/%E8%AF%81%E7%85%A7%20a:b-value":          {"subjects", "证照 a:b-value"},
		"/subjects/a%252Fb":                                 {"subjects", "a%2Fb"},
		"/subjects//versions":                               {"subjects", "", "versions"},
		"/subjects/a%3Fdeleted=true":                        {"subjects", "a?deleted=true"},
		"/subjects/%2E%2E/versions":                         {"subjects", "..", "versions"},
		"/subjects/a+b":                                     {"subjects", "a+b"},
		"/contexts":                                         {"contexts"},
		"/contexts/:.:/subjects":                            {"subjects"},
		"/contexts/%3A.%3A/subjects/a%2Fb":                  {"subjects", "a/b"},
		"/contexts/./schemas/ids/1":                         {"schemas", "ids", "1"},
		"/contexts/:.:/":                                    {},
		"/contexts/subjects/a/versions":                     {"subjects", "a", "versions"}, // the "." was cleaned away
		"/contexts/contexts":                                {"contexts"},
		"/compatibility/subjects/a%2F/versions/latest":      {"compatibility", "subjects", "a/", "versions", "latest"},
		"/associations/resources/-/topic?resourceType=topi": {"associations", "resources", "-", "topic?resourceType=topi"},
	} {
		got, err := segmentsOf(path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q (%v), want %q", path, got, err, want)
		}
	}
	for path, want := range map[string]int{
		"/subjects/%": 404, "/subjects/%zz": 404, "/contexts/.city/subjects": 40401, "/contexts/:.city:/subjects": 40401,
		"/contexts/%2E%2E/subjects": 40401, "/contexts//subjects": 40401, "/contexts/city": 40401,
	} {
		if got, err := segmentsOf(path); code(err) != want {
			t.Errorf("%s: %q (%v), want code %d", path, got, err, want)
		}
	}
}

func TestPlainSubject(t *testing.T) {
	for name, want := range map[string]string{
		"a-value": "a-value", ":.:a-value": "a-value", "证照 a/b": "证照 a/b", ":a": ":a", ":.a": ":.a", "a:b": "a:b", ".": ".",
	} {
		if got, err := plainSubject(name); err != nil || got != want {
			t.Errorf("%q: %q (%v), want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]int{
		"": 42208, ":.:": 42208, "a\nb": 42208, "a\x00": 42208, "a\u0085b": 42208, "\xff": 42208, ":.city:a": 40401, ":..:a": 40401,
	} {
		if got, err := plainSubject(name); code(err) != want {
			t.Errorf("%q: %q (%v), want code %d", name, got, err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "2147483647": 2147483647, "latest": 0, "LATEST": 0, "-1": 0, "007": 7} {
		if got, err := version(text); err != nil || got != want {
			t.Errorf("%s: %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-2", "2147483648", "1.0", "one", "1 ", "0x1", "99999999999999999999", "\xff", "１"} {
		if got, err := version(text); code(err) != 42202 {
			t.Errorf("%q: %d (%v), want code 42202", text, got, err)
		}
	}
}

func TestQuery(t *testing.T) {
	for raw, want := range map[string]bool{
		"deleted=true": true, "deleted=True": true, "deleted=TRUE&x=%zz": true, "deleted=tRuE": true,
		"": false, "deleted=": false, "deleted": false, "deleted=1": false, "deleted=yes": false, "Deleted=true": false, "deleted=False": false, "deleted=%zz": false,
	} {
		if got := queryOf(raw).flag("deleted"); got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
	if !queryOf("deleted_only=True").flag("deletedOnly", "deleted_only") {
		t.Error("deleted_only is not known")
	}
	list := []int{1, 2, 3, 4}
	for raw, want := range map[string][]int{
		"": list, "offset=0&limit=-1": list, "limit=0": list, "limit=2": {1, 2}, "offset=1&limit=2": {2, 3}, "offset=3&limit=2147483647": {4},
		"offset=4": {}, "offset=2147483647": {}, "offset=-5": list, "unknown=x": list,
	} {
		if got, err := part(queryOf(raw), list); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v (%v), want %v", raw, got, err, want)
		}
	}
	for _, raw := range []string{"offset=a", "limit=1.5", "limit=9999999999", "offset=%20", "offset=0x1"} {
		if got, err := part(queryOf(raw), list); code(err) != 400 {
			t.Errorf("%s: %v (%v), want code 400", raw, got, err)
		}
	}
}

func TestMediaTypeAndReader(t *testing.T) {
	for _, row := range []struct {
		accept string
		media  string
		reader reader
	}{
		{"", registryJSON, closed},
		{"*/*", registryJSON, open},
		{"application/json", plainJSON, open},
		{"application/json; charset=utf-8", plainJSON, open},
		{"application/json, text/plain, */*", registryJSON, open},
		{"application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json", registryJSON, open},
		{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", registryJSON, closed}, // java.net.HttpURLConnection
		{"text/html, image/gif, image/jpeg, application/json", plainJSON, closed},
		{"image/png", registryJSON, open},
	} {
		h := http.Header{}
		if row.accept != "" {
			h.Set("Accept", row.accept)
		}
		if got := mediaType(h)[0]; got != row.media {
			t.Errorf("%q is answered in %s, want %s", row.accept, got, row.media)
		}
		if got := readerOf(h); got != row.reader {
			t.Errorf("%q is reader %d, want %d", row.accept, got, row.reader)
		}
	}
	if got := readerOf(http.Header{"Confluent-Accept-Unknown-Properties": {"true"}}); got != modern {
		t.Errorf("Confluent's Java client 8 is reader %d", got)
	}
}

func TestContent(t *testing.T) {
	for _, stated := range []string{"", registryJSON, "application/vnd.schemaregistry+json", "application/json", "Application/JSON; charset=UTF-8", "application/octet-stream", "application/x-www-form-urlencoded"} {
		if err := checkContent(stated); err != nil {
			t.Errorf("%q: %v", stated, err)
		}
	}
	for _, stated := range []string{"text/plain", "application/xml", "application/json; charset=gbk", "json", ";", "multipart/form-data; boundary=x", "application/vnd.schemaregistry.v2+json"} {
		if err := checkContent(stated); code(err) != 415 {
			t.Errorf("%q: %v, want code 415", stated, err)
		}
	}
}

func TestCandidate(t *testing.T) {
	read := func(body string) (registry.Candidate, error) {
		var w wish
		if err := parse([]byte(body), &w); err != nil {
			return registry.Candidate{}, err
		}
		return w.candidate()
	}
	for body, want := range map[string]registry.Candidate{
		`{"schema":"{}","schemaType":"JSON"}`: {Text: []byte("{}")},
		`{"schema":"{}","schemaType":"json","references":null,"metadata":null,"ruleSet":null,"unknown":[1]}`:            {Text: []byte("{}")},
		`{"schema":"{}","schemaType":"JSON","references":[],"metadata":{},"ruleSet":{"domainRules":[]},"id":-1}`:        {Text: []byte("{}")},
		`{"schema":"{}","schemaType":"JSON","id":7,"version":3,"subject":"x","metadata":{"properties":{"owner":"p"}}}`:  {Text: []byte("{}"), ID: 7, Version: 3, Metadata: &registry.Metadata{Properties: map[string]string{"owner": "p"}}},
		`{"schema":"{}","schemaType":"JSON","references":[{"name":"n","subject":":.:s","version":2}]}`:                  {Text: []byte("{}"), References: []registry.Reference{{Name: "n", Subject: "s", Version: 2}}},
		`{"schema":" true ","schemaType":"JSON","metadata":{"tags":null,"properties":{},"sensitive":[]},"ruleSet":{}} `: {Text: []byte(" true ")},
	} {
		if got, err := read(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v (%v), want %+v", body, got, err, want)
		}
	}
	for body, want := range map[string]int{
		``: 400, `{`: 400, `[]`: 400, `"x"`: 400, `{} {}`: 400, "\xef\xbb\xbf{}": 400, "{\"schema\":\"\xff\"}": 400,
		`{"schema":"{}","schema":"{}","schemaType":"JSON"}`:                                 400,
		`{"schema":"{}","schemaType":5}`:                                                    400,
		`{"schema":"{}","schemaType":"JSON","id":"7"}`:                                      400,
		`{"schema":"{}","schemaType":"JSON","references":{}}`:                               400,
		`{"schema":"{}","schemaType":"JSON","references":[{"version":"1"}]}`:                400,
		`{"schema":"\ud842","schemaType":"JSON"}`:                                           400,
		strings.Repeat(`{"a":`, 20000):                                                      400,
		`{}`:                                                                                42201,
		`{"schema":"{}"}`:                                                                   42201,
		`{"schema":"{}","schemaType":"AVRO"}`:                                               42201,
		`{"schema":"{}","schemaType":"PROTOBUF"}`:                                           42201,
		`{"schemaType":"JSON"}`:                                                             42201,
		`{"schema":null,"schemaType":"JSON"}`:                                               42201,
		`{"schema":"  ","schemaType":"JSON"}`:                                               42201,
		`{"schema":{"type":"object"},"schemaType":"JSON"}`:                                  42201,
		`{"schema":true,"schemaType":"JSON"}`:                                               42201,
		`{"schema":"{}","schemaType":"JSON","ruleSet":{"domainRules":[{"name":"x"}]}}`:      42210,
		`{"schema":"{}","schemaType":"JSON","references":[{"name":"n","subject":""}]}`:      42208,
		`{"schema":"{}","schemaType":"JSON","references":[{"name":"n","subject":":.x:s"}]}`: 40401,
	} {
		if got, err := read(body); code(err) != want {
			t.Errorf("%.80s: %+v (%v), want code %d", body, got, err, want)
		}
	}
}

func TestLevelWish(t *testing.T) {
	read := func(body string) (registry.Level, error) {
		var w levelWish
		if err := parse([]byte(body), &w); err != nil {
			return registry.Level{}, err
		}
		return w.wanted()
	}
	for body, want := range map[string]registry.Level{
		`{"compatibility":"FULL"}`:                                       {Compatibility: "FULL"},
		`{"compatibility":"backward_transitive","normalize":false}`:      {Compatibility: "BACKWARD_TRANSITIVE"},
		`{"compatibilityLevel":"NONE","compatibilityGroup":null}`:        {Compatibility: "NONE"},
		`{"compatibilityPolicy":"LENIENT"}`:                              {Policy: compat.Lenient},
		`{"compatibility":"FULL","compatibilityPolicy":"strict","x":{}}`: {Compatibility: "FULL", Policy: compat.Strict},
	} {
		if got, err := read(body); err != nil || got != want {
			t.Errorf("%s: %+v (%v), want %+v", body, got, err, want)
		}
	}
	for body, want := range map[string]int{
		`{}`: 42203, `{"compatibility":null}`: 42203, `{"compatibility":"BACKWARDS"}`: 42203, `{"compatibility":"FULL","compatibilityPolicy":"LOOSE"}`: 42203,
		`{"compatibility":"FULL","normalize":true}`: 42205, `{"compatibility":"FULL","compatibilityGroup":"major"}`: 42205, `{"compatibility":"FULL","alias":"b"}`: 42205,
		`{"compatibility":"FULL","overrideRuleSet":{"domainRules":[{}]}}`: 42205, `{"compatibility":1}`: 400, `"FULL"`: 400, ``: 400,
	} {
		if got, err := read(body); code(err) != want {
			t.Errorf("%s: %+v (%v), want code %d", body, got, err, want)
		}
	}
}

func TestComplain(t *testing.T) {
	judgement := registry.Judgement{Level: "BACKWARD", Policy: compat.Strict, Against: []registry.Comparison{{Version: 1, Direction: "backward", Findings: []compat.Finding{
		{Rule: "required_added", Pointer: "/required", What: text("新增必填", "became required"), Mend: text("去掉", "leave it out"), Document: json.RawMessage(`{}`)},
		{Rule: "type_changed", Pointer: "/type", What: text("类型", "type changed")}}}}}
	for name, row := range map[string]struct {
		err          error
		code, status int
		message      string
	}{
		"Confluent's code":  {&exchange.Problem{Code: "YM-REG-40401", Kind: exchange.NotFound, What: text("没有", "gone")}, 40401, 404, "gone"},
		"short code":        {&exchange.Problem{Code: "YM-REG-405", Kind: exchange.Invalid, What: text("", "no")}, 405, 405, "no"},
		"with why and mend": {&exchange.Problem{Code: "YM-REG-42201", Kind: exchange.Invalid, What: text("", "a"), Why: text("", "b"), Mend: text("", "c")}, 42201, 422, "a; b → c"},
		"a problem beneath": {&exchange.Problem{Code: "YM-REG-42201", Kind: exchange.Invalid, What: text("", "a"), Err: &exchange.Problem{What: text("", "b"), Why: text("", "d")}}, 42201, 422, "a; b; d"},
		"a cause stays in":  {&exchange.Problem{Code: "YM-REG-50001", Kind: exchange.Internal, What: text("", "a"), Err: errors.New("hidden")}, 50001, 500, "a"},
		"wrapped":           {fmt.Errorf("act: %w", &exchange.Problem{Code: "YM-REG-42205", Kind: exchange.Invalid, What: text("", "a")}), 42205, 422, "a"},
		"unavailable":       {&exchange.Problem{Code: "YM-REG-50001", Kind: exchange.Unavailable, What: text("", "a")}, 50001, 503, "a"},
		"another's problem": {&exchange.Problem{Code: "YM-BUS-0101", Kind: exchange.Unavailable, What: text("", "a")}, 50001, 503, "a"},
		"the gate's":        {&exchange.Problem{Code: "YM-GATE-0101", Kind: exchange.Invalid, What: text("", "a")}, 42201, 422, "a"},
		"not known":         {&exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, What: text("", "a")}, 40101, 401, "a"},
		"not allowed":       {&exchange.Problem{Code: "YM-API-0403", Kind: exchange.Denied, What: text("", "a")}, 40301, 403, "a"},
		"conflict":          {&exchange.Problem{Code: "YM-SCH-0140", Kind: exchange.Conflict, What: text("", "a")}, 40900, 409, "a"},
		"a strange number":  {&exchange.Problem{Code: "YM-REG-7", Kind: exchange.NotFound, What: text("", "a")}, 40403, 404, "a"},
		"no kind":           {&exchange.Problem{Code: "YM-X-1", What: text("", "a")}, 50001, 500, "a"},
		"no problem":        {errors.New("hidden"), 50001, 500, "internal error → tell the exchange's administrator the time; the cause is in the service's log"},
		"out of time":       {context.DeadlineExceeded, 50002, 503, "the operation timed out → try again later"},
		"incompatible": {&exchange.Problem{Code: "YM-REG-409", Kind: exchange.Conflict, What: text("", "a"), Err: &registry.Incompatible{Judgement: judgement}}, 409, 409,
			"a; version 1, backward: required_added at '/required': became required; for example the document {} → leave it out (and 1 more)"},
	} {
		body, status := complain(row.err, false)
		if body.Code != row.code || status != row.status || body.Message != row.message || body.Problem != nil || body.Findings != nil {
			t.Errorf("%s: %d, %+v; want %d, %d, %q", name, status, body, row.status, row.code, row.message)
		}
		if body, _ := complain(row.err, true); body.Problem == nil || strings.Contains(fmt.Sprintf("%+v", *body.Problem), "hidden") || (body.Findings != nil) != (row.code == 409) {
			t.Errorf("%s: told to Yimen's client: %+v", name, body)
		}
	}
	if got := messages(judgement); len(got) != 3 || got[2] != "compatibility BACKWARD, policy STRICT" {
		t.Errorf("messages %q", got)
	}
	undecided := registry.Judgement{Against: []registry.Comparison{{Version: 2, Direction: "forward", Undecided: true}}}
	if got := messages(undecided); len(got) != 2 || !strings.Contains(got[0], "cannot be decided") {
		t.Errorf("messages %q", got)
	}
}
