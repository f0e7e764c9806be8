package registry

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/schemas/compat"
)

// The kinds of records of _schemas that this registry writes.
const (
	schemaRecord = "SCHEMA"
	levelRecord  = "CONFIG"
	modeRecord   = "MODE"
)

// Kinds of records that it reads when it takes over a topic.
const (
	deleteRecord = "DELETE_SUBJECT" // versions up to one are deleted softly
	clearRecord  = "CLEAR_SUBJECT"  // nothing before it counts
)

// recordKey is the key of a record of _schemas.
type recordKey struct {
	kind    string
	subject string
	version int // of schemas
}

func schemaKey(subject string, version int) recordKey {
	return recordKey{schemaRecord, subject, version}
}
func levelKey(subject string) recordKey { return recordKey{kind: levelRecord, subject: subject} }
func modeKey(subject string) recordKey  { return recordKey{kind: modeRecord, subject: subject} }

// noop is the key of a record that says nothing: its writer waits until it reads it, and has then read all before it.
const noop = `{"keytype":"NOOP","magic":0}`

// bytes writes the key. Compaction goes by the bytes, so their order is Confluent's.
func (k recordKey) bytes() []byte {
	b := append([]byte(`{"keytype":"`), k.kind...)
	b = append(b, '"')
	if k.subject != "" {
		b = append(b, `,"subject":`...)
		b = quoted(b, k.subject)
	}
	if k.kind == schemaRecord {
		b = append(b, `,"version":`...)
		b = strconv.AppendInt(b, int64(k.version), 10)
		return append(b, `,"magic":1}`...)
	}
	return append(b, `,"magic":0}`...)
}

func quoted(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD")) // valid by now, so there is no error
	return b
}

// record is a value of _schemas.
type record struct {
	Subject    string        `json:"subject,omitempty"`
	Version    int           `json:"version,omitzero"`
	ID         int           `json:"id,omitzero"`
	MD5        string        `json:"md5,omitempty"`
	Type       string        `json:"schemaType,omitempty"`
	References []Reference   `json:"references,omitempty"`
	Metadata   *Metadata     `json:"metadata,omitempty"`
	Schema     string        `json:"schema,omitempty"`
	Deleted    *bool         `json:"deleted,omitempty"`
	Level      string        `json:"compatibilityLevel,omitempty"`
	Policy     compat.Policy `json:"compatibilityPolicy,omitempty"`
	Mode       string        `json:"mode,omitempty"`
}

const schemaType = "JSON"

// value is what must stand under a key of _schemas, nil where nothing must.
func (s *state) value(k recordKey) []byte {
	if !s.wants(k) {
		return nil
	}
	switch sub := s.of(k.subject); k.kind {
	case schemaRecord:
		return schemaValue(&sub.version(k.version).Entry)
	case levelRecord:
		return written(record{Subject: k.subject, Level: sub.level, Policy: sub.policy})
	default:
		return written(record{Subject: k.subject, Mode: sub.mode})
	}
}

// wants says whether anything must stand under a key.
func (s *state) wants(k recordKey) bool {
	switch sub := s.of(k.subject); k.kind {
	case schemaRecord:
		return sub.version(k.version) != nil
	case levelRecord:
		return sub.level != "" || sub.policy != ""
	default:
		return sub.mode != ""
	}
}

func schemaValue(e *Entry) []byte {
	return written(record{Subject: e.Subject, Version: e.Version, ID: e.ID, MD5: sum(e.GUID), Type: schemaType,
		References: e.References, Metadata: e.Metadata, Schema: string(e.Text), Deleted: &e.Deleted})
}

func written(r record) []byte {
	b, err := json.Marshal(r, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // a struct of strings and numbers has no way to fail
		return nil
	}
	return b
}

// errRecord says that a key or a value of _schemas cannot be read.
var errRecord = errors.New("unreadable record of _schemas")

// parseKey reads a key of _schemas in whatever order its members stand.
func parseKey(key []byte) (recordKey, error) {
	var k struct {
		Kind    string `json:"keytype"`
		Subject string `json:"subject"`
		Version int    `json:"version"`
		Magic   int    `json:"magic"`
	}
	if err := json.Unmarshal(key, &k); err != nil || k.Kind == "" || !inRange(k.Version) {
		return recordKey{}, errRecord
	}
	if k.Kind == schemaRecord && (k.Version == 0 || k.Subject == "" || k.Magic > 1) {
		return recordKey{}, errRecord
	}
	if k.Kind != schemaRecord {
		k.Version = 0
	}
	return recordKey{k.Kind, k.Subject, k.Version}, nil
}

// parseRecord reads a value that stands under a key.
func parseRecord(k recordKey, value []byte) (record, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil || !inRange(r.ID) || !inRange(r.Version) {
		return record{}, errRecord
	}
	if k.kind != schemaRecord {
		r.Subject = k.subject
		return r, nil
	}
	if r.Subject != k.subject || r.Version != k.version || r.ID == 0 || r.Schema == "" {
		return record{}, errRecord
	}
	r.Metadata = r.Metadata.settled()
	return r, nil
}

// canonical is a value as this registry would write it, so that what another wrote is told from what says something else.
func canonical(k recordKey, value []byte) []byte {
	r, err := parseRecord(k, value)
	if err != nil {
		return value
	}
	switch k.kind {
	case schemaRecord:
		if r.Type != schemaType {
			return value
		}
		guid := contentGUID([]byte(r.Schema), r.References, r.Metadata)
		return schemaValue(&Entry{Subject: r.Subject, Version: r.Version, ID: r.ID, GUID: guid, Text: []byte(r.Schema),
			References: r.References, Metadata: r.Metadata, Deleted: r.Deleted != nil && *r.Deleted})
	case levelRecord:
		return written(record{Subject: r.Subject, Level: r.Level, Policy: r.Policy})
	case modeRecord:
		return written(record{Subject: r.Subject, Mode: r.Mode})
	}
	return value
}
