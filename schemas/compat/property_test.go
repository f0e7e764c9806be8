package compat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	google "github.com/google/jsonschema-go/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/xeipuuv/gojsonschema"

	"github.com/onedoor/yimen/schemas/compat"
)

// checker is compat.Check or a broken one.
type checker func(old, new *jsonschema.Schema, policy compat.Policy) compat.Verdict

// documentsPerPair is how many documents a pair is tried with.
const documentsPerPair = 120

// seeds are the pairs of a test: always the same few, or as many others as YIMEN_TEST_LONG minutes allow, from
// YIMEN_TEST_SEED on.
func seeds(t *testing.T, few uint64) func(yield func(uint64) bool) {
	t.Helper()
	minutes, err := strconv.ParseFloat(os.Getenv("YIMEN_TEST_LONG"), 64)
	if err != nil {
		return func(yield func(uint64) bool) {
			for seed := range few {
				if !yield(seed) {
					return
				}
			}
		}
	}
	first, _ := strconv.ParseUint(os.Getenv("YIMEN_TEST_SEED"), 10, 64)
	end := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	return func(yield func(uint64) bool) {
		for seed := first; time.Now().Before(end) && yield(seed); seed++ {
		}
	}
}

// second is a validator that is not the one the product runs on.
type second func(doc any) (valid, known bool)

// secondFor asks gojsonschema about drafts 04 to 07 and google's about 2020-12; what it cannot compile it does not know.
// Where the validators are known to differ, none is asked, so that what is left has to be explained:
// google's asserts no format, and gojsonschema refuses with one what is no string at all; google's reckons in float64,
// and gojsonschema does for const and enum; santhosh heeds const beside $ref in drafts 06 and 07, where $ref stands alone.
func secondFor(root map[string]any, d dialect) second {
	written := text(root)
	if strings.Contains(written, `"format"`) || strings.Contains(written, "900719925474099") || constBesideRef(root, d) {
		return unknown
	}
	if d.year == 2020 && strings.Contains(written, `"multipleOf":0.0`) {
		return unknown
	}
	if d.year == 2020 {
		return googleFor(root)
	}
	return gojsonschemaFor(root)
}

// constBesideRef says whether a schema of draft 06 or 07 has the one keyword that santhosh heeds beside $ref.
func constBesideRef(root map[string]any, d dialect) bool {
	var all []place
	places(rootPlace(root), &all)
	return (d.year == 6 || d.year == 7) && slices.ContainsFunc(all, func(at place) bool {
		m, _ := at.get().(map[string]any)
		_, has := m["const"]
		return has && m["$ref"] != nil
	})
}

func unknown(any) (valid, known bool) { return false, false }

func gojsonschemaFor(root map[string]any) (out second) {
	defer func() {
		if recover() != nil {
			out = unknown
		}
	}()
	schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader([]byte(text(root))))
	if err != nil {
		return unknown
	}
	return func(doc any) (valid, known bool) {
		defer func() {
			if recover() != nil {
				valid, known = false, false
			}
		}()
		result, err := schema.Validate(gojsonschema.NewRawLoader(clone(doc)))
		return err == nil && result.Valid(), err == nil
	}
}

func googleFor(root map[string]any) second {
	var schema google.Schema
	if json.Unmarshal([]byte(text(root)), &schema) != nil {
		return unknown
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		return unknown
	}
	return func(doc any) (bool, bool) {
		if strings.Contains(text(doc), "900719925474099") {
			return false, false
		}
		var plain any
		if json.Unmarshal([]byte(text(doc)), &plain) != nil {
			return false, false
		}
		return resolved.Validate(plain) == nil, true
	}
}

// tally counts what came of the pairs.
type tally struct {
	pairs, compatible, undecided int
	silent, silentCompatible     int // no document contradicts; and we say compatible
	findings, shown              int // shown: with a document
	documents, accepted          int
	disagreements                int // of the validators, about one document
	secondOnly                   int // documents that contradict us by the second validator alone
	missed                       int // pairs with a finding's document where no generated one contradicts
	itself, itselfUndecided      int // pairs of a schema and itself
}

func (c *tally) log(t *testing.T) {
	t.Helper()
	t.Logf("%d pairs: %d compatible, %d undecided; %d documents, %d accepted by old", c.pairs, c.compatible, c.undecided, c.documents, c.accepted)
	t.Logf("of %d pairs that no document contradicts, %d (%.1f %%) are called compatible", c.silent, c.silentCompatible, percent(c.silentCompatible, c.silent))
	t.Logf("in %d pairs a finding shows a document and no generated one does", c.missed)
	t.Logf("of %d findings %d (%.1f %%) show a document", c.findings, c.shown, percent(c.shown, c.findings))
	t.Logf("validators disagree about %d documents; %d contradict us by the second validator alone", c.disagreements, c.secondOnly)
	t.Logf("of %d schemas compared with themselves %d (%.2f %%) are undecided", c.itself, c.itselfUndecided, percent(c.itselfUndecided, c.itself))
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// TestNothingContradictsCompatible is the claim: what STRICT calls compatible, no document contradicts.
func TestNothingContradictsCompatible(t *testing.T) {
	var c tally
	for seed := range seeds(t, 1500) {
		p, ok := newPair(seed)
		if !ok {
			continue
		}
		c.examine(t, p)
		if t.Failed() && os.Getenv("YIMEN_TEST_LONG") == "" {
			break
		}
	}
	c.log(t)
	if c.itselfUndecided*50 > c.itself {
		t.Errorf("more than 2 %% of the schemas are not known to be compatible with themselves")
	}
	if c.findings > 100 && c.shown*2 < c.findings {
		t.Errorf("fewer than half of the findings show a document")
	}
}

func (c *tally) examine(t *testing.T, p pair) {
	verdict := compat.Check(p.old, p.new, compat.Strict)
	c.pairs++
	c.sameAgain(t, p, verdict)
	c.itselfCompatible(t, p)
	oldSecond, newSecond := secondFor(p.oldRoot, p.oldDraft), secondFor(p.newRoot, p.newDraft)
	c.verify(t, p, verdict, oldSecond, newSecond)
	contradicted := false
	s := newSampler(p.seed, p.oldRoot, p.newRoot)
	for range documentsPerPair {
		doc := s.document()
		c.documents++
		was, is := p.old.Validate(doc) == nil, p.new.Validate(doc) == nil
		if was {
			c.accepted++
		}
		if was && !is {
			if contradicted = true; verdict.Compatible {
				c.compatible++
				t.Errorf("called compatible, but a document contradicts it:\n%s\n  document %s\nshrunk:\n%s", p, text(doc), shrink(p, doc, compat.Check))
				return
			}
		}
		was2, known1 := oldSecond(doc)
		is2, known2 := newSecond(doc)
		if known1 && was2 != was || known2 && is2 != is {
			c.disagreements++
			if known1 && known2 && verdict.Compatible && was2 && !is2 {
				c.secondOnly++
				t.Errorf("only the second validator contradicts; a fault of one of the validators to be named in secondFor, or ours:\n%s\n  document %s", p, text(doc))
			}
		}
	}
	c.count(verdict, contradicted)
}

func (c *tally) count(v compat.Verdict, contradicted bool) {
	if v.Compatible {
		c.compatible++
	}
	if v.Undecided {
		c.undecided++
	}
	switch {
	case contradicted:
	case shows(v):
		c.missed++
	default:
		if c.silent++; v.Compatible {
			c.silentCompatible++
		}
	}
}

func shows(v compat.Verdict) bool {
	return slices.ContainsFunc(v.Findings, func(f compat.Finding) bool { return len(f.Document) > 0 })
}

// verify checks what a verdict says of itself, above all that its documents show what they claim.
func (c *tally) verify(t *testing.T, p pair, v compat.Verdict, oldSecond, newSecond second) {
	if v.Compatible == (len(v.Findings) > 0) && !v.Undecided || v.Compatible && v.Undecided {
		t.Errorf("compatible %v, undecided %v with %d findings:\n%s", v.Compatible, v.Undecided, len(v.Findings), p)
	}
	for _, f := range v.Findings {
		c.findings++
		if f.Rule == "" || f.What.ZH == "" || f.What.EN == "" || f.Mend.ZH == "" || f.Mend.EN == "" {
			t.Errorf("finding %q at %q lacks words:\n%s", f.Rule, f.Pointer, p)
		}
		if len(f.Document) == 0 {
			continue
		}
		c.shown++
		doc := decode(t, f.Document)
		if p.old.Validate(doc) != nil || p.new.Validate(doc) == nil {
			t.Errorf("finding %q at %q shows a document that is not accepted by old and refused by new:\n%s\n  document %s", f.Rule, f.Pointer, p, f.Document)
		}
		was, known1 := oldSecond(doc)
		is, known2 := newSecond(doc)
		if known1 && !was || known2 && is {
			c.disagreements++
		}
	}
}

// sameAgain compiles and compares the pair anew: another order of maps must not matter.
func (c *tally) sameAgain(t *testing.T, p pair, first compat.Verdict) {
	again, ok := p.compiled()
	if !ok {
		t.Fatalf("compiles no longer:\n%s", p)
	}
	if second := compat.Check(again.old, again.new, compat.Strict); text(second) != text(first) {
		t.Errorf("another verdict the second time:\n%s\n  %s\n  %s", p, text(first), text(second))
	}
}

// itselfCompatible compares a schema with itself, compiled anew so that no two pointers are equal.
func (c *tally) itselfCompatible(t *testing.T, p pair) {
	again, _ := p.compiled()
	v := compat.Check(p.old, again.old, compat.Strict)
	c.itself++
	if v.Undecided {
		c.itselfUndecided++
	} else if !v.Compatible {
		t.Errorf("not compatible with itself: %s\n  %s", text(p.oldRoot), text(v))
	}
}

func (p pair) String() string {
	return fmt.Sprintf("  seed %d\n  old %s\n  new %s", p.seed, text(p.oldRoot), text(p.newRoot))
}

// shrink takes away from both schemas what is not needed for a document to contradict the checker.
func shrink(p pair, doc any, check checker) string {
	fails := func(q pair) (any, bool) {
		if !check(q.old, q.new, compat.Strict).Compatible {
			return nil, false
		}
		docs := []any{doc}
		for s := newSampler(q.seed, q.oldRoot, q.newRoot); len(docs) < documentsPerPair; {
			docs = append(docs, s.document())
		}
		for _, d := range docs {
			if q.old.Validate(d) == nil && q.new.Validate(d) != nil {
				return d, true
			}
		}
		return nil, false
	}
	for smaller := true; smaller; {
		smaller = false
		for q := range simpler(p) {
			compiled, ok := q.compiled()
			if !ok {
				continue
			}
			if d, still := fails(compiled); still {
				p, doc, smaller = compiled, d, true
				break
			}
		}
	}
	return fmt.Sprintf("%s\n  document %s", p, text(doc))
}

// simpler are the pairs with one keyword, name or list member less on one side or on both.
func simpler(p pair) func(yield func(pair) bool) {
	return func(yield func(pair) bool) {
		for _, oldRoot := range lesser(p.oldRoot) {
			q := p
			q.oldRoot = oldRoot.(map[string]any)
			if !yield(q) {
				return
			}
			if newRoot, is := without(p.newRoot, p.oldRoot, oldRoot); is {
				if q.newRoot = newRoot; !yield(q) {
					return
				}
			}
		}
		for _, newRoot := range lesser(p.newRoot) {
			q := p
			if q.newRoot = newRoot.(map[string]any); !yield(q) {
				return
			}
		}
	}
}

// without takes from a root the member that was taken from its partner, where it is one of the root's own.
func without(root, before map[string]any, after any) (map[string]any, bool) {
	for k := range before {
		if _, left := after.(map[string]any)[k]; !left && root[k] != nil {
			out := maps.Clone(root)
			delete(out, k)
			return out, true
		}
	}
	return nil, false
}

// lesser lists copies of v with one thing less somewhere.
func lesser(v any) []any {
	var out []any
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k == "$schema" {
				continue
			}
			m := maps.Clone(v)
			delete(m, k)
			out = append(out, m)
			for _, less := range lesser(v[k]) {
				m := maps.Clone(v)
				m[k] = less
				out = append(out, m)
			}
		}
	case []any:
		for i := range v {
			out = append(out, slices.Delete(slices.Clone(v), i, i+1))
			for _, less := range lesser(v[i]) {
				list := slices.Clone(v)
				list[i] = less
				out = append(out, list)
			}
		}
	}
	return out
}

// TestGeneratorReachesEverything: a property test is worth what its generator makes.
func TestGeneratorReachesEverything(t *testing.T) {
	seen := map[string]int{}
	var pairs, silent, contradicted, accepted, documents int
	for seed := range uint64(800) {
		p, ok := newPair(seed)
		if !ok {
			continue
		}
		pairs++
		countKeywords(p.oldRoot, seen)
		s, bad := newSampler(seed, p.oldRoot, p.newRoot), false
		for range 60 {
			doc := s.document()
			documents++
			if p.old.Validate(doc) == nil {
				accepted++
				bad = bad || p.new.Validate(doc) != nil
			}
		}
		if bad {
			contradicted++
		} else {
			silent++
		}
	}
	t.Logf("%d pairs, %d without a contradiction, %d of %d documents accepted by old", pairs, silent, accepted, documents)
	for _, k := range keywords {
		if seen[k.name] < 5 {
			t.Errorf("keyword %s only %d times", k.name, seen[k.name])
		}
	}
	if pairs < 600 || silent*4 < pairs || contradicted*4 < pairs || accepted*3 < documents {
		t.Errorf("too few of one kind: %d pairs, %d silent, %d contradicted, %d of %d documents accepted", pairs, silent, contradicted, accepted, documents)
	}
}

func countKeywords(root map[string]any, seen map[string]int) {
	var all []place
	places(rootPlace(root), &all)
	for _, at := range all {
		if m, isMap := at.get().(map[string]any); isMap {
			for k := range m {
				seen[k]++
			}
		}
	}
}

// TestIgnoringOneKeywordIsCaught breaks Check, one keyword at a time, and asks whether the documents notice.
func TestIgnoringOneKeywordIsCaught(t *testing.T) {
	const mostPairs = 1500
	for _, k := range keywords {
		t.Run(k.name, func(t *testing.T) {
			for seed := range uint64(mostPairs) {
				if ignoringIsCaught(seed, k) {
					return
				}
			}
			t.Errorf("%d pairs, and no document noticed that %s is ignored", mostPairs, k.name)
		})
	}
}

// ignoringIsCaught adds a keyword to a schema and hides it from Check.
func ignoringIsCaught(seed uint64, k keyword) bool {
	d := dialects[seed%uint64(len(dialects))]
	if !k.in(d.year) {
		return false
	}
	g := newGenerator(seed, d)
	g.formats = true
	p := pair{seed: seed, oldRoot: g.root(1), oldDraft: d, newDraft: d}
	if k.name == "$ref" && g.defs == 0 {
		return false
	}
	p.newRoot = clone(p.oldRoot).(map[string]any)
	g.add(p.newRoot, k, 1)
	p, ok := p.compiled()
	if !ok {
		return false
	}
	blind := clone(p.newRoot).(map[string]any)
	strip(blind, k.name)
	seen, err := compile(blind, d.draft)
	if err != nil || !compat.Check(p.old, seen, compat.Strict).Compatible {
		return false
	}
	s := newSampler(seed, p.oldRoot, p.newRoot)
	for range documentsPerPair {
		if doc := s.document(); p.old.Validate(doc) == nil && p.new.Validate(doc) != nil {
			return true
		}
	}
	return false
}

func strip(root map[string]any, name string) {
	var all []place
	places(rootPlace(root), &all)
	for _, at := range all {
		if m, isMap := at.get().(map[string]any); isMap {
			delete(m, name)
		}
	}
}

// TestVerdictsKeepTheirText: a verdict is stored and shown, so it must be JSON that reads back.
func TestVerdictsKeepTheirText(t *testing.T) {
	for seed := range uint64(200) {
		p, ok := newPair(seed)
		if !ok {
			continue
		}
		for _, f := range compat.Check(p.old, p.new, compat.Lenient).Findings {
			b, err := json.Marshal(f)
			if err != nil {
				t.Fatalf("finding %q at %q of seed %d: %v", f.Rule, f.Pointer, seed, err)
			}
			var back compat.Finding
			if err := json.Unmarshal(b, &back); err != nil || back.Rule != f.Rule || !bytes.Equal(back.Document, f.Document) {
				t.Errorf("finding %s does not read back: %v", b, err)
			}
		}
	}
}
