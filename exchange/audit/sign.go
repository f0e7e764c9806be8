package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"math/bits"
	"runtime"
	"sync"

	"github.com/transparency-dev/merkle/rfc6962"
)

// signer signs receipts; without a key it leaves them as they are. Entries become durable many at a time, so receipts come many
// at a time, and those have one signature: it costs more than all the rest of an entry does. It is safe for concurrent use.
type signer struct {
	key  ed25519.PrivateKey
	name string

	turn sync.Mutex // held while a group is signed; meanwhile the next one gathers
	mu   sync.Mutex // guards next, and who is in it
	next *group
}

// group is receipts that are signed together, by the first of those who wait for them.
type group struct {
	receipts []*Receipt
	signed   sync.Once
}

func (s *signer) sign(r *Receipt) {
	if s.key == nil {
		return
	}
	g := s.join(r)
	g.signed.Do(func() {
		s.turn.Lock()
		defer s.turn.Unlock()
		runtime.Gosched() // who was woken together with this one joins
		s.leave(g)
		s.signAll(g.receipts)
	})
}

func (s *signer) join(r *Receipt) *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = new(group)
	}
	s.next.receipts = append(s.next.receipts, r)
	return s.next
}

// leave ends the gathering of a group.
func (s *signer) leave(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == g {
		s.next = nil
	}
}

// signAll signs some receipts at once. One alone has no tree.
func (s *signer) signAll(all []*Receipt) {
	said := all[0].statement()
	if len(all) > 1 {
		paths := make([][]byte, len(all))
		said = together(uint64(len(all)), tree(leaves(all), paths))
		for i, r := range all {
			r.Size, r.Index, r.Path = uint64(len(all)), uint64(i), base64.StdEncoding.EncodeToString(paths[i])
		}
	}
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, said))
	for _, r := range all {
		r.Key, r.Signature = s.name, signature
	}
}

func leaves(all []*Receipt) [][]byte {
	hashes := make([][]byte, len(all))
	for i, r := range all {
		hashes[i] = rfc6962.DefaultHasher.HashLeaf(r.statement())
	}
	return hashes
}

// tree is the root over the leaves, which must be some, and appends to each leaf's path the hashes that lead to it.
func tree(leaves, paths [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	split := 1 << (bits.Len(uint(len(leaves)-1)) - 1) // the largest power of two below
	left, right := tree(leaves[:split], paths[:split]), tree(leaves[split:], paths[split:])
	for i := range paths {
		if i < split {
			paths[i] = append(paths[i], right...)
		} else {
			paths[i] = append(paths[i], left...)
		}
	}
	return rfc6962.DefaultHasher.HashChildren(left, right)
}
