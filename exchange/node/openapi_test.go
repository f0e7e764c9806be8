package node

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the OpenAPI document anew")

// The document that a node serves is the one in docs, so that a change of the API shows where it is reviewed.
func TestServedDocumentIsTheCommittedOne(t *testing.T) {
	const committed = "../../docs/openapi.json"
	n := start(t, settings(t))
	t.Cleanup(func() { stop(t, n) })
	served := fetched(t, n.URL()+"/openapi.json")
	if *update {
		if err := os.WriteFile(committed, served, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(served, want) {
		t.Error("the API is not what docs/openapi.json says; where that is meant: go test ./exchange/node -run Committed -update")
	}
	page := string(fetched(t, n.URL()+"/docs"))
	for _, part := range []string{"POST /v1/queries", "GET /v1/subjects/{subject}/accesses", "POST /v1/enrolments", "POST /v1/erasures", "POST /v1/limits/lift"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	if regexp.MustCompile(`=["']?https?:|url\(|@import|<script`).MatchString(page) { // addresses in examples load nothing
		t.Error("the page loads something, or runs something")
	}
}

// Examples are what their schemas say, every operation speaks both languages, and names what it refuses.
func TestDocumentIsSound(t *testing.T) {
	n := start(t, settings(t))
	t.Cleanup(func() { stop(t, n) })
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(fetched(t, n.URL()+"/openapi.json")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("yimen.json", doc); err != nil {
		t.Fatal(err)
	}
	object := func(v any) map[string]any { m, _ := v.(map[string]any); return m }
	escape := strings.NewReplacer("~", "~0", "/", "~1").Replace
	operations, examples := 0, 0
	holds := func(at string, content any) {
		for media, c := range object(content) {
			at := at + "/content/" + escape(media)
			schema, err := compiler.Compile("yimen.json#" + at + "/schema")
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			all := []any{}
			if example, is := object(c)["example"]; is {
				all = append(all, example)
			}
			for _, e := range object(object(c)["examples"]) {
				all = append(all, object(e)["value"])
			}
			for _, e := range all {
				examples++
				if err := schema.Validate(e); err != nil {
					t.Errorf("%s: %v", at, err)
				}
			}
		}
	}
	for path, methods := range object(object(doc)["paths"]) {
		for method, o := range object(methods) {
			operations++
			o, at := object(o), "/paths/"+escape(path)+"/"+method
			zh, en, two := strings.Cut(o["description"].(string), "\n\n")
			if !two || zh == "" || en == "" || !strings.Contains(o["summary"].(string), " · ") {
				t.Errorf("%s %s is not described in both languages", method, path)
			}
			holds(at+"/requestBody", object(o["requestBody"])["content"])
			for status, r := range object(o["responses"]) {
				holds(at+"/responses/"+status, object(r)["content"])
			}
			if object(o["responses"])["500"] == nil {
				t.Errorf("%s %s names no refusals", method, path)
			}
		}
	}
	if operations < 23 || examples < 45 {
		t.Errorf("%d operations, %d examples", operations, examples)
	}
}

// What does not exist is told in the same form wherever it was looked for.
func TestRefusalsOfAllOperationsAreProblems(t *testing.T) {
	n := start(t, settings(t))
	t.Cleanup(func() { stop(t, n) })
	for _, request := range []string{"PUT /v1/limits", "GET /v1/limits/lift", "DELETE /v1/erasures", "GET /v1/subjects", "POST /v1/receipts/x", "GET /v1/receipts/", "GET /v1/enrolments", "GET /v1/erasures"} {
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, n.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Type"); got != "application/problem+json; charset=utf-8" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s", request, response.StatusCode, got)
		}
	}
}

func fetched(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, response.StatusCode, err)
	}
	return body
}
