package audit

import (
	"bytes"
	"strings"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// Recent is the entries that this process appends and has not met on the topic yet. What comes back byte for byte as it was written need
// not be read, and that is nearly all that a city's only node meets. The zero value is ready; it is safe for concurrent use.
type Recent struct {
	mu  sync.Mutex
	all map[string]written // by id
}

// written is an entry as it was appended, and as Skim would give it.
type written struct {
	value []byte
	entry *Entry
}

// mostRecent bounds what is kept of entries that do not come back. What is forgotten is read.
const mostRecent = 4096

// Read is what a bus makes of the topic's messages for all who follow it: the entry, as Skim gives it; nil where the message is none.
func (r *Recent) Read(key, value []byte) any {
	if e := r.met(string(key), value); e != nil {
		return e
	}
	e, err := Skim(key, value)
	if err != nil {
		return nil
	}
	return &e
}

// met gives the entry that was written just so, once.
func (r *Recent) met(id string, value []byte) *Entry {
	r.mu.Lock()
	one, found := r.all[id]
	delete(r.all, id)
	r.mu.Unlock()
	if !found || !bytes.Equal(one.value, value) {
		return nil
	}
	return one.entry
}

// add keeps an entry along with what it was written as. Whoever adds it has held it to all that Parse asks for, but for its id; and nobody
// changes its materials any more.
func (r *Recent) add(e *Entry, value []byte) {
	if at, ok := TimeOf(e.ID); !ok || !at.Equal(e.Time) || len(e.Chosen)+len(e.Parties) > 0 {
		return // few say so much, and they are read
	}
	one := e.skimmed()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil || len(r.all) >= mostRecent {
		r.all = map[string]written{}
	}
	r.all[e.ID] = written{value, one}
}

// forget drops an entry that may never come back.
func (r *Recent) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, id)
}

// skimmed is the entry as Skim gives it. It keeps no part of the request, which tells who was asked about.
func (e *Entry) skimmed() *Entry {
	one := *e
	one.Inputs, one.Chosen, one.Parties = exchange.Inputs{}, nil, nil
	one.Holder, one.Stating, one.Told = exchange.Holder{}, nil, nil
	one.Evaluated = e.Evaluated.Round(0).UTC()
	one.Clerk, one.Case, one.Nonce = strings.Clone(e.Clerk), strings.Clone(e.Case), strings.Clone(e.Nonce)
	one.Item, one.Only = exchange.Item(strings.Clone(string(e.Item))), exchange.EvidenceType(strings.Clone(string(e.Only)))
	if len(e.Materials) == 0 {
		one.Materials = nil
	}
	return &one
}
