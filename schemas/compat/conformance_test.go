package compat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/schemas/compat"
)

// The cases of two other registries, run whole under STRICT. Where we differ from them, testdata/expected-differences.json
// says why, case by case; a difference that is not listed fails, and so does an entry that is no difference any more.

// peerCase is one assertion of another registry: may new read what old wrote?
type peerCase struct {
	name       string
	old, new   any
	compatible bool
}

// difference is an entry of the reviewed list.
type difference struct {
	Case   string `json:"case"`
	Class  string `json:"class"`
	Reason string `json:"reason"`
}

// The classes of differences.
const (
	peerWrong    = "peer wrong"             // a document shows it, or nothing could be found to show the contrary
	deliberate   = "deliberately different" // a policy of the peer that STRICT does not share
	stricter     = "stricter than needed"   // we refuse what no document is known to contradict
	atTheGate    = "refused at the gate"    // one of the schemas does not compile
	conformance  = "../../../shared/data/conformance"
	differencesF = "testdata/expected-differences.json"
)

func TestPeersCases(t *testing.T) {
	expected := readDifferences(t)
	cases := append(karapaceCases(t), apicurioCases(t)...)
	counts := map[string]int{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			entry, listed := expected[c.name]
			delete(expected, c.name)
			counts[c.settle(t, entry, listed)]++
		})
	}
	for name := range expected {
		t.Errorf("expected-differences.json lists %q, which is no case", name)
	}
	t.Logf("of %d directed cases %d agree with the peer, %d are different deliberately (%d where the peer is wrong, %d by policy), %d are stricter than needed, %d refused at the gate",
		len(cases), counts[""], counts[peerWrong]+counts[deliberate], counts[peerWrong], counts[deliberate], counts[stricter], counts[atTheGate])
}

// settle compares our verdict with the peer's and gives the class of the difference, "" for none.
func (c peerCase) settle(t *testing.T, entry difference, listed bool) string {
	p, err := c.pair()
	if err != nil {
		if entry.Class != atTheGate {
			t.Errorf("does not compile, which is not listed: %v", err)
		}
		return atTheGate
	}
	v := compat.Check(p.old, p.new, compat.Strict)
	shown := documentsHold(t, p, v)
	if v.Compatible {
		refute(t, p)
	}
	if v.Compatible == c.compatible {
		if listed {
			t.Errorf("agrees with the peer, but is listed as %q: %s", entry.Class, entry.Reason)
		}
		return ""
	}
	switch {
	case !listed:
		t.Errorf("the peer says compatible=%v, we say %v, which is not listed\n  old %s\n  new %s\n  %s", c.compatible, v.Compatible, text(c.old), text(c.new), text(v))
	case entry.Class == stricter && (v.Compatible || shown):
		t.Errorf("listed as %q, but we say compatible=%v, a document shown: %v", entry.Class, v.Compatible, shown)
	case entry.Class != stricter && !v.Compatible && !shown:
		t.Errorf("listed as %q, but no document shows that we are right", entry.Class)
	case entry.Class != stricter && entry.Class != peerWrong && entry.Class != deliberate || entry.Reason == "":
		t.Errorf("listed with class %q and reason %q", entry.Class, entry.Reason)
	}
	return entry.Class
}

func (c peerCase) pair() (pair, error) {
	p := pair{seed: 1}
	var err error
	if p.oldRoot, p.oldDraft, p.old, err = foreign(c.old); err != nil {
		return p, fmt.Errorf("old: %w", err)
	}
	if p.newRoot, p.newDraft, p.new, err = foreign(c.new); err != nil {
		return p, fmt.Errorf("new: %w", err)
	}
	if loops(p.old) || loops(p.new) {
		return p, errors.New("a reference leads back without a step")
	}
	return p, nil
}

// foreign compiles a schema that we did not write; draft-07 unless it says another.
func foreign(v any) (root map[string]any, d dialect, s *jsonschema.Schema, err error) {
	d = dialects[2]
	root, isMap := v.(map[string]any)
	if uri, says := root["$schema"].(string); says {
		for _, other := range dialects {
			if other.uri == uri {
				d = other
			}
		}
	}
	s, err = compile(v, d.draft)
	if !isMap {
		root = map[string]any{"allOf": []any{v}} // the same, for those who read roots only as objects
	}
	return root, d, s, err
}

// documentsHold says whether a finding shows a document, and fails where a validator does not confirm one.
func documentsHold(t *testing.T, p pair, v compat.Verdict) bool {
	t.Helper()
	oldSecond, newSecond := secondFor(p.oldRoot, p.oldDraft), secondFor(p.newRoot, p.newDraft)
	for _, f := range v.Findings {
		if len(f.Document) == 0 {
			continue
		}
		doc := decode(t, f.Document)
		if p.old.Validate(doc) != nil || p.new.Validate(doc) == nil {
			t.Errorf("finding %s at %q: the document is not accepted by old and refused by new: %s", f.Rule, f.Pointer, f.Document)
		}
		was, known1 := oldSecond(doc)
		is, known2 := newSecond(doc)
		if known1 && !was || known2 && is {
			t.Errorf("finding %s at %q: a second validator says that old accepts it: %v, new: %v: %s", f.Rule, f.Pointer, was, is, f.Document)
		}
	}
	return shows(v)
}

// refute tries documents against a pair that we call compatible.
func refute(t *testing.T, p pair) {
	t.Helper()
	oldSecond, newSecond := secondFor(p.oldRoot, p.oldDraft), secondFor(p.newRoot, p.newDraft)
	s := newSampler(p.seed, p.oldRoot, p.newRoot)
	for range 400 {
		doc := s.document()
		if p.old.Validate(doc) == nil && p.new.Validate(doc) != nil {
			t.Fatalf("called compatible, but a document contradicts it: %s\n  old %s\n  new %s", text(doc), text(p.oldRoot), text(p.newRoot))
		}
		was, known1 := oldSecond(doc)
		is, known2 := newSecond(doc)
		if known1 && known2 && was && !is {
			t.Fatalf("called compatible, but a document contradicts it by the second validator: %s\n  old %s\n  new %s", text(doc), text(p.oldRoot), text(p.newRoot))
		}
	}
}

func readDifferences(t *testing.T) map[string]difference {
	t.Helper()
	b, err := os.ReadFile(differencesF)
	if err != nil {
		t.Fatal(err)
	}
	var list []difference
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatalf("read %s: %v", differencesF, err)
	}
	out := map[string]difference{}
	for _, d := range list {
		if _, twice := out[d.Case]; twice {
			t.Errorf("%s lists %q twice", differencesF, d.Case)
		}
		out[d.Case] = d
	}
	return out
}

// karapaceCases are named by their place in the file and what they are about.
func karapaceCases(t *testing.T) []peerCase {
	var out []peerCase
	for i, c := range list(t, readConformance(t, "compatibility/karapace-jsonschema-compat.json")) {
		name := fmt.Sprintf("karapace %03d %s: %s reads %s", i, c["test"], c["reader_name"], c["writer_name"])
		out = append(out, peerCase{name, c["writer_schema"], c["reader_schema"], c["compatible"] == true})
	}
	return out
}

// apicurioCases gives each case of the file in both directions: "backward" says that new reads old but not the reverse.
func apicurioCases(t *testing.T) []peerCase {
	var out []peerCase
	file, _ := readConformance(t, "compatibility/apicurio-compatibility-test-data.json").(map[string]any)
	for i, c := range list(t, file["tests"]) {
		name := fmt.Sprintf("apicurio %03d %s: ", i, c["id"])
		out = append(out,
			peerCase{name + "updated reads original", c["original"], c["updated"], c["compatibility"] != "none"},
			peerCase{name + "original reads updated", c["updated"], c["original"], c["compatibility"] == "both"})
	}
	return out
}

// TestSuiteSchemas compares the schemas of the official suite with themselves and with their neighbours, and holds what
// is called compatible against all documents of the same file: schemas and documents that are not of our making.
func TestSuiteSchemas(t *testing.T) {
	folders := map[string]dialect{"draft4": dialects[0], "draft6": dialects[1], "draft7": dialects[2], "draft2020-12": dialects[3]}
	var c tally
	for folder, d := range folders {
		files, err := filepath.Glob(filepath.Join(conformance, "json-schema-test-suite/tests", folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Skipf("the official suite is not here: %v", err)
		}
		for _, file := range files {
			c.suiteFile(t, file, d)
		}
	}
	t.Logf("%d pairs, %d compatible, %d undecided; %d schemas compared with themselves, %d undecided", c.pairs, c.compatible, c.undecided, c.itself, c.itselfUndecided)
}

func (c *tally) suiteFile(t *testing.T, file string, d dialect) {
	rel, _ := filepath.Rel(conformance, file)
	var schemas []*jsonschema.Schema
	var written []any
	var docs []any
	for _, group := range list(t, readConformance(t, rel)) {
		for _, test := range list(t, group["tests"]) {
			docs = append(docs, test["data"])
		}
		// Those that need a remote schema, or loop, never pass the gate.
		if s, err := compile(group["schema"], d.draft); err == nil && !loops(s) {
			schemas, written = append(schemas, s), append(written, group["schema"])
		}
	}
	for i, old := range schemas {
		for j := max(0, i-3); j < min(len(schemas), i+4); j++ {
			c.suitePair(t, file, old, schemas[j], [2]any{written[i], written[j]}, docs)
		}
		again, err := compile(written[i], d.draft)
		if err != nil {
			t.Fatal(err)
		}
		v := compat.Check(old, again, compat.Strict)
		c.itself++
		if v.Undecided {
			c.itselfUndecided++
			t.Logf("%s: undecided about a schema and itself: %s", filepath.Base(file), text(written[i]))
		} else if !v.Compatible {
			t.Errorf("%s: not compatible with itself: %s\n  %s", file, text(written[i]), text(v))
		}
	}
}

func (c *tally) suitePair(t *testing.T, file string, old, new *jsonschema.Schema, written [2]any, docs []any) {
	v := compat.Check(old, new, compat.Strict)
	c.pairs++
	if v.Undecided {
		c.undecided++
	}
	if v.Compatible {
		c.compatible++
	}
	for _, f := range v.Findings {
		if len(f.Document) == 0 {
			continue
		}
		if doc := decode(t, f.Document); old.Validate(doc) != nil || new.Validate(doc) == nil {
			t.Errorf("%s: a finding's document is not accepted by old and refused by new: %s\n  old %s\n  new %s", file, f.Document, text(written[0]), text(written[1]))
		}
	}
	for _, doc := range docs {
		if v.Compatible && old.Validate(doc) == nil && new.Validate(doc) != nil {
			t.Errorf("%s: called compatible, but a document contradicts it: %s\n  old %s\n  new %s", file, text(doc), text(written[0]), text(written[1]))
		}
	}
}

func readConformance(t *testing.T, name string) any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(conformance, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the other registries' cases are not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, b)
}

func list(t *testing.T, v any) []map[string]any {
	t.Helper()
	var out []map[string]any
	all, _ := v.([]any)
	for _, w := range all {
		m, isMap := w.(map[string]any)
		if !isMap {
			t.Fatalf("a case that is no object: %v", w)
		}
		out = append(out, m)
	}
	return out
}
