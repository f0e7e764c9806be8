// Package exchange holds the words that every part of Yimen shares: departments, holders,
// records, answers and the few kinds of error. It imports the standard library only and does nothing.
package exchange

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
)

// Department is the short code of a department (部门), such as "scjg" for market supervision.
// It appears in topic names and certificates, so it is lower-case ASCII.
type Department string

// EvidenceType is the short name of a kind of certificate (证照类型), such as "business-licence".
// Its records travel on the topic "evidence." + type.
type EvidenceType string

// Item is the code of a service item (事项), such as "food-licence-new".
type Item string

// Adapter names one adapter of one department, such as "scjg/licences".
type Adapter string

// Department is the part of the name before the slash.
func (a Adapter) Department() Department {
	department, _, _ := strings.Cut(string(a), "/")
	return Department(department)
}

// ValidName says whether s may name a department, an evidence type or an item: at most 64 lower-case letters and digits in
// groups joined by single hyphens, a letter first.
func ValidName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && s[i-1] != '-':
		default:
			return false
		}
	}
	return true
}

// ValidAdapter says whether s is a department and a name, each a valid name, joined by a slash.
func ValidAdapter(s string) bool {
	department, name, joined := strings.Cut(s, "/")
	return joined && ValidName(department) && ValidName(name)
}

// HolderKind says whether a holder (持证主体) is a natural or a legal person.
type HolderKind string

// The two kinds of holder.
const (
	Person       HolderKind = "person" // 自然人, known by a citizen number
	Organisation HolderKind = "org"    // 法人 or other organisation, known by a unified social credit code
)

// Holder is whom a certificate belongs to. Number is the normalised citizen number or credit code.
// A Holder never prints its number: String, Format through %v and structured logs show it masked.
type Holder struct {
	Kind   HolderKind
	Number string
}

// String shows the kind and a masked number: enough to recognise, too little to look somebody up.
func (h Holder) String() string { return string(h.Kind) + ":" + mask(h.Number) }

// Format keeps every formatting verb, %#v included, from printing the number.
func (h Holder) Format(f fmt.State, _ rune) { fmt.Fprint(f, h.String()) }

// LogValue masks the holder in structured logs.
func (h Holder) LogValue() slog.Value { return slog.StringValue(h.String()) }

func mask(number string) string {
	if len(number) < 10 {
		return strings.Repeat("*", len(number))
	}
	return number[:6] + strings.Repeat("*", len(number)-8) + number[len(number)-2:]
}

// RecordID identifies a certificate through all its versions: a MAC, under the department's key, of the
// type and the certificate's natural number. Numbers of licences are often numbers of people, so
// the number itself never leaves the sealed payload.
type RecordID [16]byte

// String is the id in hexadecimal.
func (id RecordID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes the id in hexadecimal.
func (id RecordID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *RecordID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(id) {
		return fmt.Errorf("record id of %d characters, want %d", len(text), 2*len(id))
	}
	_, err := hex.Decode(id[:], text)
	return err
}

// Version numbers the states of one record; it only grows.
type Version uint64

// Digest is a keyed hash of a record's content. Two equal digests under one key mean equal content;
// without the key it says nothing.
type Digest [32]byte
