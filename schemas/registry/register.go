package registry

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// settled is the candidate in the form in which candidates are compared.
func (c Candidate) settled() (Candidate, error) {
	if len(c.Text) > maxProposal {
		return c, tooLarge(len(c.Text))
	}
	if !inRange(c.ID) {
		return c, badID(c.ID)
	}
	if !inRange(c.Version) {
		return c, badVersion(c.Version)
	}
	for _, ref := range c.References {
		if ref.Name == "" || ref.Version <= 0 || !inRange(ref.Version) || checkSubject(ref.Subject) != nil {
			return c, noReference(ref)
		}
	}
	if len(c.References) == 0 {
		c.References = nil
	}
	c.References = slices.Clone(c.References)
	c.Metadata = c.Metadata.settled()
	return c, nil
}

// admitted passes the candidate through the gate with what it refers to.
func (r *Registry) admitted(c Candidate, v view) (*gate.Schema, error) {
	if v.missing != nil {
		return nil, v.missing
	}
	schema, err := r.schemas.admit(c.Text, v.references)
	if err != nil {
		return nil, badSchema(err)
	}
	return schema, nil
}

// same finds the version that is the candidate, the newest of those that count.
func (v *view) same(c Candidate, schema *gate.Schema, deleted bool) *seen {
	guid := contentGUID(schema.Text, c.References, c.Metadata)
	for i := len(v.versions) - 1; i >= 0; i-- {
		one := &v.versions[i]
		if one.Deleted && !deleted {
			continue
		}
		if one.GUID == guid || one.plain == guid || c.Normalize && one.normalGUID() == c.normalGUID() {
			return one
		}
	}
	return nil
}

// normalGUID names a content whatever the order and the spelling of its members; "" where it cannot be read.
func (c Candidate) normalGUID() string {
	normal, err := gate.Normalize(c.Text)
	if err != nil {
		return ""
	}
	references := slices.SortedFunc(slices.Values(c.References), compareReferences)
	return contentGUID(normal, references, c.Metadata)
}

func compareReferences(a, b Reference) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Version, b.Version))
}

func (one *seen) normalGUID() string {
	guid := Candidate{Text: one.Text, References: one.References, Metadata: one.Metadata}.normalGUID()
	if guid == "" {
		return one.GUID
	}
	return guid
}

// Lookup finds the version of the subject that is the candidate.
func (r *Registry) Lookup(ctx context.Context, subject string, c Candidate, deleted bool) (Entry, error) {
	if err := checkSubject(subject); err != nil {
		return Entry{}, err
	}
	c, err := c.settled()
	if err != nil {
		return Entry{}, err
	}
	e, err := r.lookup(subject, c, deleted)
	if err == nil {
		return e, nil
	}
	if err := r.Settled(ctx); err != nil {
		return Entry{}, err
	}
	return r.lookup(subject, c, deleted)
}

func (r *Registry) lookup(subject string, c Candidate, deleted bool) (Entry, error) {
	v := r.look(subject, c.References)
	if !slices.ContainsFunc(v.versions, func(one seen) bool { return deleted || !one.Deleted }) {
		return Entry{}, noSubject(subject)
	}
	schema, err := r.admitted(c, v)
	if err != nil {
		return Entry{}, err
	}
	for _, hidden := range []bool{false, deleted} { // one that is not deleted goes first
		if one := v.same(c, schema, hidden); one != nil {
			return one.Entry, nil
		}
	}
	return Entry{}, noSchema()
}

// registration is a registration on its way; it is judged again where others were first.
type registration struct {
	by, subject string
	candidate   Candidate
	memo        verdicts
	schema      *gate.Schema
	opinion     chan second // of the schema
	result      Registered
}

// second is what the second validator made of a schema that is no evidence schema.
type second struct {
	warnings []exchange.Text
}

// Register adds a candidate to a subject, or finds that it has it. dry judges and changes nothing: Version and ID are what
// they would be. An incompatible candidate is a Problem YM-REG-409 that wraps an *Incompatible.
func (r *Registry) Register(ctx context.Context, by, subject string, c Candidate, dry bool) (Registered, error) {
	if err := checkSubject(subject); err != nil {
		return Registered{}, err
	}
	c, err := c.settled()
	if err != nil {
		return Registered{}, err
	}
	reg := &registration{by: by, subject: subject, candidate: c, memo: verdicts{}}
	if dry {
		if err := r.Settled(ctx); err != nil {
			return Registered{}, err
		}
		if _, err := r.judgeRegistration(ctx, reg); err != nil {
			return Registered{}, err
		}
		return reg.answer(ctx)
	}
	if err := r.levelOfEvidence(ctx, by, subject, c); err != nil {
		return Registered{}, err
	}
	scopes := []string{subject}
	for _, ref := range c.References {
		scopes = append(scopes, ref.Subject)
	}
	o, err := r.propose(ctx, scopes, func(ctx context.Context) (*proposal, error) { return r.judgeRegistration(ctx, reg) })
	if err != nil {
		return Registered{}, err
	}
	if o.kind == accepted {
		reg.result.Entry, reg.result.New = o.entry, true
	}
	return reg.answer(ctx)
}

// answer is the result, with the second validator's warnings where it was asked.
func (reg *registration) answer(ctx context.Context) (Registered, error) {
	if reg.opinion == nil || !reg.result.New {
		return reg.result, nil
	}
	select {
	case o := <-reg.opinion:
		reg.opinion <- o
		reg.result.Warnings = o.warnings
	case <-ctx.Done():
	}
	return reg.result, nil
}

// levelOfEvidence gives an evidence subject the level of its kind before its first version, where the first version will do.
func (r *Registry) levelOfEvidence(ctx context.Context, by, subject string, c Candidate) error {
	if EvidenceType(subject) == "" {
		return nil
	}
	if err := r.opened(ctx); err != nil {
		return err
	}
	if !r.wantsLevel(subject) {
		return nil
	}
	trial := &registration{by: by, subject: subject, candidate: c, memo: verdicts{}}
	if _, err := r.judgeRegistration(ctx, trial); err != nil {
		return nil // the registration itself says so
	}
	p := proposal{Operation: opSetLevel, Subject: subject, By: by, Compatibility: evidenceLevel}
	return r.simple(ctx, p, func(s *state) (bool, error) { return s.wantsLevel(subject), nil })
}

// evidenceLevel: readers find each record's own schema by its id, so what matters is that a newer schema reads all older records.
const evidenceLevel = "BACKWARD_TRANSITIVE"

func (r *Registry) wantsLevel(subject string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.wantsLevel(subject)
}

func (s *state) wantsLevel(subject string) bool {
	return s.of(subject).latest(false) == nil && s.of(subject).level == ""
}

// judgeRegistration judges a candidate against the state as it is. It gives no proposal where the subject has it already.
func (r *Registry) judgeRegistration(ctx context.Context, reg *registration) (*proposal, error) {
	c := reg.candidate
	v := r.look(reg.subject, c.References)
	if err := r.permitted(reg.subject, c, v); err != nil {
		return nil, err
	}
	schema, err := r.admitted(c, v)
	if err != nil {
		return nil, err
	}
	if one := v.same(c, schema, false); one != nil && (c.Version == 0 || c.Version == one.Version) && (c.ID == 0 || c.ID == one.ID) {
		reg.result = Registered{Entry: one.Entry, Verdict: Judgement{Level: v.level.Compatibility, Policy: v.level.Policy, Compatible: true, Against: []Comparison{}}}
		return nil, nil
	}
	v.level.Compatibility = reg.level(v)
	e, err := v.entry(reg, schema)
	if err != nil {
		return nil, err
	}
	if err := r.consult(ctx, reg, schema, v.references); err != nil {
		return nil, err
	}
	j := Judgement{Level: v.level.Compatibility, Policy: v.level.Policy, Compatible: true, Against: []Comparison{}}
	if v.mode == modeReadWrite {
		if j, err = r.judge(ctx, schema, v.level, v.against(), reg.memo); err != nil {
			return nil, err
		}
	}
	if !j.Compatible {
		return nil, incompatible(reg.subject, j)
	}
	e.At = r.clock().UTC().Round(time.Millisecond)
	reg.result = Registered{Entry: e, New: true, Verdict: j}
	return reg.proposal(v, schema, j)
}

// level is what the candidate is judged by: an evidence subject without versions is about to get that of its kind.
func (reg *registration) level(v view) string {
	if EvidenceType(reg.subject) != "" && !v.level.Own && len(v.against()) == 0 {
		return evidenceLevel
	}
	return v.level.Compatibility
}

func (reg *registration) proposal(v view, schema *gate.Schema, j Judgement) (*proposal, error) {
	verdict, err := json.Marshal(j, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	c := reg.candidate
	return &proposal{Operation: opRegister, Subject: reg.subject, By: reg.by, Heads: v.heads, Text: string(schema.Text),
		References: c.References, Metadata: c.Metadata, ID: c.ID, Version: c.Version, Verdict: verdict}, nil
}

// permitted says whether the mode and the subject's fate allow a registration.
func (r *Registry) permitted(subject string, c Candidate, v view) error {
	importing := v.mode == modeImport || v.mode == modeForward
	switch {
	case v.mode == modeReadOnly || v.mode == modeReadOnlyOverride:
		return notInMode(subject, v.mode, modeReadWrite)
	case c.ID != 0 && !importing:
		return notInMode(subject, v.mode, modeImport)
	case c.ID == 0 && importing:
		return notInMode(subject, v.mode, modeReadWrite)
	case v.retirement != nil && !r.clock().Before(v.retirement.From):
		return retired(subject, v.retirement.From)
	}
	return nil
}

// entry is what the candidate would become.
func (v *view) entry(reg *registration, schema *gate.Schema) (Entry, error) {
	c := reg.candidate
	if c.Version != 0 && c.ID == 0 && c.Version != v.highest+1 {
		return Entry{}, notNext(c.Version, v.highest+1)
	}
	guid := contentGUID(schema.Text, c.References, c.Metadata)
	number, id, free := v.free(guid, c.Version, c.ID)
	if !free {
		taken := slices.ContainsFunc(v.versions, func(one seen) bool { return one.Version == c.Version })
		switch {
		case taken:
			return Entry{}, versionTaken(reg.subject, c.Version)
		case c.ID != 0:
			return Entry{}, idTaken(c.ID)
		}
		return Entry{}, exhausted()
	}
	return Entry{Subject: reg.subject, Version: number, ID: id, GUID: guid, Text: schema.Text, References: c.References, Metadata: c.Metadata, By: reg.by}, nil
}
