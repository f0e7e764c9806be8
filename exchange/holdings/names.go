package holdings

import (
	"maps"
	"sync"
	"sync/atomic"
)

// names holds the few texts that nearly every row repeats, adapters, schemas and states, so that reading a row makes none
// anew.
type names struct{ texts, guids table }

func (n *names) of(text []byte) string {
	return n.texts.of(text, func(text []byte) string { return string(text) })
}

func (n *names) guid(raw []byte) string { return n.guids.of(raw, formatGUID) }

// table is a map that grows. It is safe for concurrent use, and reading waits for nobody.
type table struct {
	known  atomic.Pointer[map[string]string] // never changed, only replaced
	adding sync.Mutex
}

// keptNames bounds what is held. A city has some hundred.
const keptNames = 4096

func (t *table) of(key []byte, spell func([]byte) string) string {
	if known := t.known.Load(); known != nil {
		if name, ok := (*known)[string(key)]; ok {
			return name
		}
	}
	t.adding.Lock()
	defer t.adding.Unlock()
	name, more := spell(key), map[string]string{}
	if known := t.known.Load(); known != nil {
		if len(*known) >= keptNames {
			return name
		}
		more = maps.Clone(*known)
	}
	more[string(key)] = name
	t.known.Store(&more)
	return name
}
