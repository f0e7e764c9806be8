package holdings

import (
	"encoding/binary"
	"maps"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// gaps are the records of a partition whose newest version was refused: what the keeper says of them today is not known. A
// newer version that can be taken closes a gap.
type gaps struct {
	Open map[string]exchange.Version `json:"open,omitempty"` // record id → the version refused
	More int64                       `json:"more,omitempty"` // beyond keptGaps: never closed, the index must be built anew
}

// keptGaps bounds the gaps of one partition that are told apart. Where there are more, something is wrong with all.
const keptGaps = 1000

func (g gaps) count() int64 { return int64(len(g.Open)) + g.More }

// reaches says whether the record has a gap at that version or later.
func (g gaps) reaches(id exchange.RecordID, v exchange.Version) bool {
	refused, open := g.Open[id.String()]
	return open && refused >= v
}

// opened is the gaps with one more. Readers hold the former map.
func (g gaps) opened(id exchange.RecordID, v exchange.Version) gaps {
	name := id.String()
	before, known := g.Open[name]
	switch {
	case known && before >= v:
		return g
	case !known && len(g.Open) >= keptGaps:
		g.More++
		return g
	}
	if g.Open = maps.Clone(g.Open); g.Open == nil {
		g.Open = map[string]exchange.Version{}
	}
	g.Open[name] = v
	return g
}

// closed is the gaps after a version was taken.
func (g gaps) closed(id exchange.RecordID, v exchange.Version) gaps {
	if len(g.Open) == 0 || !g.reaches(id, 0) || g.reaches(id, v) {
		return g
	}
	g.Open = maps.Clone(g.Open)
	delete(g.Open, id.String())
	return g
}

// readGap is the record of a type that a name in Open stands for.
func readGap(t exchange.EvidenceType, name string) (r record, ok bool) {
	r.Type = t
	return r, r.ID.UnmarshalText([]byte(name)) == nil
}

// gap notes that a record's version was refused, if it seems to come from the keeper: what others write says nothing of
// the keeper's records.
func (x *Index) gap(b *batch, m *exchange.Message) {
	author, err := envelope.Author(m)
	if err != nil || len(m.Key) != 24 || !x.keeps(author.Department(), exchange.EvidenceType(b.of)) {
		return
	}
	b.place.Gaps = b.place.Gaps.opened(exchange.RecordID(m.Key[:16]), exchange.Version(binary.BigEndian.Uint64(m.Key[16:])))
}
