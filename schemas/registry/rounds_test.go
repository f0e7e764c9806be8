package registry

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counting counts the looks at the end of the topic.
type counting struct {
	Topics
	looks atomic.Int64
}

func (c *counting) EndOffsets(ctx context.Context, topic string) (map[int]int64, error) {
	c.looks.Add(1)
	return c.Topics.EndOffsets(ctx, topic)
}

// TestUnknownIDs: who asks for ids that nobody has makes the registry look at the topic so often and no more.
func TestUnknownIDs(t *testing.T) {
	w := newWorld(t)
	count := &counting{}
	n := w.node(quiet, func(c *Config, _ *Registry) {
		if count.Topics == nil {
			count.Topics = c.Topics
		}
		c.Topics = count
	})
	before, began := count.looks.Load(), time.Now()
	var callers sync.WaitGroup
	var asked atomic.Int64
	for range 20 {
		callers.Go(func() {
			for time.Since(began) < 400*time.Millisecond {
				asked.Add(1)
				wantCode(t, "unknown", errorOf(n.ByID(t.Context(), 4711)), 40403)
			}
		})
	}
	callers.Wait()
	if looks, most := count.looks.Load()-before, int64(time.Since(began)/betweenRounds)+2; looks > most || asked.Load() < 20 {
		t.Errorf("%d questions made %d looks, want at most %d", asked.Load(), looks, most)
	}
}

// TestRoundBegun: a look that has begun may miss what was registered since, so nobody joins it.
func TestRoundBegun(t *testing.T) {
	var r rounds
	begun, more := make(chan struct{}, 2), make(chan struct{})
	look := func() error {
		begun <- struct{}{}
		<-more
		return nil
	}
	first := r.join(look)
	<-begun
	second, third := r.join(look), r.join(look)
	if first == second || second != third {
		t.Error("those who come while a look is under way wait for the next one, together")
	}
	close(more)
	<-first.done
	<-third.done
	eventually(t, "nobody looks any more", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return !r.busy
	})
	<-r.join(look).done
}

// TestMisjudged: a proposal that the fold cannot carry out is not sent over and over.
func TestMisjudged(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := n.propose(ctx, []string{"a-value"}, func(context.Context) (*proposal, error) {
		return &proposal{Operation: opDeleteVersion, Subject: "a-value", Version: 1, Heads: map[string]int64{"a-value": never}}, nil
	})
	wantCode(t, "a proposal that cannot be carried out", err, 50001)
	if messages := len(w.topic(Proposals)); messages != 1 {
		t.Errorf("%d messages", messages)
	}
}
