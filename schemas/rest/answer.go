package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/onedoor/yimen/schemas/registry"
)

// The media types of answers.
const (
	registryJSON = "application/vnd.schemaregistry.v1+json"
	plainJSON    = "application/json"
)

var (
	registryType = []string{registryJSON}
	plainType    = []string{plainJSON}
)

// mediaType is the type to answer in: Confluent's own, unless only application/json is understood.
func mediaType(h http.Header) []string {
	accept := h["Accept"]
	if len(accept) == 0 {
		return registryType
	}
	plain := false
	for _, line := range accept {
		if strings.Contains(line, "vnd.schemaregistry") || strings.Contains(line, "*/*") || strings.Contains(line, "application/*") {
			return registryType
		}
		plain = plain || strings.Contains(line, plainJSON)
	}
	if plain {
		return plainType
	}
	return registryType
}

// reader is how much of an answer a client can take.
type reader int

const (
	closed reader = iota // what Confluent 7 answers
	modern               // what Confluent 8 answers to those who say that unknown members do no harm
	open                 // everything
)

// readerOf tells the readers apart. Confluent's Java client sends no Accept, or that of its library, which begins with
// text/html; of an error it takes error_code and message alone, and of other answers more only where it says so.
func readerOf(h http.Header) reader {
	if accept := h["Accept"]; len(accept) > 0 && !strings.Contains(accept[0], "text/html") {
		return open
	}
	if strings.EqualFold(h.Get("Confluent-Accept-Unknown-Properties"), "true") {
		return modern
	}
	return closed
}

func (c *call) reader() reader { return readerOf(c.r.Header) }

// style writes maps in order, so that the same answer is the same bytes, and leaves zero numbers out where tags say so.
var style = json.JoinOptions(json.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true), jsontext.AllowInvalidUTF8(true))

// answer sends a value.
func (c *call) answer(value any) error {
	c.send(http.StatusOK, value)
	return nil
}

func (c *call) send(status int, value any) {
	body, err := json.Marshal(value, style)
	if err != nil { // no value of ours is unwritable
		c.Log.ErrorContext(c.r.Context(), "write answer", "route", c.routed, "error", err)
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	c.bytes(status, body)
}

func (c *call) bytes(status int, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = mediaType(c.r.Header)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(status)
	c.w.Write(body) // an error here means that the caller is gone
}

// entry is one version of a subject as Confluent's registry writes it, and what is said of it here.
type entry struct {
	Subject    string                `json:"subject"`
	Version    int                   `json:"version"`
	ID         int                   `json:"id"`
	GUID       string                `json:"guid,omitempty"`
	SchemaType string                `json:"schemaType"`
	References []registry.Reference  `json:"references,omitempty"`
	Metadata   *registry.Metadata    `json:"metadata,omitempty"`
	Schema     string                `json:"schema"`
	Time       int64                 `json:"ts,omitempty"` // Unix time in milliseconds
	Deleted    bool                  `json:"deleted,omitempty"`
	Deprecated *registry.Deprecation `json:"deprecated,omitempty"`
}

// schemaType is the only one there is. Python's client takes a missing one for Avro.
const schemaType = "JSON"

func entryFor(e registry.Entry, to reader) entry {
	shown := entry{Subject: e.Subject, Version: e.Version, ID: e.ID, SchemaType: schemaType, References: e.References, Metadata: e.Metadata, Schema: string(e.Text)}
	if to >= modern {
		shown.GUID, shown.Deleted = e.GUID, e.Deleted
		if !e.At.IsZero() {
			shown.Time = e.At.UnixMilli()
		}
	}
	if to == open {
		shown.Deprecated = e.Deprecated
	}
	return shown
}

// notices tells in headers what was announced about a version: Deprecation by RFC 9745, Sunset by RFC 8594.
func (c *call) notices(e registry.Entry) {
	if e.Deprecated != nil {
		c.w.Header().Set("Deprecation", "@"+strconv.FormatInt(e.Deprecated.At.Unix(), 10))
	}
	if ends := c.Registry.Retirement(e.Subject); ends != nil {
		c.w.Header().Set("Sunset", sunset(ends.From))
	}
}

func sunset(from time.Time) string { return from.UTC().Format(http.TimeFormat) }
