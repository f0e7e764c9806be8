package holdings

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
)

// backdrop is what Find says of some types whoever the holder is, as of one moment. It is never changed: answers share it.
type backdrop struct {
	types   []exchange.EvidenceType
	next    []map[int]int64 // of each type's topic, as the types stand
	sources []exchange.Source
	inputs  exchange.Inputs
	gaps    []gaps // of all types
}

// of is the place of a type in the backdrop, -1 where it was not asked for.
func (b *backdrop) of(evidence []byte) int {
	for i := range b.types {
		if string(b.types[i]) == string(evidence) {
			return i
		}
	}
	return -1
}

// backdrops keeps those of one moment: a city's items ask for some dozen sets of types, over and over. Whatever is stored
// in the index begins another moment.
type backdrops struct {
	mu sync.RWMutex
	by map[uint64]*backdrop
}

// keptBackdrops bounds the sets of types that are remembered. Beyond, each is made anew.
const keptBackdrops = 256

var backdropSeed = maphash.MakeSeed()

// backdrop gives the one for the types. x.mu is held.
func (x *Index) backdrop(types []exchange.EvidenceType) *backdrop {
	var h maphash.Hash
	h.SetSeed(backdropSeed)
	for _, t := range types {
		h.WriteString(string(t))
		h.WriteByte(0)
	}
	name, kept := h.Sum64(), x.backdrops
	kept.mu.RLock()
	b := kept.by[name]
	kept.mu.RUnlock()
	if b != nil && slices.Equal(b.types, types) {
		return b
	}
	b = x.newBackdrop(types)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.by == nil {
		kept.by = map[uint64]*backdrop{}
	}
	if len(kept.by) < keptBackdrops {
		kept.by[name] = b
	}
	return b
}

// newBackdrop makes the one for the types. x.mu is held.
func (x *Index) newBackdrop(types []exchange.EvidenceType) *backdrop {
	b := &backdrop{types: slices.Clone(types), next: make([]map[int]int64, len(types))}
	inputs := make(map[string]map[int]int64, 3*len(types)+1)
	for i, t := range types {
		if slices.Contains(types[:i], t) {
			continue
		}
		refused := int64(0)
		for _, p := range x.places[evidenceTopic(t)] {
			if p.Gaps.count() > 0 {
				refused += x.openGaps(t, p.Gaps)
				b.gaps = append(b.gaps, p.Gaps)
			}
		}
		for _, source := range x.sources[t] {
			source.Refused = refused
			b.sources = append(b.sources, source)
		}
		b.next[i] = x.input(inputs, evidenceTopic(t))
		if keeper, ok := x.keeper(t); ok {
			x.input(inputs, envelope.CoverageTopic(keeper))
			x.input(inputs, envelope.QuarantineTopic(keeper))
		}
	}
	if len(types) > 0 {
		x.input(inputs, erasure.Topic)
	}
	b.inputs = exchange.InputsOf(inputs)
	return b
}

// openGaps counts the gaps that say something of what is still to be answered: not those of records that must be forgotten.
func (x *Index) openGaps(t exchange.EvidenceType, g gaps) int64 {
	open := g.count()
	if x.orders.none() {
		return open
	}
	for name := range g.Open {
		if r, ok := readGap(t, name); ok && x.orders.concerns(r) {
			open--
		}
	}
	return open
}

func (x *Index) input(into map[string]map[int]int64, topic string) map[int]int64 {
	next, ok := x.next[topic]
	if ok {
		into[topic] = next
	}
	return next
}
