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
// Which versions there are is kept in Bloom filters; whom they name in a table of one word for each record. Of the records for
// which that has no room it is kept, in Bloom filters too, that there are any.
type fresh struct {
	mu       sync.Mutex
	versions filters
	named    map[uint64]uint64
	most     int // records in named
	beyond   filters
}

func newFresh() *fresh { return &fresh{named: map[uint64]uint64{}, most: maxNamed} }

// filters are a row of Bloom filters, each twice the size of the one before; the last one is being filled.
type filters []filter

type filter struct {
	bits []uint64
	room int // names it may still take
}

const (
	freshFirst = 1 << 20 // names in the first filter
	freshLast  = 1 << 26 // and in the largest
	bitsEach   = 10      // for each name: 1 in 100 is taken for known
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
		isNew := f.versions.add(hashes(a.record.ID, a.number))
		name := nameOf(a.record)
		who, known := f.named[name]
		switch {
		case !isNew:
		case !known && !f.beyond.has(hashes(a.record.ID, exchange.Version(name))):
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
	if _, known := f.named[name]; !known && len(f.named) >= f.most {
		f.beyond.add(hashes(r.ID, exchange.Version(name)))
		return
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

// add notes a name and says whether it is certainly new.
func (f *filters) add(a, b uint64) bool {
	if f.has(a, b) {
		return false
	}
	if len(*f) == 0 || (*f)[len(*f)-1].room == 0 {
		size := min(freshFirst<<len(*f), freshLast)
		*f = append(*f, filter{bits: make([]uint64, size*bitsEach/64), room: size})
	}
	(*f)[len(*f)-1].set(a, b)
	return true
}

func (f *filters) has(a, b uint64) bool {
	for i := range *f {
		if (*f)[i].has(a, b) {
			return true
		}
	}
	return false
}

// hashes mixes the id, which is a MAC and so random enough, with the version.
func hashes(id exchange.RecordID, v exchange.Version) (a, b uint64) {
	version := uint64(v) * 0x9E3779B97F4A7C15
	return binary.BigEndian.Uint64(id[:]) ^ version, binary.BigEndian.Uint64(id[8:]) ^ version>>32 | 1
}

// has looks at the bits that stand for a name. They lie in one line of the processor's cache.
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
