package holdings

import (
	"encoding/binary"
	"hash/maphash"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// fresh spares an index that was begun empty most of its reading while it is built from the topics: it knows which versions
// the index certainly does not have, and whom the versions of a record name so far. It lives as long as the process, and
// an index that was opened with rows in it has none.
//
// Which versions there are is kept in a row of Bloom filters, each twice the size of the one before; whom they name in a table
// of one word for each record, for as many records as there is room for.
type fresh struct {
	mu      sync.Mutex
	filters []filter // the last one is being filled
	named   map[uint64]uint64
	full    bool // records were left out of named
}

type filter struct {
	bits []uint64
	room int // versions it may still take
}

const (
	freshFirst = 1 << 20 // versions in the first filter
	freshLast  = 1 << 26 // and in the largest
	bitsEach   = 10      // for each version: 1 in 100 is taken for known
	probes     = 7
	maxNamed   = 4 << 20 // records in the table, which takes 90 MB then
)

// doubt is what the table has of a record whose holders have changed in a way it does not follow. No set of tokens adds up to it,
// but for one in 2^64.
const doubt = 1

// outlook is what is known of a version without reading.
type outlook byte

const (
	unsure   outlook = iota // it must be read what there is
	first                   // there is nothing of its record
	familiar                // it is new, and the record's versions name just whom it names, all together
)

// meet notes versions and says what is known of each. Without filters nothing is.
func (f *fresh) meet(arrivals []arrival) []outlook {
	all := make([]outlook, len(arrivals))
	if f == nil {
		return all
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range arrivals {
		a := &arrivals[i]
		isNew := f.add(a.record.ID, a.number)
		who, known := f.named[nameOf(a.record)]
		switch {
		case !isNew:
		case !known && !f.full:
			all[i] = first
		case known && a.version.state == stated && who == sumOf(a.holders):
			all[i] = familiar
		}
	}
	return all
}

// learn notes whom the versions of records name now.
func (f *fresh) learn(all []dossier) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range all {
		if d := &all[i]; d.outlook != familiar {
			f.note(d.record, sumOf(d.latest.everyone()))
		}
	}
}

// forget notes that somebody was taken out of a record.
func (f *fresh) forget(r record) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(r, doubt)
}

// note sets what the table has of a record. mu is held.
func (f *fresh) note(r record, who uint64) {
	name := nameOf(r)
	if _, known := f.named[name]; !known && len(f.named) >= maxNamed {
		f.full = true
		return
	}
	if f.named == nil {
		f.named = map[uint64]uint64{}
	}
	f.named[name] = who
}

var nameSeed = maphash.MakeSeed()

// nameOf stands for a record. Ids are MACs, so that two records hardly ever have one name; if they do, they are read more often.
func nameOf(r record) uint64 {
	return binary.BigEndian.Uint64(r.ID[:]) ^ maphash.String(nameSeed, string(r.Type))
}

// sumOf stands for a set of tokens, which are MACs too.
func sumOf(all []token) (sum uint64) {
	for i := range all {
		sum += binary.BigEndian.Uint64(all[i][:])
	}
	return sum
}

// add notes the version and says whether it is certainly new. mu is held.
func (f *fresh) add(id exchange.RecordID, v exchange.Version) bool {
	a, b := hashes(id, v)
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

// hashes mixes the id, which is a MAC and so random enough, with the version.
func hashes(id exchange.RecordID, v exchange.Version) (a, b uint64) {
	version := uint64(v) * 0x9E3779B97F4A7C15
	return binary.BigEndian.Uint64(id[:]) ^ version, binary.BigEndian.Uint64(id[8:]) ^ version>>32 | 1
}

// has looks at the bits that stand for a version. They lie in one line of the processor's cache.
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
