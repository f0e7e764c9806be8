package audit

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

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
	refused := entry()
	refused.Decision, refused.Refusal, refused.Materials, refused.Inputs = Refused, "YM-QRY-0201", nil, exchange.Inputs{}
	for name, e := range map[string]Entry{
		"query": entry(), "six materials": sixMaterials(), "told": told, "refused": refused,
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
	r, k, _, _ := kept(t, entry())
	if e := r.all[string(k)].entry; e.Holder != (exchange.Holder{}) || e.Told != nil || e.Stating != nil {
		t.Errorf("%+v", e)
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

// TestRecentIsBounded while nothing comes back.
func TestRecentIsBounded(t *testing.T) {
	r := &Recent{}
	l, err := New(Config{Appender: &fakeTopic{err: errors.New("Kafka is away")}, Keys: always(Keys{Token: key}), Recent: r})
	if err != nil {
		t.Fatal(err)
	}
	for range mostRecent + 10 {
		l.Append(t.Context(), entry())
	}
	if len(r.all) > mostRecent || len(r.all) == 0 {
		t.Errorf("%d are kept", len(r.all))
	}
}

func FuzzRecent(f *testing.F) {
	f.Add("w3-017", "LL-2026-1123-0041", "food-licence-new", "business-licence", "held", "no_record", "00ff", "c0ffee", "verify", "q83v/+", int64(0))
	f.Add("w", "张<\"\\\u2028", "", "\xff", "", "", "", "\x00", "", "", int64(-1))
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
