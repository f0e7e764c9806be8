package registry

import (
	"context"
)

// simple proposes an operation that is judged by a look at the state. judge runs under the lock; it says no with an error,
// or that nothing is to be done with false. The proposal names the heads of the subject, of the global scope, and of more.
func (r *Registry) simple(ctx context.Context, p proposal, judge func(s *state) (bool, error)) error {
	_, err := r.propose(ctx, []string{p.Subject}, func(context.Context) (*proposal, error) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		change, err := judge(r.state)
		if err != nil || !change {
			return nil, err
		}
		fresh := p
		fresh.Heads = r.heads(p.Subject, globalScope)
		return &fresh, nil
	})
	return err
}

// changeable refuses changes of what may only be read.
func (s *state) changeable(subject string) error {
	if mode := s.mode(subject); mode == modeReadOnly || mode == modeReadOnlyOverride {
		return notInMode(subject, mode, modeReadWrite)
	}
	return nil
}

func checkScope(subject string) error {
	if subject == globalScope {
		return nil
	}
	return checkSubject(subject)
}

// SetLevel sets it; empty fields stay as they are.
func (r *Registry) SetLevel(ctx context.Context, by, subject string, l Level) error {
	if err := checkScope(subject); err != nil {
		return err
	}
	if !soundLevel(l.Compatibility, l.Policy) {
		return badLevel()
	}
	p := proposal{Operation: opSetLevel, Subject: subject, By: by, Compatibility: l.Compatibility, Policy: l.Policy}
	return r.simple(ctx, p, func(s *state) (bool, error) {
		sub := s.of(subject)
		same := (l.Compatibility == "" || l.Compatibility == sub.level) && (l.Policy == "" || l.Policy == sub.policy)
		return !same, s.changeable(subject)
	})
}

// DeleteLevel removes a subject's own, or resets the global one, and gives the old one.
func (r *Registry) DeleteLevel(ctx context.Context, by, subject string) (Level, error) {
	if err := checkScope(subject); err != nil {
		return Level{}, err
	}
	var old Level
	err := r.simple(ctx, proposal{Operation: opDeleteLevel, Subject: subject, By: by}, func(s *state) (bool, error) {
		if old = s.level(subject); !old.Own {
			if subject == globalScope {
				return false, nil
			}
			return false, noLevel(subject)
		}
		return true, s.changeable(subject)
	})
	return old, err
}

// SetMode sets it. IMPORT needs an empty subject, or force.
func (r *Registry) SetMode(ctx context.Context, by, subject, mode string, force bool) error {
	if err := checkScope(subject); err != nil {
		return err
	}
	if !modes[mode] {
		return badMode()
	}
	return r.simple(ctx, proposal{Operation: opSetMode, Subject: subject, By: by, Mode: mode}, func(s *state) (bool, error) {
		if mode == modeImport && !force && s.mode(subject) != modeImport && s.populated(subject) {
			return false, notEmpty()
		}
		return s.of(subject).mode != mode, nil
	})
}

// populated says whether a subject, or any at all, has versions.
func (s *state) populated(subject string) bool {
	if subject != globalScope {
		return s.of(subject).latest(false) != nil
	}
	for _, sub := range s.subjects {
		if sub.latest(false) != nil {
			return true
		}
	}
	return false
}

// DeleteMode removes a subject's own and gives the old one.
func (r *Registry) DeleteMode(ctx context.Context, by, subject string) (string, error) {
	if err := checkScope(subject); err != nil {
		return "", err
	}
	var old string
	err := r.simple(ctx, proposal{Operation: opDeleteMode, Subject: subject, By: by}, func(s *state) (bool, error) {
		if old = s.of(subject).mode; old != "" {
			return true, nil
		}
		if old = modeReadWrite; subject == globalScope {
			return false, nil
		}
		return false, noMode(subject)
	})
	return old, err
}
