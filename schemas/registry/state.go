package registry

import (
	"cmp"
	"maps"
	"slices"

	"github.com/onedoor/yimen/schemas/compat"
)

// state is what the proposals up to an offset amount to. It changes by fold only.
type state struct {
	next     int64            // offset after the last folded message
	heads    map[string]int64 // scope → offset of the last accepted proposal that touched it
	subjects map[string]*subject
	ids      map[int][]*version    // in the order they came
	guids    map[string][]*version // in the order they came
	contents map[string]int        // guid → id, for ever
	maxID    int
	referrer map[place][]*version // what refers to a version directly
	nonces   map[string]struct{}  // of accepted proposals
	history  []Change
	changes  map[string][]int // subject → places in history

	derived map[recordKey]bool // the keys that ever stood in _schemas by us

	adopted int64 // offset in _schemas of the record taken over last
	closed  bool  // nothing more is taken over from _schemas
	kinds   int64 // counts changes of evidence subjects
}

// place is a version of a subject.
type place struct {
	subject string
	version int
}

// subject is what is known of one. That of the global scope has settings only.
type subject struct {
	versions   []*version // by number
	highest    int        // ever given, deleted ones included
	level      string     // "": none of its own
	policy     compat.Policy
	mode       string // "": none of its own
	retirement *Retirement
}

// version is an entry and what only the fold needs to know of it.
type version struct {
	Entry
	plain string // guid of the content without white space; the same as GUID but for some that were taken over
}

func newState() *state {
	return &state{
		heads: map[string]int64{}, subjects: map[string]*subject{}, ids: map[int][]*version{}, guids: map[string][]*version{},
		contents: map[string]int{}, referrer: map[place][]*version{}, nonces: map[string]struct{}{}, changes: map[string][]int{},
		derived: map[recordKey]bool{}, adopted: never,
	}
}

func (s *state) head(scope string) int64 {
	if at, ok := s.heads[scope]; ok {
		return at
	}
	return never
}

// of is the subject, an empty one where nothing is known of it.
func (s *state) of(name string) *subject {
	if sub := s.subjects[name]; sub != nil {
		return sub
	}
	return &subject{}
}

// made is the subject, made where it is not there.
func (s *state) made(name string) *subject {
	sub := s.subjects[name]
	if sub == nil {
		sub = &subject{}
		s.subjects[name] = sub
	}
	return sub
}

// version is that of the number, nil where there is none.
func (sub *subject) version(number int) *version {
	i, ok := slices.BinarySearchFunc(sub.versions, number, func(v *version, n int) int { return cmp.Compare(v.Version, n) })
	if !ok {
		return nil
	}
	return sub.versions[i]
}

// latest is the newest version, of those not deleted unless deleted is set.
func (sub *subject) latest(deleted bool) *version {
	for _, v := range slices.Backward(sub.versions) {
		if deleted || !v.Deleted {
			return v
		}
	}
	return nil
}

// level is what holds for the subject.
func (s *state) level(name string) Level {
	own, all := s.of(name), s.of(globalScope)
	return Level{
		Compatibility: cmp.Or(own.level, all.level, "BACKWARD"),
		Policy:        cmp.Or(own.policy, all.policy, compat.Strict),
		Own:           own.level != "" || own.policy != "",
	}
}

// mode is what holds for the subject. One mode of the global scope goes before the subject's own.
func (s *state) mode(name string) string {
	own, all := s.of(name).mode, s.of(globalScope).mode
	if all == modeReadOnlyOverride {
		return all
	}
	return cmp.Or(own, all, modeReadWrite)
}

// referrers are the versions of other subjects, or of this one, that refer to a version.
func (s *state) referrers(at place, deleted bool) []*version {
	var found []*version
	for _, v := range s.referrer[at] {
		if deleted || !v.Deleted {
			found = append(found, v)
		}
	}
	return found
}

func (s *state) add(v *version) {
	sub := s.made(v.Subject)
	i, _ := slices.BinarySearchFunc(sub.versions, v.Version, func(v *version, n int) int { return cmp.Compare(v.Version, n) })
	sub.versions = slices.Insert(sub.versions, i, v)
	sub.highest = max(sub.highest, v.Version)
	s.ids[v.ID] = append(s.ids[v.ID], v)
	s.guids[v.GUID] = append(s.guids[v.GUID], v)
	for _, guid := range []string{v.GUID, v.plain} {
		if _, known := s.contents[guid]; !known {
			s.contents[guid] = v.ID
		}
	}
	s.maxID = max(s.maxID, v.ID)
	for _, at := range places(v.References) {
		s.referrer[at] = append(s.referrer[at], v)
	}
	s.derived[schemaKey(v.Subject, v.Version)] = true
}

// remove takes a version out for good. Its content keeps its id.
func (s *state) remove(v *version) {
	sub := s.of(v.Subject)
	sub.versions = without(sub.versions, v)
	if s.ids[v.ID] = without(s.ids[v.ID], v); len(s.ids[v.ID]) == 0 {
		delete(s.ids, v.ID)
	}
	if s.guids[v.GUID] = without(s.guids[v.GUID], v); len(s.guids[v.GUID]) == 0 {
		delete(s.guids, v.GUID)
	}
	for _, at := range places(v.References) {
		if s.referrer[at] = without(s.referrer[at], v); len(s.referrer[at]) == 0 {
			delete(s.referrer, at)
		}
	}
}

func without(list []*version, v *version) []*version {
	return slices.DeleteFunc(list, func(other *version) bool { return other == v })
}

// places are what references name, each once.
func places(references []Reference) []place {
	set := make(map[place]bool, len(references))
	for _, r := range references {
		set[place{r.Subject, r.Version}] = true
	}
	return slices.Collect(maps.Keys(set))
}
