package registry

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
)

// contentGUID names a schema's content as Confluent's registry does: the MD5 of its text, its references and, after a byte 1,
// its metadata, written as a UUID.
func contentGUID(text []byte, references []Reference, metadata *Metadata) string {
	h := md5.New()
	h.Write(text)
	for _, r := range references {
		io.WriteString(h, r.Name)
		io.WriteString(h, r.Subject)
		binary.Write(h, binary.BigEndian, int32(r.Version))
	}
	if metadata != nil {
		h.Write([]byte{1})
		metadata.hash(h)
	}
	sum := h.Sum(nil)
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:])
}

func (m *Metadata) hash(h io.Writer) {
	for _, tag := range slices.Sorted(maps.Keys(m.Tags)) {
		io.WriteString(h, tag)
		for _, v := range sortedSet(m.Tags[tag]) {
			io.WriteString(h, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Properties)) {
		io.WriteString(h, name)
		io.WriteString(h, m.Properties[name])
	}
	for _, v := range sortedSet(m.Sensitive) {
		io.WriteString(h, v)
	}
}

// sums is the guid in base64, as records of _schemas hold it.
func sum(guid string) string {
	var digits []byte
	for i := range len(guid) {
		if guid[i] != '-' {
			digits = append(digits, guid[i])
		}
	}
	raw := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(raw, digits); err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// settled is the metadata with its sets in order, nil where it says nothing.
func (m *Metadata) settled() *Metadata {
	if m == nil || len(m.Tags)+len(m.Properties)+len(m.Sensitive) == 0 {
		return nil
	}
	s := &Metadata{Properties: maps.Clone(m.Properties), Sensitive: sortedSet(m.Sensitive)}
	if len(m.Tags) > 0 {
		s.Tags = make(map[string][]string, len(m.Tags))
		for tag, values := range m.Tags {
			s.Tags[tag] = sortedSet(values)
		}
	}
	return s
}

func sortedSet(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }
