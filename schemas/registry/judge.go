package registry

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
)

// view is what a candidate is judged against, as it was at one moment.
type view struct {
	heads      map[string]int64
	level      Level
	mode       string
	retirement *Retirement
	versions   []seen // all of the subject, by number
	highest    int
	references []gate.Reference // of the candidate, those beneath included
	missing    error            // why they do not all resolve
	free       func(guid string, number, id int) (int, int, bool)
}

// seen is a version with the texts it refers to.
type seen struct {
	version
	references []gate.Reference
	missing    error
}

// look takes a view. The lock is held no longer.
func (r *Registry) look(subject string, references []Reference) view {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.state
	sub := s.of(subject)
	scopes := map[string]bool{subject: true, globalScope: true}
	v := view{level: s.level(subject), mode: s.mode(subject), retirement: sub.retirement, highest: sub.highest}
	v.references, v.missing = s.resolve(references, scopes, false)
	for _, old := range sub.versions {
		one := seen{version: *old}
		one.references, one.missing = s.resolve(old.References, map[string]bool{}, true)
		v.versions = append(v.versions, one)
	}
	v.heads = make(map[string]int64, len(scopes))
	for scope := range scopes {
		v.heads[scope] = s.head(scope)
	}
	v.free = r.place(subject)
	return v
}

// place asks the state which version and id a content would get.
func (r *Registry) place(subject string) func(guid string, number, id int) (int, int, bool) {
	return func(guid string, number, id int) (int, int, bool) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return r.state.place(subject, guid, number, id)
	}
}

// resolve collects the texts that references name, those beneath included, and their subjects. Deleted ones count for
// versions that are there already.
func (s *state) resolve(references []Reference, scopes map[string]bool, deleted bool) ([]gate.Reference, error) {
	var found []gate.Reference
	texts := map[string][]byte{}
	var walk func([]Reference, int) error
	walk = func(list []Reference, depth int) error {
		for _, ref := range list {
			scopes[ref.Subject] = true
			v := s.of(ref.Subject).version(ref.Version)
			if v == nil || v.Deleted && !deleted || depth > maxDepth || len(texts) > maxReferences {
				return noReference(ref)
			}
			if before, known := texts[ref.Name]; known {
				if !bytes.Equal(before, v.Text) {
					return twoReferences(ref.Name)
				}
				continue
			}
			texts[ref.Name] = v.Text
			found = append(found, gate.Reference{Name: ref.Name, Text: v.Text})
			if err := walk(v.References, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return found, walk(references, 0)
}

// The bounds of references.
const (
	maxDepth      = 64
	maxReferences = 1000
)

// directions are what a level asks for.
func directions(level string) (backward, forward, all bool) {
	kind, all := strings.CutSuffix(level, "_TRANSITIVE")
	return kind == "BACKWARD" || kind == "FULL", kind == "FORWARD" || kind == "FULL", all
}

// against are the versions a level names: none, the latest, or all that are not deleted.
func (v *view) against() []seen {
	var live []seen
	for _, one := range v.versions {
		if !one.Deleted {
			live = append(live, one)
		}
	}
	if _, _, all := directions(v.level.Compatibility); !all && len(live) > 1 {
		live = live[len(live)-1:]
	}
	return live
}

// judge compares a candidate with versions, in the directions of the level.
func (r *Registry) judge(ctx context.Context, candidate *gate.Schema, level Level, versions []seen, memo verdicts) (Judgement, error) {
	j := Judgement{Level: level.Compatibility, Policy: level.Policy, Compatible: true, Against: []Comparison{}}
	backward, forward, _ := directions(level.Compatibility)
	if !backward && !forward {
		return j, nil
	}
	for _, one := range versions {
		if err := ctx.Err(); err != nil {
			return Judgement{}, tooSlow(err)
		}
		old, err := r.compiled(one)
		if backward {
			j.add(one.Version, "backward", memo.check(old, candidate, level.Policy, err))
		}
		if forward {
			j.add(one.Version, "forward", memo.check(candidate, old, level.Policy, err))
		}
	}
	return j, nil
}

func (r *Registry) compiled(one seen) (*gate.Schema, error) {
	if one.missing != nil {
		return nil, one.missing
	}
	return r.schemas.admit(one.Text, one.references)
}

func (j *Judgement) add(version int, direction string, v compat.Verdict) {
	j.Against = append(j.Against, Comparison{Version: version, Direction: direction, Findings: v.Findings, Undecided: v.Undecided})
	j.Compatible = j.Compatible && v.Compatible
}

// verdicts remembers comparisons while a registration is judged again.
type verdicts map[[2]*gate.Schema]map[compat.Policy]compat.Verdict

// check says whether new accepts what old accepts. A version that does not pass the gate, which only one that was taken over
// from another registry can be, cannot be compared.
func (m verdicts) check(old, new *gate.Schema, policy compat.Policy, unread error) compat.Verdict {
	if unread != nil {
		return compat.Verdict{Undecided: true, Findings: []compat.Finding{{Rule: "version_refused",
			What: text("该版本来自别的登记处，未能通过入口检查，无法比较", "the version came from another registry and does not pass the gate, so nothing can be compared with it"),
			Mend: text("软删除该版本，或为 subject 设级别 NONE 后再登记", "delete the version softly, or set the subject's level NONE for this registration")}}}
	}
	pair := [2]*gate.Schema{old, new}
	if v, known := m[pair][policy]; known {
		return v
	}
	v := compat.Check(old.Compiled, new.Compiled, policy)
	if m[pair] == nil {
		m[pair] = map[compat.Policy]compat.Verdict{}
	}
	m[pair][policy] = v
	return v
}

// Incompatible is the error of a candidate that may not follow the versions there are.
type Incompatible struct {
	Judgement Judgement
}

// Error names the first finding.
func (e *Incompatible) Error() string {
	for _, c := range e.Judgement.Against {
		if len(c.Findings) > 0 {
			f := c.Findings[0]
			return fmt.Sprintf("version %d (%s): %s at %q: %s", c.Version, c.Direction, f.Rule, f.Pointer, f.What.In(exchange.EN))
		}
		if c.Undecided {
			return fmt.Sprintf("version %d (%s): cannot be decided", c.Version, c.Direction)
		}
	}
	return "incompatible"
}

// Test compares a candidate with one version (0: the latest), or with those its level names (version -1), as a registration would.
func (r *Registry) Test(ctx context.Context, subject string, version int, c Candidate) (Judgement, error) {
	if err := checkSubject(subject); err != nil {
		return Judgement{}, err
	}
	if version < -1 || version > 0 && !inRange(version) {
		return Judgement{}, badVersion(version)
	}
	c, err := c.settled()
	if err != nil {
		return Judgement{}, err
	}
	if err := r.Settled(ctx); err != nil {
		return Judgement{}, err
	}
	v := r.look(subject, c.References)
	schema, err := r.admitted(c, v)
	if err != nil {
		return Judgement{}, err
	}
	versions, err := v.chosen(subject, version)
	if err != nil {
		return Judgement{}, err
	}
	return r.judge(ctx, schema, v.level, versions, verdicts{})
}

// chosen are the versions of a test.
func (v *view) chosen(subject string, number int) ([]seen, error) {
	live := v.against()
	switch {
	case number < 0:
		return live, nil
	case number == 0:
		return live[max(0, len(live)-1):], nil
	}
	for _, one := range v.versions {
		if one.Version == number && !one.Deleted {
			return []seen{one}, nil
		}
	}
	if len(live) == 0 {
		return nil, noSubject(subject)
	}
	return nil, noVersion(subject, number)
}
