package registry

import (
	"sync"
	"time"
)

// rounds are looks at the topic for ids that this node does not know. Anybody may ask for ids that nobody has, so there are
// only so many a second, and all who ask meanwhile share the next one. Nobody joins one that has begun: what was registered
// just before the question might be missing from it.
type rounds struct {
	mu   sync.Mutex
	next *round // has not begun; nil: nobody waits
	busy bool   // run is at work
}

// round is one look.
type round struct {
	done chan struct{}
	err  error // to be read when done is closed
}

// betweenRounds is the least time between two looks.
const betweenRounds = 20 * time.Millisecond

func (r *rounds) join(look func() error) *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
	}
	joined := r.next
	if !r.busy {
		r.busy = true
		go r.run(look)
	}
	return joined
}

// run looks until nobody waits.
func (r *rounds) run(look func() error) {
	for now := r.begin(); now != nil; now = r.begin() {
		now.err = look()
		close(now.done)
		time.Sleep(betweenRounds)
	}
}

func (r *rounds) begin() *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.next
	r.next, r.busy = nil, now != nil
	return now
}
