package registry

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// mirror is what this node knows of _schemas: a digest of the newest value of each key, and which keys are to be looked at.
type mirror struct {
	mu    sync.Mutex
	next  int64 // offset after the last message seen
	seen  map[recordKey]*sight
	due   map[recordKey]time.Time
	wake  chan struct{} // holds a token where due has changed
	moved chan struct{} // closed, and replaced, when next has moved on
	past  []exchange.Message
	full  bool // past is not kept any more
}

// sight is the newest value of a key, in all its spellings.
type sight struct {
	digest [sha256.Size]byte   // of the value in canonical form; zero: a tombstone
	alive  map[string]struct{} // the spellings of the key whose newest value is no tombstone
}

func newMirror() *mirror {
	return &mirror{seen: map[recordKey]*sight{}, due: map[recordKey]time.Time{}, wake: make(chan struct{}, 1), moved: make(chan struct{})}
}

func (m *mirror) position() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.next
}

// want has the keys looked at, at the time given or when they were to be looked at anyway.
func (m *mirror) want(keys []recordKey, at time.Time) {
	if len(keys) == 0 {
		return
	}
	m.mu.Lock()
	for _, k := range keys {
		if before, known := m.due[k]; !known || at.Before(before) {
			m.due[k] = at
		}
	}
	m.mu.Unlock()
	m.nudge()
}

func (m *mirror) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// see reads messages of _schemas. Where one says something else than it should, it is looked at again after a while: whoever
// wrote it may be behind, and another node may be mending it.
func (r *Registry) see(_ context.Context, msgs []exchange.Message) error {
	var keys []recordKey
	m := r.mirror
	m.mu.Lock()
	for _, msg := range msgs {
		if msg.Offset < m.next {
			continue
		}
		m.next = msg.Offset + 1
		if !m.full {
			m.past = append(m.past, msg)
		}
		k, err := parseKey(msg.Key)
		if err != nil || k.kind != schemaRecord && k.kind != levelRecord && k.kind != modeRecord {
			r.metrics.records.WithLabelValues("foreign").Inc()
			continue
		}
		m.note(k, msg)
		keys = append(keys, k)
	}
	close(m.moved)
	m.moved = make(chan struct{})
	m.mu.Unlock()
	m.want(r.differing(keys), time.Now().Add(r.patience.others))
	return nil
}

func (m *mirror) note(k recordKey, msg exchange.Message) {
	s := m.seen[k]
	if s == nil {
		s = &sight{alive: map[string]struct{}{}}
		m.seen[k] = s
	}
	if msg.Value == nil {
		delete(s.alive, string(msg.Key))
		s.digest = [sha256.Size]byte{}
		return
	}
	s.alive[string(msg.Key)] = struct{}{}
	s.digest = sha256.Sum256(canonical(k, msg.Value))
}

// differing are the keys of this registry that do not stand in _schemas as they should.
func (r *Registry) differing(keys []recordKey) []recordKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k recordKey) bool { return len(r.missing(k)) == 0 })
}

// missing are the messages that make a key what it should be.
func (r *Registry) missing(k recordKey) []exchange.Message {
	r.mu.RLock()
	ours, value := r.state.derived[k], r.state.value(k)
	r.mu.RUnlock()
	if !ours {
		return nil
	}
	r.mirror.mu.Lock()
	defer r.mirror.mu.Unlock()
	s := r.mirror.seen[k]
	if value != nil {
		if s != nil && s.digest == sha256.Sum256(value) {
			return nil
		}
		return []exchange.Message{{Topic: Mirror, Key: k.bytes(), Value: value}}
	}
	var tombstones []exchange.Message
	if s != nil {
		for spelling := range s.alive {
			tombstones = append(tombstones, exchange.Message{Topic: Mirror, Key: []byte(spelling)})
		}
	}
	return tombstones
}

// wantAll has every key looked at: what another node may be writing, after a while.
func (r *Registry) wantAll() {
	r.mu.RLock()
	keys := make([]recordKey, 0, len(r.state.derived))
	for k := range r.state.derived {
		keys = append(keys, k)
	}
	r.mu.RUnlock()
	r.mirror.want(r.differing(keys), time.Now().Add(r.patience.others))
}

// catchUp waits until everything that stands in _schemas is seen. Compaction leaves holes at the end, so it writes a record
// that says nothing and waits for that.
func (r *Registry) catchUp(ctx context.Context) error {
	ends, err := r.ends(ctx, Mirror)
	if err != nil || ends[0] == 0 {
		return err
	}
	for {
		msgs := []exchange.Message{{Topic: Mirror, Key: []byte(noop)}}
		if err := r.topics.Append(ctx, Mirror, msgs); err == nil {
			return r.mirror.reach(ctx, msgs[0].Offset+1)
		} else {
			r.log.Warn("_schemas cannot be written", "error", err)
		}
		if err := sleep(ctx, r.patience.retry); err != nil {
			return err
		}
	}
}

func (m *mirror) reach(ctx context.Context, end int64) error {
	return reach(ctx, end, func() (int64, <-chan struct{}) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.next, m.moved
	})
}

// mend writes what differs, whenever something is due.
func (r *Registry) mend(ctx context.Context) error {
	for {
		keys, wait := r.mirror.take(time.Now())
		if len(keys) > 0 {
			if err := r.write(ctx, keys); err != nil && ctx.Err() == nil {
				r.log.Warn("_schemas cannot be written", "records", len(keys), "error", err)
				r.mirror.want(keys, time.Now().Add(r.patience.retry))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-r.mirror.wake:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// take gives the keys that are due now, and how long until the next is.
func (m *mirror) take(now time.Time) ([]recordKey, time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []recordKey
	wait := time.Minute
	for k, at := range m.due {
		if at.After(now) {
			wait = min(wait, at.Sub(now))
			continue
		}
		keys = append(keys, k)
		delete(m.due, k)
	}
	return keys, wait
}

// write appends what is missing of the keys and has it looked at again later, in case another's older message comes after.
func (r *Registry) write(ctx context.Context, keys []recordKey) error {
	var msgs []exchange.Message
	var written []recordKey
	for _, k := range r.ordered(keys) {
		if missing := r.missing(k); len(missing) > 0 {
			msgs, written = append(msgs, missing...), append(written, k)
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	for part := range slices.Chunk(msgs, 100) {
		if err := r.topics.Append(ctx, Mirror, part); err != nil {
			return err
		}
	}
	r.metrics.records.WithLabelValues("written").Add(float64(len(msgs)))
	r.mirror.want(written, time.Now().Add(r.patience.others))
	return nil
}

// ordered sorts keys so that a schema comes after those it refers to.
func (r *Registry) ordered(keys []recordKey) []recordKey {
	type placed struct {
		key   recordKey
		depth int // of references beneath it
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]placed, len(keys))
	depths := map[place]int{}
	for i, k := range keys {
		all[i] = placed{k, r.state.depth(place{k.subject, k.version}, depths)}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.key.kind, b.key.kind), cmp.Compare(a.key.subject, b.key.subject), cmp.Compare(a.key.version, b.key.version))
	})
	sorted := make([]recordKey, len(all))
	for i, p := range all {
		sorted[i] = p.key
	}
	return sorted
}

// depth is how many references lead down from a version at most. A ring, which only a topic taken over can hold, counts once.
func (s *state) depth(at place, known map[place]int) int {
	if d, ok := known[at]; ok {
		return d
	}
	known[at] = 0
	v := s.of(at.subject).version(at.version)
	if v == nil {
		return 0
	}
	deepest := 0
	for _, below := range places(v.References) {
		deepest = max(deepest, 1+s.depth(below, known))
	}
	known[at] = deepest
	return deepest
}

// derive is everything that must stand in _schemas, by key; nil where a tombstone must.
func (s *state) derive() map[string][]byte {
	all := make(map[string][]byte, len(s.derived))
	for k := range s.derived {
		all[string(k.bytes())] = bytes.Clone(s.value(k))
	}
	return all
}
