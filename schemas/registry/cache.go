package registry

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"

	"github.com/onedoor/yimen/schemas/gate"
)

// cache keeps what passed the gate, the most recently used first.
type cache struct {
	mu    sync.Mutex
	kept  map[cacheKey]*list.Element
	order list.List // of *admitted
	size  int       // bytes of the texts
}

type cacheKey [sha256.Size]byte

// admitted is a schema that passed the gate, and its size with the texts it refers to.
type admitted struct {
	key    cacheKey
	schema *gate.Schema
	size   int
}

// The bounds of the cache. A compiled schema takes some 20 times its text.
const (
	mostCached      = 1000
	mostCachedBytes = 8 << 20
)

// admit passes a text through the gate, or remembers that it passed.
func (c *cache) admit(text []byte, references []gate.Reference) (*gate.Schema, error) {
	key, size := keyOf(text, references)
	if s := c.get(key); s != nil {
		return s, nil
	}
	s, err := gate.Admit(text, references...)
	if err != nil {
		return nil, err
	}
	c.put(&admitted{key, s, size})
	return s, nil
}

func keyOf(text []byte, references []gate.Reference) (key cacheKey, size int) {
	h := sha256.New()
	part := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
		size += len(b)
	}
	part(text)
	for _, r := range references {
		io.WriteString(h, "reference")
		part([]byte(r.Name))
		part(r.Text)
	}
	return cacheKey(h.Sum(nil)), size
}

func (c *cache) get(key cacheKey) *gate.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.kept[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*admitted).schema
}

func (c *cache) put(a *admitted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[cacheKey]*list.Element{}
	}
	if c.kept[a.key] != nil {
		return
	}
	c.kept[a.key] = c.order.PushFront(a)
	for c.size += a.size; len(c.kept) > 1 && (len(c.kept) > mostCached || c.size > mostCachedBytes); {
		oldest := c.order.Remove(c.order.Back()).(*admitted)
		delete(c.kept, oldest.key)
		c.size -= oldest.size
	}
}
