package registry

import (
	"context"
	"time"
)

// maxReason is the most characters of a reason.
const maxReason = 2000

// DeleteVersion deletes a version softly, or for good where it was deleted softly before.
func (r *Registry) DeleteVersion(ctx context.Context, by, subject string, version int, permanent bool) error {
	if version <= 0 || !inRange(version) {
		return badVersion(version)
	}
	p := proposal{Operation: opDeleteVersion, Subject: subject, By: by, Version: version, Permanent: permanent}
	return r.simple(ctx, p, func(s *state) (bool, error) {
		if err := s.changeable(subject); err != nil {
			return false, err
		}
		return true, s.deletable(subject, version, permanent)
	})
}

func (s *state) deletable(subject string, version int, permanent bool) error {
	sub := s.of(subject)
	v := sub.version(version)
	switch {
	case sub.latest(true) == nil:
		return noSubject(subject)
	case v == nil:
		return noVersion(subject, version)
	case permanent && !v.Deleted:
		return versionStays(subject, version)
	case !permanent && v.Deleted:
		return versionGone(subject, version)
	case len(s.referrers(place{subject, version}, permanent)) > 0:
		return referenced(subject, version)
	}
	return nil
}

// DeleteSubject deletes all versions in the same way and lists them.
func (r *Registry) DeleteSubject(ctx context.Context, by, subject string, permanent bool) ([]int, error) {
	return r.deleteAll(ctx, proposal{Operation: opDeleteSubject, Subject: subject, By: by, Permanent: permanent}, nil)
}

// deleteSubject deletes a subject whose time has come, if it is still so.
func (r *Registry) deleteSubject(ctx context.Context, ends *Retirement, subject string) ([]int, error) {
	if ends == nil {
		return nil, nil
	}
	p := proposal{Operation: opDeleteSubject, Subject: subject, By: ends.By, Reason: ends.Reason}
	return r.deleteAll(ctx, p, func(s *state) bool { return s.of(subject).retirement == ends && s.of(subject).latest(false) != nil })
}

// deleteAll deletes a subject's versions where only says so, or is nil.
func (r *Registry) deleteAll(ctx context.Context, p proposal, only func(*state) bool) ([]int, error) {
	var versions []int
	err := r.simple(ctx, p, func(s *state) (bool, error) {
		versions = nil
		if only != nil && !only(s) {
			return false, nil
		}
		if err := s.changeable(p.Subject); err != nil {
			return false, err
		}
		var err error
		versions, err = s.deletableAll(p.Subject, p.Permanent)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return versions, nil
}

func (s *state) deletableAll(subject string, permanent bool) ([]int, error) {
	sub := s.of(subject)
	live := sub.latest(false) != nil
	switch {
	case len(sub.versions) == 0:
		return nil, noSubject(subject)
	case permanent && live:
		return nil, subjectStays(subject)
	case !permanent && !live:
		return nil, subjectGone(subject)
	}
	var versions []int
	for _, v := range sub.versions {
		if v.Deleted != permanent {
			continue
		}
		for _, other := range s.referrers(place{subject, v.Version}, permanent) {
			if other.Subject != subject {
				return nil, referenced(subject, v.Version)
			}
		}
		versions = append(versions, v.Version)
	}
	return versions, nil
}

// Deprecate marks a version (0: all there are) with a reason; an empty reason takes the mark away.
func (r *Registry) Deprecate(ctx context.Context, by, subject string, version int, reason string) error {
	if !inRange(version) {
		return badVersion(version)
	}
	reason = printable(reason, maxReason)
	p := proposal{Operation: opDeprecate, Subject: subject, By: by, Version: version, Reason: reason}
	return r.simple(ctx, p, func(s *state) (bool, error) {
		if _, err := s.entry(subject, version, true); err != nil {
			return false, err
		}
		return true, s.changeable(subject)
	})
}

// Retire announces the end of a subject: from then on it is deleted softly. The zero time takes the announcement back.
func (r *Registry) Retire(ctx context.Context, by, subject string, from time.Time, reason string) error {
	p := proposal{Operation: opRetire, Subject: subject, By: by, From: from, Reason: printable(reason, maxReason)}
	return r.simple(ctx, p, func(s *state) (bool, error) {
		sub := s.of(subject)
		if len(sub.versions) == 0 && sub.retirement == nil {
			return false, noSubject(subject)
		}
		return !from.IsZero() || sub.retirement != nil, s.changeable(subject)
	})
}
