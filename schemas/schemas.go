// Package schemas describes the kinds of evidence (证照) as JSON Schemas and turns documents into facts by them.
//
// A Schema is one file: draft-07, closed, with titles in both languages and a handful of x- keywords that say which
// fields name the certificate, its holder, its validity and its status. A new kind of evidence therefore needs a file and
// no code. A Set holds the schemas an exchange knows; Builtin is the set that comes with Yimen.
//
// The way of a document: gate.Decode (the gate every document passes), Schema.Validate, Schema.Facts.
// Nothing here puts a value of a document into an error.
package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

//go:embed evidence/*.json
var builtin embed.FS

// Schema is one evidence schema, compiled. It never changes and may be used by many goroutines at once.
type Schema struct {
	ID          string // gate.Schema.ID: of its text without white space
	Type        exchange.EvidenceType
	Title       exchange.Text
	Description exchange.Text
	Text        []byte // the schema as it stands in its file; not to be changed

	gated    *gate.Schema
	keys     keywords
	fields   []Field
	examples [][]byte
}

// Examples are invented documents that fit the schema, at least one.
func (s *Schema) Examples() [][]byte { return s.examples }

// Number is the field of a document that is the certificate's own number, "" where that is made of several or lies deeper.
func (s *Schema) Number() string {
	if len(s.keys.record) != 1 || len(s.keys.record[0]) != 1 {
		return ""
	}
	return s.keys.record[0][0]
}

// Set is a number of schemas, by id and by type. It never changes.
type Set struct {
	byID   map[string]*Schema
	byType map[exchange.EvidenceType]*Schema
	order  []*Schema
}

// Builtin is the set of schemas that comes with Yimen.
func Builtin() (*Set, error) { return Load(builtin, "evidence") }

// Load reads every .json file of a folder as one schema. A type may appear once.
func Load(fsys fs.FS, folder string) (*Set, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("read schema folder: %w", err)
	}
	set := &Set{}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		text, err := fs.ReadFile(fsys, folder+"/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read schema: %w", err)
		}
		s, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("schema file %s: %w", e.Name(), err)
		}
		if _, ok := set.ByType(s.Type); ok {
			return nil, &exchange.Problem{Code: "YM-SCH-0140", Kind: exchange.Conflict,
				What: exchange.Text{ZH: "两个文件描述同一证照类型 " + string(s.Type), EN: "two files describe the evidence type " + string(s.Type)},
				Mend: exchange.Text{ZH: "只留一个，或者改 x-evidence-type（文件 " + e.Name() + "）", EN: "keep one of them, or change x-evidence-type in " + e.Name()}}
		}
		set = set.With(s)
	}
	return set, nil
}

// With is the set with more schemas. Where a type is known already, the later schema is its newest, and the earlier one is
// still found by its id, so that records written by it can be read.
func (s *Set) With(more ...*Schema) *Set {
	n := &Set{byID: map[string]*Schema{}, byType: map[exchange.EvidenceType]*Schema{}}
	for _, schema := range slices.Concat(s.order, more) {
		if _, known := n.byID[schema.ID]; !known {
			n.order = append(n.order, schema)
		}
		n.byID[schema.ID] = schema
		n.byType[schema.Type] = schema
	}
	return n
}

// ByType is the newest schema of the type.
func (s *Set) ByType(t exchange.EvidenceType) (*Schema, bool) {
	schema, ok := s.byType[t]
	return schema, ok
}

// ByID is the schema with the id.
func (s *Set) ByID(id string) (*Schema, bool) {
	schema, ok := s.byID[id]
	return schema, ok
}

// All is the newest schema of each type, sorted by type.
func (s *Set) All() []*Schema {
	var all []*Schema
	for _, schema := range s.byType {
		all = append(all, schema)
	}
	slices.SortFunc(all, func(a, b *Schema) int { return strings.Compare(string(a.Type), string(b.Type)) })
	return all
}
