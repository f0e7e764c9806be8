package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Subjects lists those that begin with prefix, sorted. Those with deleted versions only are told where deleted is set, and
// alone where only is set.
func (r *Registry) Subjects(prefix string, deleted, only bool) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := []string{}
	for name, sub := range r.state.subjects {
		if len(sub.versions) == 0 || !strings.HasPrefix(name, prefix) {
			continue
		}
		if gone := sub.latest(false) == nil; gone && (deleted || only) || !gone && !only {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Versions lists a subject's versions in order. Problems here and below have codes YM-REG-nnnnn, where nnnnn is
// Confluent's error code.
func (r *Registry) Versions(subject string, deleted bool) ([]Entry, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	entries := entries(r.state.of(subject).versions, deleted)
	if len(entries) == 0 {
		return nil, noSubject(subject)
	}
	return entries, nil
}

func entries(versions []*version, deleted bool) []Entry {
	var list []Entry
	for _, v := range versions {
		if deleted || !v.Deleted {
			list = append(list, v.Entry)
		}
	}
	return list
}

// Version is one version; 0 is the latest.
func (r *Registry) Version(subject string, version int, deleted bool) (Entry, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.entry(subject, version, deleted)
}

func (s *state) entry(subject string, number int, deleted bool) (Entry, error) {
	sub := s.of(subject)
	latest := sub.latest(deleted)
	switch v := sub.version(number); {
	case latest == nil:
		return Entry{}, noSubject(subject)
	case number == 0:
		return latest.Entry, nil
	case v == nil || v.Deleted && !deleted:
		return Entry{}, noVersion(subject, number)
	default:
		return v.Entry, nil
	}
}

// ByID is the first entry with the id, deleted ones included. An id this node does not know makes it catch up once.
func (r *Registry) ByID(ctx context.Context, id int) (Entry, error) {
	return r.first(ctx, func() []*version { return r.state.ids[id] })
}

// ByGUID is the first entry with the guid.
func (r *Registry) ByGUID(ctx context.Context, guid string) (Entry, error) {
	return r.first(ctx, func() []*version { return r.state.guids[guid] })
}

// first is the first entry of a list, looked up again after catching up where there is none.
func (r *Registry) first(ctx context.Context, list func() []*version) (Entry, error) {
	if e, ok := r.firstNow(list); ok {
		return e, nil
	}
	round := r.rounds.join(func() error { return r.Settled(context.WithoutCancel(ctx)) }) // which has its own limit; others wait for it too
	select {
	case <-round.done:
		if round.err != nil {
			return Entry{}, round.err
		}
	case <-ctx.Done():
		return Entry{}, notOpen(context.Cause(ctx))
	}
	if e, ok := r.firstNow(list); ok {
		return e, nil
	}
	return Entry{}, noSchema()
}

func (r *Registry) firstNow(list func() []*version) (Entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if found := list(); len(found) > 0 {
		return found[0].Entry, true
	}
	return Entry{}, false
}

// Uses lists the entries with the id, sorted by subject and version.
func (r *Registry) Uses(id int, deleted bool) ([]Entry, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := r.state.ids[id]
	if len(found) == 0 {
		return nil, noSchema()
	}
	list := entries(found, deleted)
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Version, b.Version))
	})
	return list, nil
}

// ReferencedBy lists the ids of the schemas that refer to a version.
func (r *Registry) ReferencedBy(subject string, version int) ([]int, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, err := r.state.entry(subject, version, false); err != nil {
		return nil, err
	}
	ids := []int{}
	for _, v := range r.state.referrers(place{subject, version}, false) {
		ids = append(ids, v.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// MaxID is the highest id given so far, 0 where none was.
func (r *Registry) MaxID() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.maxID
}

// Retirement is what was announced for a subject; nil: nothing.
func (r *Registry) Retirement(subject string) *Retirement {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.of(subject).retirement
}

// History lists the accepted changes of a subject, or of all where it is empty, oldest first.
func (r *Registry) History(subject string) []Change {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if subject == globalScope {
		return append([]Change{}, r.state.history...)
	}
	changes := []Change{}
	for _, at := range r.state.changes[subject] {
		changes = append(changes, r.state.history[at])
	}
	return changes
}

// Level is the compatibility of a subject; of the empty subject, the global one. Where the subject has none of its own it
// is the global one, with Own false.
func (r *Registry) Level(subject string) Level {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.level(subject)
}

// Mode is READWRITE, READONLY, READONLY_OVERRIDE, IMPORT or FORWARD; own says that the subject has one of its own.
func (r *Registry) Mode(subject string) (mode string, own bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if mode = r.state.of(subject).mode; mode != "" {
		return mode, true
	}
	return r.state.mode(subject), false
}
