package rest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestEndpoints walks through the whole interface, one step after the other on one registry.
func TestEndpoints(t *testing.T) {
	w := newWorld(t)
	deep := strings.Repeat("a", maxBody)
	type step struct {
		method, path, body string
		status             int
		want               string // the whole body; with "…" at the end or the beginning, that part of it; "" for anything
	}
	for i, s := range []step{
		// An empty registry.
		{"GET", "/", "", 200, `{}`},
		{"GET", "/subjects", "", 200, `[]`},
		{"GET", "/schemas", "", 200, `[]`},
		{"GET", "/schemas/types", "", 200, `["JSON"]`},
		{"GET", "/contexts", "", 200, `["."]`},
		{"GET", "/contexts?offset=0&limit=-1", "", 200, `["."]`},
		{"GET", "/config", "", 200, `{"compatibilityLevel":"BACKWARD","compatibilityPolicy":"STRICT"}`},
		{"GET", "/mode", "", 200, `{"mode":"READWRITE"}`},
		{"GET", "/history", "", 200, `[]`},
		{"GET", "/subjects/shop-value/versions", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/shop-value/versions/latest", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/shop-value/versions/0", "", 422, `{"error_code":42202,…`},
		{"GET", "/subjects/shop-value/history", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/shop-value/retirement", "", 404, `{"error_code":404,…`},
		{"GET", "/schemas/ids/1", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/1/schema", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/1/subjects", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/1/versions", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/one", "", 404, `{"error_code":404,…`},
		{"GET", "/schemas/guids/00000000-0000-0000-0000-000000000000", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/guids/x/ids", "", 404, `{"error_code":40403,…`},
		{"GET", "/config/shop-value", "", 404, `{"error_code":40408,…`},
		{"GET", "/config/shop-value?defaultToGlobal=True", "", 200, `{"compatibilityLevel":"BACKWARD","compatibilityPolicy":"STRICT"}`},
		{"GET", "/mode/shop-value", "", 404, `{"error_code":40409,…`},
		{"GET", "/mode/shop-value?defaultToGlobal=true", "", 200, `{"mode":"READWRITE"}`},
		{"POST", "/compatibility/subjects/shop-value/versions/latest", asked(shop), 200, `{"is_compatible":true}`},
		{"POST", "/compatibility/subjects/shop-value/versions", asked(shop), 200, `{"is_compatible":true}`},
		{"POST", "/compatibility/subjects/shop-value/versions/3", asked(shop), 404, `{"error_code":4040…`},
		{"POST", "/compatibility/subjects/shop-value/versions/latest?verbose=True", asked(`{"type":5}`), 200, `{"is_compatible":false,"messages":["…`},
		{"POST", "/compatibility/subjects/shop-value/versions/latest", asked(`{"type":5}`), 422, `{"error_code":42201,…`},
		{"POST", "/subjects/shop-value", asked(shop), 404, `{"error_code":40401,…`},
		{"DELETE", "/subjects/shop-value", "", 404, `{"error_code":40401,…`},
		{"DELETE", "/subjects/shop-value/versions/1", "", 404, `{"error_code":4040…`},
		{"DELETE", "/config/shop-value", "", 404, `{"error_code":404…`},
		{"DELETE", "/mode/shop-value", "", 404, `{"error_code":404…`},

		// Addresses.
		{"GET", "/nothing", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found…`},
		{"GET", "/subjects/a/versions/1/nothing", "", 404, `{"error_code":404,…`},
		{"GET", "/associations/resources/-/shop?resourceType=topic&associationType=value", "", 404, `{"error_code":40410,…`},
		{"POST", "/associations", `{}`, 404, `{"error_code":40410,…`},
		{"PATCH", "/subjects", "", 405, `{"error_code":405,…`},
		{"GET", "/subjects/shop-value", "", 405, `{"error_code":405,…`},
		{"GET", "/contexts/:.:/subjects", "", 200, `[]`},
		{"GET", "/contexts/.city/subjects", "", 404, `{"error_code":40401,"message":"Context '.city' not found…`},
		{"DELETE", "/contexts/.city", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/:.city:a/versions", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/a%00/versions", "", 422, `{"error_code":42208,…`},

		// Bodies.
		{"POST", "/subjects/shop-value/versions", ``, 400, `{"error_code":400,…`},
		{"POST", "/subjects/shop-value/versions", `{"schema":`, 400, `{"error_code":400,…`},
		{"POST", "/subjects/shop-value/versions", `{"schema":"{}"}`, 422, `{"error_code":42201,"message":"This registry holds JSON Schema only; there is no schemaType…`},
		{"POST", "/subjects/shop-value/versions", `{"schema":"\"string\"","schemaType":"AVRO"}`, 422, `{"error_code":42201,…`},
		{"POST", "/subjects/shop-value/versions", asked(`{"type":"objet"}`), 422, `{"error_code":42201,…`},
		{"POST", "/subjects/shop-value/versions", asked(`{"type":`), 422, `{"error_code":42201,…`},
		{"POST", "/subjects/shop-value/versions", asked(`{"$ref":"http://example.com/x.json"}`), 422, `{"error_code":42201,…`},
		{"POST", "/subjects/shop-value/versions", asked(`{"description":"` + deep + `"}`), 422, `{"error_code":42209,…`},
		{"POST", "/subjects/shop-value/versions", asked(shop, `,"ruleSet":{"domainRules":[{"name":"encrypt"}]}`), 422, `{"error_code":42210,…`},
		{"POST", "/subjects/shop-value/versions", asked(shop, `,"id":77`), 422, `{"error_code":42205,…`},
		{"POST", "/subjects/shop-value/versions", asked(`{"$ref":"other"}`, `,"references":[{"name":"other","subject":"other-value","version":1}]`), 422, `{"error_code":4220…`},

		// Registration.
		{"POST", "/subjects/shop-value/versions?dryRun=True", asked(shop), 200, `{"id":1,"subject":"shop-value","version":1,…`},
		{"GET", "/subjects", "", 200, `[]`},
		{"POST", "/subjects/shop-value/versions?normalize=False", asked(shop), 200, `{"id":1,"subject":"shop-value","version":1,"guid":…`},
		{"POST", "/subjects/shop-value/versions", asked(shop), 200, `{"id":1,…`},
		{"POST", "/subjects/copy-value/versions", asked(shop), 200, `{"id":1,…`},
		{"POST", "/subjects/shop-value/versions?dryRun=true", asked(narrower), 409, `{"error_code":409,…`},
		{"POST", "/subjects/shop-value/versions", asked(narrower), 409, `{"error_code":409,…`},
		{"POST", "/subjects/shop-value/versions", asked(wider), 200, `{"id":2,…`},
		{"GET", "/subjects", "", 200, `["copy-value","shop-value"]`},
		{"GET", "/subjects?subjectPrefix=shop", "", 200, `["shop-value"]`},
		{"GET", "/subjects?subjectPrefix=:*:shop", "", 200, `["shop-value"]`},
		{"GET", "/subjects?subjectPrefix=:.:shop", "", 200, `["shop-value"]`},
		{"GET", "/subjects?subjectPrefix=:.city:", "", 200, `[]`},
		{"GET", "/subjects?offset=1&limit=1", "", 200, `["shop-value"]`},
		{"GET", "/subjects?offset=x", "", 400, `{"error_code":400,…`},
		{"GET", "/subjects/shop-value/versions", "", 200, `[1,2]`},
		{"GET", "/contexts/:.:/subjects/shop-value/versions", "", 200, `[1,2]`},
		{"GET", "/subjects/:.:shop-value/versions", "", 200, `[1,2]`},
		{"GET", "/subjects/shop-value/versions?offset=1", "", 200, `[2]`},
		{"GET", "/subjects/shop-value/versions/1", "", 200, `{"subject":"shop-value","version":1,"id":1,"guid":…`},
		{"GET", "/subjects/shop-value/versions/-1", "", 200, `{"subject":"shop-value","version":2,"id":2,…`},
		{"GET", "/subjects/shop-value/versions/latest?format=resolved", "", 200, `{"subject":"shop-value","version":2,…`},
		{"GET", "/subjects/shop-value/versions/3", "", 404, `{"error_code":40402,…`},
		{"GET", "/subjects/shop-value/versions/x", "", 422, `{"error_code":42202,…`},
		{"GET", "/subjects/shop-value/versions/1/schema", "", 200, shop},
		{"GET", "/subjects/shop-value/versions/9/schema", "", 404, `{"error_code":40402,…`},
		{"GET", "/subjects/shop-value/versions/1/referencedby", "", 200, `[]`},
		{"GET", "/subjects/shop-value/versions/latest/referencedby?offset=0&limit=-1", "", 200, `[]`},
		{"GET", "/subjects/nothing/versions/latest/referencedby", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/shop-value/metadata", "", 200, `{"subject":"shop-value","version":2,…`},
		{"GET", "/subjects/shop-value/metadata?key=owner&value=police", "", 404, `{"error_code":40403,…`},
		{"GET", "/subjects/shop-value/metadata?key=owner", "", 400, ``},
		{"POST", "/subjects/shop-value", asked(wider), 200, `{"subject":"shop-value","version":2,"id":2,…`},
		{"POST", "/subjects/shop-value?normalize=False&deleted=False", asked(shop), 200, `{"subject":"shop-value","version":1,…`},
		{"POST", "/subjects/shop-value", asked(narrower), 404, `{"error_code":40403,…`},
		{"POST", "/subjects/shop-value/", asked(wider), 200, ``},

		// By id.
		{"GET", "/schemas/ids/1?subject=shop-value", "", 200, `{"schema":"{\"type\":\"object\",…`},
		{"GET", "/schemas/ids/1?subject=:.city:shop-value", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/1?fetchMaxId=true", "", 200, `…,"maxId":2}`},
		{"GET", "/schemas/ids/3", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/-1", "", 404, `{"error_code":40403,…`},
		{"GET", "/schemas/ids/99999999999999", "", 404, `{"error_code":404,…`},
		{"GET", "/schemas/ids/2/schema", "", 200, wider},
		{"GET", "/schemas/ids/1/subjects", "", 200, `["copy-value","shop-value"]`},
		{"GET", "/schemas/ids/1/subjects?subject=copy-value", "", 200, `["copy-value"]`},
		{"GET", "/schemas/ids/1/versions?offset=0&limit=-1", "", 200, `[{"subject":"copy-value","version":1},{"subject":"shop-value","version":1}]`},
		{"GET", "/schemas/ids/1/versions?limit=1", "", 200, `[{"subject":"copy-value","version":1}]`},
		{"GET", "/schemas?latestOnly=true&subjectPrefix=shop", "", 200, `[{"subject":"shop-value","version":2,…`},
		{"GET", "/schemas?offset=2&limit=5", "", 200, `[{"subject":"shop-value","version":2,…`},

		// Compatibility.
		{"POST", "/compatibility/subjects/shop-value/versions/latest", asked(narrower), 200, `{"is_compatible":false}`},
		{"POST", "/compatibility/subjects/shop-value/versions/1?verbose=True&normalize=False", asked(narrower), 200, `{"is_compatible":false,"messages":["version 1, backward: …`},
		{"POST", "/compatibility/subjects/shop-value/versions?verbose=true", asked(wider), 200, `{"is_compatible":true,"messages":[],…`},
		{"POST", "/compatibility/subjects/shop-value/versions/9", asked(wider), 404, `{"error_code":40402,…`},
		{"POST", "/compatibility/subjects/shop-value/versions/x", asked(wider), 422, `{"error_code":42202,…`},
		{"POST", "/compatibility/subjects/shop-value/versions", `{"schema":"\"string\""}`, 422, `{"error_code":42201,…`},

		// Levels and modes.
		{"PUT", "/config/shop-value", `{"compatibility":"FULL_TRANSITIVE"}`, 200, `{"compatibility":"FULL_TRANSITIVE"}`},
		{"GET", "/config/shop-value", "", 200, `{"compatibilityLevel":"FULL_TRANSITIVE",…`},
		{"PUT", "/config/shop-value", `{"compatibilityPolicy":"LENIENT"}`, 200, `{"compatibilityPolicy":"LENIENT"}`},
		{"GET", "/config/shop-value", "", 200, `{"compatibilityLevel":"FULL_TRANSITIVE","compatibilityPolicy":"LENIENT"}`},
		{"PUT", "/config/shop-value", `{"compatibility":"SIDEWARD"}`, 422, `{"error_code":42203,…`},
		{"PUT", "/config/shop-value", `{"compatibility":"FULL","normalize":true}`, 422, `{"error_code":42205,…`},
		{"PUT", "/config", `{}`, 422, `{"error_code":42203,…`},
		{"DELETE", "/config/shop-value", "", 200, `{"compatibilityLevel":"FULL_TRANSITIVE","compatibility":"FULL_TRANSITIVE",…`},
		{"GET", "/config/shop-value", "", 404, `{"error_code":40408,…`},
		{"PUT", "/config", `{"compatibility":"NONE"}`, 200, `{"compatibility":"NONE"}`},
		{"GET", "/config", "", 200, `{"compatibilityLevel":"NONE",…`},
		{"DELETE", "/config", "", 200, `{"compatibilityLevel":"NONE",…`},
		{"PUT", "/mode/shop-value", `{"mode":"readonly"}`, 200, `{"mode":"READONLY"}`},
		{"GET", "/mode/shop-value", "", 200, `{"mode":"READONLY"}`},
		{"POST", "/subjects/shop-value/versions", asked(`{"type":"object","title":"x"}`), 422, `{"error_code":42205,…`},
		{"DELETE", "/mode/shop-value", "", 200, `{"mode":"READONLY"}`},
		{"PUT", "/mode/shop-value", `{"mode":"OFF"}`, 422, `{"error_code":42204,…`},
		{"PUT", "/mode/shop-value", `{"mode":"IMPORT"}`, 422, `{"error_code":42205,…`},
		{"PUT", "/mode/shop-value?force=True", `{"mode":"IMPORT"}`, 200, `{"mode":"IMPORT"}`},
		{"DELETE", "/mode/shop-value", "", 200, `{"mode":"IMPORT"}`},
		{"PUT", "/mode/brought-value", `{"mode":"IMPORT"}`, 200, `{"mode":"IMPORT"}`},
		{"POST", "/subjects/brought-value/versions", asked(`{"type":"string"}`, `,"id":100,"version":5`), 200, `{"id":100,"subject":"brought-value","version":5,…`},
		{"GET", "/schemas/ids/100?fetchMaxId=true", "", 200, `…"maxId":100}`},
		{"DELETE", "/mode/brought-value", "", 200, `{"mode":"IMPORT"}`},

		// References.
		{"POST", "/subjects/street-value/versions", asked(`{"type":"object","properties":{"shop":{"$ref":"shop.json"}}}`, `,"references":[{"name":"shop.json","subject":"shop-value","version":1}]`), 200,
			`{"id":101,"subject":"street-value","version":1,"guid":…`},
		{"GET", "/subjects/shop-value/versions/1/referencedby", "", 200, `[101]`},
		{"GET", "/schemas/ids/101", "", 200, `…"references":[{"name":"shop.json","subject":"shop-value","version":1}]}`},
		{"DELETE", "/subjects/shop-value/versions/1", "", 422, `{"error_code":42206,…`},
		{"DELETE", "/subjects/street-value", "", 200, `[1]`},
		{"DELETE", "/subjects/street-value?permanent=true", "", 200, `[1]`},
		{"GET", "/schemas/ids/101", "", 404, `{"error_code":40403,…`},

		// Deprecation and retirement.
		{"PUT", "/subjects/shop-value/versions/1/deprecation", `{"reason":"use 2"}`, 200, `{"subject":"shop-value","version":1,"reason":"use 2"}`},
		{"PUT", "/subjects/shop-value/versions/1/deprecation", `{"reason":" "}`, 422, `{"error_code":422,…`},
		{"PUT", "/subjects/shop-value/versions/8/deprecation", `{"reason":"x"}`, 404, `{"error_code":40402,…`},
		{"GET", "/subjects/shop-value/versions/1", "", 200, `…,"deprecated":{"reason":"use 2","by":"data/0001",…`},
		{"DELETE", "/subjects/shop-value/versions/1/deprecation", "", 200, `{"subject":"shop-value","version":1}`},
		{"PUT", "/subjects/shop-value/deprecation", `{"reason":"closed"}`, 200, `{"subject":"shop-value","reason":"closed"}`},
		{"DELETE", "/subjects/shop-value/deprecation", "", 200, `{"subject":"shop-value"}`},
		{"PUT", "/subjects/shop-value/retirement", `{"from":"2199-12-31T00:00:00+08:00","reason":"merged"}`, 200, `{"from":"2199-12-31T00:00:00+08:00","reason":"merged","by":"data/0001"}`},
		{"PUT", "/subjects/shop-value/retirement", `{"reason":"merged"}`, 422, `{"error_code":422,…`},
		{"PUT", "/subjects/shop-value/retirement", `{"from":"tomorrow"}`, 400, `{"error_code":400,…`},
		{"GET", "/subjects/shop-value/retirement", "", 200, `{"from":"2199-12-3…`},
		{"DELETE", "/subjects/shop-value/retirement", "", 200, `{}`},
		{"GET", "/subjects/shop-value/retirement", "", 404, `{"error_code":404,…`},
		{"GET", "/subjects/shop-value/history?limit=1", "", 200, `[{"offset":…`},
		{"POST", "/subjects/shop-value/impact", asked(wider), 404, `{"error_code":404,…`},

		// Deletion.
		{"DELETE", "/subjects/shop-value/versions/2?permanent=true", "", 404, `{"error_code":40407,…`},
		{"DELETE", "/subjects/shop-value/versions/2", "", 200, `2`},
		{"DELETE", "/subjects/shop-value/versions/2", "", 404, `{"error_code":40406,…`},
		{"GET", "/subjects/shop-value/versions", "", 200, `[1]`},
		{"GET", "/subjects/shop-value/versions?deleted=True", "", 200, `[1,2]`},
		{"GET", "/subjects/shop-value/versions?deletedOnly=true", "", 200, `[2]`},
		{"GET", "/subjects/shop-value/versions?deleted_only=True", "", 200, `[2]`},
		{"GET", "/subjects/copy-value/versions?deletedOnly=true", "", 404, `{"error_code":40401,…`},
		{"GET", "/subjects/shop-value/versions/2", "", 404, `{"error_code":40402,…`},
		{"GET", "/subjects/shop-value/versions/2?deleted=true", "", 200, `…,"deleted":true}`},
		{"GET", "/schemas/ids/2", "", 200, ``}, // who reads old messages needs it
		{"DELETE", "/subjects/shop-value/versions/2?permanent=True", "", 200, `2`},
		{"GET", "/schemas/ids/2", "", 404, `{"error_code":40403,…`},
		{"DELETE", "/subjects/shop-value?permanent=true", "", 404, `{"error_code":40405,…`},
		{"DELETE", "/subjects/shop-value/versions/latest", "", 200, `1`},
		{"DELETE", "/subjects/copy-value", "", 200, `[1]`},
		{"DELETE", "/subjects/copy-value", "", 404, `{"error_code":40404,…`},
		{"GET", "/subjects", "", 200, `["brought-value"]`},
		{"GET", "/subjects?deleted=true", "", 200, `["brought-value","copy-value","shop-value"]`},
		{"GET", "/subjects?deleted_only=True&deleted=False", "", 200, `["copy-value","shop-value"]`},
		{"GET", "/schemas/ids/1/subjects", "", 200, ``},
		{"GET", "/schemas/ids/1/subjects?deleted=true", "", 200, `["copy-value","shop-value"]`},
		{"DELETE", "/subjects/copy-value?permanent=true", "", 200, `[1]`},
		{"GET", "/subjects/copy-value/versions?deleted=true", "", 404, `{"error_code":40401,…`},
	} {
		got := w.ask(s.method, s.path, s.body)
		if got.status != s.status || !fits(got.body, s.want) {
			t.Errorf("step %d: %s %s %.100s:\n%d %s\nwant %d %s", i, s.method, s.path, s.body, got.status, got.body, s.status, s.want)
		}
		if media := got.header.Get("Content-Type"); media != registryJSON {
			t.Errorf("step %d: %s %s is answered in %s", i, s.method, s.path, media)
		}
		if got.status >= 400 {
			if said, _ := got.member(t, "message").(string); said == "" || got.member(t, "problem") == nil {
				t.Errorf("step %d: %s %s: %s lacks a message or the problem", i, s.method, s.path, got.body)
			}
		}
	}
}

func fits(body, want string) bool {
	if rest, cut := strings.CutSuffix(want, "…"); cut {
		if rest, middle := strings.CutPrefix(rest, "…"); middle {
			return strings.Contains(body, rest)
		}
		return strings.HasPrefix(body, rest)
	}
	if rest, cut := strings.CutPrefix(want, "…"); cut {
		return strings.HasSuffix(body, rest)
	}
	return want == "" || body == want
}

// TestSubjectNames keeps the names that break carelessly built addresses apart.
func TestSubjectNames(t *testing.T) {
	w := newWorld(t)
	encoded := map[string]string{ // name and, as clients write it, segment
		"a/b": "a%2Fb", "a": "a", "a%2Fb": "a%252Fb", "证照-value": "%E8%AF%81%E7%85%A7-value", "with space": "with%20space", "a:b": "a%3Ab", "a:c": "a:c",
		"a?b": "a%3Fb", "a#b": "a%23b", "a+b": "a+b", "a b/": "a%20b%2F", "/": "%2F", "..": "%2E%2E", ":x": ":x", "versions": "versions", "a;b,c": "a;b,c", `"quoted"`: "%22quoted%22",
	}
	for name, segment := range encoded {
		if got := w.register("/subjects/"+segment+"/versions", shop).member(t, "subject"); got != name {
			t.Errorf("%s is registered as %v", segment, got)
		}
		if got := w.ask("GET", "/subjects/"+segment+"/versions/1", ""); got.status != 200 || got.member(t, "subject") != name {
			t.Errorf("%s: %d %s", segment, got.status, got.body)
		}
		if got := w.ask("GET", "/config/"+segment+"?defaultToGlobal=true", ""); got.status != 200 {
			t.Errorf("config of %s: %d %s", segment, got.status, got.body)
		}
	}
	var listed []string
	if err := json.Unmarshal([]byte(w.ask("GET", "/subjects", "").body), &listed); err != nil || len(listed) != len(encoded) {
		t.Errorf("%d subjects listed (%v): %q, want %d", len(listed), err, listed, len(encoded))
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	w.register("/subjects/shop-value/versions", shop)

	for accept, want := range map[string]string{"application/json": plainJSON, "*/*": registryJSON, "application/vnd.schemaregistry+json": registryJSON} {
		for _, path := range []string{"/subjects", "/schemas/ids/1", "/nothing"} {
			if got := w.ask("GET", path, "", "Accept", accept).header.Get("Content-Type"); got != want {
				t.Errorf("GET %s, Accept %s: %s, want %s", path, accept, got, want)
			}
		}
	}
	for _, path := range []string{"/subjects", "/schemas/ids/1"} {
		if got := w.ask("HEAD", path, ""); got.status != 200 || got.body != "" || got.header.Get("Content-Length") == "0" {
			t.Errorf("HEAD %s: %+v", path, got)
		}
	}
	if got := w.ask("PUT", "/subjects/shop-value/versions", "").header.Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow %q", got)
	}
	if got := w.ask("POST", "/subjects/shop-value", asked(shop), "Content-Encoding", "gzip"); got.status != 415 {
		t.Errorf("a compressed body: %d %s", got.status, got.body)
	}
	if got := w.ask("POST", "/subjects/shop-value", asked(shop), "Content-Type", "text/plain"); got.status != 415 {
		t.Errorf("text/plain: %d %s", got.status, got.body)
	}
	tag := w.ask("GET", "/schemas/ids/1", "").header.Get("Etag")
	if got := w.ask("GET", "/schemas/ids/1", "", "If-None-Match", tag); tag == "" || got.status != 304 || got.body != "" {
		t.Errorf("asked again with %s: %+v", tag, got)
	}
	if got := w.ask("GET", "/schemas/ids/1", "", "If-None-Match", `"other"`); got.status != 200 {
		t.Errorf("asked with another tag: %+v", got)
	}

	w.ask("PUT", "/subjects/shop-value/versions/1/deprecation", `{"reason":"old"}`)
	w.ask("PUT", "/subjects/shop-value/retirement", `{"from":"2199-01-01T00:00:00Z"}`)
	got := w.ask("GET", "/subjects/shop-value/versions/latest", "")
	if d := got.header.Get("Deprecation"); !strings.HasPrefix(d, "@") || len(d) < 11 {
		t.Errorf("Deprecation %q", d)
	}
	if s := got.header.Get("Sunset"); s != "Tue, 01 Jan 2199 00:00:00 GMT" {
		t.Errorf("Sunset %q", s)
	}
}

// TestClosedReaders keeps what is beyond Confluent's answers from its Java client.
func TestClosedReaders(t *testing.T) {
	w := newWorld(t)
	java := []string{"Accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
	if got := w.ask("POST", "/subjects/shop-value/versions", asked(shop), java...); got.body != `{"id":1}` {
		t.Errorf("registered: %s", got.body)
	}
	modern := append(java, "Confluent-Accept-Unknown-Properties", "true")
	if got := w.ask("POST", "/subjects/shop-value/versions", asked(shop), modern...); got.member(t, "guid") == nil || got.member(t, "new") != nil {
		t.Errorf("registered by Confluent 8: %s", got.body)
	}
	quoted, _ := json.Marshal(shop)
	if got := w.ask("GET", "/schemas/ids/1", "", java...); got.body != `{"schema":`+string(quoted)+`,"schemaType":"JSON"}` {
		t.Errorf("by id: %s", got.body)
	}
	if got := w.ask("GET", "/schemas/ids/1", "", modern...); got.member(t, "guid") == nil {
		t.Errorf("by id to Confluent 8: %s", got.body)
	}
	for _, headers := range [][]string{java, modern} {
		got := w.ask("POST", "/subjects/shop-value/versions", asked(narrower), headers...)
		if got.status != 409 || got.member(t, "problem") != nil || got.member(t, "findings") != nil || got.member(t, "error_code") != 409.0 {
			t.Errorf("incompatible: %d %s", got.status, got.body)
		}
	}
}

func TestIncompatible(t *testing.T) {
	w := newWorld(t)
	w.register("/subjects/shop-value/versions", shop)
	got := w.ask("POST", "/subjects/shop-value/versions", asked(narrower))
	var body struct {
		Problem  struct{ Code, Kind string }
		Findings struct {
			Level, Policy string
			Against       []struct {
				Version  int
				Findings []struct {
					Rule, Pointer string
					Document      json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatal(err)
	}
	if got.status != 409 || body.Problem.Code != "YM-REG-409" || body.Findings.Level != "BACKWARD" || len(body.Findings.Against) != 1 || len(body.Findings.Against[0].Findings) == 0 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, f := range body.Findings.Against[0].Findings {
		if f.Rule == "" || len(f.Document) == 0 {
			t.Errorf("finding %+v lacks its rule or its document", f)
		}
	}
}

func TestWriters(t *testing.T) {
	w := newWorld(t)
	w.register("/subjects/shop-value/versions", shop)
	writes := []struct{ method, path, body string }{
		{"POST", "/subjects/shop-value/versions", asked(wider)}, {"POST", "/subjects/shop-value/versions?dryRun=true", asked(wider)},
		{"DELETE", "/subjects/shop-value", ""}, {"DELETE", "/subjects/shop-value/versions/1", ""},
		{"PUT", "/config", `{"compatibility":"NONE"}`}, {"PUT", "/config/shop-value", `{"compatibility":"NONE"}`}, {"DELETE", "/config", ""}, {"DELETE", "/config/shop-value", ""},
		{"PUT", "/mode", `{"mode":"READONLY"}`}, {"PUT", "/mode/shop-value", `{"mode":"READONLY"}`}, {"DELETE", "/mode", ""}, {"DELETE", "/mode/shop-value", ""},
		{"POST", "/subjects/shop-value/impact", asked(wider)},
		{"PUT", "/subjects/shop-value/deprecation", `{"reason":"x"}`}, {"DELETE", "/subjects/shop-value/deprecation", ""},
		{"PUT", "/subjects/shop-value/versions/1/deprecation", `{"reason":"x"}`}, {"DELETE", "/subjects/shop-value/versions/1/deprecation", ""},
		{"PUT", "/subjects/shop-value/retirement", `{"from":"2199-01-01T00:00:00Z"}`}, {"DELETE", "/subjects/shop-value/retirement", ""},
	}
	for _, s := range writes {
		for credentials, want := range map[string]float64{"": 40101, "Bearer wrong": 40101, "Basic ???": 40101, "Bearer " + readerToken: 40301} {
			got := w.ask(s.method, s.path, s.body, "Authorization", credentials)
			if got.member(t, "error_code") != want || got.status != int(want)/100 {
				t.Errorf("%s %s by %q: %d %s", s.method, s.path, credentials, got.status, got.body)
			}
			if asks := got.header.Values("Www-Authenticate"); (got.status == 401) != (len(asks) == 2) {
				t.Errorf("%s %s: WWW-Authenticate %q", s.method, s.path, asks)
			}
		}
	}
	for _, s := range []struct{ method, path, body string }{
		{"GET", "/subjects", ""}, {"GET", "/schemas/ids/1", ""}, {"POST", "/subjects/shop-value", asked(shop)},
		{"POST", "/compatibility/subjects/shop-value/versions", asked(wider)}, {"GET", "/history", ""},
	} {
		if got := w.ask(s.method, s.path, s.body, "Authorization", ""); got.status != 200 {
			t.Errorf("%s %s by nobody: %d %s", s.method, s.path, got.status, got.body)
		}
	}
	if got := w.ask("POST", "/subjects/shop-value/versions", asked(wider), "Authorization", "Basic OmNhbmFyeS13cml0ZXItNWYwYzFi"); got.status != 200 {
		t.Errorf("the token as a password: %d %s", got.status, got.body)
	}
	if got := w.ask("GET", "/subjects/shop-value/versions", "").body; got != "[1,2]" {
		t.Errorf("versions %s", got)
	}
	for _, secret := range []string{writerToken, readerToken, "OmNhbmFye", `"type"`, "street"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestReadOnly(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Writer = nil })
	if got := w.ask("POST", "/subjects/shop-value/versions", asked(shop)); got.status != http.StatusForbidden {
		t.Errorf("%d %s", got.status, got.body)
	}
}
