package holdings

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// What an order does to the rows.
//
// An order on a record takes all of it: every version, for every holder. An order on a holder takes what the holder sees and the
// holder's token wherever it stands; other holders of a record keep it as it is, the forgotten one's name in its document
// included, for it is their evidence too. Of a version that names nobody else a trace stays, without holder and document: an older
// version that names somebody must not count again because the newer one went.

// forgetRecord deletes all rows of a record.
func (x *Index) forgetRecord(ctx context.Context, b *batch, r record) error {
	traces, err := x.traces(ctx, r)
	if err != nil {
		return err
	}
	var who []token
	for _, t := range traces {
		for _, t := range t.everyone() {
			if !slices.Contains(who, t) {
				who = append(who, t)
			}
		}
	}
	for number, t := range traces {
		for _, t := range who {
			b.delete(viewKey(t, r, number))
		}
		b.delete(recordKey(r, number))
		b.delete(documentKey(r, number))
		b.owe(envelope.EvidenceTopic(r.Type), messageKey(r, number), t.position.Partition)
	}
	if len(traces) > 0 {
		b.purge(recordPrefix(r))
		b.purge(documentPrefix(r))
	}
	for _, t := range who {
		b.purge(holderPrefix(t))
	}
	return nil
}

// forgetHolder deletes all that is about a holder and takes the holder's token out of what is about others too.
func (x *Index) forgetHolder(ctx context.Context, b *batch, who token) error {
	var records []record
	var marks [][]byte
	err := x.scan(ctx, holderPrefix(who), func(key, _ []byte) error {
		key = bytes.Clone(key)
		b.delete(key)
		if evidence, id, _, ok := readView(key[StemSize:]); ok {
			if r := (record{Type: exchange.EvidenceType(evidence), ID: id}); len(records) == 0 || records[len(records)-1] != r {
				records = append(records, r)
			}
			return nil
		}
		marks = append(marks, key)
		return nil
	})
	if err != nil {
		return err
	}
	b.purge(holderPrefix(who))
	for _, r := range records {
		if err := x.forgetNamed(ctx, b, r, who); err != nil {
			return err
		}
	}
	return x.forgetMarks(ctx, b, marks)
}

// forgetNamed takes a holder out of a record's traces.
func (x *Index) forgetNamed(ctx context.Context, b *batch, r record, who token) error {
	traces, err := x.traces(ctx, r)
	if err != nil {
		return err
	}
	x.fresh.forget(r)
	left := false // somebody else is named by some version
	for _, t := range traces {
		left = left || slices.ContainsFunc(t.everyone(), func(t token) bool { return t != who })
	}
	named := func(t token) bool { return t == who }
	for number, t := range traces {
		if !left {
			b.owe(envelope.EvidenceTopic(r.Type), messageKey(r, number), t.position.Partition)
		}
		if !slices.ContainsFunc(t.everyone(), named) {
			continue
		}
		t.holders, t.more = slices.DeleteFunc(t.holders, named), slices.DeleteFunc(t.more, named)
		x.putTrace(b, r, number, &t)
		if len(t.holders) == 0 {
			b.delete(documentKey(r, number))
			b.purge(documentPrefix(r))
		}
	}
	b.purge(recordPrefix(r))
	return nil
}

// forgetMarks takes a holder's marks out of the rows in quarantine that they are about.
func (x *Index) forgetMarks(ctx context.Context, b *batch, marks [][]byte) error {
	rows := map[string]quarantined{} // a row may have several
	for _, key := range marks {
		m, ok := readMark(key[StemSize:])
		if !ok {
			return errDamaged
		}
		department := exchange.Adapter(m.adapter).Department()
		at := quarantineKey(department, m.row)
		q, known := rows[string(at)]
		if !known {
			err := x.engine.Get(ctx, [][]byte{at}, func(_ int, value []byte) (err error) {
				q, err = readQuarantined(value)
				return err
			})
			if err != nil {
				return err
			}
		}
		if !slices.ContainsFunc(q.Marks, func(open []byte) bool { return bytes.Equal(open, key) }) {
			continue // it has left quarantine
		}
		q.Marks = slices.DeleteFunc(slices.Clone(q.Marks), func(open []byte) bool { return bytes.Equal(open, key) })
		rows[string(at)] = q
		if b.put(at, encode(q)); len(q.Marks) == 0 {
			b.owe(envelope.QuarantineTopic(department), m.row[:], m.opened.Partition)
		}
	}
	for at := range rows {
		b.purge([]byte(at))
	}
	return nil
}

// traces reads all of a record's.
func (x *Index) traces(ctx context.Context, r record) (map[exchange.Version]trace, error) {
	all := map[exchange.Version]trace{}
	err := x.scan(ctx, recordPrefix(r), func(key, value []byte) error {
		t, err := x.readTrace(ctx, key, value)
		all[readVersionNumber(key)] = t
		return err
	})
	return all, err
}

func (x *Index) readTrace(ctx context.Context, key, sealed []byte) (trace, error) {
	plain, err := x.unseal(ctx, nil, key, sealed)
	if err != nil {
		return trace{}, err
	}
	return readTrace(plain, &x.names)
}

// messageKey is the key of the message that brought a version.
func messageKey(r record, v exchange.Version) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, len(r.ID)+versionSize), r.ID[:]...), uint64(v))
}

// forgotten refuses a message about a record that must be forgotten, unopened.
func (x *Index) forgotten(b *batch, m *exchange.Message) bool {
	if len(m.Key) != len(exchange.RecordID{})+versionSize {
		return false
	}
	r := record{Type: exchange.EvidenceType(b.of), ID: exchange.RecordID(m.Key)}
	x.mu.RLock()
	covered := x.orders.records[r].covers(m.Time)
	x.mu.RUnlock()
	if covered {
		x.refuse(b, m, erased, nil)
		b.owe(m.Topic, m.Key, m.Partition)
	}
	return covered
}

// Purge frees the engine's files of the bytes of what was forgotten since the last call, and makes durable that it is. Until then
// they are there, sealed and in no reach of any query. It does nothing where there is nothing to do, may be called at any
// time, and does again what a call that was cut off has left.
func (x *Index) Purge(ctx context.Context) error {
	var prefixes [][]byte
	var done []Row
	err := x.scan(ctx, []byte{familyPurge}, func(key, _ []byte) error {
		prefix, ok := readPurge(key)
		if !ok {
			return damaged(errDamaged)
		}
		prefixes = append(prefixes, bytes.Clone(prefix))
		done = append(done, Row{Key: bytes.Clone(key), Delete: true})
		return nil
	})
	if err == nil && len(done) > 0 {
		slices.SortFunc(prefixes, bytes.Compare)
		err = x.engine.Purge(ctx, slices.CompactFunc(prefixes, bytes.Equal))
	}
	if err == nil && len(done) > 0 {
		err = x.engine.Commit(ctx, done)
	}
	if err != nil {
		return fmt.Errorf("purge what was forgotten: %w", err)
	}
	return nil
}
