package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// leafKind is what a message of the topic turned out to be.
type leafKind string

// The kinds of leaf.
const (
	entryLeaf    leafKind = "entry"    // an entry, here for the first time
	againLeaf    leafKind = "again"    // the same entry once more: the bus repeats messages after lost connections
	conflictLeaf leafKind = "conflict" // another entry under an id that the log has: somebody else wrote to the topic
	strayLeaf    leafKind = "stray"    // no entry at all; only its hash is kept, because anything can stand there
	missingLeaf  leafKind = "missing"  // the topic has no message at this offset any more
)

// missingID stands where a message that is missing would have its id.
const missingID = "-"

// leaf is what the log holds of one message of the topic. Every message has its leaf, and the leaf's place in the log is the message's
// offset, so that what the log says follows from the topic alone: whoever makes it again makes the same tree.
//
// As bytes it is a line, kind, offset and the entry's id (of a stray the SHA-256 of the message), and after the line's end, of
// an entry and of a conflict, the message's value as it lies in the topic:
//
//	entry 17 01KAR0Z7J3Q8W2X5Y6Z7A8B9C0
//	{"id":"01KAR0Z7J3Q8W2X5Y6Z7A8B9C0","time":…}
type leaf struct {
	kind   leafKind
	offset int64
	id     string // of a stray: the hash
	body   []byte
	entry  *audit.Entry // the head of the body; nil: the leaf is of no entry
}

var errNoLeaf = errors.New("this is no leaf of an audit log")

func (l *leaf) marshal() []byte {
	return append(l.head(), l.body...)
}

// head is the leaf's line, with its end.
func (l *leaf) head() []byte {
	out := make([]byte, 0, len(l.kind)+len(l.id)+24+len(l.body))
	out = append(append(out, l.kind...), ' ')
	out = append(strconv.AppendInt(out, l.offset, 10), ' ')
	return append(append(out, l.id...), '\n')
}

// parseLeaf reads what marshal wrote and nothing else. The body stays within data.
func parseLeaf(data []byte) (leaf, error) {
	line, body, ended := bytes.Cut(data, []byte{'\n'})
	part := strings.Split(string(line), " ")
	if !ended || len(part) != 3 {
		return leaf{}, errNoLeaf
	}
	offset, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil || offset < 0 || strconv.FormatInt(offset, 10) != part[1] {
		return leaf{}, errNoLeaf
	}
	l := leaf{kind: leafKind(part[0]), offset: offset, id: part[2], body: body}
	if !l.sound() {
		return leaf{}, errNoLeaf
	}
	return l, nil
}

// sound says whether the parts of a leaf belong together, and reads the entry.
func (l *leaf) sound() bool {
	switch l.kind {
	case entryLeaf, conflictLeaf:
		entry, err := audit.Skim([]byte(l.id), l.body)
		l.entry = &entry
		return err == nil
	case againLeaf:
		return audit.ValidID(l.id) && len(l.body) == 0
	case strayLeaf:
		return audit.ValidToken(l.id) && len(l.body) == 0
	case missingLeaf:
		return l.id == missingID && len(l.body) == 0
	}
	return false
}

// strayHash is what the log keeps of a message that is no entry.
func strayHash(m *exchange.Message) string {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(m.Key))))
	h.Write(m.Key)
	h.Write(m.Value)
	return hex.EncodeToString(h.Sum(nil))
}

// matches says whether the leaf was made of the message; of a repetition, whether it can have been.
func (l *leaf) matches(m *exchange.Message) bool {
	switch {
	case l.offset != m.Offset, l.kind == missingLeaf:
		return false
	case l.kind == strayLeaf:
		return l.id == strayHash(m)
	case l.kind == againLeaf:
		_, err := audit.EntryOf(m)
		return l.id == string(m.Key) && err == nil
	}
	return l.id == string(m.Key) && bytes.Equal(l.body, m.Value)
}
