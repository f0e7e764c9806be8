package registry

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/schemas/compat"
)

func TestOperations(t *testing.T) {
	w := newWorld(t)
	n := w.node()
	ctx := t.Context()
	first := n.register("a-value", shop(0))
	if first.Entry.Version != 1 || first.Entry.ID != 1 || !first.New || first.Entry.By != "tester" {
		t.Fatalf("%+v", first)
	}
	if again := n.register("a-value", " "+shop(0)); again.New || again.Entry.Version != 1 {
		t.Errorf("registered twice: %+v", again)
	}
	if other := n.register("b-value", shop(0)); other.Entry.ID != 1 || other.Entry.Version != 1 {
		t.Errorf("the same content has another id: %+v", other)
	}
	if second := n.register("a-value", shop(1)); second.Entry.ID != 2 || second.Entry.Version != 2 || second.Verdict.Level != "BACKWARD" || len(second.Verdict.Against) != 1 {
		t.Errorf("%+v", second)
	}
	try := func(subject, schema string, dry bool, refs ...Reference) error {
		_, err := n.Register(ctx, "tester", subject, Candidate{Text: []byte(schema), References: refs}, dry)
		return err
	}
	err := try("a-value", shop(0)[:20]+`,"x":{}`+shop(0)[20:], false)
	wantCode(t, "no schema", err, 42201)
	err = try("a-value", `{"type":"object","required":["name","p0"]}`, false)
	wantCode(t, "incompatible", err, 409)
	var why *Incompatible
	if !errors.As(err, &why) || len(why.Judgement.Against) != 1 || len(why.Judgement.Against[0].Findings) == 0 || why.Error() == "" {
		t.Errorf("the reasons are missing: %v", err)
	}
	wantCode(t, "incompatible, dry", try("a-value", `{"type":"object","required":["name","p0"]}`, true), 409)
	dry, err := n.Register(ctx, "tester", "a-value", Candidate{Text: []byte(shop(2))}, true)
	if err != nil || !dry.New || dry.Entry.Version != 3 || dry.Entry.ID != 3 || n.MaxID() != 2 {
		t.Errorf("dry: %+v, %v", dry, err)
	}

	missing := Reference{Name: "other", Subject: "other-value", Version: 1}
	for what, row := range map[string]struct {
		err  error
		code int
	}{
		"subject with a control character":  {try("a\n", shop(0), false), 42208},
		"empty subject":                     {try("", shop(0), false), 42208},
		"long subject":                      {try(strings.Repeat("长", 250), shop(0), false), 42208},
		"longest subject":                   {try(strings.Repeat("长", 249), shop(0), true), 0},
		"subject that is a citizen number":  {try("x-11010519491231002X-value", shop(0), false), 42208},
		"subject that is not UTF-8":         {try("a\xff", shop(0), false), 42208},
		"missing reference":                 {try("c-value", `{"$ref":"other"}`, false, missing), 42206},
		"reference without a name":          {try("c-value", `{}`, false, Reference{Subject: "a-value", Version: 1}), 42206},
		"reference without a declaration":   {try("c-value", `{"$ref":"other"}`, false), 42201},
		"large":                             {try("c-value", `{"description":"`+strings.Repeat("x", maxProposal)+`"}`, false), 42209},
		"no JSON":                           {try("c-value", `{`, false), 42201},
		"id outside of an import":           {errorOf(n.Register(ctx, "t", "c-value", Candidate{Text: []byte("{}"), ID: 7}, false)), 42205},
		"negative id":                       {errorOf(n.Register(ctx, "t", "c-value", Candidate{Text: []byte("{}"), ID: -1}, false)), 42207},
		"version that is not the next":      {errorOf(n.Register(ctx, "t", "a-value", Candidate{Text: []byte(shop(3)), Version: 9}, false)), 42202},
		"evidence without an evidence type": {try("evidence.shop-value", shop(0), false), 42201},
		"versions of nothing":               {errorOf(n.Versions("nothing", true)), 40401},
		"version of nothing":                {errorOf(n.Version("nothing", 1, true)), 40401},
		"missing version":                   {errorOf(n.Version("a-value", 3, true)), 40402},
		"missing id":                        {errorOf(n.ByID(ctx, 99)), 40403},
		"missing guid":                      {errorOf(n.ByGUID(ctx, "x")), 40403},
		"uses of a missing id":              {errorOf(n.Uses(99, true)), 40403},
		"referrers of nothing":              {errorOf(n.ReferencedBy("nothing", 1)), 40401},
		"look-up in nothing":                {errorOf(n.Lookup(ctx, "nothing", Candidate{Text: []byte("{}")}, true)), 40401},
		"look-up of something else":         {errorOf(n.Lookup(ctx, "a-value", Candidate{Text: []byte("{}")}, true)), 40403},
		"test of a missing version":         {errorOf(n.Test(ctx, "a-value", 9, Candidate{Text: []byte("{}")})), 40402},
		"test of nothing":                   {errorOf(n.Test(ctx, "nothing", 9, Candidate{Text: []byte("{}")})), 40401},
		"test of a bad schema":              {errorOf(n.Test(ctx, "a-value", 0, Candidate{Text: []byte(`{"type":7}`)})), 42201},
		"test of an empty subject":          {errorOf(n.Test(ctx, "nothing", 0, Candidate{Text: []byte("{}")})), 0},
		"bad level":                         {n.SetLevel(ctx, "t", "a-value", Level{Compatibility: "SOME"}), 42203},
		"no level":                          {n.SetLevel(ctx, "t", "a-value", Level{}), 42203},
		"bad policy":                        {n.SetLevel(ctx, "t", "a-value", Level{Policy: "SOFT"}), 42203},
		"delete a level that is not there":  {errorOf(n.DeleteLevel(ctx, "t", "a-value")), 40408},
		"delete the global level":           {errorOf(n.DeleteLevel(ctx, "t", "")), 0},
		"bad mode":                          {n.SetMode(ctx, "t", "a-value", "WRITE", false), 42204},
		"import over versions":              {n.SetMode(ctx, "t", "a-value", "IMPORT", false), 42205},
		"import over any version":           {n.SetMode(ctx, "t", "", "IMPORT", false), 42205},
		"delete a mode that is not there":   {errorOf(n.DeleteMode(ctx, "t", "a-value")), 40409},
		"delete a version of nothing":       {n.DeleteVersion(ctx, "t", "nothing", 1, false), 40401},
		"delete a missing version":          {n.DeleteVersion(ctx, "t", "a-value", 9, false), 40402},
		"delete version 0":                  {n.DeleteVersion(ctx, "t", "a-value", 0, false), 42202},
		"delete at once for good":           {n.DeleteVersion(ctx, "t", "a-value", 1, true), 40407},
		"delete nothing":                    {errorOf(n.DeleteSubject(ctx, "t", "nothing", false)), 40401},
		"delete a subject at once for good": {errorOf(n.DeleteSubject(ctx, "t", "a-value", true)), 40405},
		"deprecate nothing":                 {n.Deprecate(ctx, "t", "nothing", 0, "old"), 40401},
		"deprecate a missing version":       {n.Deprecate(ctx, "t", "a-value", 9, "old"), 40402},
		"retire nothing":                    {n.Retire(ctx, "t", "nothing", time.Now(), ""), 40401},
	} {
		wantCode(t, what, row.err, row.code)
	}
	if len(n.History("")) != 3 || len(n.History("a-value")) != 2 || n.History("a-value")[1].Verdict == nil || n.MaxID() != 2 {
		t.Errorf("history: %+v", n.History(""))
	}
	w.wantMirror(n)
}

// second is the error of two.
func errorOf[T any](_ T, err error) error { return err }

func TestDeletes(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	ctx := t.Context()
	for i := range 3 {
		n.register("a-value", shop(i))
	}
	must(t, n.DeleteVersion(ctx, "t", "a-value", 3, false))
	wantCode(t, "twice", n.DeleteVersion(ctx, "t", "a-value", 3, false), 40406)
	if latest, err := n.Version("a-value", 0, false); err != nil || latest.Version != 2 {
		t.Errorf("latest is %d, %v", latest.Version, err)
	}
	if latest, err := n.Version("a-value", 0, true); err != nil || latest.Version != 3 || !latest.Deleted {
		t.Errorf("latest, deleted included, is %d, %v", latest.Version, err)
	}
	if e, err := n.ByID(ctx, 3); err != nil || !e.Deleted {
		t.Errorf("a deleted schema is not found by its id: %v", err)
	}
	if _, err := n.Lookup(ctx, "a-value", Candidate{Text: []byte(shop(2))}, false); err == nil {
		t.Error("a deleted version is found without asking for it")
	}
	if e, err := n.Lookup(ctx, "a-value", Candidate{Text: []byte(shop(2))}, true); err != nil || e.Version != 3 {
		t.Errorf("look-up of a deleted version: %d, %v", e.Version, err)
	}
	if again := n.register("a-value", shop(2)); again.Entry.Version != 4 || again.Entry.ID != 3 || !again.New {
		t.Errorf("registered again: %+v", again)
	}
	must(t, n.DeleteVersion(ctx, "t", "a-value", 3, true))
	wantCode(t, "gone", n.DeleteVersion(ctx, "t", "a-value", 3, true), 40402)
	if list, err := n.DeleteSubject(ctx, "t", "a-value", false); err != nil || !slices.Equal(list, []int{1, 2, 4}) {
		t.Errorf("deleted %v, %v", list, err)
	}
	wantCode(t, "subject twice", errorOf(n.DeleteSubject(ctx, "t", "a-value", false)), 40404)
	if len(n.Subjects("", false, false)) != 0 || len(n.Subjects("a", true, false)) != 1 || len(n.Subjects("", false, true)) != 1 || len(n.Subjects("b", true, true)) != 0 {
		t.Error("the lists of subjects are wrong")
	}
	if list, err := n.DeleteSubject(ctx, "t", "a-value", true); err != nil || !slices.Equal(list, []int{1, 2, 4}) {
		t.Errorf("deleted for good %v, %v", list, err)
	}
	wantCode(t, "no subject", errorOf(n.Versions("a-value", true)), 40401)
	wantCode(t, "no id", errorOf(n.ByID(ctx, 3)), 40403)
	if after := n.register("a-value", shop(2)); after.Entry.Version != 5 || after.Entry.ID != 3 {
		t.Errorf("after all was deleted: %+v", after)
	}
	w.wantMirror(n)
}

func TestReferences(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	ctx := t.Context()
	n.register("name-value", `{"type":"string"}`)
	n.register("person-value", `{"properties":{"name":{"$ref":"name.json"}}}`, Reference{"name.json", "name-value", 1})
	top := n.register("family-value", `{"items":{"$ref":"person.json"}}`, Reference{"person.json", "person-value", 1})
	if ids, err := n.ReferencedBy("name-value", 1); err != nil || !slices.Equal(ids, []int{2}) {
		t.Errorf("referenced by %v, %v", ids, err)
	}
	wantCode(t, "delete what is referred to", n.DeleteVersion(ctx, "t", "name-value", 1, false), 42206)
	wantCode(t, "delete the subject of it", errorOf(n.DeleteSubject(ctx, "t", "person-value", false)), 42206)
	other, err := n.Register(ctx, "t", "family-value", Candidate{Text: []byte(`{"items":{"$ref":"person.json"}}`), References: []Reference{{"person.json", "person-value", 1}}, Metadata: &Metadata{Properties: map[string]string{"owner": "x"}}}, false)
	if err != nil || other.Entry.ID == top.Entry.ID || other.Entry.Version != 2 {
		t.Errorf("metadata make no other schema: %+v, %v", other.Entry, err)
	}
	must(t, errorOf(n.DeleteSubject(ctx, "t", "family-value", false)))
	must(t, n.DeleteVersion(ctx, "t", "person-value", 1, false))
	wantCode(t, "a deleted schema still refers to it", errorOf(n.Register(ctx, "t", "x-value", Candidate{Text: []byte(`{"$ref":"p"}`), References: []Reference{{"p", "person-value", 1}}}, false)), 42206)
	wantCode(t, "for good, while a deleted one refers to it", n.DeleteVersion(ctx, "t", "person-value", 1, true), 42206)
	must(t, errorOf(n.DeleteSubject(ctx, "t", "family-value", true)))
	must(t, n.DeleteVersion(ctx, "t", "person-value", 1, true))
	w.wantMirror(n)
}

func TestLevelsAndModes(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	ctx := t.Context()
	for i := range 3 {
		n.register("a-value", shop(i))
	}
	test := func(candidate string) (bool, int) {
		t.Helper()
		j, err := n.Test(ctx, "a-value", -1, Candidate{Text: []byte(candidate)})
		must(t, err)
		return j.Compatible, len(j.Against)
	}
	for _, row := range []struct {
		level      string
		candidate  string
		compatible bool
		against    int
	}{
		{"NONE", `{"type":"string"}`, true, 0},
		{"BACKWARD", shop(4), true, 1},
		{"BACKWARD", shop(1), false, 1},
		{"BACKWARD_TRANSITIVE", shop(4), true, 3},
		{"BACKWARD_TRANSITIVE", shop(1), false, 3},
		{"FORWARD", shop(1), true, 1},
		{"FORWARD", shop(4), false, 1},
		{"FORWARD_TRANSITIVE", shop(0), true, 3},
		{"FORWARD_TRANSITIVE", shop(1), false, 3},
		{"FULL", shop(2), true, 2},
		{"FULL", shop(1), false, 2},
		{"FULL_TRANSITIVE", shop(2), false, 6},
	} {
		must(t, n.SetLevel(ctx, "t", "a-value", Level{Compatibility: row.level}))
		if ok, against := test(row.candidate); ok != row.compatible || against != row.against {
			t.Errorf("%s: compatible %v with %d, want %v with %d", row.level, ok, against, row.compatible, row.against)
		}
	}
	must(t, n.SetLevel(ctx, "t", "", Level{Compatibility: "FULL", Policy: compat.Lenient}))
	if l := n.Level("a-value"); l != (Level{"FULL_TRANSITIVE", compat.Lenient, true}) {
		t.Errorf("level %+v", l)
	}
	if old, err := n.DeleteLevel(ctx, "t", "a-value"); err != nil || old.Compatibility != "FULL_TRANSITIVE" || n.Level("a-value") != (Level{"FULL", compat.Lenient, false}) {
		t.Errorf("old %+v, %v; now %+v", old, err, n.Level("a-value"))
	}
	w.wantMirror(n)

	must(t, n.SetMode(ctx, "t", "a-value", "READONLY", false))
	for what, err := range map[string]error{
		"register":       errorOf(n.Register(ctx, "t", "a-value", Candidate{Text: []byte(shop(9))}, false)),
		"delete":         n.DeleteVersion(ctx, "t", "a-value", 1, false),
		"delete subject": errorOf(n.DeleteSubject(ctx, "t", "a-value", false)),
		"level":          n.SetLevel(ctx, "t", "a-value", Level{Compatibility: "NONE"}),
		"deprecate":      n.Deprecate(ctx, "t", "a-value", 1, "old"),
	} {
		wantCode(t, what, err, 42205)
	}
	if mode, own := n.Mode("a-value"); mode != "READONLY" || !own {
		t.Error(mode, own)
	}
	if old, err := n.DeleteMode(ctx, "t", "a-value"); err != nil || old != "READONLY" {
		t.Error(old, err)
	}
	must(t, n.SetMode(ctx, "t", "", "READONLY_OVERRIDE", false))
	must(t, n.SetMode(ctx, "t", "a-value", "READWRITE", false))
	wantCode(t, "override", errorOf(n.Register(ctx, "t", "a-value", Candidate{Text: []byte(shop(9))}, false)), 42205)
	must(t, errorOf(n.DeleteMode(ctx, "t", "")))
	w.wantMirror(n)
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	ctx := t.Context()
	must(t, n.SetMode(ctx, "t", "", "IMPORT", false))
	take := func(subject string, id, version int, schema string) error {
		return errorOf(n.Register(ctx, "t", subject, Candidate{Text: []byte(schema), ID: id, Version: version}, false))
	}
	for what, row := range map[string]struct {
		err  error
		code int
	}{
		"1 first":            {take("a-value", 70, 3, shop(2)), 0},
		"2 an older version": {take("a-value", 60, 1, `{"type":"string"}`), 0},
	} {
		wantCode(t, what, row.err, row.code)
	}
	wantCode(t, "again", take("a-value", 70, 3, shop(2)), 0)
	wantCode(t, "another content with the id", take("a-value", 70, 4, shop(3)), 42207)
	wantCode(t, "another id for the content", take("b-value", 71, 4, shop(2)), 42207)
	wantCode(t, "a version that is taken", take("a-value", 72, 3, shop(3)), 42205)
	wantCode(t, "without an id", take("a-value", 0, 0, shop(3)), 42205)
	must(t, n.SetMode(ctx, "t", "", "READWRITE", false))
	if next := n.register("a-value", shop(3)); next.Entry.Version != 4 || next.Entry.ID != 71 {
		t.Errorf("after the import: %+v", next.Entry)
	}
	w.wantMirror(n)
}

func TestNormalize(t *testing.T) {
	n := newWorld(t).node(quiet)
	n.register("a-value", `{"type":"string","maxLength":3}`)
	c := Candidate{Text: []byte(`{"maxLength":3, "type":"str\u0069ng"}`)}
	wantCode(t, "as written", errorOf(n.Lookup(t.Context(), "a-value", c, false)), 40403)
	c.Normalize = true
	if e, err := n.Lookup(t.Context(), "a-value", c, false); err != nil || e.Version != 1 {
		t.Error(e.Version, err)
	}
	if got, err := n.Register(t.Context(), "t", "a-value", c, false); err != nil || got.New {
		t.Errorf("%+v %v", got, err)
	}
}

func TestDeprecateAndRetire(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	n := w.node(quiet, func(c *Config, r *Registry) {
		c.Clock = func() time.Time { return now }
	})
	other := w.node(quiet)
	ctx := t.Context()
	n.register("a-value", shop(0))
	n.register("a-value", shop(1))
	must(t, n.Deprecate(ctx, "t", "a-value", 1, "use 2"))
	if e, _ := n.Version("a-value", 1, false); e.Deprecated == nil || e.Deprecated.Reason != "use 2" || e.Deprecated.By != "t" {
		t.Errorf("%+v", e.Deprecated)
	}
	must(t, n.Deprecate(ctx, "t", "a-value", 0, ""))
	if e, _ := n.Version("a-value", 1, false); e.Deprecated != nil {
		t.Errorf("%+v", e.Deprecated)
	}
	must(t, n.Retire(ctx, "t", "a-value", time.Now().Add(time.Hour), "merged"))
	n.register("a-value", shop(2)) // not yet
	must(t, n.Retire(ctx, "t", "a-value", time.Time{}, ""))
	if n.Retirement("a-value") != nil {
		t.Error("taken back, and still there")
	}
	must(t, n.Retire(ctx, "t", "a-value", time.Now().Add(-time.Hour), "merged"))
	eventually(t, "the subject is deleted", func() bool {
		return len(n.Subjects("", false, false)) == 0 && len(other.Subjects("", false, false)) == 0
	})
	wantCode(t, "after its end", errorOf(other.Register(ctx, "t", "a-value", Candidate{Text: []byte(shop(3))}, false)), 42205)
	must(t, n.Settled(ctx))
	deletions := 0
	for _, c := range n.History("a-value") {
		if c.Operation == opDeleteSubject {
			deletions++
		}
	}
	if deletions != 1 {
		t.Errorf("%d deletions", deletions)
	}
}
