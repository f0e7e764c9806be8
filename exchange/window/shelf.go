package window

import (
	"sync"
	"time"
)

// shelf keeps sessions in memory: what clerks have before them goes nowhere else. What has expired is taken away when
// another session is kept.
type shelf struct {
	mu   sync.Mutex // guards kept
	kept map[string]shelved
}

type shelved struct {
	data   []byte
	expiry time.Time
}

// Delete forgets a session.
func (s *shelf) Delete(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, token)
	return nil
}

// Find gives a session that has not expired.
func (s *shelf) Find(token string) (data []byte, found bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, found := s.kept[token]
	if !found || !time.Now().Before(one.expiry) { // as the manager reckons
		return nil, false, nil
	}
	return one.data, true, nil
}

// Commit keeps a session.
func (s *shelf) Commit(token string, data []byte, expiry time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for other, one := range s.kept {
		if !now.Before(one.expiry) {
			delete(s.kept, other)
		}
	}
	s.kept[token] = shelved{data, expiry}
	return nil
}
