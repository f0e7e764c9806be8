package test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/exchange/replay"
)

// memory is what those who asked remember of the answers they were given, by the entry's id.
type memory struct {
	mu     sync.Mutex
	random *rand.Rand
	told   map[string][]byte
	about  map[string]broker.Query

	couples [][]exchange.Holder
}

// ask asks for n holders, each about an item that accepts them, in any mode and with what people state, some at the same time.
func (m *memory) ask(t *testing.T, p *place, holders []exchange.Holder, n int) {
	t.Helper()
	var group sync.WaitGroup
	next := make(chan broker.Query)
	for range 4 {
		group.Go(func() {
			for q := range next {
				c, err := p.node.Broker.Query(t.Context(), q)
				for range 1000 { // a node that has just begun may not answer yet
					if exchange.KindOf(err) != exchange.Unavailable {
						break
					}
					time.Sleep(20 * time.Millisecond)
					c, err = p.node.Broker.Query(t.Context(), q)
				}
				if err != nil {
					t.Error(err)
					continue
				}
				told, err := broker.Spell(c.Answers)
				if err != nil {
					t.Error(err)
				}
				m.mu.Lock()
				m.told[c.ID], m.about[c.ID] = told, q
				m.mu.Unlock()
			}
		})
	}
	items := slices.DeleteFunc(p.node.Catalogue.Services(), func(s catalogue.Service) bool {
		return !p.node.Catalogue.MayAsk("xzsp", s.Code, exchange.DateOf(p.now))
	})
	for sent := 0; sent < n; {
		h, item := holders[m.random.IntN(len(holders))], items[m.random.IntN(len(items))]
		if item.Applicant == "" || item.Applicant == h.Kind {
			q := broker.Query{Case: "LL-2030-0603-0007", Item: item.Code, Applicant: h, Caller: broker.Caller{Department: "xzsp", Clerk: "0017"}}
			m.further(&q, item, holders)
			next <- q
			sent++
		}
	}
	close(next)
	group.Wait()
}

// further draws what else a query says: how much it asks for, what is stated of one type, and who the spouse is where that matters.
func (m *memory) further(q *broker.Query, item catalogue.Service, holders []exchange.Holder) {
	q.Mode = []broker.Mode{"", broker.Full, broker.VerifyOnly, broker.Predicates}[m.random.IntN(4)]
	if types := item.Types(); len(types) > 0 && m.random.IntN(2) == 0 {
		status := strconv.Quote([]string{"在业", "正常"}[m.random.IntN(2)])
		q.Stated = broker.Stated{types[m.random.IntN(len(types))]: {"status": json.RawMessage(status)}}
	}
	if item.Code != spouseMoves {
		return
	}
	spouse := holders[m.random.IntN(len(holders))]
	if len(m.couples) > 0 && m.random.IntN(2) == 0 {
		couple := m.couples[m.random.IntN(len(m.couples))]
		q.Applicant, spouse = couple[0], couple[1]
	}
	if spouse.Kind == exchange.Person && spouse != q.Applicant {
		q.Parties = map[exchange.Role]exchange.Holder{exchange.Spouse: spouse}
	}
}

// asked are the answers that the log has, with what it has not.
func (m *memory) asked(t *testing.T, p *place) (all []replay.Asked) {
	t.Helper()
	p.follow(audit.Topic, func(message *exchange.Message) {
		e, err := audit.Parse(message.Key, message.Value)
		if err != nil {
			t.Error(err)
		} else if _, known := m.told[e.ID]; known {
			q := m.about[e.ID]
			all = append(all, replay.Asked{Entry: e, Applicant: q.Applicant, Stated: q.Stated, Parties: q.Parties})
		}
	})
	return all
}

// replay has all answers given again and compares each with what was told, byte for byte.
func (m *memory) replay(t *testing.T, p *place, erased exchange.Holder) {
	t.Helper()
	asked, began, count := m.asked(t, p), time.Now(), map[replay.Verdict]int{}
	err := p.node.Replay(t.Context(), asked, func(r replay.Result) error {
		count[r.Verdict]++
		again, err := broker.Spell(r.Answers)
		switch {
		case err != nil:
			return err
		case r.Verdict == replay.Erased && m.isAbout(r.ID, erased):
		case r.Verdict != replay.Same || !r.Bytes || !bytes.Equal(again, m.told[r.ID]):
			if count[replay.Differs] < 5 {
				t.Errorf("%s: %s %+v\n%s\n%s", r.ID, r.Verdict, r.Materials, m.told[r.ID], again)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != len(m.told) || count[replay.Same]+count[replay.Erased] != len(asked) {
		t.Errorf("%v of %d answers, %d entries", count, len(m.told), len(asked))
	}
	t.Logf("%v in %s", count, time.Since(began).Round(time.Millisecond))
}

func (m *memory) isAbout(id string, h exchange.Holder) bool {
	q := m.about[id]
	return q.Applicant == h || q.Parties[exchange.Spouse] == h
}

// notSame has answers given again that were not given so: the comparison must say it.
func (m *memory) notSame(t *testing.T, p *place) {
	t.Helper()
	others := m.asked(t, p)[:3]
	others[0].Entry.Materials[0].Outcome = exchange.Received
	others[1].Entry.Answers = others[2].Entry.Answers
	others[2].Entry.Evaluated = others[2].Entry.Evaluated.AddDate(60, 0, 0)
	got := map[string]replay.Result{}
	if err := p.node.Replay(t.Context(), others, func(r replay.Result) error { got[r.ID] = r; return nil }); err != nil {
		t.Fatal(err)
	}
	for i, materials := range []int{1, 0, -1} {
		r := got[others[i].Entry.ID]
		if r.Verdict != replay.Differs || materials >= 0 && len(r.Materials) != materials {
			t.Errorf("what was changed (%d) comes out as %+v", i, r)
		}
	}
}

// TestAnswersAreGivenAgain has a city change for some days while it is asked, and then every answer given again. The run of 10,000 answers:
// YIMEN_TEST_REPLAY=10000 go test ./test -run TestAnswersAreGivenAgain -v
func TestAnswersAreGivenAgain(t *testing.T) {
	answers, people := 400, 150
	if n, err := strconv.Atoi(os.Getenv("YIMEN_TEST_REPLAY")); err == nil {
		answers, people = n, oraclePeople
	}
	dir := t.TempDir()
	p := openUnder(t, dir, firstDay.Add(30*time.Minute), nil, withSpouse(t))
	o := oracleCity(t, p, people)
	m := &memory{random: rand.New(rand.NewPCG(7, 11)), told: map[string][]byte{}, about: map[string]broker.Query{}}
	for _, l := range o.files["marriage-certificate"].lines {
		if l.clean != nil && len(l.clean.Holders) == 2 {
			m.couples = append(m.couples, l.clean.Holders)
		}
	}
	types := slices.Sorted(maps.Keys(o.files))
	few := answers / (2*len(types) + 6)

	for _, of := range types { // asked while departments join, one after the other
		o.files[of].export(t, firstDay, 1)
		o.publish(t, p, o.files[of])
		m.ask(t, p, o.holders, few)
	}
	p.now = p.now.AddDate(0, 0, 1)
	for i, of := range types { // revoked, superseded, corrected, gone, newly in quarantine and mended; one file does not come
		o.files[of].rewrite(t, o.holders[:people], map[string]int{})
		if i%5 != 4 {
			o.files[of].export(t, firstDay.AddDate(0, 0, 1), 1)
			o.publish(t, p, o.files[of])
		}
		m.ask(t, p, o.holders, few)
	}
	p.now = p.now.AddDate(0, 0, 3) // all are stale but one, which bears no unreadable row any more
	driving := o.files["driving-licence"]
	driving.amend(t, regexp.MustCompile(`unreadable: \d+`), "unreadable: 0")
	driving.export(t, firstDay.AddDate(0, 0, 4), 1)
	o.publish(t, p, driving)
	m.ask(t, p, o.holders, 3*few)

	now := p.now
	p.close()
	p = openUnder(t, dir, now, nil, otherGrants(t))
	p.settle()
	m.ask(t, p, o.holders, 3*few)
	erased := o.holders[0]
	m.ask(t, p, o.holders[:1], 3)
	m.replay(t, p, exchange.Holder{})
	m.notSame(t, p)
	if _, err := p.node.Erase(t.Context(), "xzsp/0017", node.EraseRequest{Kind: "holder", Number: erased.Number, Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	m.replay(t, p, erased)
	together := 0
	for _, q := range m.about {
		together += len(q.Parties)
	}
	if together == 0 {
		t.Error("no answer was about two people")
	}
}

// spouseMoves is an item that needs something of the spouse.
const spouseMoves exchange.Item = "spouse-moves"

// withSpouse is the demonstration's catalogue with that item.
func withSpouse(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(demo.Catalogue(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(demo.Catalogue(), path)
		files[path] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["items/"+string(spouseMoves)+".yaml"] = &fstest.MapFile{Data: []byte(`item: spouse-moves
name: {zh: 配偶随迁, en: The spouse moves too}
department: gaj
applicant: person
materials:
  - {material: marriage, name: {zh: 结婚证}, basis: {zh: 法}, necessity: required, alternatives: [[marriage-certificate]]}
  - {material: household, name: {zh: 户口簿}, basis: {zh: 法}, necessity: required, alternatives: [[{evidence: household-registration, of: spouse}]]}
`)}
	for evidence, fields := range map[string]string{"marriage-certificate": "certificateNumber, status", "household-registration": "address, status"} {
		files["grants.yaml"].Data = append(slices.Clone(files["grants.yaml"].Data), "- {department: xzsp, item: spouse-moves, evidence: "+evidence+", fields: ["+fields+
			"], basis: {zh: 法}, from: 2025-08-01, until: 2035-12-31}\n"...)
	}
	return files
}

// otherGrants is that catalogue in which many grants allow fewer fields and others are not there.
func otherGrants(t *testing.T) fs.FS {
	t.Helper()
	files := withSpouse(t)
	grants := bytes.SplitAfter(files["grants.yaml"].Data, []byte("until: 2030-12-31\n"))
	for i, g := range grants {
		switch i % 4 {
		case 1:
			grants[i] = nil
		case 2:
			grants[i] = regexp.MustCompile(`fields: \[\w+, `).ReplaceAll(g, []byte("fields: ["))
		}
	}
	files["grants.yaml"].Data = bytes.Join(grants, nil)
	return files
}
