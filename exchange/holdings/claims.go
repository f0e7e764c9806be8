package holdings

import (
	"encoding/binary"
	"slices"
	"sync"
)

// claims keep two batches from working on one record at a time: what a version means for the rows of its record depends on the
// versions that are there. The versions of a record come by one partition, whose batches follow each other, unless somebody
// gave the topic more partitions; so hardly anybody ever waits here.
type claims struct {
	mu    sync.Mutex
	freed sync.Cond
	held  []claim
}

// claim is the records of a batch, by the first bytes of their ids, sorted. That two records share them costs waiting only.
type claim []uint64

// take waits until no other batch has one of the records.
func (c *claims) take(arrivals []arrival) claim {
	mine := make(claim, len(arrivals))
	for i := range arrivals {
		mine[i] = binary.BigEndian.Uint64(arrivals[i].record.ID[:])
	}
	if len(mine) == 0 {
		return nil
	}
	slices.Sort(mine)
	c.mu.Lock()
	defer c.mu.Unlock()
	for slices.ContainsFunc(c.held, mine.touches) {
		c.freed.Wait()
	}
	c.held = append(c.held, mine)
	return mine
}

func (c *claims) free(mine claim) {
	if len(mine) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = slices.DeleteFunc(c.held, func(held claim) bool { return len(held) > 0 && &held[0] == &mine[0] })
	c.freed.Broadcast()
}

func (a claim) touches(b claim) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}
