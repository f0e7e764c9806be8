package adapters

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/adapters/mapping"
)

// Quarantined is a row that could not be published: where it stands, why, and its values as the source has them.
// Values are personal data: show them to the department that owns them and write them nowhere else.
type Quarantined struct {
	Row        [16]byte        `json:"-"`
	Line       int             `json:"line"`
	Faults     []mapping.Fault `json:"faults"`
	Columns    []string        `json:"columns"`
	Values     []string        `json:"values"`
	HolderRead bool            `json:"holder_read"` // whose row it is could be read, so that answers for that holder say "unknown"
	Since      time.Time       `json:"since"`
}

// safe keeps quarantined rows sealed in the state: they are the one thing in it that an outsider could read.
type safe struct{ aead cipher.AEAD }

func newSafe(departmentKey []byte) (*safe, error) {
	key, err := hkdf.Key(sha256.New, departmentKey, nil, "yimen adapter quarantine v1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive quarantine key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up quarantine cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("set up quarantine cipher: %w", err)
	}
	return &safe{aead: aead}, nil
}

func (s *safe) lock(q *Quarantined) ([]byte, error) {
	plain, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("write quarantined row: %w", err)
	}
	return s.aead.Seal(nil, nil, plain, q.Row[:]), nil
}

func (s *safe) unlock(row [16]byte, sealed []byte) (*Quarantined, error) {
	if len(sealed) == 0 { // known from the topic only, after a lost state
		return &Quarantined{Row: row}, nil
	}
	plain, err := s.aead.Open(nil, nil, sealed, row[:])
	if err != nil {
		return nil, fmt.Errorf("open quarantined row: it was sealed with another department key")
	}
	q := Quarantined{Row: row}
	if err := json.Unmarshal(plain, &q); err != nil {
		return nil, fmt.Errorf("read quarantined row: %w", err)
	}
	return &q, nil
}

func quarantineKey(row [16]byte) []byte { return append([]byte{prefixQuarantine}, row[:]...) }

// maxRow bounds what quarantine keeps of a row, in bytes: a message of Kafka holds a little under a megabyte, and what is
// wrong with a longer row shows in its beginning.
const maxRow = 256 << 10

// bounded is the values as quarantine keeps them: as they are, but cut where they are too long together.
func bounded(values []string) []string {
	left := maxRow
	for i, value := range values {
		if len(value) <= left {
			left -= len(value)
			continue
		}
		short := slices.Clone(values)
		for j := i; j < len(short); j++ {
			short[j] = strings.ToValidUTF8(short[j][:min(len(short[j]), left)], "")
			left -= len(short[j])
		}
		return short
	}
	return values
}
