package adapters_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/prometheus/client_golang/prometheus"
)

func code(err error) string {
	var p *exchange.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

func TestReadingAgainPublishesNothing(t *testing.T) {
	c := newCity(t)
	first := c.mustRun(&list{rows: companies(50)})
	if first.Published != 50 || first.Records != 50 {
		t.Fatalf("first reading: %+v", first)
	}
	if again := c.mustRun(&list{rows: companies(50)}); !again.Skipped {
		t.Errorf("unchanged source was read again: %+v", again)
	}
	reordered := companies(50)
	reordered[0], reordered[49] = reordered[49], reordered[0]
	if again := c.mustRun(&list{rows: reordered}); again.Published != 0 || again.Unchanged != 50 || again.Withdrawn != 0 {
		t.Errorf("same rows in another order: %+v", again)
	}
	if n := c.versions(); n != 50 {
		t.Errorf("%d versions on the topic, want 50", n)
	}
}

func TestUnchangedSourceIsCountedOnce(t *testing.T) {
	c := newCity(t)
	config := c.config(&list{rows: companies(7), upTo: c.now}, c.bus)
	registry := prometheus.NewRegistry()
	config.Metrics = registry
	r, err := adapters.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 3 {
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetValue() == "published" && m.GetCounter().GetValue() != 7 {
					t.Errorf("%v rows counted as published, want 7", m.GetCounter().GetValue())
				}
			}
		}
	}
}

func TestChangedRowIsANewVersionAndAbsentOneIsWithdrawn(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	before := c.standing()
	rows := companies(9)
	rows[3] = company(3, "600万人民币")
	if r := c.mustRun(&list{rows: rows}); r.Published != 1 || r.Unchanged != 8 || r.Withdrawn != 1 || r.Records != 9 {
		t.Fatalf("second reading: %+v", r)
	}
	changed, withdrawn := 0, 0
	for id, now := range c.standing() {
		if now.Version > before[id].Version {
			changed++
		}
		if now.Withdrawn {
			withdrawn++
		}
	}
	if changed != 2 || withdrawn != 1 {
		t.Errorf("%d records changed and %d withdrawn, want 2 and 1", changed, withdrawn)
	}
	if r := c.mustRun(&list{rows: companies(10)}); r.Published != 2 {
		t.Errorf("a row that came back and one that changed back: %+v", r)
	}
}

func TestSourceNotDeclaredCompleteWithdrawsNothing(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10), partial: true})
	if r := c.mustRun(&list{rows: companies(3), partial: true}); r.Withdrawn != 0 || r.Records != 10 {
		t.Errorf("%+v", r)
	}
	if got := c.coverage(); !got.CompleteUpTo.IsZero() {
		t.Errorf("a partial source claims to be complete up to %s", got.CompleteUpTo)
	}
}

func (c *city) coverage() (last exchange.Coverage) {
	c.t.Helper()
	for _, m := range c.read("coverage.scjg") {
		last = exchange.Coverage{}
		if err := json.Unmarshal(m.Value, &last); err != nil {
			c.t.Fatal(err)
		}
	}
	return last
}

func TestCoverageNamesTheOffsetsItRestsOn(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(200)})
	got := c.coverage()
	ends, err := c.bus.EndOffsets(t.Context(), "evidence.business-licence")
	if err != nil {
		t.Fatal(err)
	}
	for partition, end := range ends {
		if got.End[partition] != end {
			t.Errorf("partition %d: coverage rests on %d, topic ends at %d", partition, got.End[partition], end)
		}
	}
	if !got.Complete() || !got.CompleteUpTo.Equal(c.now) || got.Published != 200 || got.Holders.Kind != exchange.Organisation {
		t.Errorf("coverage %+v", got)
	}
}

func TestBadRowsGoToQuarantineAndLeaveItAgain(t *testing.T) {
	c := newCity(t)
	rows := companies(20)
	rows[4][3] = "很多钱"                       // whose row it is stays clear
	rows[7][1] = "91430281000000019D"        // wrong check digit: nobody can tell
	rows[9] = []string{"醴陵第9瓷厂", "", "", ""} // nothing to go by
	r := c.mustRun(&list{rows: rows, damaged: map[int]*exchange.Problem{
		9: {Code: "YM-ENC-0301", What: exchange.Text{ZH: "坏", EN: "bad"}}}})
	if r.Published != 17 || r.Quarantined != 3 || r.Unreadable != 2 {
		t.Fatalf("%+v", r)
	}
	in, err := adapters.ReadQuarantine(c.dir, departmentKey)
	if err != nil || len(in) != 3 || in[0].Line != 6 || in[1].Line != 9 || in[2].Line != 11 {
		t.Fatalf("quarantine: %d rows, %v", len(in), err)
	}
	for i, want := range []string{"YM-MAP-", "YM-ID-", "YM-ENC-0301"} {
		if f := in[i].Faults[0]; !strings.HasPrefix(f.Code, want) || f.What.ZH == "" {
			t.Errorf("row %d: fault %+v, want code %s…", in[i].Line, f, want)
		}
	}
	opener := c.keys.Opener(t)
	known := 0
	for _, m := range c.read("quarantine.scjg") {
		rejected, err := opener.Rejection(c.t.Context(), &m)
		if err != nil {
			t.Fatal(err)
		}
		known += len(rejected.Holders)
	}
	if known != 1 {
		t.Errorf("%d holders known of the rejected rows, want 1", known)
	}
	c.mustRun(&list{rows: companies(20)})
	if in, _ := adapters.ReadQuarantine(c.dir, departmentKey); len(in) != 0 {
		t.Errorf("%d rows stay in quarantine after they were mended", len(in))
	}
	open := map[string]bool{}
	for _, m := range c.read("quarantine.scjg") {
		open[string(m.Key)] = m.Value != nil
	}
	for key, still := range open {
		if still {
			t.Errorf("row %x was never released on the topic", key)
		}
	}
}

func TestBadRowDoesNotWithdrawItsRecord(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	rows := companies(10)
	rows[2][3] = "很多钱"
	if r := c.mustRun(&list{rows: rows}); r.Withdrawn != 0 || r.Quarantined != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWithdrawalWaitsWhileANewUnreadableRowMayBeTheMissingOne(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	rows := companies(10)
	rows[2][1] = "91430281000000019D"
	if r := c.mustRun(&list{rows: rows}); r.Withdrawn != 0 || r.HeldBack != 1 {
		t.Fatalf("%+v", r)
	}
	rows = append(rows, company(10, "N/A")) // a later export, the same unreadable row still in it
	if r := c.mustRun(&list{rows: rows}); r.Withdrawn != 1 || r.HeldBack != 0 {
		t.Errorf("%+v", r)
	}
}

func TestHeldBackWithdrawalDoesNotWaitForEver(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	was := c.coverage().CompleteUpTo
	rows := companies(10)
	rows[2][1] = "91430281000000019D"
	first := &list{rows: rows}
	if r := c.mustRun(first); r.HeldBack != 1 {
		t.Fatalf("%+v", r)
	}
	if now := c.coverage().CompleteUpTo; !now.Equal(was) {
		t.Errorf("the coverage moved to %s although a withdrawal was held back", now)
	}
	if r := c.mustRun(&list{rows: rows, upTo: first.upTo}); r.Withdrawn != 0 || r.HeldBack != 1 {
		t.Errorf("the same export again: %+v", r)
	}
	rows = append(companies(10)[:9], company(9, "N/A"), []string{"另一家", "91430281000000019E", "1998-03-04", "N/A"})
	rows[2][1] = "91430281000000019D"
	if r := c.mustRun(&list{rows: rows}); r.Withdrawn != 1 || r.HeldBack != 0 {
		t.Errorf("a later export with yet another unreadable row: %+v", r)
	}
	if now := c.coverage().CompleteUpTo; !now.After(was) {
		t.Error("the coverage never moved on")
	}
}

func TestHeldBackRecordThatComesBackIsForgiven(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	rows := companies(10)
	rows[2][1] = "91430281000000019D"
	c.mustRun(&list{rows: rows})
	c.mustRun(&list{rows: companies(10)})
	rows = companies(10)
	rows[2][1] = "91430281000000019E"
	if r := c.mustRun(&list{rows: rows}); r.Withdrawn != 0 || r.HeldBack != 1 {
		t.Errorf("%+v", r)
	}
}

// holdersInQuarantine are the numbers that the open rows of the quarantine topic name.
func (c *city) holdersInQuarantine() map[string]int {
	c.t.Helper()
	opener := c.keys.Opener(c.t)
	open := map[string][]exchange.Holder{}
	for _, m := range c.read("quarantine.scjg") {
		delete(open, string(m.Key))
		if m.Value == nil {
			continue
		}
		rejected, err := opener.Rejection(c.t.Context(), &m)
		if err != nil {
			c.t.Fatal(err)
		}
		open[string(m.Key)] = rejected.Holders
	}
	named := map[string]int{}
	for _, holders := range open {
		for _, h := range holders {
			named[h.Number]++
		}
	}
	return named
}

func TestExchangeKnowsWhomABadRowNamesNow(t *testing.T) {
	c := newCity(t)
	rows := companies(5)
	rows[1][2] = "昨天"
	c.mustRun(&list{rows: rows})
	if named := c.holdersInQuarantine(); len(named) != 1 || named[rows[1][1]] != 1 {
		t.Fatalf("%d holders named", len(named))
	}
	rows = companies(5)
	rows[1] = company(77, "N/A") // the number was mended, the date is still wrong
	rows[1][2] = "昨天"
	c.allow = true
	c.mustRun(&list{rows: rows})
	if named := c.holdersInQuarantine(); len(named) != 1 || named[rows[1][1]] != 1 {
		t.Errorf("after the number was mended %d holders are named", len(named))
	}
	before := len(c.read("quarantine.scjg"))
	c.mustRun(&list{rows: append(rows, company(78, "N/A"))})
	if now := len(c.read("quarantine.scjg")); now != before {
		t.Errorf("%d more messages for a bad row that stayed as it was", now-before)
	}
}

func TestStoppedReadingIsNotForgotten(t *testing.T) {
	c := newCity(t)
	good := companies(3000)
	source := &list{rows: good}
	c.mustRun(source)
	wrong := companies(3000)
	for i := range wrong {
		wrong[i][3] = "1万"
	}
	for i := range 200 {
		wrong[2700+i][2] = "昨天"
	}
	if _, err := c.run(&list{rows: wrong}); code(err) != "YM-ADP-0301" {
		t.Fatalf("got %v", err)
	}
	r := c.mustRun(&list{rows: good, upTo: source.upTo}) // the old file is put back
	if r.Skipped || r.Published == 0 {
		t.Errorf("what the wrong file published stands: %+v", r)
	}
	opened := c.standing()
	for _, o := range opened {
		if !strings.Contains(string(o.Payload), "5000000") {
			t.Fatal("a record of the wrong file stands")
		}
	}
}

func TestSourceNoLongerCompleteClaimsNothing(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	c.mustRun(&list{rows: companies(10), partial: true})
	if got := c.coverage(); got.Complete() {
		t.Errorf("still complete up to %s", got.CompleteUpTo)
	}
}

func TestPartialSourceSaysItsRecordsAgainOnceADay(t *testing.T) {
	c := newCity(t)
	source := &list{rows: companies(10), partial: true}
	c.mustRun(source)
	before := c.standing()
	c.now = c.now.Add(2 * time.Hour)
	if r := c.mustRun(source); !r.Skipped {
		t.Errorf("two hours later: %+v", r)
	}
	c.now = c.now.Add(23 * time.Hour)
	if r := c.mustRun(source); r.Skipped || r.Published != 10 {
		t.Errorf("a day later: %+v", r)
	}
	for id, now := range c.standing() {
		if now.Version <= before[id].Version || now.Digest != before[id].Digest || !now.At.After(before[id].At) {
			t.Fatalf("the record was not said again: version %d after %d, at %s after %s", now.Version, before[id].Version, now.At, before[id].At)
		}
	}
}

func TestRebuildCutShortIsDoneAgain(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(300)})
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}
	torn := errors.New("the network went away")
	if _, err := adapters.Open(t.Context(), c.config(&list{}, &tornBus{Bus: c.bus, err: torn})); !errors.Is(err, torn) {
		t.Fatalf("got %v", err)
	}
	if r := c.mustRun(&list{rows: companies(295)}); r.Published != 0 || r.Unchanged != 295 || r.Withdrawn != 5 {
		t.Errorf("%+v", r)
	}
}

// tornBus loses the connection after the first batch that it hands over.
type tornBus struct {
	adapters.Bus
	err error
}

func (b *tornBus) Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	return b.Bus.Follow(ctx, topic, from, func(ctx context.Context, messages []exchange.Message) error {
		return errors.Join(handle(ctx, messages[:1]), b.err)
	})
}

func TestRowTooLargeForAMessage(t *testing.T) {
	c := newCity(t)
	rows := companies(5)
	rows[2][0] = strings.Repeat("长", 400_000)
	r := c.mustRun(&list{rows: rows})
	if r.Published != 4 || r.Quarantined != 1 {
		t.Errorf("%+v", r)
	}
	if r := c.mustRun(&list{rows: companies(5)}); r.Published != 1 || r.Quarantined != 0 {
		t.Errorf("after it was mended: %+v", r)
	}
}

func TestTwoRowsForOneCertificate(t *testing.T) {
	c := newCity(t)
	rows := append(companies(5), company(0, "500万人民币"), company(1, "700万人民币"))
	r := c.mustRun(&list{rows: rows})
	if r.Published != 5 || r.Unchanged != 1 || r.Quarantined != 1 {
		t.Errorf("%+v", r)
	}
	in, _ := adapters.ReadQuarantine(c.dir, departmentKey)
	if len(in) != 1 || in[0].Faults[0].Code != "YM-ADP-0201" || !in[0].HolderRead {
		t.Errorf("quarantine %+v", in)
	}
}

func TestReadingsThatArePlainlyWrongAreStopped(t *testing.T) {
	spoilt := func(n, bad int) [][]string {
		rows := companies(n)
		for i := range bad {
			rows[i][2] = "昨天"
		}
		return rows
	}
	cases := map[string]struct {
		rows [][]string
		code string
	}{
		"every row bad":          {spoilt(5, 5), "YM-ADP-0301"},
		"more rows than allowed": {spoilt(3000, 51), "YM-ADP-0301"},
		"half the records gone":  {companies(500), "YM-ADP-0302"},
		"all records gone":       {nil, "YM-ADP-0302"},
		"cut inside a row":       {append(companies(500), []string{"醴陵第", "", "", ""}), "YM-ADP-0302"},
	}
	for name, x := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCity(t)
			c.mustRun(&list{rows: companies(1000)})
			before, was := c.versions(), c.coverage()
			_, err := c.run(&list{rows: x.rows})
			if code(err) != x.code {
				t.Fatalf("got %v, want %s", err, x.code)
			}
			if c.versions() != before {
				t.Error("something was published")
			}
			if now := c.coverage(); !now.CompleteUpTo.Equal(was.CompleteUpTo) {
				t.Error("the source claims to be complete up to now")
			}
		})
	}
	t.Run("small register", func(t *testing.T) {
		c := newCity(t)
		c.mustRun(&list{rows: companies(90)})
		if _, err := c.run(&list{rows: companies(10)}); code(err) != "YM-ADP-0302" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unless it is allowed", func(t *testing.T) {
		c := newCity(t)
		c.mustRun(&list{rows: companies(1000)})
		c.allow = true
		if r := c.mustRun(&list{rows: companies(500)}); r.Withdrawn != 500 {
			t.Errorf("%+v", r)
		}
	})
}

func TestSourceErrorLeavesPlaceAndCoverage(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(10)})
	was := c.coverage()
	torn := errors.New("network drive went away")
	_, err := c.run(&list{rows: companies(12), before: func(i int) error {
		if i == 11 {
			return torn
		}
		return nil
	}})
	if !errors.Is(err, torn) {
		t.Fatalf("got %v", err)
	}
	if now := c.coverage(); !now.CompleteUpTo.Equal(was.CompleteUpTo) {
		t.Error("coverage moved on")
	}
	if r := c.mustRun(&list{rows: companies(12)}); r.Records != 12 || r.Withdrawn != 0 {
		t.Errorf("after mending: %+v", r)
	}
}

// absentBus is a Kafka that cannot be reached for appending.
type absentBus struct{ adapters.Bus }

func (absentBus) Append(context.Context, string, []exchange.Message) error {
	return errors.New("no Kafka")
}

// TestPendingIsSentAgain: what could not be appended goes out unchanged, but under a signature that still counts: its certificate
// may have been revoked in between.
func TestPendingIsSentAgain(t *testing.T) {
	for _, revoked := range []bool{false, true} {
		c := newCity(t)
		source := &list{rows: append(companies(20), company(77, "很多钱")), upTo: c.now}
		r, err := adapters.Open(t.Context(), c.config(source, absentBus{c.bus}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Run(t.Context()); err == nil {
			t.Fatal("read without Kafka")
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		adapter := manifest(t).Adapter
		if revoked {
			c.keys.Change(adapter, func(s *envelope.Signatory) { s.Revoked = time.Unix(1, 0) })
			c.keys.Renew(adapter)
		}
		for range 2 {
			c.mustRun(source)
		}
		if all := c.standing(); len(all) != 20 || c.versions() != 20 {
			t.Errorf("revoked %v: %d records stand in %d versions", revoked, len(all), c.versions())
		}
		if who := c.holdersInQuarantine(); len(who) != 1 {
			t.Errorf("revoked %v: in quarantine: %d holders", revoked, len(who))
		}
	}
}

func TestLostStateIsRebuiltFromTheTopics(t *testing.T) {
	c := newCity(t)
	rows := companies(300)
	rows[5][2] = "昨天"
	c.mustRun(&list{rows: rows})
	before := c.versions()
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}
	r := c.mustRun(&list{rows: rows[:299]})
	if r.Published != 0 || r.Unchanged != 298 || r.Withdrawn != 1 {
		t.Errorf("after the loss: %+v", r)
	}
	if n := c.versions(); n != before+1 {
		t.Errorf("%d versions, want %d and the withdrawal", n, before)
	}
	in, err := adapters.ReadQuarantine(c.dir, departmentKey)
	if err != nil || len(in) != 1 || in[0].Line != 7 {
		t.Errorf("quarantine %+v, %v", in, err)
	}
	c.standing()
}

func TestAnotherDepartmentKeyWithdrawsNothing(t *testing.T) {
	c := newCity(t)
	c.mustRun(&list{rows: companies(20)})
	before := c.versions()
	c.dir = t.TempDir()
	other := c.config(&list{rows: companies(20)}, c.bus)
	other.DepartmentKey = []byte(strings.Repeat("x", 32))
	for range 2 { // the refusal is not forgotten either
		if _, err := adapters.Open(t.Context(), other); code(err) != "YM-ADP-0104" {
			t.Fatalf("got %v", err)
		}
	}
	if n := c.versions(); n != before {
		t.Errorf("%d versions, want %d", n, before)
	}
	if r := c.mustRun(&list{rows: companies(20)}); r.Published != 0 || r.Unchanged != 20 {
		t.Errorf("with the right key: %+v", r)
	}
}

func TestStateBelongsToOneProcessAndOneAdapter(t *testing.T) {
	c := newCity(t)
	r, err := adapters.Open(t.Context(), c.config(&list{}, c.bus))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := adapters.Open(t.Context(), c.config(&list{}, c.bus)); code(err) != "YM-ADP-0101" {
		t.Errorf("second process: %v", err)
	}
	r.Close()
	c.mustRun(&list{rows: companies(1)})
	other := c.config(&list{}, c.bus)
	changed := strings.Replace(manifestText, "scjg/licences", "scjg/others", 1)
	if other.Manifest, err = adapters.ParseManifest("x.yaml", []byte(changed)); err != nil {
		t.Fatal(err)
	}
	if _, err := adapters.Open(t.Context(), other); code(err) != "YM-ADP-0102" {
		t.Errorf("another adapter's state: %v", err)
	}
	if _, err := adapters.ReadStatus(t.TempDir()); code(err) != "YM-ADP-0103" {
		t.Errorf("no state: %v", err)
	}
}

func TestStateHoldsNothingReadable(t *testing.T) {
	c := newCity(t)
	rows := companies(20)
	rows[3] = []string{"朙朙金丝雀陶瓷", "91430281000000019D", "1998-03-04", "N/A"}
	c.mustRun(&list{rows: rows})
	err := filepath.WalkDir(c.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, canary := range []string{"朙朙金丝雀", "91430281000000019D", rows[0][1], "瓷厂"} {
			if strings.Contains(string(content), canary) {
				t.Errorf("%s holds %q", entry.Name(), canary)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnotherDepartmentKeyDoesNotOpenTheQuarantine(t *testing.T) {
	c := newCity(t)
	rows := companies(3)
	rows[0][2] = "昨天"
	c.mustRun(&list{rows: rows})
	if _, err := adapters.ReadQuarantine(c.dir, []byte(strings.Repeat("x", 32))); err == nil {
		t.Error("opened with a strange key")
	}
}

func TestCheckPublishesNothing(t *testing.T) {
	c := newCity(t)
	rows := companies(10)
	rows[1][2], rows[2][2], rows[3][3] = "昨天", "前天", "很多钱"
	config := c.config(&list{rows: rows}, c.bus)
	report, err := adapters.Check(t.Context(), config.Manifest, config.Source, config.Schema, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if report.Read != 10 || report.Sound != 7 || report.Faulty != 3 || len(report.Kinds) != 2 || report.Kinds[0].Count != 2 || len(report.Documents) != 2 {
		t.Errorf("%+v", report)
	}
	if len(c.read("evidence.business-licence")) != 0 {
		t.Error("something was published")
	}
	if report, err = adapters.Check(t.Context(), config.Manifest, config.Source, config.Schema, 4, 0); err != nil || report.Read != 4 {
		t.Errorf("bounded check: %+v, %v", report, err)
	}
}
