package holdings_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
)

// posing makes messages that name scjg/licences as their author and that mzj's adapter signs.
func posing(w *world, m exchange.Message) exchange.Message {
	m.Headers = m.Headers[:len(m.Headers)-1]
	return w.signed(w.sealer("mzj/licences").Batch(), m)
}

func unsigned(m exchange.Message) exchange.Message {
	m.Headers = m.Headers[:len(m.Headers)-1]
	return m
}

// TestWhoPublishedItIsProved has a message for each way to publish what one may not: each is refused and counted, and what the
// index answered before, it answers after.
func TestWhoPublishedItIsProved(t *testing.T) {
	row := [16]byte{5}
	stated := statement{of: licence, natural: company(1), version: 7, holders: []string{company(1)}, name: "x"}
	rejected := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: row, Code: "YM-ID-0101", Holders: []exchange.Holder{holder(company(2))}, At: noon}
	newer := stated
	newer.version, newer.name = 8, "y"
	other := stated
	other.name = "y"
	foreign := newer
	foreign.adapter = "mzj/licences"
	change := func(by exchange.Adapter, change func(*envelope.Signatory)) func(*world) {
		return func(w *world) { w.city.Change(by, change) }
	}
	type sender = func(*world) exchange.Message
	for name, attack := range map[string]struct {
		send   sender
		before func(*world) // what happens first
		reason holdings.Reason
	}{
		"record, not signed":                {send: func(w *world) exchange.Message { return unsigned(w.seal(newer)) }, reason: "not_signed"},
		"record in the keeper's name":       {send: func(w *world) exchange.Message { return posing(w, w.seal(newer)) }, reason: "not_signed"},
		"record of another department":      {send: func(w *world) exchange.Message { return w.seal(foreign) }, reason: "not_keeper"},
		"old version with other content":    {send: func(w *world) exchange.Message { return w.seal(other) }, reason: "conflicting_content"},
		"record with another one's content": {send: func(w *world) exchange.Message { m := w.seal(newer); m.Value = w.seal(stated).Value; return m }, reason: "not_signed"},
		"record of another exchange": {send: func(w *world) exchange.Message {
			stranger := newWorld(w.t)
			return stranger.seal(newer)
		}, reason: "not_signed"},
		"certificate over when it signed": {send: func(w *world) exchange.Message { return w.seal(newer) },
			before: change("scjg/licences", func(s *envelope.Signatory) { s.Until = noon.Add(-time.Hour) }), reason: "not_signed"},
		"certificate not begun": {send: func(w *world) exchange.Message { return w.seal(newer) },
			before: change("scjg/licences", func(s *envelope.Signatory) { s.From = noon.Add(time.Hour) }), reason: "not_signed"},
		"certificate revoked": {send: func(w *world) exchange.Message { return w.seal(newer) },
			before: change("scjg/licences", func(s *envelope.Signatory) { s.Revoked = noon }), reason: "not_signed"},
		"statement, not signed": {send: func(w *world) exchange.Message { return unsigned(w.heartbeat(said(9, 0))) }, reason: "not_signed"},
		"statement in the keeper's name": {send: func(w *world) exchange.Message {
			return posing(w, w.heartbeat(said(9, 0)))
		}, reason: "not_signed"},
		"statement changed": {send: func(w *world) exchange.Message {
			m := w.heartbeat(said(9, 0))
			m.Value = bytes.Replace(m.Value, []byte(`"unreadable":0`), []byte(`"unreadable":9`), 1)
			return m
		}, reason: "not_signed"},
		"statement of a revoked certificate": {send: func(w *world) exchange.Message { return w.heartbeat(said(9, 0)) },
			before: change("scjg/licences", func(s *envelope.Signatory) { s.Revoked = noon }), reason: "not_signed"},
		"bare tombstone": {send: func(*world) exchange.Message {
			return exchange.Message{Topic: "quarantine.scjg", Key: row[:]}
		}, reason: "not_opened"},
		"tombstone, not signed":          {send: func(w *world) exchange.Message { return unsigned(w.resolution("scjg/licences", row)) }, reason: "not_signed"},
		"tombstone in the keeper's name": {send: func(w *world) exchange.Message { return posing(w, w.resolution("scjg/licences", row)) }, reason: "not_signed"},
		"tombstone of another department": {send: func(w *world) exchange.Message {
			batch := w.sealer("mzj/licences").Batch()
			m := batch.Resolution(row, noon)
			m.Topic = "quarantine.scjg"
			return w.signed(batch, m)
		}, reason: "not_signed"},
		"tombstone of another row": {send: func(w *world) exchange.Message {
			m := w.resolution("scjg/licences", [16]byte{6})
			m.Key = row[:]
			return m
		}, reason: "not_signed"},
		"row, not signed": {send: func(w *world) exchange.Message {
			r := rejected
			r.Holders = nil
			return unsigned(w.rejection(r))
		}, reason: "not_signed"},
		"row in the keeper's name": {send: func(w *world) exchange.Message { return posing(w, w.rejection(rejected)) }, reason: "not_signed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.state(stated)
			w.fold(w.rejection(rejected), w.heartbeat(said(1, 1)))
			before := w.answers()
			if attack.before != nil {
				attack.before(w)
			}
			w.fold(attack.send(w))
			if after := w.answers(); !reflect.DeepEqual(after, before) {
				t.Errorf("answers %+v, before %+v", after, before)
			}
			if refused := w.index.Counts().Refused; len(refused) != 1 || refused[attack.reason] != 1 {
				t.Errorf("refused %v, want one %s", refused, attack.reason)
			}
		})
	}
}

// answers is what is found of the two companies, but for the doubt that a refused version of a record leaves.
func (w *world) answers() []any {
	var all []any
	for _, n := range []int{1, 2} {
		found := w.find(company(n), licence)
		for _, r := range found.Records {
			all = append(all, r.ID, r.Version, string(r.Payload))
		}
		for _, s := range found.Sources {
			all = append(all, s.Folded, s.Coverage, n == 2 && s.HolderQuarantined)
		}
	}
	return all
}

// TestAnyBitOfAnythingSigned flips a bit in every field of a record, a row, a tombstone and a statement.
func TestAnyBitOfAnythingSigned(t *testing.T) {
	w := newWorld(t)
	row := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{5}, Code: "YM-ID-0101", Holders: []exchange.Holder{holder(company(2))}, At: noon}
	w.fold(w.rejection(row))
	refused := int64(0)
	for _, m := range []exchange.Message{w.seal(statement{of: licence, natural: company(1), version: 7, holders: []string{company(1)}}), w.rejection(row),
		w.resolution("scjg/licences", row.Row), w.heartbeat(said(1, 0))} {
		for _, field := range fields(&m) {
			for _, at := range []int{0, len(field(&m)) / 2, len(field(&m)) - 1} {
				changed := m
				changed.Key, changed.Value, changed.Headers = bytes.Clone(m.Key), bytes.Clone(m.Value), slices.Clone(m.Headers)
				for h := range changed.Headers {
					changed.Headers[h].Value = bytes.Clone(m.Headers[h].Value)
				}
				field(&changed)[at] ^= 1
				w.fold(changed)
				refused++
			}
		}
	}
	got := int64(0)
	for _, n := range w.index.Counts().Refused {
		got += n
	}
	if got != refused || refused < 100 {
		t.Errorf("refused %d of %d: %v", got, refused, w.index.Counts())
	}
	if found := w.find(company(1), licence); len(found.Records) != 0 || len(found.Sources) != 0 {
		t.Errorf("found %+v", found)
	}
}

// fields are the parts of a message that are not empty, but for the topic, and for a tombstone's key: one that is of another row, where
// nothing stands, is nothing to refuse.
func fields(m *exchange.Message) []func(*exchange.Message) []byte {
	var all []func(*exchange.Message) []byte
	if len(m.Value) > 0 {
		all = append(all, func(m *exchange.Message) []byte { return m.Key }, func(m *exchange.Message) []byte { return m.Value })
	}
	for h := range m.Headers {
		all = append(all, func(m *exchange.Message) []byte { return m.Headers[h].Value })
	}
	return all
}

// TestResolutionSentAgainFreesNothing: whoever can write to the topic can write a tombstone there once more that was good once.
func TestResolutionSentAgainFreesNothing(t *testing.T) {
	w := newWorld(t)
	row := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{5}, Code: "YM-ID-0101", Holders: []exchange.Holder{holder(company(2))}, At: noon}
	sent := 0
	quarantined := func(want bool, what string, msgs ...exchange.Message) {
		t.Helper()
		w.fold(msgs...)
		sent++
		rests := said(sent, 0)
		rests.Rejected = map[int]int64{0: w.ends["quarantine.scjg"][0]}
		w.fold(w.heartbeat(rests))
		if got := w.find(company(2), licence).Sources[0].HolderQuarantined; got != want {
			t.Errorf("%s: %v", what, got)
		}
		w.restart()
	}
	first, freed, second := w.rejection(row), w.resolution("scjg/licences", row.Row), w.rejection(row)
	quarantined(true, "rejected", first)
	quarantined(false, "resolved", freed)
	quarantined(false, "both sent again after a crash", freed)
	quarantined(true, "rejected again", second)
	quarantined(true, "resolution sent again", freed)
	unreadable := row
	unreadable.Holders = nil
	late := w.resolution("scjg/licences", row.Row)
	quarantined(true, "and told once more", w.rejection(unreadable))
	quarantined(true, "resolution of before that", late)
	if c := w.index.Counts(); fmt.Sprint(c.Refused) != "map[sent_again:2]" || c.Duplicates != 1 {
		t.Errorf("counts %+v", c)
	}
	quarantined(false, "resolved in the end", w.resolution("scjg/licences", row.Row))
	// Within one batch the order is that of the messages.
	batch := w.sealer("scjg/licences").Batch()
	again, err := batch.Rejection(row)
	if err != nil {
		t.Fatal(err)
	}
	both := []exchange.Message{batch.Resolution(row.Row, noon), again}
	if err := batch.Sign(both); err != nil {
		t.Fatal(err)
	}
	quarantined(true, "resolved, then rejected in one batch", both...)
	quarantined(true, "its resolution sent again", both[0])
}
