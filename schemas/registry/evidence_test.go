package registry

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/onedoor/yimen/schemas/opinion"
)

// contrary is a second validator that has its own mind.
type contrary struct {
	opinion opinion.Opinion
	err     error
}

func (c contrary) Ask(context.Context, opinion.Question) (opinion.Opinion, error) {
	return c.opinion, c.err
}

func TestEvidence(t *testing.T) {
	licence, err := os.ReadFile("../evidence/business-licence.json")
	must(t, err)
	w := newWorld(t)
	n := w.node()
	ctx := t.Context()
	name := EvidenceSubject("business-licence")
	before := n.Evidence()
	try := func(n *node, subject string, c Candidate) error {
		return errorOf(n.Register(ctx, "t", subject, c, false))
	}
	none := w.node(quiet)
	contrarian := w.node(func(c *Config, _ *Registry) {
		c.Opinion = contrary{opinion: opinion.Opinion{Accepted: true, Valid: []bool{false}}}
	})
	refusing := w.node(func(c *Config, _ *Registry) { c.Opinion = contrary{opinion: opinion.Opinion{Why: "no"}} })
	silent := w.node(func(c *Config, _ *Registry) { c.Opinion = contrary{err: errors.New("died")} })
	wantCode(t, "another type", try(n, EvidenceSubject("food-licence"), Candidate{Text: licence}), 42201)
	wantCode(t, "no evidence schema", try(n, name, Candidate{Text: []byte(shop(1))}), 42201)
	wantCode(t, "metadata", try(n, name, Candidate{Text: licence, Metadata: &Metadata{Sensitive: []string{"x"}}}), 42201)
	wantCode(t, "no second validator", try(none, name, Candidate{Text: licence}), 50001)
	wantCode(t, "no opinion", try(silent, name, Candidate{Text: licence}), 50001)
	wantCode(t, "another opinion", try(contrarian, name, Candidate{Text: licence}), 42201)
	wantCode(t, "refused by the second validator", try(refusing, name, Candidate{Text: licence}), 42201)
	if len(n.History("")) != 0 {
		t.Error("a refused registration left a trace")
	}
	got, err := n.Register(ctx, "t", name, Candidate{Text: licence}, false)
	must(t, err)
	if l := n.Level(name); l.Compatibility != evidenceLevel || !l.Own || got.Verdict.Level != evidenceLevel {
		t.Errorf("level %+v, judged by %s", l, got.Verdict.Level)
	}
	set := n.Evidence()
	if s, ok := set.ByType("business-licence"); !ok || s.ID != got.Entry.GUID || set == before || set != n.Evidence() {
		t.Error("the set of evidence schemas is wrong")
	}
	wider := bytes.Replace(licence, []byte(`"title"`), []byte(`"$comment": "2", "title"`), 1)
	second, err := n.Register(ctx, "t", name, Candidate{Text: wider}, false)
	must(t, err)
	must(t, n.DeleteVersion(ctx, "t", name, 2, false))
	set = n.Evidence()
	if s, ok := set.ByType("business-licence"); !ok || s.ID != got.Entry.GUID {
		t.Error("a deleted version stands for its type")
	}
	if _, ok := set.ByID(second.Entry.GUID); !ok {
		t.Error("a deleted version is not found by its id")
	}

	// For other subjects the second validator only warns.
	for what, n := range map[string]*node{"refused": refusing, "silent": silent} {
		got, err := n.Register(ctx, "t", what+"-value", Candidate{Text: []byte(shop(1))}, false)
		if err != nil || len(got.Warnings) != 1 {
			t.Errorf("%s: %v, %v", what, got.Warnings, err)
		}
	}
	if got := n.register("agreed-value", `{"type":"object","examples":[{"a":1}],"properties":{"a":{"type":"integer"}}}`); len(got.Warnings) != 0 {
		t.Error(got.Warnings)
	}
}

// TestPatternsOfECMA: the commonest Chinese pattern is of no use to the second validator as it stands.
func TestPatternsOfECMA(t *testing.T) {
	licence, err := os.ReadFile("../evidence/business-licence.json")
	must(t, err)
	named := []byte(`"title": "企业名称", "x-title-en": "Name of the enterprise", "type": "string",`)
	text := bytes.Replace(licence, named, append(bytes.Clone(named), `"pattern": "^[\\u4e00-\\u9fa5\\uff08\\uff09A-Za-z0-9]+$",`...), 1)
	if bytes.Equal(text, licence) {
		t.Fatal("the schema has changed: mend this test")
	}
	n := newWorld(t).node()
	_, err = n.Register(t.Context(), "t", EvidenceSubject("business-licence"), Candidate{Text: text}, false)
	must(t, err)
	got, err := n.Register(t.Context(), "t", "other-value", Candidate{Text: []byte(`{"pattern":"^[\\u4e00-\\u9fa5]+$"}`)}, false)
	must(t, err)
	if len(got.Warnings) != 0 {
		t.Errorf("%v", got.Warnings)
	}
}
