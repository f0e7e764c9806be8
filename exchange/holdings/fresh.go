package holdings

import (
	"encoding/binary"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// fresh knows which records an index that was begun empty cannot have. While an index is built from the
// topics nearly every record is new, and asking the engine for each costs a third of the time. It is a row of Bloom
// filters, each twice the size of the one before; it lives as long as the process, and an index that was opened with
// rows in it has none.
type fresh struct {
	mu      sync.Mutex
	filters []filter // the last one is being filled
}

type filter struct {
	bits []uint64
	room int // records it may still take
}

const (
	freshFirst = 1 << 20 // records in the first filter
	freshLast  = 1 << 26 // and in the largest
	bitsEach   = 10      // for each record: 1 in 100 is taken for known
	probes     = 7
)

// add notes the record and says whether it is certainly new. Without filters nothing is certain.
func (f *fresh) add(id exchange.RecordID) bool {
	if f == nil {
		return false
	}
	// The id is a MAC and so random enough.
	a, b := binary.BigEndian.Uint64(id[:]), binary.BigEndian.Uint64(id[8:])|1
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.filters {
		if f.filters[i].has(a, b) {
			return false
		}
	}
	if len(f.filters) == 0 || f.filters[len(f.filters)-1].room == 0 {
		f.grow()
	}
	f.filters[len(f.filters)-1].set(a, b)
	return true
}

func (f *fresh) grow() {
	size := min(freshFirst<<len(f.filters), freshLast)
	f.filters = append(f.filters, filter{bits: make([]uint64, size*bitsEach/64), room: size})
}

// has looks at the bits that stand for a record. They lie in one line of the processor's cache.
func (f *filter) has(a, b uint64) bool {
	line, step := f.line(a), b
	for range probes {
		if f.bits[line+int(step>>61)]&(1<<(step>>55&63)) == 0 {
			return false
		}
		step *= 0x9E3779B97F4A7C15
	}
	return true
}

func (f *filter) set(a, b uint64) {
	line, step := f.line(a), b
	for range probes {
		f.bits[line+int(step>>61)] |= 1 << (step >> 55 & 63)
		step *= 0x9E3779B97F4A7C15
	}
	f.room--
}

func (f *filter) line(a uint64) int { return int(a%uint64(len(f.bits)/8)) * 8 }
