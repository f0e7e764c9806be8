package holdings

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// errDamaged is what reading a row yields that this package has not written, or that was changed since.
var errDamaged = errors.New("row is not as it was written")

// version is one version of a record as it is kept: what its row says once unsealed.
type version struct {
	digest    exchange.Digest
	withdrawn bool
	at        time.Time // when the keeper last confirmed it
	logged    time.Time // when its message was written to the topic
	position  position  // of the message that brought it first
	evidence  exchange.EvidenceType
	adapter   exchange.Adapter
	schema    string
	status    exchange.Status
	from      exchange.Date
	until     exchange.Date
	holders   []token
	payload   []byte
}

const (
	rowFormat    = 1
	rowStated    = 0
	rowWithdrawn = 1
)

// append writes the version as readVersion reads it: fixed fields, then each text behind its length, then the
// tokens behind their number, then the payload to the end.
func (v *version) append(to []byte) []byte {
	state := byte(rowStated)
	if v.withdrawn {
		state = rowWithdrawn
	}
	to = append(append(to, rowFormat, state), v.digest[:]...)
	to = appendMoment(appendMoment(to, v.at), v.logged)
	to = v.position.append(to)
	for _, text := range [...]string{string(v.evidence), string(v.adapter), v.schema, string(v.status), string(v.from), string(v.until)} {
		to = append(binary.AppendUvarint(to, uint64(len(text))), text...)
	}
	to = binary.AppendUvarint(to, uint64(len(v.holders)))
	for i := range v.holders {
		to = append(to, v.holders[i][:]...)
	}
	return append(to, v.payload...)
}

// readVersion reads what append wrote. The payload is a part of b.
func readVersion(b []byte) (version, error) {
	r := reader{rest: b}
	var v version
	format, state := r.byte(), r.byte()
	copy(v.digest[:], r.take(len(v.digest)))
	v.at, v.logged = r.moment(), r.moment()
	v.position, _ = readPosition(r.take(positionSize))
	v.evidence = exchange.EvidenceType(r.text())
	v.adapter = exchange.Adapter(r.text())
	v.schema = r.text()
	v.status = exchange.Status(r.text())
	v.from, v.until = exchange.Date(r.text()), exchange.Date(r.text())
	count := r.uvarint()
	if r.short || format != rowFormat || state > rowWithdrawn || count > uint64(len(r.rest)/len(token{})) {
		return version{}, errDamaged
	}
	v.withdrawn = state == rowWithdrawn
	v.holders = make([]token, count)
	for i := range v.holders {
		v.holders[i] = token(r.take(len(token{})))
	}
	v.payload = r.rest
	return v, nil
}

// reader takes fields off the front; after the first that is not there it is short, and what it yields means nothing.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.short = true
		r.rest = nil
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte { return r.take(1)[0] }

// moment reads what appendMoment wrote.
func (r *reader) moment() time.Time {
	b := r.take(8 + 4)
	nanos := binary.BigEndian.Uint32(b[8:])
	if nanos >= 1e9 {
		r.short = true
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b)), int64(nanos)).UTC()
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.short = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.short = true
		return ""
	}
	return string(r.take(int(n)))
}

// appendMoment writes seconds and nanoseconds apart, so that every moment a time.Time can hold comes back.
func appendMoment(to []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(to, uint64(t.Unix())), uint32(t.Nanosecond()))
}
