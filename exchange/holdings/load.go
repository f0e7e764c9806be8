package holdings

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// formatRow is the first row of every index: how its rows are written and under which keys.
type formatRow struct {
	Format int    `json:"format"`
	Salt   []byte `json:"salt"`
	Check  []byte `json:"check"`
}

// indexFormat changes with the meaning of any row. There is no conversion: the index is folded again.
const indexFormat = 2

// unlock gives the secrets that fit the engine's rows, or marks an empty engine as theirs.
func unlock(ctx context.Context, e Engine, keys Keys) (*secrets, error) {
	row, found, err := readFormat(ctx, e)
	if err != nil {
		return nil, err
	}
	if found {
		if row.Format != indexFormat {
			return nil, otherFormat(row.Format)
		}
		s, err := newSecrets(keys, row.Salt)
		if err == nil && !s.fits(row.Check, row.Salt) {
			err = otherKeys()
		}
		return s, err
	}
	row = formatRow{Format: indexFormat, Salt: make([]byte, keySize)}
	rand.Read(row.Salt)
	s, err := newSecrets(keys, row.Salt)
	if err != nil {
		return nil, err
	}
	row.Check = s.check(row.Salt)
	if err := e.Commit(ctx, []Row{{Key: []byte{familyFormat}, Value: encode(row)}}); err != nil {
		return nil, fmt.Errorf("begin index: %w", err)
	}
	return s, nil
}

func readFormat(ctx context.Context, e Engine) (row formatRow, found bool, err error) {
	err = e.Get(ctx, [][]byte{{familyFormat}}, func(_ int, value []byte) error {
		found = true
		if json.Unmarshal(value, &row) != nil { // other formats may have other fields
			return errDamaged
		}
		return nil
	})
	if err != nil {
		return row, false, fmt.Errorf("read format of index: %w", err)
	}
	return row, found, nil
}

// load reads what the index keeps in memory: the places first, because they decide how much of the coverage is needed.
func (x *Index) load(ctx context.Context) error {
	err := x.scan(ctx, []byte{familyPlace}, func(key, value []byte) error {
		topic, partition, ok := readPlaceKey(key)
		p, err := readPlace(value)
		if !ok || err != nil {
			return errDamaged
		}
		x.setPlace(topic, partition, p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load places: %w", err)
	}
	if err := x.loadOrders(ctx); err != nil {
		return fmt.Errorf("load orders to forget: %w", err)
	}
	var speakers []speaker
	err = x.scan(ctx, []byte{familySpeaker}, func(key, _ []byte) error {
		s, ok := readSpeaker(key)
		if !ok {
			return errDamaged
		}
		speakers = append(speakers, s)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load adapters: %w", err)
	}
	for _, s := range speakers {
		if err := x.loadStatements(ctx, s); err != nil {
			return fmt.Errorf("load coverage of %s: %w", s.adapter, err)
		}
		x.publishSources(s.evidence)
	}
	return nil
}

// loadStatements reads the speaker's statements, newest first, down to one that has been folded past.
func (x *Index) loadStatements(ctx context.Context, s speaker) error {
	all := &statements{}
	var failed error
	err := x.engine.Scan(ctx, [][]byte{coveragePrefix(s)}, func(_, value []byte) bool {
		st, err := readStatement(value)
		if err != nil {
			failed = err
			return false
		}
		// Of statements that wait for the same offsets only the newest can ever count.
		if n := len(all.list); n == 0 || !st.waitsLike(&all.list[n-1]) {
			all.list = append(all.list, st)
		}
		return !st.folded(x.progressOf(s)) && len(all.list) < keptStatements
	})
	if err != nil {
		return err
	}
	slices.Reverse(all.list)
	x.speakers[s] = all
	return failed
}

// scan yields every row under the prefix and stops at the first error.
func (x *Index) scan(ctx context.Context, prefix []byte, do func(key, value []byte) error) error {
	var failed error
	err := x.engine.Scan(ctx, [][]byte{prefix}, func(key, value []byte) bool {
		failed = do(key, value)
		return failed == nil
	})
	if err != nil {
		return err
	}
	return failed
}

// setPlace publishes how far a partition was folded. mu must be held, or nobody else know the index yet.
func (x *Index) setPlace(topic string, partition int, p place) {
	if x.places[topic] == nil {
		x.places[topic] = map[int]place{}
	}
	x.places[topic][partition] = p
	next := maps.Clone(x.next[topic])
	if next == nil {
		next = map[int]int64{}
	}
	next[partition] = p.Next
	x.next[topic] = next
}

// encode writes a row that holds no personal data. Its types cannot fail to be written.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("index row %T is not JSON: %v", v, err))
	}
	return b
}

// decode is the way back from encode. It takes nothing that encode does not write.
func decode(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return errDamaged
	}
	if len(bytes.TrimSpace(b[d.InputOffset():])) > 0 {
		return errDamaged
	}
	return nil
}
