package test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// The oracle is told what the city's registers say and how they change, and nothing of what the exchange makes of it. From
// the rules of answers and coverage it says what every answer must be; the exchange must say the same.

// firstDay lies ahead of the clocks of machines that run this: what a clock of a test says is later than what Kafka notes.
var firstDay = time.Date(2030, 6, 3, 9, 0, 0, 0, exchange.China)

// usual and worst are how many rows of 1,000 are spoilt: what is spoilt at the usual rate is spoilt at the worst as well, so
// that a file can get better or worse row by row.
const (
	oraclePeople = 2000
	usual        = 20
	worst        = 60
)

// oracle knows the truth of a city and the rules, and nothing else.
type oracle struct {
	catalogue *catalogue.Catalogue // items and materials as plain data
	grants    []catalogue.Grant
	files     map[exchange.EvidenceType]*file
	holders   []exchange.Holder
	told      map[exchange.Holder]map[need]opinion // of today
	broker    *broker.Broker
}

// need is a type of evidence with what is demanded of a record, as the catalogue writes it.
type need struct {
	evidence exchange.EvidenceType
	when     string
}

// opinion is what must be said of one need to one holder, were there a grant.
type opinion struct {
	outcome exchange.Outcome
	reason  exchange.Reason
}

// staleAfter is what the city's catalogue says of every type: a daily export may miss a weekend.
const staleAfter = 72 * time.Hour

// needs are what the items need of anybody, by type.
func (o *oracle) needs() map[exchange.EvidenceType]map[need]bool {
	all := map[exchange.EvidenceType]map[need]bool{}
	for t := range o.files {
		all[t] = map[need]bool{}
	}
	for _, item := range o.catalogue.Services() {
		for _, m := range item.Materials {
			for _, n := range slices.Concat(m.Alternatives...) {
				all[n.Evidence][need{n.Evidence, n.When.String()}] = true
			}
		}
	}
	return all
}

// today judges every need for every holder.
func (o *oracle) today(now time.Time) {
	o.told = map[exchange.Holder]map[need]opinion{}
	for _, h := range o.holders {
		o.told[h] = map[need]opinion{}
	}
	needs := o.needs()
	for t, f := range o.files {
		records, doubtful := map[exchange.Holder][]*line{}, map[exchange.Holder]bool{}
		for _, l := range f.lines {
			if l.clean == nil {
				continue
			}
			if l.holds != nil {
				for _, h := range l.holds.Holders {
					records[h] = append(records[h], l)
				}
			}
			if l.now != nil && l.says.Spoilt != "" {
				for _, h := range l.says.Named {
					doubtful[h] = true
				}
			}
		}
		_, nameless := f.bad()
		for _, h := range o.holders {
			for n := range needs[t] {
				o.told[h][n] = f.judge(h, n, records[h], doubtful[h], nameless <= f.manifest.Tolerance.Unreadable, now)
			}
		}
	}
}

// judge says what must be answered of the need to the holder.
func (f *file) judge(h exchange.Holder, n need, records []*line, doubtful, bearable bool, now time.Time) opinion {
	stale := now.Sub(f.upTo) > staleAfter
	usable, flaw := sortOut(records, exchange.DateOf(now))
	if all := len(usable); n.when != "" {
		usable = slices.DeleteFunc(usable, func(l *line) bool { return !demands[n.when](f.says(l), now) })
		if len(usable) < all {
			flaw = exchange.ConditionNotMet
		}
	}
	switch {
	case doubtful:
		return opinion{exchange.Unknown, exchange.CoverageIncomplete}
	case len(usable) > 1:
		return opinion{exchange.Check, exchange.Ambiguous}
	case len(usable) == 1 && stale:
		return opinion{exchange.Check, exchange.SourceStale}
	case len(usable) == 1:
		return opinion{exchange.Held, ""}
	case !covers(f.manifest.Holders, h):
		return opinion{exchange.Unknown, exchange.CoverageIncomplete}
	case stale && !f.Partial:
		return opinion{exchange.Unknown, exchange.SourceStale}
	case f.Partial || !bearable:
		return opinion{exchange.Unknown, exchange.CoverageIncomplete}
	}
	return opinion{exchange.Supply, cmp.Or(flaw, exchange.NotHeld)}
}

// sortOut tells the records that count today from the others, and what is wrong with those: what could end sooner comes first.
func sortOut(records []*line, day exchange.Date) (usable []*line, flaw exchange.Reason) {
	order := []exchange.Reason{exchange.IsSuspended, exchange.IsRevoked, exchange.Expired, exchange.IsSuperseded}
	why := map[exchange.Status]exchange.Reason{exchange.Suspended: exchange.IsSuspended, exchange.Revoked: exchange.IsRevoked,
		exchange.Superseded: exchange.IsSuperseded, exchange.Valid: exchange.Expired}
	first := len(order)
	for _, l := range records {
		r := l.holds
		if r.Status == exchange.Valid && r.From <= day && (r.Until == "" || day <= r.Until) {
			usable = append(usable, l)
		} else if r.Status != exchange.Valid || r.From <= day {
			first = min(first, slices.Index(order, why[r.Status]))
		}
	}
	if first < len(order) {
		flaw = order[first]
	}
	return usable, flaw
}

// covers says whether the manifest speaks for the holder.
func covers(scope exchange.Scope, h exchange.Holder) bool {
	division := h.Number[:6]
	if h.Kind == exchange.Organisation {
		division = h.Number[2:8]
	}
	return (scope.Kind == "" || scope.Kind == h.Kind) && (len(scope.Divisions) == 0 ||
		slices.ContainsFunc(scope.Divisions, func(d string) bool { return strings.HasPrefix(division, d) }))
}

// answer says what must be answered for a material: the best of its alternatives, the first of equals.
func (o *oracle) answer(item exchange.Item, m catalogue.Material, h exchange.Holder, now time.Time) opinion {
	if len(m.Alternatives) == 0 {
		return opinion{exchange.Supply, exchange.ApplicantMade}
	}
	rank := []exchange.Outcome{exchange.Held, exchange.Check, exchange.Unknown, exchange.Supply}
	by := func(a, b opinion) int { return slices.Index(rank, a.outcome) - slices.Index(rank, b.outcome) }
	var best []opinion
	for _, set := range m.Alternatives {
		var needed []opinion
		for _, n := range set {
			said := o.one(item, need{n.Evidence, n.When.String()}, h, now)
			if n.Of != "" && said.reason != exchange.NoGrant {
				said = opinion{exchange.Unknown, exchange.PartyNotStated} // nobody says who the others are
			}
			needed = append(needed, said)
		}
		slices.SortStableFunc(needed, func(a, b opinion) int { return by(b, a) })
		best = append(best, needed[0])
	}
	slices.SortStableFunc(best, by)
	return best[0]
}

func (o *oracle) one(item exchange.Item, n need, h exchange.Holder, now time.Time) opinion {
	if !o.granted(now, func(g catalogue.Grant) bool { return g.Item == item && g.Evidence == n.evidence }) {
		return opinion{exchange.Supply, exchange.NoGrant}
	}
	return o.told[h][n]
}

// granted says whether the window has a grant of that kind in force. It decides on no item itself.
func (o *oracle) granted(now time.Time, like func(catalogue.Grant) bool) bool {
	day := exchange.DateOf(now)
	return slices.ContainsFunc(o.grants, func(g catalogue.Grant) bool {
		return g.Department == "xzsp" && g.From <= day && day <= g.Until && like(g)
	})
}

// oracleCity writes the city and reads its truth.
func oracleCity(t testing.TB, p *place, people int) *oracle {
	t.Helper()
	asker, err := broker.New(broker.Config{Catalogue: p.node.Catalogue, Holdings: p.node.Index, Audit: forgetful{}, Clock: p.clock})
	if err != nil {
		t.Fatal(err)
	}
	cities, dirs := [3]*demo.City{}, [3]string{}
	holdings := [3]map[string]*demo.Holding{}
	o := &oracle{catalogue: p.node.Catalogue, grants: p.node.Catalogue.Grants(), broker: asker, files: map[exchange.EvidenceType]*file{}}
	for i, rate := range []int{-1, usual, worst} {
		cities[i] = demo.New(demo.Config{Seed: 7, People: people, Now: firstDay, Spoilt: rate})
		dirs[i] = filepath.Join(p.dir, fmt.Sprint("city", rate))
		if err := cities[i].Write(dirs[i], nil); err != nil {
			t.Fatal(err)
		}
		o.holders, holdings[i] = truth(cities[i])
	}
	for _, tally := range cities[1].Tallies() {
		f := &file{Tally: tally, path: filepath.Join(dirs[1], tally.File)}
		if f.manifest, err = adapters.LoadManifest(strings.TrimSuffix(f.path, ".csv") + ".yaml"); err != nil {
			t.Fatal(err)
		}
		f.load(t, dirs, holdings)
		o.files[tally.Type] = f
	}
	for _, needs := range o.needs() {
		for n := range needs {
			if n.when != "" && demands[n.when] == nil {
				t.Fatalf("the oracle does not know what %s demands of %s: say so in demands", n.when, n.evidence)
			}
		}
	}
	return o
}

// truth is everybody of the city, and every certificate by its type and number. The banks come first among companies; what
// they hold the city does not tell, so they are left out.
func truth(c *demo.City) (holders []exchange.Holder, all map[string]*demo.Holding) {
	all = map[string]*demo.Holding{}
	take := func(h exchange.Holder, of []demo.Holding) {
		holders = append(holders, h)
		for i := range of {
			all[string(of[i].Type)+of[i].Natural] = &of[i]
		}
	}
	people, companies := c.Size()
	for i := range people {
		p := c.Person(i)
		take(p.Holder, p.Holdings)
	}
	for i := range companies {
		f := c.Company(i)
		take(f.Holder, f.Holdings)
	}
	return slices.Delete(holders, people, people+3), all
}

// compare asks for one in so many holders and every item that accepts them, and counts where exchange and oracle differ.
// One query in a hundred goes the whole way, with a durable entry in the audit log.
func (o *oracle) compare(t *testing.T, p *place, step int) {
	t.Helper()
	p.settle()
	o.today(p.now)
	var group sync.WaitGroup
	next := make(chan int)
	score := score{seen: map[string]int{}}
	for range 16 {
		group.Go(func() {
			for i := range next {
				asked := o.broker
				if i%100 == 0 {
					asked = p.node.Broker
				}
				o.askAll(t, asked, o.holders[i], p.now, &score)
			}
		})
	}
	for i := 0; i < len(o.holders); i += step {
		next <- i
	}
	close(next)
	group.Wait()
	t.Logf("answers: %v", score.seen)
	if score.differ > 0 {
		t.Errorf("%d answers differ from the oracle's", score.differ)
	}
}

func (o *oracle) askAll(t *testing.T, asked *broker.Broker, h exchange.Holder, now time.Time, score *score) {
	for _, item := range o.catalogue.Services() {
		c, err := asked.Query(t.Context(), broker.Query{Case: "LL-2030-0603-0007", Item: item.Code, Applicant: h,
			Caller: broker.Caller{Department: "xzsp", Clerk: "0017"}})
		if code := o.refusal(item, h, now); code != "" {
			score.refused(t, item.Code, err, code)
			continue
		}
		materials := slices.DeleteFunc(slices.Clone(item.Materials), func(m catalogue.Material) bool { return notAsked(m, h) })
		if err != nil || len(c.Answers) != len(materials) {
			t.Errorf("%s: %d answers for %d materials: %v", item.Code, len(c.Answers), len(materials), err)
			continue
		}
		for i, m := range materials {
			want := o.answer(item.Code, m, h, now)
			if !score.count(c.Answers[i], want) {
				t.Errorf("%s of %s for %s: %s/%s, want %s/%s", m.Code, item.Code, h, c.Answers[i].Outcome, c.Answers[i].Reason, want.outcome, want.reason)
			}
			for _, e := range c.Answers[i].Evidence {
				if e.Reason == exchange.NotHeld && !e.AsOf.Equal(o.files[e.Type].upTo) {
					t.Errorf("%s is not held as of %s, want %s", e.Type, e.AsOf, o.files[e.Type].upTo)
				}
			}
		}
	}
}

// refusal is the code of the refusal that must come instead of answers, "" where there must be answers.
func (o *oracle) refusal(item catalogue.Service, h exchange.Holder, now time.Time) string {
	switch {
	case item.Applicant != "" && item.Applicant != h.Kind:
		return "YM-QRY-0113"
	case !o.granted(now, func(g catalogue.Grant) bool { return g.Item == item.Code }):
		return "YM-QRY-0201"
	}
	return ""
}

// score counts answers by what they say.
type score struct {
	mu     sync.Mutex
	seen   map[string]int
	differ int
}

// count says whether the answer is right, or at least not worth telling after so many others.
func (s *score) count(got exchange.Answer, want opinion) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[string(got.Outcome)+"/"+string(got.Reason)]++
	if got.Outcome == want.outcome && got.Reason == want.reason {
		return true
	}
	s.differ++
	return s.differ > 10
}

// refused counts a query that must be refused.
func (s *score) refused(t *testing.T, item exchange.Item, err error, code string) {
	var problem *exchange.Problem
	if !errors.As(err, &problem) || problem.Code != code {
		t.Errorf("%s: %v, want %s", item, err, code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[code]++
}

// TestAnswersAgreeWithTheOracle goes through a week of a city whose files have more dirt than usual.
func TestAnswersAgreeWithTheOracle(t *testing.T) {
	p := open(t, t.TempDir(), firstDay.Add(30*time.Minute), nil)
	o := oracleCity(t, p, oraclePeople)
	o.everyone(t, p, "first day", firstDay, 5)

	p.now = p.now.AddDate(0, 0, 1)
	count := map[string]int{}
	for _, f := range o.files {
		f.rewrite(t, o.holders[:oraclePeople], count)
	}
	t.Logf("rows on the second day: %v", count)
	o.everyone(t, p, "files rewritten", firstDay.AddDate(0, 0, 1), 3)

	// The third day: one export breaks off in the middle, another department has gone on holiday, and a third bears no
	// unreadable row today. After that one of them comes to speak for its own city only.
	p.now = p.now.AddDate(0, 0, 1)
	driving, household := o.files["driving-licence"], o.files["household-registration"]
	driving.amend(t, regexp.MustCompile(`unreadable: \d+`), "unreadable: 0")
	insurance, health := o.files["social-insurance"], o.files["health-certificate"]
	t.Run("half a file", func(t *testing.T) {
		insurance.export(t, firstDay.AddDate(0, 0, 2), 0.5)
		o.refused(t, p, insurance, "YM-ADP-0302")
	})
	o.everyone(t, p, "without two departments", firstDay.AddDate(0, 0, 2), 7, insurance, health)

	p.now = p.now.AddDate(0, 0, 3)
	household.amend(t, regexp.MustCompile(`kind: person`), `kind: person, divisions: ["430281"]`)
	o.everyone(t, p, "one stopped exporting four days ago", firstDay.AddDate(0, 0, 5), 5, health)
}

// refused lets the adapter read a file that is plainly wrong: it must stop, and vouch for nothing more than before.
func (o *oracle) refused(t *testing.T, p *place, f *file, code string) {
	t.Helper()
	r := p.adapter(strings.TrimSuffix(f.path, ".csv") + ".yaml")
	defer r.Close()
	_, err := r.Run(t.Context())
	var problem *exchange.Problem
	if !errors.As(err, &problem) || problem.Code != code {
		t.Errorf("half a file: %v, want %s", err, code)
	}
	if err := r.Heartbeat(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// everyone has every department but some export its file and every adapter read it, and compares.
func (o *oracle) everyone(t *testing.T, p *place, name string, exported time.Time, step int, but ...*file) {
	t.Run(name, func(t *testing.T) {
		for _, f := range o.files {
			if !slices.Contains(but, f) {
				f.export(t, exported, 1)
				o.publish(t, p, f)
			}
		}
		o.compare(t, p, step)
	})
}

// publish lets the adapter read the file, and compares the counts with what was planted.
func (o *oracle) publish(t *testing.T, p *place, f *file) {
	t.Helper()
	r := p.adapter(strings.TrimSuffix(f.path, ".csv") + ".yaml")
	defer r.Close()
	result, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(f.path)
	if err != nil {
		t.Fatal(err)
	}
	before := f.exported
	f.read(info.ModTime())
	if result.HeldBack > 0 { // a row that is gone or hidden: only the export before is vouched for
		f.upTo = before
	}
	if bad, nameless := f.bad(); result.Quarantined != bad || result.Unreadable != nameless {
		t.Errorf("%s: %d rows in quarantine and %d nameless, want %d and %d", f.File, result.Quarantined, result.Unreadable, bad, nameless)
	} else if n := inQuarantine(t, p, f.Adapter); n != bad {
		t.Errorf("%s: %d rows lie in quarantine, want %d", f.File, n, bad)
	}
}

// forgetful keeps no entries.
type forgetful struct{}

func (forgetful) Stamp(context.Context, *audit.Entry) error { return nil }

func (forgetful) Append(context.Context, audit.Entry) (audit.Receipt, error) {
	return audit.Receipt{}, nil
}

// inQuarantine counts the rows that the department finds in its quarantine.
func inQuarantine(t *testing.T, p *place, adapter exchange.Adapter) int64 {
	t.Helper()
	rows, err := adapters.ReadQuarantine(filepath.Join(p.dir, "adapters", filepath.FromSlash(string(adapter))), p.departmentKey(adapter.Department()))
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(rows))
}
