// Package asyncapi validates AsyncAPI documents for tests with the official parser from npm.
//
// The parser lies in the folder that the environment variable YIMEN_TEST_ASYNCAPI names; ./test/run puts it there.
// Where the variable is not set, Validate skips the test.
package asyncapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

const variable = "YIMEN_TEST_ASYNCAPI"

// Report is what the parser says of a document.
type Report struct {
	Version     string       `json:"version"`  // of AsyncAPI; "" where the document could not be read
	Channels    int          `json:"channels"` // as many as it found
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// Diagnostic is one thing that the parser found.
type Diagnostic struct {
	Level   string `json:"level"` // error, warning, information or hint
	Rule    string `json:"rule"`
	Path    string `json:"path"` // a JSON pointer
	Message string `json:"message"`
}

// String is the diagnostic on one line.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s %s at %s: %s", d.Level, d.Rule, d.Path, d.Message)
}

// Validate fails the test, with all that the parser found, where the document has an error or a warning.
func Validate(t testing.TB, doc []byte) Report {
	t.Helper()
	r := parse(t, string(doc))[0]
	for _, d := range r.Diagnostics {
		if d.Level == "error" || d.Level == "warning" {
			t.Error(d)
		} else {
			t.Log(d)
		}
	}
	if r.Version == "" && !t.Failed() {
		t.Error("the AsyncAPI parser read no document, and does not say why")
	}
	return r
}

// parse runs the parser once for all documents; its start takes longer than its work.
func parse(t testing.TB, docs ...string) []Report {
	t.Helper()
	folder := os.Getenv(variable)
	if folder == "" {
		t.Skip("skipped: needs the AsyncAPI parser from npm; run ./test/run")
	}
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(filepath.Dir(here), "validate.cjs"), folder)
	request, err := json.Marshal(docs)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(request)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run the AsyncAPI parser in %s: %v\n%s", folder, err, complaint.String())
	}
	var reports []Report
	if err := json.Unmarshal(out, &reports); err != nil || len(reports) != len(docs) {
		t.Fatalf("the AsyncAPI parser gave %d reports of %d documents: %v", len(reports), len(docs), err)
	}
	return reports
}
