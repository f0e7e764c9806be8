package audit

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// idLength is how many characters an entry's id has.
const idLength = 26

const crockfordAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ValidID says whether s can be the id of an entry: a ULID in its one spelling.
func ValidID(s string) bool {
	_, ok := TimeOf(s)
	return ok
}

// TimeOf is the moment that stands at the front of an id: that of its entry. false: it is no id.
func TimeOf(id string) (at time.Time, ok bool) {
	if len(id) != idLength || id[0] > '7' {
		return time.Time{}, false
	}
	ms := int64(0)
	for i := range len(id) {
		digit := strings.IndexByte(crockfordAlphabet, id[i])
		if digit < 0 {
			return time.Time{}, false
		}
		if i < 10 { // 50 bits, of which the first two are zero
			ms = ms<<5 | int64(digit)
		}
	}
	return time.UnixMilli(ms).UTC(), true
}

// newID makes a ULID: 48 bits of milliseconds, then 80 random bits, so that ids sort by time.
func (l *Log) newID(at time.Time) (string, error) {
	id := stamped(at)
	l.mu.Lock()
	_, err := io.ReadFull(l.random, id[6:])
	l.mu.Unlock()
	if err != nil {
		return "", fmt.Errorf("draw audit entry id: %w", err)
	}
	return crockford(id), nil
}

// crockford writes 128 bits in 26 characters of Crockford's base 32, two zero bits in front.
func crockford(id [16]byte) string {
	var out [idLength]byte
	pending, bits, next := uint32(0), 2, 0
	for _, b := range id {
		pending, bits = pending<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			out[next] = crockfordAlphabet[pending>>bits&31]
			next++
		}
		pending &= 1<<bits - 1
	}
	return string(out[:])
}

// FirstID is the least id of an entry made at that moment, so that ids can be cut by time.
func FirstID(at time.Time) string { return crockford(stamped(at)) }

// stamped is an id's bytes with the moment at the front.
func stamped(at time.Time) (id [16]byte) {
	for i, ms := 5, max(0, at.UnixMilli()); i >= 0; i, ms = i-1, ms>>8 {
		id[i] = byte(ms)
	}
	return id
}
