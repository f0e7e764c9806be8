package audit

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/onedoor/yimen/exchange"
)

// kept appends an entry with somewhere to keep it; ok: it was appended.
func kept(t testing.TB, e Entry) (r *Recent, k, v []byte, ok bool) {
	t.Helper()
	topic, r := &fakeTopic{}, &Recent{}
	l, err := New(Config{Appender: topic, Keys: always(Keys{Token: key}), Clock: func() time.Time { return noon }, Recent: r})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), e); err != nil {
		return r, nil, nil, false
	}
	return r, topic.msgs[0].Key, topic.msgs[0].Value, true
}

// TestRecentIsReadAsSkimmed: every node must make the same of a message, whether it wrote it or not.
func TestRecentIsReadAsSkimmed(t *testing.T) {
	told := entry()
	told.Told, told.Stating = []byte(`[{"outcome":"held"}]`), []byte("stated")
	escaped := entry()
	escaped.Materials[0].Reason, escaped.Materials[0].Evidence[0].Record, escaped.Catalogue = "张<\"\\\u2028", "\t", "醴陵"
	now := entry()
	now.Evaluated, now.Chosen, now.Parties, now.Only, now.Mode = time.Now(), map[exchange.EvidenceType]exchange.RecordID{}, map[exchange.Role]Party{}, "business-licence", "verify"
	nothing := entry()
	nothing.Materials = []Material{}
	refused := entry()
	refused.Decision, refused.Refusal, refused.Materials, refused.Inputs = Refused, "YM-QRY-0201", nil, exchange.Inputs{}
	for name, e := range map[string]Entry{
		"query": entry(), "six materials": sixMaterials(), "told": told, "escaped": escaped, "evaluated now": now, "no materials": nothing, "refused": refused,
		"rejection": {Kind: Rejection, Decision: Refused, Refusal: "replayed", Department: "scjg", Nonce: "q83v/+=~"},
		"access":    {Kind: Access, Department: "zwfw", Clerk: "w3-017", Decision: Answered, Holder: holder},
		"act":       {Kind: Act, Clerk: "admin-1", Act: "revoke", Target: "spiffe://liling/dept/scjg/clerk/w3-017"},
	} {
		r, k, v, _ := kept(t, e)
		want, err := Skim(k, v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(r.all) != 1 {
			t.Errorf("%s: not kept", name)
		}
		for again := range 2 { // the second time it is read
			if got, _ := r.Read(k, v).(*Entry); !reflect.DeepEqual(got, &want) {
				t.Errorf("%s, %d:\n%+v\n%+v", name, again, got, want)
			}
			if len(r.all) != 0 {
				t.Errorf("%s: still kept", name)
			}
		}
	}
}

// TestRecentHoldsNobody: what a query was about does not stay in memory for longer than the query.
func TestRecentHoldsNobody(t *testing.T) {
	asked := entry()
	asked.Told, asked.Stating = []byte("[]"), []byte("stated")
	r, k, _, _ := kept(t, asked)
	e := r.all[string(k)].entry
	if e.Holder != (exchange.Holder{}) || e.Told != nil || e.Stating != nil || !e.Inputs.IsZero() {
		t.Errorf("%+v", e)
	}
	if unsafe.StringData(e.Case) == unsafe.StringData(asked.Case) {
		t.Error("a part of the request is kept")
	}
}

// TestRecentKeepsNoParties nor records that were chosen: such entries are read.
func TestRecentKeepsNoParties(t *testing.T) {
	of, chosen := entry(), entry()
	of.Parties = map[exchange.Role]Party{exchange.Spouse: {Holder: holder}}
	chosen.Chosen = map[exchange.EvidenceType]exchange.RecordID{"business-licence": {1}}
	for name, e := range map[string]Entry{"parties": of, "chosen": chosen} {
		r, k, v, ok := kept(t, e)
		want, err := Skim(k, v)
		if got, _ := r.Read(k, v).(*Entry); !ok || err != nil || len(r.all) != 0 || !reflect.DeepEqual(got, &want) {
			t.Errorf("%s: %v, %d kept", name, err, len(r.all))
		}
	}
}

// TestRecentTakesNothingForItsOwn that is not byte for byte what it wrote.
func TestRecentTakesNothingForItsOwn(t *testing.T) {
	forged := func(v []byte) []byte { return []byte(strings.Replace(string(v), "w3-017", "w3-018", 1)) }
	r, k, v, _ := kept(t, entry())
	if e, _ := r.Read(k, forged(v)).(*Entry); e == nil || e.Clerk != "w3-018" {
		t.Errorf("read as %+v", e)
	}
	if e := r.Read(k, []byte("{}")); e != nil {
		t.Errorf("read as %+v", e)
	}
}

// TestRecentForgetsWhatMayNotBeThere: an entry that was not acknowledged is not kept, and neither are more than a bound of those that were.
func TestRecentForgetsWhatMayNotBeThere(t *testing.T) {
	for name, away := range map[string]error{"acknowledged": nil, "not acknowledged": errors.New("Kafka is away")} {
		r := &Recent{}
		l, err := New(Config{Appender: &fakeTopic{err: away}, Keys: always(Keys{Token: key}), Recent: r})
		if err != nil {
			t.Fatal(err)
		}
		for range mostRecent + 10 {
			l.Append(t.Context(), entry())
		}
		if n := len(r.all); n > mostRecent || (n == 0) != (away != nil) {
			t.Errorf("%s: %d are kept", name, n)
		}
	}
}

// TestRecentOfManyAtOnce: entries come back while others are appended.
func TestRecentOfManyAtOnce(t *testing.T) {
	r := &Recent{}
	back := make(chan exchange.Message)
	l, err := New(Config{Appender: toChannel(back), Keys: always(Keys{Token: key}), Recent: r})
	if err != nil {
		t.Fatal(err)
	}
	var asking, reading sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 50 {
				if _, err := l.Append(t.Context(), entry()); err != nil {
					t.Error(err)
				}
			}
		})
		reading.Go(func() {
			for m := range back {
				if e, _ := r.Read(m.Key, m.Value).(*Entry); e == nil || e.ID != string(m.Key) {
					t.Errorf("%s is read as %+v", m.Key, e)
				}
			}
		})
	}
	asking.Wait()
	close(back)
	reading.Wait()
	if len(r.all) != 0 {
		t.Errorf("%d are kept", len(r.all))
	}
}

// toChannel hands on what is appended before that is acknowledged.
type toChannel chan<- exchange.Message

func (c toChannel) Append(_ context.Context, _ string, msgs []exchange.Message) error {
	for _, m := range msgs {
		c <- m
	}
	return nil
}

func FuzzRecent(f *testing.F) {
	f.Add("w3-017", "LL-2026-1123-0041", "food-licence-new", "business-licence", "held", "no_record", "00ff", "c0ffee", "verify", "q83v/+", int64(0))
	f.Add("w", "LL-1.1/1", "a", "张<\"\\\u2028", "\x00", "é", "\t", "\ufffd", "", "+=~", int64(-1))
	f.Fuzz(func(t *testing.T, clerk, matter, item, material, outcome, reason, record, catalogue, mode, nonce string, evaluated int64) {
		e := entry()
		e.Clerk, e.Case, e.Item, e.Catalogue, e.Mode, e.Nonce, e.Evaluated = clerk, matter, exchange.Item(item), catalogue, mode, nonce, time.Unix(0, evaluated).UTC()
		e.Materials[0].Material, e.Materials[0].Outcome, e.Materials[0].Reason, e.Materials[0].Evidence[0].Record = material, exchange.Outcome(outcome), exchange.Reason(reason), record
		r, k, v, ok := kept(t, e)
		if !ok {
			return
		}
		want, err := Skim(k, v)
		if got, _ := r.Read(k, v).(*Entry); err != nil || !reflect.DeepEqual(got, &want) {
			t.Errorf("%v\n%+v\n%+v", err, got, want)
		}
	})
}
