package rest

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/schemas/registry"
)

// content is a schema without the subjects that have it.
type content struct {
	Schema     string               `json:"schema"`
	SchemaType string               `json:"schemaType"`
	ID         int                  `json:"id,omitempty"`
	GUID       string               `json:"guid,omitempty"`
	References []registry.Reference `json:"references,omitempty"`
	Metadata   *registry.Metadata   `json:"metadata,omitempty"`
	MaxID      int                  `json:"maxId,omitempty"`
}

func contentFor(e registry.Entry, to reader) content {
	shown := content{Schema: string(e.Text), SchemaType: schemaType, References: e.References, Metadata: e.Metadata}
	if to >= modern {
		shown.GUID = e.GUID
	}
	return shown
}

// bodies keeps the answers to look-ups by id as they go out. The content of an id never changes, but an id can go: the
// registry is asked each time, and only the writing is saved.
type bodies struct {
	mu   sync.RWMutex
	kept map[bodyKey]*body
	size int // bytes
}

// bodyKey names the content by its guid: after an import the same number may be another schema.
type bodyKey struct {
	guid  string
	whole bool // with the guid
}

type body struct {
	text   []byte
	length []string // as the header Content-Length wants it
	etag   []string
}

// mostKept bounds what is kept, in bytes. All is dropped when it is full, and what is used comes back at once.
const mostKept = 64 << 20

func (b *bodies) of(e registry.Entry, to reader) (*body, error) {
	key := bodyKey{e.GUID, to >= modern}
	b.mu.RLock()
	found := b.kept[key]
	b.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	written, err := json.Marshal(contentFor(e, to), style)
	if err != nil {
		return nil, err
	}
	made := &body{text: written, length: []string{strconv.Itoa(len(written))}, etag: []string{strconv.Quote(e.GUID)}}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil || b.size+len(written) > mostKept {
		b.kept, b.size = map[bodyKey]*body{}, 0
	}
	if b.kept[key] == nil && len(written) <= mostKept {
		b.kept[key], b.size = made, b.size+len(written)
	}
	return made, nil
}

// A look-up by id, which every consumer makes: what its path begins with, and its route.
const (
	idPath  = "/schemas/ids/"
	idRoute = idPath + "*"
)

// quick answers a plain look-up by id without the detours of the other requests. It leaves to them whatever is not plain.
func (c *call) quick() bool {
	r := c.r
	digits, ours := strings.CutPrefix(r.URL.Path, idPath)
	if !ours || r.Method != http.MethodGet || r.URL.RawPath != "" || !plainQuery(r.URL.RawQuery) {
		return false
	}
	id, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || id < 1 {
		return false
	}
	var found *body
	c.routed = idRoute
	e, err := c.Registry.ByID(r.Context(), int(id))
	if err == nil {
		found, err = c.bodies.of(e, readerOf(r.Header))
	}
	if err != nil { // not left to the others: they would ask again, and an unknown id costs the registry a look at the topic
		c.refuse(err)
		return true
	}
	found.send(c.w, r)
	return true
}

// send writes a kept answer, or that the caller has it already.
func (b *body) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Etag"] = b.etag
	if known := r.Header["If-None-Match"]; len(known) > 0 && strings.Contains(known[0], b.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = mediaType(r.Header)
	h["Content-Length"] = b.length
	w.Write(b.text) // an error here means that the caller is gone
}

// plainQuery is whether a query cannot change the answer: it asks for no maxId and names no context.
func plainQuery(raw string) bool {
	return raw == "" || !strings.Contains(raw, "axId") && !strings.Contains(raw, "=:") && !strings.Contains(raw, "=%3")
}

// id is the entry that the path's id names. A subject in the query only says in which context to look.
func (c *call) id() (registry.Entry, error) {
	if stated := c.query.text("subject"); stated != "" {
		if _, err := plainSubject(stated); err != nil {
			return registry.Entry{}, noSuchSchema()
		}
	}
	id, err := strconv.ParseInt(c.names[0], 10, 32)
	if err != nil {
		return registry.Entry{}, noSuchPath()
	}
	return c.Registry.ByID(c.r.Context(), int(id))
}

func getID(c *call) error {
	e, err := c.id()
	if err != nil {
		return err
	}
	if c.query.flag("fetchMaxId") {
		shown := contentFor(e, c.reader())
		shown.MaxID = c.Registry.MaxID()
		return c.answer(shown)
	}
	found, err := c.bodies.of(e, c.reader())
	if err != nil {
		return err
	}
	found.send(c.w, c.r)
	return nil
}

func getIDText(c *call) error {
	e, err := c.id()
	if err != nil {
		return err
	}
	c.bytes(http.StatusOK, e.Text)
	return nil
}

// uses lists the entries that have the path's id, those of the query's subject alone where it names one.
func (c *call) uses() ([]registry.Entry, error) {
	e, err := c.id()
	if err != nil {
		return nil, err
	}
	entries, err := c.Registry.Uses(e.ID, c.deleted())
	if err != nil || c.query.text("subject") == "" {
		return entries, err
	}
	wanted, err := plainSubject(c.query.text("subject"))
	if err != nil {
		return nil, err
	}
	var those []registry.Entry
	for _, e := range entries {
		if e.Subject == wanted {
			those = append(those, e)
		}
	}
	return those, nil
}

func listSubjectsOfID(c *call) error {
	entries, err := c.uses()
	if err != nil {
		return err
	}
	var subjects []string
	known := map[string]bool{}
	for _, e := range entries {
		if !known[e.Subject] {
			known[e.Subject] = true
			subjects = append(subjects, e.Subject)
		}
	}
	if subjects, err = part(c.query, subjects); err != nil {
		return err
	}
	return c.answer(subjects)
}

// place is a version of a subject.
type place struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

func listVersionsOfID(c *call) error {
	entries, err := c.uses()
	if err != nil {
		return err
	}
	var places []place
	for _, e := range entries {
		places = append(places, place{e.Subject, e.Version})
	}
	if places, err = part(c.query, places); err != nil {
		return err
	}
	return c.answer(places)
}

// getGUID answers with the id as well, which is what the asker does not know.
func getGUID(c *call) error {
	e, err := c.Registry.ByGUID(c.r.Context(), strings.ToLower(c.names[0]))
	if err != nil {
		return err
	}
	shown := contentFor(e, modern)
	if c.reader() >= modern {
		shown.ID = e.ID
	}
	return c.answer(shown)
}

func listIDsOfGUID(c *call) error {
	e, err := c.Registry.ByGUID(c.r.Context(), strings.ToLower(c.names[0]))
	if err != nil {
		return err
	}
	type contextID struct {
		Context string `json:"context"`
		ID      int    `json:"id"`
	}
	return c.answer([]contextID{{".", e.ID}})
}

func listTypes(c *call) error { return c.answer([]string{schemaType}) }

// listSchemas lists versions of subjects: all, or the latest of each.
func listSchemas(c *call) error {
	deleted, latest := c.deleted(), c.query.flag("latestOnly")
	var entries []registry.Entry
	for _, subject := range c.prefixed(deleted, false) {
		versions, err := c.Registry.Versions(subject, deleted)
		if err != nil {
			continue // deleted meanwhile
		}
		if latest && len(versions) > 1 {
			versions = versions[len(versions)-1:]
		}
		entries = append(entries, versions...)
	}
	entries, err := part(c.query, entries)
	if err != nil {
		return err
	}
	list := make([]entry, len(entries))
	for i, e := range entries {
		list[i] = entryFor(e, c.reader())
	}
	return c.answer(list)
}
