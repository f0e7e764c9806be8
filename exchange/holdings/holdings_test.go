package holdings_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
)

func TestFoundRecordIsAsStated(t *testing.T) {
	w := newWorld(t)
	s := statement{of: licence, natural: company(1), version: 3, holders: []string{company(1)}, name: "醴陵瓷厂"}
	w.state(s)
	found := w.find(company(1), licence)
	schema, _ := w.schemas.ByType(licence)
	want := []exchange.Record{{Type: licence, ID: w.sealer("scjg/licences").RecordID(licence, company(1)), Version: 3, Keeper: "scjg",
		Adapter: "scjg/licences", Schema: schema.ID, Status: exchange.Valid, Until: "2053-05-17", AsOf: at(3),
		Holders: []exchange.Holder{holder(company(1))}, Payload: document(s)}}
	if !reflect.DeepEqual(found.Records, want) {
		t.Errorf("found %+v\nwant %+v", found.Records, want)
	}
	if got := found.Inputs.Next("evidence.business-licence"); !reflect.DeepEqual(got, map[int]int64{0: 1}) {
		t.Errorf("inputs %v", found.Inputs)
	}
}

// TestWhatIsFound folds versions one after the other and asks for holders.
func TestWhatIsFound(t *testing.T) {
	a, b, c := citizen(1), citizen(2), citizen(3)
	wed := func(version int, name string, holders ...string) statement {
		return statement{of: marriage, natural: "J430281-2018-000001", version: version, name: name, holders: holders}
	}
	for name, row := range map[string]struct {
		folded []statement
		found  map[string]string
	}{
		"nothing":                    {nil, map[string]string{a: ""}},
		"several holders":            {[]statement{wed(1, "x", a, b)}, map[string]string{a: "marriage-certificate@1 valid 12:01", b: "marriage-certificate@1 valid 12:01", c: ""}},
		"newest version":             {[]statement{wed(1, "x", a), wed(2, "y", a)}, map[string]string{a: "marriage-certificate@2 valid 12:02"}},
		"old version afterwards":     {[]statement{wed(2, "y", a), wed(1, "x", a)}, map[string]string{a: "marriage-certificate@2 valid 12:02"}},
		"equal content, newer":       {[]statement{wed(1, "x", a), wed(5, "x", a)}, map[string]string{a: "marriage-certificate@5 valid 12:05"}},
		"same again":                 {[]statement{wed(1, "x", a), wed(1, "x", a)}, map[string]string{a: "marriage-certificate@1 valid 12:01"}},
		"corrected holder":           {[]statement{wed(1, "x", a, b), wed(2, "x", a, c)}, map[string]string{a: "marriage-certificate@2 valid 12:02", b: "", c: "marriage-certificate@2 valid 12:02"}},
		"old holder afterwards":      {[]statement{wed(2, "x", c), wed(1, "x", a)}, map[string]string{a: "", c: "marriage-certificate@2 valid 12:02"}},
		"version zero afterwards":    {[]statement{wed(1, "x", a), wed(0, "y", a)}, map[string]string{a: "marriage-certificate@1 valid 12:01"}},
		"withdrawn":                  {[]statement{wed(1, "x", a, b), wed(2, "")}, map[string]string{a: "marriage-certificate@2 withdrawn 12:02", b: "marriage-certificate@2 withdrawn 12:02"}},
		"withdrawn before stated":    {[]statement{wed(2, ""), wed(1, "x", a)}, map[string]string{a: "marriage-certificate@2 withdrawn 12:02"}},
		"withdrawn twice":            {[]statement{wed(1, "x", a), wed(2, ""), wed(3, "")}, map[string]string{a: "marriage-certificate@3 withdrawn 12:03"}},
		"withdrawn after correction": {[]statement{wed(1, "x", a), wed(2, "x", b), wed(3, "")}, map[string]string{a: "", b: "marriage-certificate@3 withdrawn 12:03"}},
		"stated again":               {[]statement{wed(1, "x", a), wed(2, ""), wed(3, "x", b)}, map[string]string{a: "", b: "marriage-certificate@3 valid 12:03"}},
		"withdrawn, never stated":    {[]statement{wed(1, "")}, map[string]string{a: ""}},
		"conflicting content":        {[]statement{wed(1, "x", a), wed(1, "y", b)}, map[string]string{a: "marriage-certificate@1 valid 12:01", b: ""}},
		"conflicting withdrawal":     {[]statement{wed(1, "x", a), wed(1, "")}, map[string]string{a: "marriage-certificate@1 valid 12:01"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.state(row.folded...)
			for range 2 {
				for number, want := range row.found {
					if got := w.records(number); got != want {
						t.Errorf("found %q, want %q", got, want)
					}
				}
				w.restart()
			}
			if n := w.index.Counts().Refused["conflicting_content"]; (n > 0) != strings.HasPrefix(name, "conflicting") {
				t.Errorf("%d conflicts", n)
			}
		})
	}
}

func TestOnlyAskedTypesAreFound(t *testing.T) {
	w := newWorld(t)
	w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "a"})
	if got := w.find(company(1), food, marriage); len(got.Records) != 0 {
		t.Errorf("found %d records", len(got.Records))
	}
	if got := w.find(company(1), licence, licence); len(got.Records) != 1 {
		t.Errorf("found %d records of a type asked twice", len(got.Records))
	}
	if got := w.find(company(1)); len(got.Records) != 0 || !got.Inputs.IsZero() {
		t.Errorf("found %+v", got)
	}
}

// TestRefused has a message for each reason, and looks whether folding goes on.
func TestRefused(t *testing.T) {
	good := statement{of: licence, natural: company(9), version: 1, holders: []string{company(9)}, name: "x"}
	number := citizen(1)
	payload := func(w *world, of exchange.EvidenceType, schemaOf exchange.EvidenceType, doc string) exchange.Message {
		schema, _ := w.schemas.ByType(schemaOf)
		a := w.adapter(of)
		return w.draft(a, envelope.Draft{Type: of, ID: w.sealer(a).RecordID(of, "n"), Version: 1, Schema: schema.ID, Payload: []byte(doc), At: noon}, 0)
	}
	for name, row := range map[string]struct {
		message func(*world) exchange.Message
		reason  holdings.Reason
	}{
		"damaged":        {func(w *world) exchange.Message { m := w.seal(good); m.Value[40] ^= 1; return m }, "not_signed"},
		"empty value":    {func(w *world) exchange.Message { m := w.seal(good); m.Value = []byte{}; return m }, "not_signed"},
		"no headers":     {func(w *world) exchange.Message { m := w.seal(good); m.Headers = nil; return m }, "not_opened"},
		"moved":          {func(w *world) exchange.Message { m := w.seal(good); m.Topic = "evidence.food-licence"; return m }, "not_signed"},
		"not the keeper": {func(w *world) exchange.Message { s := good; s.adapter = "mzj/licences"; return w.seal(s) }, "not_keeper"},
		"nobody keeps it": {func(w *world) exchange.Message {
			s, _ := w.schemas.ByType(licence)
			return w.draft("scjg/licences", envelope.Draft{Type: "fishing-licence", Version: 1, Schema: s.ID, Payload: []byte("{}"), At: noon}, 0)
		}, "not_keeper"},
		"unknown schema": {func(w *world) exchange.Message {
			return w.draft("scjg/licences", envelope.Draft{Type: licence, Version: 1, Schema: "00000000-0000-0000-0000-000000000001", Payload: []byte("{}"), At: noon}, 0)
		}, "unknown_schema"},
		"schema of another type": {func(w *world) exchange.Message {
			return payload(w, licence, marriage, `{"spouses":[{"number":"`+number+`"}]}`)
		}, "unknown_schema"},
		"not JSON":      {func(w *world) exchange.Message { return payload(w, licence, licence, number) }, "unreadable_facts"},
		"no holder":     {func(w *world) exchange.Message { return payload(w, licence, licence, `{"name":"`+number+`"}`) }, "unreadable_facts"},
		"wrong number":  {func(w *world) exchange.Message { return payload(w, licence, licence, `{"creditCode":"`+number+`1"}`) }, "unreadable_facts"},
		"empty payload": {func(w *world) exchange.Message { return payload(w, licence, licence, "") }, "unreadable_facts"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := row.message(w)
			w.fold(m)
			after := w.seal(good)
			after.Topic = m.Topic // a topic that the good one does not belong to refuses it too; then only the offset moves
			w.fold(after)
			if next, _ := w.index.Next(t.Context(), m.Topic); next[0] != 2 {
				t.Errorf("next is %v", next)
			}
			refused, err := w.index.Refused(t.Context())
			if err != nil || len(refused) == 0 || refused[0].Offset != 0 || refused[0].Reason != row.reason || refused[0].Topic != m.Topic || !refused[0].Time.Equal(noon) {
				t.Errorf("refused %+v, %v", refused, err)
			}
			if w.index.Counts().Refused[row.reason] == 0 {
				t.Errorf("not counted: %+v", w.index.Counts())
			}
			if strings.Contains(w.log.String(), number) || !strings.Contains(w.log.String(), string(row.reason)) {
				t.Errorf("log: %s", w.log.String())
			}
			if m.Topic == envelope.EvidenceTopic(licence) && w.records(company(9)) == "" {
				t.Error("the message after it was not folded")
			}
		})
	}
}

func TestConflictIsCountedAndDuplicateToo(t *testing.T) {
	w := newWorld(t)
	s := statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"}
	other := s
	other.name = "y"
	msgs := w.append(w.seal(s), w.seal(s), w.seal(other))
	if err := w.index.Fold(t.Context(), msgs); err != nil { // in one batch
		t.Fatal(err)
	}
	w.state(s, other) // and over it
	want := holdings.Counts{Records: map[exchange.EvidenceType]int64{licence: 1}, Duplicates: 2, Refused: map[holdings.Reason]int64{"conflicting_content": 2}}
	if got := w.index.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	err := testutil.GatherAndCompare(w.registry, strings.NewReader(`# HELP yimen_index_duplicates_total Messages that the index had already.
# TYPE yimen_index_duplicates_total counter
yimen_index_duplicates_total 2
# HELP yimen_index_records_folded_total Record versions taken into the index.
# TYPE yimen_index_records_folded_total counter
yimen_index_records_folded_total{type="business-licence"} 1
# HELP yimen_index_refused_total Messages that were not taken into the index.
# TYPE yimen_index_refused_total counter
yimen_index_refused_total{reason="conflicting_content"} 2
`))
	if err != nil {
		t.Error(err)
	}
	w.restart()
	if got := w.index.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("counts after restart %+v, want %+v", got, want)
	}
}

// TestFoldedAgainFromTheStart gives an index what it has, in one batch and with something new at the end.
func TestFoldedAgainFromTheStart(t *testing.T) {
	w := newWorld(t)
	bad := w.seal(statement{of: licence, natural: company(2), version: 1, holders: []string{company(2)}, name: "x"})
	bad.Value[40] ^= 1
	msgs := w.append(w.seal(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"}), bad,
		w.seal(statement{of: licence, natural: company(3), version: 1, holders: []string{company(3)}, name: "x"}))
	for _, n := range []int{2, 1, 2, 3, 1} {
		if err := w.index.Fold(t.Context(), msgs[:n]); err != nil {
			t.Fatal(err)
		}
	}
	want := holdings.Counts{Records: map[exchange.EvidenceType]int64{licence: 2}, Refused: map[holdings.Reason]int64{"not_signed": 1}}
	if got := w.index.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if next, _ := w.index.Next(t.Context(), msgs[0].Topic); next[0] != 3 {
		t.Errorf("next is %v", next)
	}
}

func TestTombstoneForgetsNothing(t *testing.T) {
	w := newWorld(t)
	m := w.seal(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"})
	w.fold(m, exchange.Message{Topic: m.Topic, Key: m.Key})
	if w.records(company(1)) == "" || len(w.index.Counts().Refused) != 0 {
		t.Error("a tombstone, which anybody who may write can send, changed the index")
	}
}

func TestAnotherTypesIdHidesNothing(t *testing.T) {
	w := newWorld(t)
	w.state(statement{of: marriage, natural: "J430281-2018-000001", version: 1, holders: []string{citizen(1)}, name: "x"})
	schema, _ := w.schemas.ByType(licence)
	id := w.sealer("mzj/marriages").RecordID(marriage, "J430281-2018-000001")
	w.fold(w.draft("scjg/licences", envelope.Draft{Type: licence, ID: id, Version: 99, Schema: schema.ID, Withdrawn: true, At: noon}, 0))
	if got := w.records(citizen(1)); got != "marriage-certificate@1 valid 12:01" {
		t.Errorf("found %q", got)
	}
}

func TestFoldRefusesMixedMessages(t *testing.T) {
	w := newWorld(t)
	a := w.seal(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"})
	b := a
	b.Offset = 1
	other, twice, partition := b, b, b
	other.Topic, twice.Offset, partition.Partition = "evidence.food-licence", 0, 1
	for name, m := range map[string]exchange.Message{"topic": other, "offset": twice, "partition": partition} {
		if err := w.index.Fold(t.Context(), []exchange.Message{a, m}); err == nil {
			t.Errorf("messages of another %s are folded", name)
		}
	}
	unknown := a
	unknown.Topic = "cases"
	if err := w.index.Fold(t.Context(), []exchange.Message{unknown}); err == nil {
		t.Error("a topic without meaning is folded")
	}
	if err := w.index.Fold(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if next, _ := w.index.Next(t.Context(), a.Topic); len(next) != 0 {
		t.Errorf("next is %v", next)
	}
}

// TestForgottenKeys has an index forget its keys while the authority is closed: nothing is found or folded, no row counts as refused,
// and when the keys can be had again everything is as it was.
func TestForgottenKeys(t *testing.T) {
	w := newWorld(t)
	c, closed := w.config(), error(nil)
	good := c.Keys
	c.Keys = func(ctx context.Context) (holdings.Keys, error) {
		if closed != nil {
			return holdings.Keys{}, closed
		}
		return good(ctx)
	}
	var err error
	if w.index, err = holdings.New(c); err != nil {
		t.Fatal(err)
	}
	w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"})
	before := w.records(company(1))

	closed = errors.New("closed")
	w.index.Forget()
	late := w.append(w.seal(statement{of: licence, natural: company(2), version: 1, holders: []string{company(2)}, name: "y"}))
	if err := w.index.Fold(t.Context(), late); !errors.Is(err, closed) {
		t.Errorf("folded without keys: %v", err)
	}
	if _, err := w.index.Find(t.Context(), holder(company(1)), []exchange.EvidenceType{licence}); !errors.Is(err, closed) {
		t.Errorf("found without keys: %v", err)
	}
	if _, err := w.index.Owned(t.Context(), holder(company(1))); !errors.Is(err, closed) {
		t.Errorf("owned without keys: %v", err)
	}

	closed = nil
	w.fold(late...)
	if after := w.records(company(1)); after != before {
		t.Errorf("%s, before %s", after, before)
	}
	if counts := w.index.Counts(); counts.Records[licence] != 2 || len(counts.Refused) != 0 {
		t.Errorf("%+v", counts)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		change func(*holdings.Config)
		kind   exchange.Kind
		says   string
	}{
		"no engine":  {func(c *holdings.Config) { c.Engine = nil }, exchange.Invalid, "engine"},
		"no opener":  {func(c *holdings.Config) { c.Opener = nil }, exchange.Invalid, "opener"},
		"no schemas": {func(c *holdings.Config) { c.Schema = nil }, exchange.Invalid, "schemas"},
		"no keeper":  {func(c *holdings.Config) { c.Keeper = nil }, exchange.Invalid, "keepers"},
		"short token key": {func(c *holdings.Config) {
			c.Keys = keysOf(holdings.Keys{Token: make([]byte, 31), Seal: make([]byte, 32)})
		}, exchange.Invalid, "32 bytes"},
		"no seal key":     {func(c *holdings.Config) { c.Keys = keysOf(holdings.Keys{Token: make([]byte, 32)}) }, exchange.Invalid, "32 bytes"},
		"one key":         {func(c *holdings.Config) { c.Keys = keys(1, 1) }, exchange.Invalid, "same"},
		"other token key": {func(c *holdings.Config) { c.Keys = keys(9, 2) }, exchange.Conflict, "delete the index directory"},
		"other seal key":  {func(c *holdings.Config) { c.Keys = keys(1, 9) }, exchange.Conflict, "delete the index directory"},
	} {
		c := w.config()
		row.change(&c)
		if _, err := holdings.New(c); exchange.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherFormatAndDamage(t *testing.T) {
	w := newWorld(t)
	w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"})
	overwrite := func(prefix, value string) {
		var keys [][]byte
		err := w.store.Scan(t.Context(), [][]byte{[]byte(prefix)}, func(key, _ []byte) bool {
			keys = append(keys, slices.Clone(key))
			return true
		})
		if err != nil || len(keys) == 0 {
			t.Fatalf("no row under %q: %v", prefix, err)
		}
		for _, key := range keys {
			if err := w.store.Commit(t.Context(), []holdings.Row{{Key: key, Value: []byte(value)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	overwrite("h", "nonsense")
	overwrite("r", "nonsense")
	if _, err := w.index.Find(t.Context(), holder(company(1)), []exchange.EvidenceType{licence}); err == nil || !strings.Contains(err.Error(), "YM-IDX-0103") {
		t.Errorf("damaged record: %v", err)
	}
	m := w.append(w.seal(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"}))
	if err := w.index.Fold(t.Context(), m); err == nil || !strings.Contains(err.Error(), "YM-IDX-0103") {
		t.Errorf("fold over a damaged record: %v", err)
	}
	overwrite("o", "{}}")
	if _, err := holdings.New(w.config()); err == nil || !strings.Contains(err.Error(), "YM-IDX-0103") {
		t.Errorf("damaged place: %v", err)
	}
	overwrite("f", `{"format":99,"more":true}`)
	if _, err := holdings.New(w.config()); exchange.KindOf(err) != exchange.Conflict || !strings.Contains(err.Error(), "delete the index directory") {
		t.Errorf("other format: %v", err)
	}
	overwrite("f", `?`)
	if _, err := holdings.New(w.config()); err == nil || !strings.Contains(err.Error(), "YM-IDX-0103") {
		t.Errorf("damaged format: %v", err)
	}
}

func TestSwappedRowsAreFoundOut(t *testing.T) {
	w := newWorld(t)
	for i := range 2 {
		w.state(statement{of: licence, natural: company(i), version: 1, holders: []string{company(i)}, name: "x"})
	}
	var rows []holdings.Row
	err := w.store.Scan(t.Context(), [][]byte{[]byte("h")}, func(key, value []byte) bool {
		rows = append(rows, holdings.Row{Key: slices.Clone(key), Value: slices.Clone(value)})
		return true
	})
	if err != nil || len(rows) != 2 {
		t.Fatal(len(rows), err)
	}
	rows[0].Value, rows[1].Value = rows[1].Value, rows[0].Value
	if err := w.store.Commit(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if _, err := w.index.Find(t.Context(), holder(company(0)), []exchange.EvidenceType{licence}); err == nil {
		t.Error("a row that was moved to another key opens")
	}
}

// TestCopyOfRunningIndex copies the directory while it is in use, as a crash would leave it, and goes on from there.
func TestCopyOfRunningIndex(t *testing.T) {
	w := newWorld(t)
	var msgs []exchange.Message
	for i := range 40 {
		msgs = append(msgs, w.seal(statement{of: licence, natural: company(i), version: 1, holders: []string{company(i)}, name: "x"}))
	}
	msgs = w.append(msgs...)
	if err := w.index.Fold(t.Context(), msgs[:20]); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	c := w.copyTo(dir)
	next, err := c.index.Next(t.Context(), msgs[0].Topic)
	if err != nil || next[0] > 20 {
		t.Fatalf("next %v, %v", next, err)
	}
	for i := range 40 {
		if got := c.records(company(i)) != ""; got != (int64(i) < next[0]) {
			t.Fatalf("next is %d, record %d found: %v", next[0], i, got)
		}
	}
	if err := c.index.Fold(t.Context(), msgs[next[0]:]); err != nil {
		t.Fatal(err)
	}
	if n := c.index.Counts().Records[licence]; n != 40 {
		t.Errorf("%d records after going on", n)
	}
}

func TestIndexDirectoryIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	s, err := pebble.Open(pebble.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
