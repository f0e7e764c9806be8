package envelope

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// Names gives records, rows and contents their names under a department's key: the same in every run, and telling nothing
// without the key. It is safe for concurrent use.
type Names struct {
	suite Suite
	macs  sync.Pool // of HMACs under the department's key: setting one up costs more than a short message
}

// NewNames makes the names of one department. departmentKey is the department's secret of at least 32 bytes: all its adapters
// share it. Under another key, or another suite, every record has another id. Suite zero is Standard.
func NewNames(s Suite, departmentKey []byte) (*Names, error) {
	if s == 0 {
		s = Standard
	}
	a, known := suites[s]
	if !known {
		return nil, unknownSuite(s)
	}
	if len(departmentKey) < secretSize {
		return nil, fmt.Errorf("department key of %d bytes, want at least %d", len(departmentKey), secretSize)
	}
	key := bytes.Clone(departmentKey)
	return &Names{suite: s, macs: sync.Pool{New: func() any { return hmac.New(a.newHash, key) }}}, nil
}

// RecordID is the id of the certificate with that natural number, the same in every run.
func (n *Names) RecordID(t exchange.EvidenceType, natural string) exchange.RecordID {
	return exchange.RecordID(n.mac("record", string(t), []byte(natural))[:16])
}

// RowID is the id of a row that has no readable natural number: it follows from the row's content.
func (n *Names) RowID(t exchange.EvidenceType, values []string) [16]byte {
	return [16]byte(n.mac("row", string(t), []byte(strings.Join(values, "\x1f")))[:16])
}

// Digest tells equal content from different content without telling anything of the content.
func (n *Names) Digest(content []byte) exchange.Digest {
	return exchange.Digest(n.mac("content", "", content))
}

// KeyName tells the department's key from others without telling it.
func (n *Names) KeyName() string { return hex.EncodeToString(n.mac("key name", "", nil)[:8]) }

func (n *Names) mac(purpose, scope string, content []byte) []byte {
	h := n.macs.Get().(hash.Hash)
	defer n.macs.Put(h)
	h.Reset()
	for _, part := range [...]string{"yimen ", purpose, "\x00", scope, "\x00"} {
		io.WriteString(h, part) // a hash never errs
	}
	h.Write(content)
	return h.Sum(nil)
}

// RecordMessageKey is the key of the message that carries a version of a record.
func RecordMessageKey(id exchange.RecordID, v exchange.Version) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, recordKey), id[:]...), uint64(v))
}
