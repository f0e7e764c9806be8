package holdings

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// The families of rows, by the first byte of their keys. Names in keys end with a zero byte, which no valid name has.
const (
	familyFormat     = 'f' // which format, under which keys
	familyRecord     = 'r' // id ‖ type ‖ version inverted → the sealed version, newest first
	familyHolder     = 'h' // holder token ‖ 'r' ‖ type ‖ id → nothing; holder token ‖ 'q' ‖ type ‖ adapter ‖ row ‖ position → mark
	familyPlace      = 'o' // topic ‖ partition → place
	familySpeaker    = 'a' // adapter ‖ type → nothing: who ever stated coverage of what
	familyCoverage   = 'c' // adapter ‖ type ‖ alive inverted → statement, newest first
	familyQuarantine = 'q' // department ‖ row → where the row's open marks are
	familyRefusal    = 'x' // topic ‖ partition ‖ slot → refusal
	familyErasure    = 'e' // id → an order to forget
)

const (
	markRecord     = 'r'
	markQuarantine = 'q'
)

// token stands for a holder in the index: a keyed hash, cut to 128 bits.
type token [16]byte

// recordPrefix is where the versions of a record are. The type is a part of it although ids of different types differ:
// a keeper that used another type's id could otherwise hide that type's record behind its own.
func recordPrefix(id exchange.RecordID, evidence []byte) []byte {
	key := append(make([]byte, 0, StemSize+len(evidence)+1+8), familyRecord)
	return append(append(append(key, id[:]...), evidence...), 0)
}

func recordKey(id exchange.RecordID, evidence exchange.EvidenceType, v exchange.Version) []byte {
	return binary.BigEndian.AppendUint64(recordPrefix(id, []byte(evidence)), ^uint64(v))
}

// readRecordKey is the way back from recordKey.
func readRecordKey(key []byte) (id exchange.RecordID, v exchange.Version, ok bool) {
	if len(key) < StemSize+1+8 || key[0] != familyRecord || key[len(key)-9] != 0 {
		return id, 0, false
	}
	return exchange.RecordID(key[1:StemSize]), exchange.Version(^binary.BigEndian.Uint64(key[len(key)-8:])), true
}

func holderPrefix(t token) []byte { return append([]byte{familyHolder}, t[:]...) }

func pointerKey(t token, evidence exchange.EvidenceType, id exchange.RecordID) []byte {
	key := append(make([]byte, 0, StemSize+2+len(evidence)+len(id)), familyHolder)
	key = append(append(key, t[:]...), markRecord)
	return append(appendName(key, string(evidence)), id[:]...)
}

// readPointer is the way back from pointerKey, for what follows the holder's prefix.
func readPointer(rest []byte) (evidence []byte, id exchange.RecordID, ok bool) {
	if len(rest) == 0 || rest[0] != markRecord {
		return nil, id, false
	}
	evidence, rest, ok = bytes.Cut(rest[1:], []byte{0})
	if !ok || len(rest) != len(id) {
		return nil, id, false
	}
	return evidence, exchange.RecordID(rest), true
}

// markKey is where a quarantined row of a holder is noted: one key for each time the row went into quarantine.
func markKey(t token, evidence exchange.EvidenceType, adapter exchange.Adapter, row [16]byte, at position) []byte {
	key := append(append(append([]byte{familyHolder}, t[:]...), markQuarantine), evidence...)
	key = appendName(append(key, 0), string(adapter))
	return at.append(append(key, row[:]...))
}

// readMark is the way back from markKey, for what follows the holder's prefix.
func readMark(rest []byte) (evidence, adapter []byte, opened position, ok bool) {
	if len(rest) == 0 || rest[0] != markQuarantine {
		return nil, nil, opened, false
	}
	evidence, rest, ok = bytes.Cut(rest[1:], []byte{0})
	if !ok {
		return nil, nil, opened, false
	}
	adapter, rest, ok = bytes.Cut(rest, []byte{0})
	if !ok || len(rest) != 16+positionSize {
		return nil, nil, opened, false
	}
	opened, ok = readPosition(rest[16:])
	return evidence, adapter, opened, ok
}

func placeKey(topic string, partition int) []byte {
	return binary.BigEndian.AppendUint32(appendName([]byte{familyPlace}, topic), uint32(partition))
}

// readPlaceKey is the way back from placeKey.
func readPlaceKey(key []byte) (topic string, partition int, ok bool) {
	if len(key) == 0 || key[0] != familyPlace {
		return "", 0, false
	}
	topic, rest, ok := strings.Cut(string(key[1:]), "\x00")
	if !ok || len(rest) != 4 {
		return "", 0, false
	}
	return topic, int(binary.BigEndian.Uint32([]byte(rest))), true
}

func speakerKey(s speaker) []byte {
	return appendName(appendName([]byte{familySpeaker}, string(s.adapter)), string(s.evidence))
}

// readSpeaker is the way back from speakerKey.
func readSpeaker(key []byte) (speaker, bool) {
	if len(key) == 0 || key[0] != familySpeaker {
		return speaker{}, false
	}
	parts := strings.Split(string(key[1:]), "\x00")
	if len(parts) != 3 || parts[2] != "" {
		return speaker{}, false
	}
	return speaker{adapter: exchange.Adapter(parts[0]), evidence: exchange.EvidenceType(parts[1])}, true
}

func coveragePrefix(s speaker) []byte {
	return appendName(appendName([]byte{familyCoverage}, string(s.adapter)), string(s.evidence))
}

func coverageKey(s speaker, alive int64) []byte {
	return binary.BigEndian.AppendUint64(coveragePrefix(s), ^uint64(alive))
}

func quarantineKey(d exchange.Department, row [16]byte) []byte {
	return append(appendName([]byte{familyQuarantine}, string(d)), row[:]...)
}

func refusalKey(topic string, partition int, slot uint16) []byte {
	key := binary.BigEndian.AppendUint32(appendName([]byte{familyRefusal}, topic), uint32(partition))
	return binary.BigEndian.AppendUint16(key, slot)
}

func appendName(key []byte, name string) []byte { return append(append(key, name...), 0) }

// position is where a message stands in its topic.
type position struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
}

const positionSize = 4 + 8

func (p position) append(to []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(to, uint32(p.Partition)), uint64(p.Offset))
}

func readPosition(b []byte) (position, bool) {
	if len(b) < positionSize {
		return position{}, false
	}
	return position{Partition: int(binary.BigEndian.Uint32(b)), Offset: int64(binary.BigEndian.Uint64(b[4:]))}, true
}

// before says whether the position had been folded when the index stood at next.
func (p position) before(next map[int]int64) bool { return p.Offset < next[p.Partition] }
