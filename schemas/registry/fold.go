package registry

import (
	"errors"
	"math"
	"slices"
)

// What becomes of a message.
const (
	accepted  = "accepted"
	stale     = "stale"     // judged against what was no longer so
	repeated  = "repeated"  // accepted before
	refused   = "refused"   // cannot be carried out; a sender that judged right sends none such
	malformed = "malformed" // of our format, and not as it must be
	newer     = "newer"     // of a format this program does not know
	foreign   = "foreign"   // no proposal at all
)

// outcome is what came of a message.
type outcome struct {
	kind    string
	nonce   string
	entry   Entry       // what a registration made
	touched []recordKey // of _schemas
}

// fold takes the next message, read by parseProposal: p, or why there is none. The same messages give the same state on
// every node, whatever its time, its program's judgement or its settings. No message stops it.
func (s *state) fold(offset int64, p *proposal, unread error) outcome {
	s.next = offset + 1
	if p == nil {
		return outcome{kind: kindOf(unread)}
	}
	o := outcome{kind: accepted, nonce: p.Nonce}
	if _, known := s.nonces[p.Nonce]; known {
		o.kind = repeated
		return o
	}
	if !s.current(p) {
		o.kind = stale
		return o
	}
	change := Change{Offset: offset, At: p.At, By: p.By, Operation: p.Operation, Subject: p.Subject, Version: p.Version, Note: p.note(), Verdict: p.judgement()}
	if !s.apply(p, &o, &change) {
		o.kind, o.entry, o.touched = refused, Entry{}, nil
		return o
	}
	s.touch(offset, p)
	s.nonces[p.Nonce] = struct{}{}
	s.changes[p.Subject] = append(s.changes[p.Subject], len(s.history))
	s.history = append(s.history, change)
	if EvidenceType(p.Subject) != "" {
		s.kinds++
	}
	return o
}

func kindOf(unread error) string {
	switch {
	case errors.Is(unread, errNewer):
		return newer
	case errors.Is(unread, errMalformed):
		return malformed
	}
	return foreign
}

// current says whether everything the proposal was judged against is still so.
func (s *state) current(p *proposal) bool {
	if p.Operation == opAdopt {
		return !s.closed && p.Adopted.After == s.adopted
	}
	for scope, at := range p.Heads {
		if s.head(scope) != at {
			return false
		}
	}
	return true
}

// touch moves the heads of the scopes that an accepted proposal changes or depends on: a deletion of what it refers to is
// stale from now on.
func (s *state) touch(offset int64, p *proposal) {
	s.heads[p.Subject] = offset
	for _, r := range p.References {
		s.heads[r.Subject] = offset
	}
	if p.Operation != opAdopt {
		s.closed = true
	}
}

// apply carries the proposal out. It changes nothing where it says no.
func (s *state) apply(p *proposal, o *outcome, c *Change) bool {
	switch p.Operation {
	case opRegister:
		return s.register(p, o, c)
	case opSetLevel:
		s.setLevel(p, o)
	case opDeleteLevel:
		sub := s.made(p.Subject)
		sub.level, sub.policy = "", ""
		s.mark(o, levelKey(p.Subject))
	case opSetMode:
		s.setMode(p, o)
	case opDeleteMode:
		s.made(p.Subject).mode = ""
		s.mark(o, modeKey(p.Subject))
	case opDeleteVersion:
		return s.deleteVersion(p, o, c)
	case opDeleteSubject:
		return s.deleteSubject(p, o)
	case opDeprecate:
		return s.deprecate(p, c)
	case opRetire:
		s.retire(p)
	case opAdopt:
		s.adopt(p, o, c)
	}
	return true
}

// mark says that a record of _schemas may have changed. One that was never there and is not now is not marked.
func (s *state) mark(o *outcome, k recordKey) {
	if s.wants(k) {
		s.derived[k] = true
	}
	if s.derived[k] {
		o.touched = append(o.touched, k)
	}
}

// register gives the version and the id: the next version of the subject, and the id the content has, or the next one.
func (s *state) register(p *proposal, o *outcome, c *Change) bool {
	guid := contentGUID([]byte(p.Text), p.References, p.Metadata)
	number, id, ok := s.place(p.Subject, guid, p.Version, p.ID)
	if !ok {
		return false
	}
	s.contents[guid] = id // the one it had, or one in place of an id that is nobody's any more
	v := &version{plain: guid, Entry: Entry{Subject: p.Subject, Version: number, ID: id, GUID: guid, Text: []byte(p.Text),
		References: p.References, Metadata: p.Metadata, By: p.By, At: p.At}}
	s.add(v)
	s.mark(o, schemaKey(v.Subject, v.Version))
	o.entry, c.Version, c.ID = v.Entry, v.Version, v.ID
	return true
}

// place says which version and id a content gets; wanted ones are 0 or those of an import. It says no where they are taken.
func (s *state) place(name, guid string, number, id int) (int, int, bool) {
	sub := s.of(name)
	if number == 0 {
		number = sub.highest + 1
	}
	known := s.contents[guid]
	switch {
	case id == 0 && known > 0 && s.holds(known, guid):
		id = known
	case id == 0:
		id = s.maxID + 1
	case !s.holds(id, guid), known > 0 && known != id && len(s.ids[known]) > 0:
		return 0, 0, false
	}
	return number, id, number <= math.MaxInt32 && id <= math.MaxInt32 && sub.version(number) == nil
}

// holds says whether the id may stand for the content: nothing else has it.
func (s *state) holds(id int, guid string) bool {
	for _, v := range s.ids[id] {
		if v.GUID != guid && v.plain != guid {
			return false
		}
	}
	return true
}

func (s *state) setLevel(p *proposal, o *outcome) {
	sub := s.made(p.Subject)
	if p.Compatibility != "" {
		sub.level = p.Compatibility
	}
	if p.Policy != "" {
		sub.policy = p.Policy
	}
	s.mark(o, levelKey(p.Subject))
}

func (s *state) setMode(p *proposal, o *outcome) {
	s.made(p.Subject).mode = p.Mode
	s.mark(o, modeKey(p.Subject))
}

func (s *state) deleteVersion(p *proposal, o *outcome, c *Change) bool {
	v := s.of(p.Subject).version(p.Version)
	if v == nil || v.Deleted != p.Permanent {
		return false
	}
	c.ID = v.ID
	s.delete(v, o)
	if len(s.of(p.Subject).versions) == 0 {
		s.forget(p.Subject, o)
	}
	return true
}

func (s *state) deleteSubject(p *proposal, o *outcome) bool {
	sub := s.of(p.Subject)
	if live := sub.latest(false) != nil; len(sub.versions) == 0 || live == p.Permanent {
		return false
	}
	for _, v := range slices.Clone(sub.versions) {
		if v.Deleted == p.Permanent {
			s.delete(v, o)
		}
	}
	if len(sub.versions) == 0 {
		s.forget(p.Subject, o)
	}
	return true
}

// delete hides a version, or takes one that is hidden out for good.
func (s *state) delete(v *version, o *outcome) {
	if v.Deleted {
		s.remove(v)
	}
	v.Deleted = true
	s.mark(o, schemaKey(v.Subject, v.Version))
}

// forget takes away the settings of a subject that has no versions left, as Confluent's registry does. Its numbers go on.
func (s *state) forget(name string, o *outcome) {
	sub := s.of(name)
	sub.level, sub.policy, sub.mode, sub.retirement = "", "", "", nil
	s.mark(o, levelKey(name))
	s.mark(o, modeKey(name))
}

func (s *state) deprecate(p *proposal, c *Change) bool {
	var mark *Deprecation
	if p.Reason != "" {
		mark = &Deprecation{Reason: p.Reason, By: p.By, At: p.At}
	}
	if p.Version == 0 {
		for _, v := range s.of(p.Subject).versions {
			v.Deprecated = mark
		}
		return true
	}
	v := s.of(p.Subject).version(p.Version)
	if v == nil {
		return false
	}
	v.Deprecated, c.ID = mark, v.ID
	return true
}

func (s *state) retire(p *proposal) {
	sub := s.made(p.Subject)
	sub.retirement = nil
	if !p.From.IsZero() {
		sub.retirement = &Retirement{From: p.From, Reason: p.Reason, By: p.By}
	}
}

// adopt takes over a record of _schemas. A schema whose version or id is taken by another content is passed over.
func (s *state) adopt(p *proposal, o *outcome, c *Change) {
	c.ID, s.adopted, s.maxID = p.ID, p.Adopted.Offset, max(s.maxID, p.ID)
	switch p.Adopted.Kind {
	case adoptSchema:
		v := &version{Entry: Entry{Subject: p.Subject, Version: p.Version, ID: p.ID, GUID: contentGUID([]byte(p.Text), p.References, p.Metadata),
			Text: []byte(p.Text), References: p.References, Metadata: p.Metadata, Deleted: p.Adopted.Deleted, By: p.By, At: p.At}}
		if v.plain = p.Adopted.Plain; v.plain == "" {
			v.plain = v.GUID
		}
		if s.of(p.Subject).version(p.Version) != nil || !s.holds(p.ID, v.GUID) {
			c.Note = "passed over"
			return
		}
		s.add(v)
		s.mark(o, schemaKey(v.Subject, v.Version))
	case adoptLevel:
		s.setLevel(p, o)
	case adoptMode:
		s.setMode(p, o)
	case adoptEnd:
		s.closed = true
	}
}
