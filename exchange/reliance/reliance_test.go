package reliance

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/folded"
)

// topic is the audit topic, in memory.
type topic struct{ msgs []exchange.Message }

func (t *topic) Append(_ context.Context, _ string, msgs []exchange.Message) error {
	for i := range msgs {
		msgs[i].Offset = int64(len(t.msgs))
		t.msgs = append(t.msgs, msgs[i])
	}
	return nil
}

// logged is a topic with entries.
func logged(t *testing.T, entries ...audit.Entry) *topic {
	t.Helper()
	to := &topic{}
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	log, err := audit.New(audit.Config{Appender: to, Clock: func() time.Time { at = at.Add(time.Minute); return at },
		Keys: func(context.Context) (audit.Keys, error) { return audit.Keys{Token: bytes.Repeat([]byte{7}, 32)}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := log.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// answered is an entry for a case that was told of records.
func answered(matter string, outcome exchange.Outcome, records ...exchange.RecordID) audit.Entry {
	e := audit.Entry{Department: "xzsp", Clerk: "0017", Case: matter, Item: "food-licence-new", Decision: audit.Answered, Catalogue: "c",
		Holder: exchange.Holder{Kind: exchange.Person, Number: "11010519491231002X"}, Evaluated: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
	m := audit.Material{Material: "business-licence", Outcome: outcome}
	for _, id := range records {
		m.Evidence = append(m.Evidence, audit.Evidence{Type: "business-licence", Outcome: outcome, Record: id.String(), Version: 3})
	}
	e.Materials = []audit.Material{m}
	return e
}

func opened(t *testing.T, c Config) *Book {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	b, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var licence, permit = exchange.RecordID{1, 0, 2}, exchange.RecordID{1, 0, 3}

func TestWhoReliedOnARecord(t *testing.T) {
	refused := answered("LL-5", exchange.Held, licence)
	refused.Decision, refused.Refusal = audit.Refused, "YM-QRY-0401"
	log := logged(t, answered("LL-1", exchange.Held, licence, permit), answered("LL-2", exchange.Check, licence), answered("LL-3", exchange.Supply, licence),
		answered("LL-4", exchange.Held, permit), refused)
	b := opened(t, Config{})
	defer b.Close()
	if err := b.Take(t.Context(), append(log.msgs, exchange.Message{Offset: 5, Key: []byte("x"), Value: []byte("{")})); err != nil {
		t.Fatal(err)
	}
	who, err := b.Relied(t.Context(), licence)
	if err != nil || len(who) != 2 || who[0].Case != "LL-1" || who[1].Case != "LL-2" {
		t.Fatalf("relied on the licence: %v, %v", who, err)
	}
	want := Reliance{Entry: string(log.msgs[0].Key), At: time.Date(2026, 11, 23, 2, 1, 0, 0, time.UTC), Department: "xzsp", Case: "LL-1", Clerk: "0017",
		Type: "business-licence", Record: licence, Version: 3}
	if who[0] != want {
		t.Errorf("got %+v, want %+v", who[0], want)
	}
	if known, err := b.Known(t.Context(), []exchange.RecordID{{9}, permit, licence, {}}); len(known) != 2 || known[0] != permit || known[1] != licence || err != nil {
		t.Errorf("known: %v, %v", known, err)
	}
	for matter, want := range map[string]int{"LL-1": 2, "LL-2": 1, "LL-3": 0, "LL": 0, "LL-12345678901": 0} {
		if records, err := b.OfCase(t.Context(), "xzsp", matter); len(records) != want || err != nil {
			t.Errorf("%s relied on %v, %v", matter, records, err)
		}
	}
	if b.Next() != 6 {
		t.Errorf("next is %d", b.Next())
	}
}

// A case whose number is of such a length that a record's id would end where its row begins.
func TestEveryLengthOfCase(t *testing.T) {
	var entries []audit.Entry
	for n := 4; n <= 64; n++ {
		entries = append(entries, answered(strings.Repeat("A", n), exchange.Held, licence))
	}
	b := opened(t, Config{})
	defer b.Close()
	if err := b.Take(t.Context(), logged(t, entries...).msgs); err != nil {
		t.Fatal(err)
	}
	if err := b.rows.DB.Flush(); err != nil { // filters are of files only
		t.Fatal(err)
	}
	for n := 4; n <= 64; n++ {
		if records, err := b.OfCase(t.Context(), "xzsp", strings.Repeat("A", n)); len(records) != 1 || err != nil {
			t.Errorf("case of %d characters: %v, %v", n, records, err)
		}
	}
}

// Kafka repeats messages after lost connections, and two materials can rest on one record.
func TestWhatStandsTwiceIsOne(t *testing.T) {
	twice := answered("LL-1", exchange.Held, licence)
	twice.Materials = append(twice.Materials, twice.Materials[0])
	msgs := logged(t, twice).msgs
	again := msgs[0]
	again.Offset = 1
	b := opened(t, Config{})
	defer b.Close()
	if err := b.Take(t.Context(), append(msgs, again)); err != nil {
		t.Fatal(err)
	}
	who, err := b.Relied(t.Context(), licence)
	records, caseErr := b.OfCase(t.Context(), "xzsp", "LL-1")
	if len(who) != 1 || len(records) != 1 || err != nil || caseErr != nil {
		t.Errorf("relied %v, %v; records %v, %v", who, err, records, caseErr)
	}
}

// Whoever can write to the topic must not be able to hide what others relied on.
func TestForgedEntryHidesNothing(t *testing.T) {
	msgs := logged(t, answered("LL-1", exchange.Held, licence), answered("LL-1", exchange.Held, licence, permit)).msgs
	msgs[1].Value = bytes.Replace(msgs[1].Value, []byte(`{"type":"business-licence"`), []byte(`{"type":"a\u0000b"`), 1)
	b := opened(t, Config{})
	defer b.Close()
	if err := b.Take(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
	who, err := b.Relied(t.Context(), licence)
	records, caseErr := b.OfCase(t.Context(), "xzsp", "LL-1")
	if len(who) != 1 || len(records) != 2 || err != nil || caseErr != nil {
		t.Errorf("relied %v, %v; records %v, %v", who, err, records, caseErr)
	}
}

// What could not be told comes again, and a restart goes on where the last one ended.
func TestNothingIsLostOnTheWay(t *testing.T) {
	log := logged(t, answered("LL-1", exchange.Held, licence), answered("LL-2", exchange.Held, permit))
	dir, failing, told := t.TempDir(), errors.New("no"), []string{}
	learnt := func(_ context.Context, all []Reliance) error {
		for _, r := range all {
			told = append(told, r.Case)
		}
		return failing
	}
	b := opened(t, Config{Dir: dir, Learnt: learnt})
	if err := b.Take(t.Context(), log.msgs[:1]); !errors.Is(err, failing) || b.Next() != 0 {
		t.Fatalf("error %v, next %d", err, b.Next())
	}
	failing = nil
	if err := b.Take(t.Context(), log.msgs[:1]); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = opened(t, Config{Dir: dir, Learnt: learnt})
	if b.Next() != 1 {
		t.Fatalf("next after the restart is %d", b.Next())
	}
	if err := b.Take(t.Context(), log.msgs); err != nil { // from the beginning, as Follow may
		t.Fatal(err)
	}
	if got := strings.Join(told, " "); got != "LL-1 LL-1 LL-2" {
		t.Errorf("told %s", got)
	}
	if who, err := b.Relied(t.Context(), licence); len(who) != 1 || err != nil {
		t.Errorf("relied: %v, %v", who, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		if content, _ := os.ReadFile(f); bytes.Contains(content, []byte("11010519491231002X")) {
			t.Errorf("%s holds a number", f)
		}
	}
}

// TestAnotherFormatIsFoldedAgain: what an older version has written is not read as if it were of this one.
func TestAnotherFormatIsFoldedAgain(t *testing.T) {
	asked := answered("LL-1", exchange.Held, licence)
	asked.Mode = "predicates"
	log, dir := logged(t, asked), t.TempDir()
	old, err := folded.Open(folded.Config{Dir: dir, Of: "reliances", Format: rowFormat - 1, Order: order(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.Commit([]folded.Row{{Key: append(recordPrefix(licence), "of old"...)}}, 1), old.Close()); err != nil {
		t.Fatal(err)
	}
	b := opened(t, Config{Dir: dir})
	defer b.Close()
	if b.Next() != 0 {
		t.Fatalf("goes on at %d", b.Next())
	}
	if err := b.Take(t.Context(), log.msgs); err != nil {
		t.Fatal(err)
	}
	if who, err := b.Relied(t.Context(), licence); err != nil || len(who) != 1 || who[0].Mode != "predicates" {
		t.Errorf("relied: %+v, %v", who, err)
	}
}

func FuzzReadEntry(f *testing.F) {
	r := Reliance{Entry: audit.FirstID(time.Unix(0, 0)), At: time.Unix(0, 0).UTC(), Department: "xzsp", Case: "LL-1", Clerk: "0017", Type: "x", Record: licence, Version: 2, Mode: "verify"}
	other := r
	other.Record, other.Type = permit, "y"
	f.Add(valueOf([]Reliance{r}))
	f.Add(valueOf([]Reliance{r, other}))
	f.Fuzz(func(t *testing.T, value []byte) {
		if all, err := readEntry(value); err == nil {
			if again, err := readEntry(valueOf(all)); err != nil || !slices.Equal(again, all) {
				t.Errorf("%+v came back as %+v, %v", all, again, err)
			}
		}
	})
}
