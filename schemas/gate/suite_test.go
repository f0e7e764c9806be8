package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

const suiteFolder = "../../../shared/data/conformance/json-schema-test-suite"

// suiteCase is one schema of the official suite with its documents.
type suiteCase struct {
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Tests       []struct {
		Description string          `json:"description"`
		Data        json.RawMessage `json:"data"`
		Valid       bool            `json:"valid"`
	} `json:"tests"`
}

// tally is what became of the documents of a folder.
type tally struct {
	right   int
	wrong   []string
	refused map[string]int // by the gate, by reason
}

// TestSuite runs the official JSON-Schema-Test-Suite whole, through the gate, with the validator used at run time. Every
// required document is judged right, or its schema or itself is refused by the gate for a reason.
func TestSuite(t *testing.T) {
	if _, err := os.Stat(suiteFolder); err != nil {
		t.Skip("the official suite is not here: ", suiteFolder)
	}
	all := suiteRemotes(t)
	for _, draft := range []struct{ folder, uri string }{
		{"draft4", "http://json-schema.org/draft-04/schema#"}, {"draft6", "http://json-schema.org/draft-06/schema#"},
		{"draft7", "http://json-schema.org/draft-07/schema#"}, {"draft2020-12", "https://json-schema.org/draft/2020-12/schema"},
	} {
		remotes := remotesOf(draft.uri, all)
		required := &tally{refused: map[string]int{}}
		for _, file := range suiteFiles(t, draft.folder, "*.json") {
			runSuite(t, file, draft.uri, remotes, false, required)
		}
		report(t, draft.folder+" required", required)
		if len(required.wrong) > 0 {
			t.Errorf("%s: %d wrong:\n%s", draft.folder, len(required.wrong), strings.Join(required.wrong, "\n"))
		}
		optional := &tally{refused: map[string]int{}}
		for _, file := range suiteFiles(t, draft.folder, "optional/*.json") {
			runSuite(t, file, draft.uri, remotes, false, optional)
		}
		report(t, draft.folder+" optional", optional)
		for _, w := range optional.wrong {
			t.Log("  ", w)
		}
		formats(t, draft.folder, draft.uri, remotes)
	}
}

// formats runs the tests of formats with formats asserted. Those that evidence may use must be right.
func formats(t *testing.T, folder, uri string, remotes []Reference) {
	admitted, others := &tally{refused: map[string]int{}}, map[string]string{}
	for _, file := range suiteFiles(t, folder, "optional/format/*.json") {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if slices.Contains(Formats(), name) {
			runSuite(t, file, uri, remotes, true, admitted)
			continue
		}
		other := &tally{refused: map[string]int{}}
		runSuite(t, file, uri, remotes, true, other)
		others[name] = fmt.Sprintf("%d/%d", other.right, other.right+len(other.wrong))
	}
	report(t, folder+" formats of evidence", admitted)
	for _, w := range admitted.wrong {
		if !strings.Contains(w, "/hostname.json") { // what a name in Punycode stands for is not looked at
			t.Error("wrong: ", w)
		}
		t.Log("  ", w)
	}
	t.Logf("%s: right in other formats: %v", folder, others)
}

func report(t *testing.T, name string, of *tally) {
	refused := 0
	for _, n := range of.refused {
		refused += n
	}
	t.Logf("%-30s right %4d, refused %3d %v, wrong %d", name, of.right, refused, of.refused, len(of.wrong))
}

func suiteFiles(t *testing.T, draft, pattern string) []string {
	files, err := filepath.Glob(filepath.Join(suiteFolder, "tests", draft, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s of %s: %v", pattern, draft, err)
	}
	return files
}

// suiteRemotes are the documents that the suite expects to be served.
func suiteRemotes(t *testing.T) []Reference {
	var refs []Reference
	root := filepath.Join(suiteFolder, "remotes")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		refs = append(refs, Reference{Name: "http://localhost:1234/" + filepath.ToSlash(name), Text: text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

func runSuite(t *testing.T, file, uri string, remotes []Reference, formats bool, sum *tally) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []suiteCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		s, faults := examine(withDialect(c.Schema, uri), remotes, formats)
		for _, test := range c.Tests {
			name := fmt.Sprintf("%s: %s: %s", strings.TrimPrefix(file, suiteFolder+"/tests/"), c.Description, test.Description)
			if len(faults) > 0 {
				sum.refuse(t, name, faults[0])
				continue
			}
			doc, err := Decode(test.Data)
			if err != nil {
				sum.refuse(t, name, err)
				continue
			}
			if got := s.Compiled.Validate(doc) == nil; got == test.Valid {
				sum.right++
			} else {
				sum.wrong = append(sum.wrong, name)
			}
		}
	}
}

func (sum *tally) refuse(t *testing.T, name string, err error) {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		sum.wrong = append(sum.wrong, name+": "+err.Error())
		return
	}
	sum.refused[p.Code]++
	if testing.Verbose() {
		t.Logf("refused: %s: %v", name, p)
	}
}

// withDialect writes the draft into a schema that names none: the suite says it by the folder.
func withDialect(schema json.RawMessage, uri string) []byte {
	text := strings.TrimSpace(string(schema))
	if !strings.HasPrefix(text, "{") {
		return schema
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(schema, &members) != nil || members["$schema"] != nil {
		return schema
	}
	comma := ","
	if len(members) == 0 {
		comma = ""
	}
	return []byte(`{"$schema":"` + uri + `"` + comma + text[1:])
}

// remotesOf are the documents that a schema of a draft may refer to: those of its own draft and those of none. Those
// without $schema are of the draft of whoever refers to them.
func remotesOf(uri string, remotes []Reference) []Reference {
	var refs []Reference
	for _, r := range remotes {
		r.Text = withDialect(r.Text, uri)
		root, _, err := decode(r.Text, schemaLimits())
		if err != nil {
			continue
		}
		if draft, err := draftOf(root); err == nil && draft == draftNamed(uri) {
			refs = append(refs, r)
		}
	}
	return refs
}
