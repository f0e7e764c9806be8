package holdings

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/erasure"
)

// The families of rows, by the first byte of their keys. Names in keys end with a zero byte, which no valid name has.
const (
	familyFormat     = 'f' // which format, under which keys
	familyHolder     = 'h' // holder token ‖ 'r' ‖ type ‖ id ‖ version inverted → view; holder token ‖ 'q' ‖ type ‖ adapter ‖ row ‖ position → mark
	familyRecord     = 'r' // id ‖ type ‖ version inverted → trace, newest first
	familyDocument   = 'd' // id ‖ type ‖ version inverted → a document that is too large to be with each of its holders
	familyPlace      = 'o' // topic ‖ partition → place
	familySpeaker    = 'a' // adapter ‖ type → nothing: who ever stated coverage of what
	familyCoverage   = 'c' // adapter ‖ type ‖ alive inverted → statement, newest first
	familyQuarantine = 'q' // department ‖ row → where the row's open marks are
	familyRefusal    = 'x' // topic ‖ partition ‖ slot → refusal
	familyOrder      = 'e' // id → order to forget
	familyOwed       = 't' // topic ‖ key → partition: a message whose tombstone was not seen yet
	familyPurge      = 'p' // order's offset ‖ prefix → nothing: where rows were deleted whose bytes may still be in the engine's files
)

const (
	markRecord     = 'r'
	markQuarantine = 'q'
)

// token stands for a holder in the index: a keyed hash, cut to 128 bits.
type token = erasure.Token

// record names a record. The type is a part of it although ids of different types differ: a keeper that used another type's
// id could otherwise hide that type's record behind its own.
type record = erasure.Record

const versionSize = 8

// recordPrefix is where the traces of a record are.
func recordPrefix(r record) []byte {
	key := append(make([]byte, 0, StemSize+len(r.Type)+1+versionSize), familyRecord)
	return appendName(append(key, r.ID[:]...), string(r.Type))
}

func recordKey(r record, v exchange.Version) []byte {
	return binary.BigEndian.AppendUint64(recordPrefix(r), ^uint64(v))
}

func documentKey(r record, v exchange.Version) []byte {
	key := recordKey(r, v)
	key[0] = familyDocument
	return key
}

func documentPrefix(r record) []byte {
	key := recordPrefix(r)
	key[0] = familyDocument
	return key
}

// readRecordKey is the way back from recordKey. The type is a part of key.
func readRecordKey(key []byte) (evidence []byte, id exchange.RecordID, v exchange.Version, ok bool) {
	name := len(key) - versionSize - 1
	if name < StemSize || key[0] != familyRecord || key[name] != 0 {
		return nil, id, 0, false
	}
	return key[StemSize:name], exchange.RecordID(key[1:StemSize]), readVersionNumber(key), true
}

// readVersionNumber is the version at the end of a key.
func readVersionNumber(key []byte) exchange.Version {
	return exchange.Version(^binary.BigEndian.Uint64(key[len(key)-versionSize:]))
}

func holderPrefix(t token) []byte {
	return append(append(make([]byte, 0, StemSize), familyHolder), t[:]...)
}

// viewSize is how long the key of a view is.
func viewSize(r record) int { return StemSize + 1 + len(r.Type) + 1 + len(r.ID) + versionSize }

// appendView is where a version is as a holder sees it.
func appendView(key []byte, t token, r record, v exchange.Version) []byte {
	key = append(append(append(key, familyHolder), t[:]...), markRecord)
	key = append(appendName(key, string(r.Type)), r.ID[:]...)
	return binary.BigEndian.AppendUint64(key, ^uint64(v))
}

func viewKey(t token, r record, v exchange.Version) []byte {
	return appendView(make([]byte, 0, viewSize(r)), t, r, v)
}

// readView is the way back from appendView, for what follows the holder's prefix. The type is a part of rest.
func readView(rest []byte) (evidence []byte, id exchange.RecordID, v exchange.Version, ok bool) {
	if len(rest) == 0 || rest[0] != markRecord {
		return nil, id, 0, false
	}
	evidence, rest, ok = bytes.Cut(rest[1:], []byte{0})
	if !ok || len(rest) != len(id)+versionSize {
		return nil, id, 0, false
	}
	return evidence, exchange.RecordID(rest), readVersionNumber(rest), true
}

// markKey is where a quarantined row of a holder is noted: one key for each time the row went into quarantine.
func markKey(t token, evidence exchange.EvidenceType, adapter exchange.Adapter, row [16]byte, at position) []byte {
	key := append(append(append([]byte{familyHolder}, t[:]...), markQuarantine), evidence...)
	key = appendName(append(key, 0), string(adapter))
	return at.append(append(key, row[:]...))
}

// mark is what the key of a mark says. Its slices are parts of the key.
type mark struct {
	evidence, adapter []byte
	row               [16]byte
	opened            position
}

// readMark is the way back from markKey, for what follows the holder's prefix.
func readMark(rest []byte) (m mark, ok bool) {
	if len(rest) == 0 || rest[0] != markQuarantine {
		return mark{}, false
	}
	m.evidence, rest, ok = bytes.Cut(rest[1:], []byte{0})
	if !ok {
		return mark{}, false
	}
	m.adapter, rest, ok = bytes.Cut(rest, []byte{0})
	if !ok || len(rest) != len(m.row)+positionSize {
		return mark{}, false
	}
	m.row = [16]byte(rest)
	m.opened, ok = readPosition(rest[len(m.row):])
	return m, ok
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

func orderKey(id string) []byte { return append([]byte{familyOrder}, id...) }

// owedKey is for the message of a topic that has that key.
func owedKey(topic string, key []byte) []byte {
	return append(appendName([]byte{familyOwed}, topic), key...)
}

// readOwed is the way back from owedKey.
func readOwed(key []byte) (topic string, of []byte, ok bool) {
	if len(key) == 0 || key[0] != familyOwed {
		return "", nil, false
	}
	name, of, ok := bytes.Cut(key[1:], []byte{0})
	return string(name), of, ok
}

// purgeKey tells apart what one order and a later one have left behind.
func purgeKey(order int64, prefix []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{familyPurge}, uint64(order)), prefix...)
}

// readPurge is the way back from purgeKey.
func readPurge(key []byte) (prefix []byte, ok bool) {
	if len(key) < 1+8+1 || key[0] != familyPurge {
		return nil, false
	}
	return key[1+8:], true
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
