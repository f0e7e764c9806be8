package journal

import (
	"context"
	"sync"
	"time"
)

// Past is the entries of a book in their order, so that it can be had as it was. The zero value is empty. It is safe for concurrent use.
type Past[E any] struct {
	mu  sync.Mutex
	all []numbered[E]
}

// numbered is an entry with the offset behind it.
type numbered[E any] struct {
	entry E
	next  int64
}

// Add adds an entry that stands at an offset, which is behind all before it.
func (p *Past[E]) Add(entry E, offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, numbered[E]{entry, offset + 1})
}

// pastPatience bounds how long a node may take to fold what another has folded.
const pastPatience = 15 * time.Second

// UpTo gives the entries that stand before an offset of the journal, once it is folded so far.
func (p *Past[E]) UpTo(ctx context.Context, j *Journal, offset int64) ([]E, error) {
	ctx, cancel := context.WithTimeout(ctx, pastPatience)
	defer cancel()
	if err := j.Until(ctx, offset); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var entries []E
	for _, e := range p.all {
		if e.next > offset {
			break
		}
		entries = append(entries, e.entry)
	}
	return entries, nil
}
