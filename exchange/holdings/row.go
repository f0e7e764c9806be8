package holdings

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// errDamaged is what reading a row yields that this package has not written, or that was changed since.
var errDamaged = errors.New("row is not as it was written")

// state is what a version says of its record, as seen from one row. It is the first byte of views and traces.
type state byte

const (
	stated    state = 1 // it names the holder of the view
	withdrawn state = 2 // the keeper no longer lists the record
	others    state = 3 // in views: it names others
	apart     state = 4 // in views: as stated, but the document lies apart
)

// version is one version of a record as it is kept: what a view says once unsealed, or a trace of a withdrawal.
type version struct {
	state    state
	position position  // of the message that brought it first
	at       time.Time // when the keeper last confirmed it
	logged   time.Time // when its message was written to the topic
	adapter  exchange.Adapter
	schema   string
	status   exchange.Status
	from     exchange.Date
	until    exchange.Date
	payload  []byte
}

// append writes the version as readVersion reads it: a view that names others has a position only.
func (v *version) append(to []byte) []byte {
	to = v.position.appendShort(append(to, byte(v.state)))
	if v.state == others {
		return to
	}
	to = appendTime(appendTime(to, v.at), v.logged)
	to = appendText(appendSchema(appendText(to, string(v.adapter)), v.schema), string(v.status))
	return append(appendText(appendText(to, string(v.from)), string(v.until)), v.payload...)
}

// readVersion reads what append wrote. The payload is a part of b.
func readVersion(b []byte, n *names) (version, error) {
	r := reader{rest: b}
	var v version
	v.state = state(r.byte())
	v.position = r.position()
	if v.state == others {
		if r.short || len(r.rest) > 0 {
			return version{}, errDamaged
		}
		return v, nil
	}
	v.at, v.logged = r.time(), r.time()
	v.adapter = exchange.Adapter(n.of(r.text()))
	v.schema = r.schema(n)
	v.status = exchange.Status(n.of(r.text()))
	from := r.text()
	until := r.text()
	if r.short || v.state == 0 || v.state > apart {
		return version{}, errDamaged
	}
	days := string(append(append(make([]byte, 0, 2*len("2006-01-02")), from...), until...)) // one string for both
	v.from, v.until = exchange.Date(days[:len(from)]), exchange.Date(days[len(from):])
	v.payload = r.rest
	return v, nil
}

// trace is what is kept of a version under its record's id: enough to tell it from another one, whom it names, and where.
type trace struct {
	state    state
	position position
	content  [16]byte // of the digest
	size     int      // of the payload
	holders  []token  // whom it names; not those who are forgotten
	// more is, in the newest version's trace, whom older versions name and this one does not. What the others' say there is
	// what was so when they were written.
	more       []token
	withdrawal *version // where it is one: all that it says
}

// everyone is whom the versions of the record name, of which this is the newest one's trace.
func (t *trace) everyone() []token {
	if len(t.more) == 0 {
		return t.holders
	}
	return append(append(make([]token, 0, len(t.holders)+len(t.more)), t.holders...), t.more...)
}

func (t *trace) append(to []byte) []byte {
	to = append(t.position.appendShort(append(to, byte(t.state))), t.content[:]...)
	to = binary.AppendUvarint(to, uint64(t.size))
	to = appendTokens(appendTokens(to, t.holders), t.more)
	if t.state == withdrawn {
		to = t.withdrawal.append(to)
	}
	return to
}

func readTrace(b []byte, n *names) (trace, error) {
	r := reader{rest: b}
	t := trace{state: state(r.byte())}
	t.position = r.position()
	copy(t.content[:], r.take(len(t.content)))
	t.size = int(r.uvarint() & (1<<31 - 1))
	t.holders, t.more = r.tokens(), r.tokens()
	switch {
	case r.short:
		return trace{}, errDamaged
	case t.state == stated && len(r.rest) == 0:
		return t, nil
	case t.state == withdrawn && len(t.holders) == 0:
		v, err := readVersion(r.rest, n)
		if err != nil || v.state != withdrawn {
			return trace{}, errDamaged
		}
		t.withdrawal = &v
		return t, nil
	}
	return trace{}, errDamaged
}

// reader takes fields off the front; after the first that is not there it is short, and what it yields means nothing.
type reader struct {
	rest  []byte
	short bool
}

var nothing [64]byte // what a short reader yields

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.short = true
		r.rest = nil
		return nothing[:min(n, len(nothing))]
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.short, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.short = true
		return nil
	}
	return r.take(int(n))
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// time reads what appendTime wrote.
func (r *reader) time() time.Time {
	seconds, n := binary.Varint(r.rest)
	if n <= 0 {
		r.short, r.rest = true, nil
		return time.Time{}
	}
	r.rest = r.rest[n:]
	nanos := r.uvarint()
	if nanos >= 1e9 {
		r.short = true
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

// appendTime writes seconds and nanoseconds apart, so that every moment a time.Time can hold comes back.
func appendTime(to []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(to, t.Unix()), uint64(t.Nanosecond()))
}

// moment is like time, of a fixed length.
func (r *reader) moment() time.Time {
	b := r.take(8 + 4)
	nanos := binary.BigEndian.Uint32(b[8:])
	if nanos >= 1e9 {
		r.short = true
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b)), int64(nanos)).UTC()
}

func appendMoment(to []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(to, uint64(t.Unix())), uint32(t.Nanosecond()))
}

func (r *reader) position() position {
	partition, offset := r.uvarint(), r.uvarint()
	return position{Partition: int(partition & (1<<31 - 1)), Offset: int64(offset &^ (1 << 63))}
}

func (p position) appendShort(to []byte) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(to, uint64(p.Partition)), uint64(p.Offset))
}

func (r *reader) tokens() []token {
	n := r.uvarint()
	if n > uint64(len(r.rest)/len(token{})) {
		r.short = true
		return nil
	}
	if n == 0 {
		return nil
	}
	all := make([]token, n)
	for i := range all {
		all[i] = token(r.take(len(token{})))
	}
	return all
}

func appendTokens(to []byte, all []token) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for i := range all {
		to = append(to, all[i][:]...)
	}
	return to
}

// The spellings of a schema's id.
const (
	schemaText = 0
	schemaGUID = 1 // as 16 bytes, which most have
)

func appendSchema(to []byte, id string) []byte {
	if raw, ok := rawGUID(id); ok {
		return append(append(to, schemaGUID), raw[:]...)
	}
	return appendText(append(to, schemaText), id)
}

func (r *reader) schema(n *names) string {
	switch r.byte() {
	case schemaText:
		return n.of(r.text())
	case schemaGUID:
		return n.guid(r.take(16))
	}
	r.short = true
	return ""
}

// rawGUID reads 01234567-89ab-cdef-0123-456789abcdef in this spelling only.
func rawGUID(s string) (raw [16]byte, ok bool) {
	if len(s) != guidSize {
		return raw, false
	}
	var digits [2 * len(raw)]byte
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return raw, false
			}
		case 'A' <= c && c <= 'F':
			return raw, false
		default:
			digits[n] = c
			n++
		}
	}
	_, err := hex.Decode(raw[:], digits[:])
	return raw, err == nil
}

const guidSize = 36

func formatGUID(raw []byte) string {
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
