package holdings_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// said is a statement of scjg/licences with one partition's end.
func said(alive int, end int64) exchange.Coverage {
	return exchange.Coverage{Adapter: "scjg/licences", Type: licence, Alive: at(alive), CompleteUpTo: at(0), End: map[int]int64{0: end}}
}

func (w *world) licences(n int) []exchange.Message {
	var msgs []exchange.Message
	for i := range n {
		msgs = append(msgs, w.seal(statement{of: licence, natural: company(i), version: 1, holders: []string{company(i)}, name: "x"}))
	}
	return msgs
}

// TestWhichStatementCounts folds heartbeats, then records, then heartbeats again.
func TestWhichStatementCounts(t *testing.T) {
	for name, row := range map[string]struct {
		before  []exchange.Coverage
		records int
		after   []exchange.Coverage
		alive   int // of the statement that counts; -1: no source
		folded  bool
	}{
		"none":                            {nil, 1, nil, -1, false},
		"rests on nothing":                {[]exchange.Coverage{said(1, 0)}, 0, nil, 1, true},
		"not folded yet":                  {[]exchange.Coverage{said(1, 3)}, 2, nil, 1, false},
		"folded":                          {[]exchange.Coverage{said(1, 3)}, 3, nil, 1, true},
		"folded before it was heard":      {nil, 3, []exchange.Coverage{said(1, 3)}, 1, true},
		"newer one not folded":            {[]exchange.Coverage{said(1, 1), said(2, 2), said(3, 9)}, 3, nil, 2, true},
		"none of several folded":          {[]exchange.Coverage{said(1, 7), said(2, 8), said(3, 9)}, 3, nil, 3, false},
		"older heard later":               {[]exchange.Coverage{said(5, 1), said(3, 0)}, 1, nil, 5, true},
		"older heard later, newest waits": {[]exchange.Coverage{said(5, 9), said(3, 0)}, 1, nil, 5, false},
		"newer rests on less":             {[]exchange.Coverage{said(1, 9), said(2, 1)}, 1, nil, 2, true},
		"heard again":                     {[]exchange.Coverage{said(1, 1)}, 1, []exchange.Coverage{said(1, 1)}, 1, true},
		"repeated":                        {[]exchange.Coverage{said(1, 1), said(2, 1), said(3, 1)}, 1, []exchange.Coverage{said(4, 1)}, 4, true},
		"waits again":                     {[]exchange.Coverage{said(1, 1)}, 1, []exchange.Coverage{said(2, 2), said(3, 2)}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, c := range row.before {
				w.fold(w.heartbeat(c))
			}
			w.fold(w.licences(row.records)...)
			for _, c := range row.after {
				w.fold(w.heartbeat(c))
			}
			for range 2 {
				sources := w.find(company(0), licence, marriage).Sources
				if row.alive < 0 {
					if len(sources) != 0 {
						t.Errorf("sources %+v", sources)
					}
				} else if len(sources) != 1 || !sources[0].Alive.Equal(at(row.alive)) || sources[0].Folded != row.folded {
					t.Errorf("sources %+v", sources)
				}
				w.restart()
			}
		})
	}
}

func TestSourcesOfSeveralAdaptersAndTypes(t *testing.T) {
	w := newWorld(t)
	second := said(1, 0)
	second.Adapter = "scjg/archive"
	other := said(2, 0)
	other.Adapter, other.Type = "scjg/food", food
	for _, c := range []exchange.Coverage{said(1, 0), second, other} {
		w.fold(w.heartbeat(c))
	}
	if got := w.find(company(1), licence).Sources; len(got) != 2 || got[0].Adapter != "scjg/archive" || got[1].Adapter != "scjg/licences" {
		t.Errorf("sources %+v", got)
	}
	found := w.find(company(1), food, licence)
	if len(found.Sources) != 3 || found.Inputs.Next("coverage.scjg")[0] != 3 {
		t.Errorf("found %+v", found)
	}
}

// TestManyStatementsWait folds more statements than are kept in memory before the records they rest on.
func TestManyStatementsWait(t *testing.T) {
	w := newWorld(t)
	const records = 600
	var beats []exchange.Message
	for i := range records {
		beats = append(beats, w.heartbeat(said(i+1, int64(i+1))))
	}
	if err := w.index.Fold(t.Context(), w.append(beats...)); err != nil {
		t.Fatal(err)
	}
	msgs := w.append(w.licences(1)...)
	last := time.Time{}
	for i := range records {
		msgs[0].Offset = int64(i)
		if err := w.index.Fold(t.Context(), msgs); err != nil {
			t.Fatal(err)
		}
		for _, s := range w.find(company(0), licence).Sources {
			if !s.Folded {
				continue
			}
			if s.Alive.Before(last) || s.End[0] > int64(i+1) || s.End[0] < int64(i+1)-10 {
				t.Fatalf("after %d records the statement that rests on %d counts", i+1, s.End[0])
			}
			last = s.Alive
		}
	}
	if !last.Equal(at(records)) {
		t.Errorf("at last the statement of %v counts", last)
	}
}

func TestCoverageRefused(t *testing.T) {
	good := string(encode(said(1, 1)))
	change := func(old, new string) string {
		changed := strings.Replace(good, old, new, 1)
		if changed == good {
			t.Fatalf("%s is not in %s", old, good)
		}
		return changed
	}
	for name, row := range map[string]struct {
		value, key, topic, reason string
		by                        exchange.Adapter // who signs; empty: the keeper's adapter
	}{
		"no value":            {value: "", reason: "malformed_coverage"},
		"not JSON":            {value: "alive", reason: "malformed_coverage"},
		"truncated":           {value: good[:40], reason: "malformed_coverage"},
		"text after it":       {value: good + "{}", reason: "malformed_coverage"},
		"unknown field":       {value: change(`"read"`, `"more":1,"read"`), reason: "malformed_coverage"},
		"field twice":         {value: change(`"read"`, `"read":7,"read"`), reason: "malformed_coverage"},
		"other case":          {value: change(`"read"`, `"Read"`), reason: "malformed_coverage"},
		"not UTF-8":           {value: change("scjg/", "scjg\xff/"), reason: "malformed_coverage"},
		"another key":         {value: good, key: "scjg/other", reason: "malformed_coverage"},
		"no adapter":          {value: change("scjg/licences", "scjg"), key: "scjg", reason: "malformed_coverage"},
		"for a colleague":     {value: change("scjg/licences", "scjg/archive"), key: "scjg/archive", reason: "not_signed"},
		"no type":             {value: change(string(licence), ""), reason: "malformed_coverage"},
		"unknown kind":        {value: change(`"holders":{}`, `"holders":{"kind":"pet"}`), reason: "malformed_coverage"},
		"never alive":         {value: change("2026-11-23T12:01:00Z", "0001-01-01T00:00:00Z"), reason: "malformed_coverage"},
		"negative rows":       {value: change(`"unreadable":0`, `"unreadable":-1`), reason: "malformed_coverage"},
		"fraction":            {value: change(`"unreadable":0`, `"unreadable":0.5`), reason: "malformed_coverage"},
		"negative offset":     {value: change(`"0":1`, `"0":-1`), reason: "malformed_coverage"},
		"negative partition":  {value: change(`"0":1`, `"-1":1`), reason: "malformed_coverage"},
		"partition not one":   {value: change(`"0":1`, `"x":1`), reason: "malformed_coverage"},
		"huge":                {value: good + strings.Repeat(" ", 256<<10), reason: "malformed_coverage"},
		"another department":  {value: good, topic: "coverage.mzj", reason: "not_signed"},
		"of another's topic":  {value: good, by: "mzj/licences", reason: "not_signed"},
		"not the keeper":      {value: change(string(licence), string(marriage)), reason: "not_keeper"},
		"nobody keeps it":     {value: change(string(licence), "fishing-licence"), reason: "not_keeper"},
		"another's heartbeat": {value: change("scjg/licences", "mzj/licences"), key: "mzj/licences", reason: "not_signed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fold(w.stated(cmp.Or(row.by, "scjg/licences"), func(m *exchange.Message) {
				m.Topic, m.Key, m.Value = cmp.Or(row.topic, "coverage.scjg"), []byte(cmp.Or(row.key, "scjg/licences")), []byte(row.value)
			}))
			refused, err := w.index.Refused(t.Context())
			if err != nil || len(refused) != 1 || string(refused[0].Reason) != row.reason {
				t.Errorf("refused %+v, %v", refused, err)
			}
			w.fold(w.heartbeat(said(1, 0)))
			if got := w.find(company(1), licence).Sources; len(got) != 1 {
				t.Errorf("the heartbeat after it was not folded: %+v", got)
			}
		})
	}
}

func TestOnlyTheLatestRefusalsAreKept(t *testing.T) {
	w := newWorld(t)
	var msgs []exchange.Message
	for range 2500 {
		msgs = append(msgs, exchange.Message{Topic: "coverage.scjg", Key: []byte("k"), Value: []byte("v")})
	}
	if err := w.index.Fold(t.Context(), w.append(msgs...)); err != nil {
		t.Fatal(err)
	}
	refused, err := w.index.Refused(t.Context())
	if err != nil || len(refused) != 200 {
		t.Fatalf("%d refusals, %v", len(refused), err)
	}
	for _, r := range refused {
		if r.Offset < 2300 {
			t.Fatalf("the refusal at %d is still there", r.Offset)
		}
	}
	if n := w.index.Counts().Refused["not_opened"]; n != 2500 {
		t.Errorf("%d counted", n)
	}
	if lines := strings.Count(w.log.String(), "\n"); lines > 3 {
		t.Errorf("%d log lines for one poisoned partition", lines)
	}
}

// TestQuarantine folds what happens to rows and asks whose holder is in quarantine.
func TestQuarantine(t *testing.T) {
	a, b := citizen(1), citizen(2)
	row1, row2 := [16]byte{1}, [16]byte{2}
	reject := func(row [16]byte, numbers ...string) func(*world) exchange.Message {
		return func(w *world) exchange.Message {
			r := envelope.Rejection{Adapter: "mzj/marriages", Type: marriage, Row: row, Code: "YM-ID-0101", At: noon}
			for _, n := range numbers {
				r.Holders = append(r.Holders, holder(n))
			}
			return w.rejection(r)
		}
	}
	resolve := func(row [16]byte) func(*world) exchange.Message {
		return func(w *world) exchange.Message { return w.resolution("mzj/marriages", row) }
	}
	var sent int64 // to the quarantine topic so far: what a statement made now rests on
	beat := func(minute int) func(*world) exchange.Message {
		return func(w *world) exchange.Message {
			return w.heartbeat(exchange.Coverage{Adapter: "mzj/marriages", Type: marriage, Alive: at(minute), CompleteUpTo: noon, Rejected: map[int]int64{0: sent}})
		}
	}
	type step = func(*world) exchange.Message
	for name, row := range map[string]struct {
		steps []step
		a, b  bool
	}{
		"nothing":                     {[]step{beat(1)}, false, false},
		"one holder":                  {[]step{beat(1), reject(row1, a)}, true, false},
		"both":                        {[]step{beat(1), reject(row1, a, b)}, true, true},
		"one holder twice":            {[]step{beat(1), reject(row1, a, a)}, true, false},
		"unreadable":                  {[]step{beat(1), reject(row1)}, false, false},
		"resolved, stated since":      {[]step{reject(row1, a), resolve(row1), beat(1)}, false, false},
		"resolved, not stated since":  {[]step{beat(-1), reject(row1, a), resolve(row1)}, true, false},
		"another row resolved":        {[]step{reject(row1, a), resolve(row2), beat(1)}, true, false},
		"one of two rows resolved":    {[]step{reject(row1, a), reject(row2, a), resolve(row1), beat(1)}, true, false},
		"rejected again":              {[]step{reject(row1, a), reject(row1, a), resolve(row1), beat(1)}, false, false},
		"rejected after resolved":     {[]step{reject(row1, a), resolve(row1), reject(row1, a), beat(1)}, true, false},
		"resolved twice":              {[]step{reject(row1, a), resolve(row1), resolve(row1), beat(1)}, false, false},
		"names somebody else now":     {[]step{reject(row1, a), reject(row1, b), beat(1)}, false, true},
		"unreadable now":              {[]step{reject(row1, a), reject(row1), beat(1)}, true, false},
		"unreadable, then resolved":   {[]step{reject(row1, a), reject(row1), resolve(row1), beat(1)}, false, false},
		"one of its holders is right": {[]step{reject(row1, a, b), reject(row1, b), beat(1)}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range 2 {
				w := newWorld(t)
				var quarantine []exchange.Message
				sent = 0
				for _, step := range row.steps {
					m := step(w)
					if strings.HasPrefix(m.Topic, "quarantine") {
						sent++
					}
					if cut == 0 || !strings.HasPrefix(m.Topic, "quarantine") {
						w.fold(m)
					} else {
						quarantine = append(quarantine, m)
					}
				}
				if err := w.index.Fold(t.Context(), w.append(quarantine...)); err != nil { // all in one batch
					t.Fatal(err)
				}
				for range 2 {
					for number, want := range map[string]bool{a: row.a, b: row.b, citizen(3): false} {
						sources := w.find(number, marriage).Sources
						if len(sources) != 1 || sources[0].HolderQuarantined != want {
							t.Errorf("cut %d: %s: %+v", cut, number[14:], sources)
						}
					}
					w.restart()
				}
				if n := len(w.index.Counts().Refused); n != 0 {
					t.Errorf("refused: %+v", w.index.Counts())
				}
			}
		})
	}
}

func TestQuarantineIsOfOneSource(t *testing.T) {
	w := newWorld(t)
	for _, adapter := range []exchange.Adapter{"scjg/licences", "scjg/archive"} {
		c := said(1, 0)
		c.Adapter = adapter
		w.fold(w.heartbeat(c))
	}
	reject := func(a exchange.Adapter, of exchange.EvidenceType) exchange.Message {
		return w.rejection(envelope.Rejection{Adapter: a, Type: of, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon})
	}
	w.fold(reject("scjg/archive", licence))
	check := func(archive, licences bool) {
		t.Helper()
		got := w.find(company(1), licence).Sources
		if len(got) != 2 || got[0].HolderQuarantined != archive || got[1].HolderQuarantined != licences {
			t.Errorf("sources %+v", got)
		}
	}
	check(true, false)
	w.fold(reject("scjg/licences", licence)) // the same row, rejected by another adapter
	check(true, true)
	w.fold(w.resolution("mzj/marriages", [16]byte{1})) // another department's row of that id
	check(true, true)
}

func TestQuarantineRefused(t *testing.T) {
	good := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}
	for name, row := range map[string]struct {
		message func(*world) exchange.Message
		reason  string
	}{
		"damaged":            {func(w *world) exchange.Message { m := w.rejection(good); m.Value[50] ^= 1; return m }, "not_signed"},
		"short key":          {func(w *world) exchange.Message { m := w.rejection(good); m.Key = m.Key[:15]; return m }, "not_opened"},
		"no key, no value":   {func(w *world) exchange.Message { return exchange.Message{Topic: "quarantine.scjg"} }, "not_opened"},
		"empty value":        {func(w *world) exchange.Message { m := w.rejection(good); m.Value = []byte{}; return m }, "not_signed"},
		"another department": {func(w *world) exchange.Message { m := w.rejection(good); m.Topic = "quarantine.mzj"; return m }, "not_signed"},
		"not the keeper":     {func(w *world) exchange.Message { r := good; r.Type = marriage; return w.rejection(r) }, "not_keeper"},
		"nobody keeps it":    {func(w *world) exchange.Message { r := good; r.Type = "fishing-licence"; return w.rejection(r) }, "not_keeper"},
		"no type":            {func(w *world) exchange.Message { r := good; r.Type = ""; return w.rejection(r) }, "wrong_topic"},
		"hostile type":       {func(w *world) exchange.Message { r := good; r.Type = "a\x00b"; return w.rejection(r) }, "wrong_topic"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fold(w.heartbeat(said(1, 0)), row.message(w))
			refused, err := w.index.Refused(t.Context())
			if err != nil || len(refused) != 1 || string(refused[0].Reason) != row.reason {
				t.Fatalf("refused %+v, %v", refused, err)
			}
			w.fold(w.rejection(good))
			if topic := refused[0].Topic; topic == "quarantine.scjg" && !w.find(company(1), licence).Sources[0].HolderQuarantined {
				t.Error("the row after it was not folded")
			}
		})
	}
}

// TestStatementWaitsForTheRowsThatWereRejected: before a rejected row is known, the statement that counts it must not say of
// its holder that there is nothing.
func TestStatementWaitsForTheRowsThatWereRejected(t *testing.T) {
	w := newWorld(t)
	rests := said(1, 1)
	rests.Rejected = map[int]int64{0: 1}
	w.fold(w.licences(1)...)
	w.fold(w.heartbeat(rests))
	row := w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Code: "YM-DOC-0201",
		Holders: []exchange.Holder{holder(company(7))}})
	for range 2 {
		if s := w.find(company(7), licence).Sources; len(s) != 1 || s[0].Folded {
			t.Errorf("before the row: %+v", s)
		}
		w.restart()
	}
	w.fold(row)
	for range 2 {
		if s := w.find(company(7), licence).Sources; len(s) != 1 || !s[0].Folded || !s[0].HolderQuarantined {
			t.Errorf("after the row: %+v", s)
		}
		w.restart()
	}
}
