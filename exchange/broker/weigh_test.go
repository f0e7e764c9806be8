package broker

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzAllowed holds the two readers of documents to each other: what is spelt plainly gives the fields that any other spelling gives.
func FuzzAllowed(f *testing.F) {
	for _, document := range []string{`{}`, `{"name":"张示例","area":118.36,"owners":[{"name":"甲"}]}`, `{"name": "甲"}`, `{"na\u006de":"甲","x":1}`, `{"name":1,"name":2}`,
		`{"area":01}`, `{"name":`, `[]`, ``, `{"name":1}}`, "{\"name\":\"\xff\"}"} {
		f.Add([]byte(document), "name", "area")
	}
	f.Fuzz(func(t *testing.T, document []byte, one, other string) {
		fields := []string{one, other}
		picked, legible := allowed(document, fields)
		slow, readable := read(json.RawMessage("{"), document, fields)
		if readable && (!legible || !bytes.Equal(picked, slow)) {
			t.Fatalf("%q, fields %q: picked %q, %v; the other reader %q", document, fields, picked, legible, slow)
		}
		if legible && !readable {
			t.Fatalf("%q is no document", document)
		}
	})
}
