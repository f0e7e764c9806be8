package test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// pythonCity is what oracle/oracle.py is told.
type pythonCity struct {
	t          *testing.T
	dir        string
	Asker      string             `json:"asker"`
	Schemas    string             `json:"schemas"`
	Items      any                `json:"items"`
	Grants     []any              `json:"grants"`
	StaleAfter map[string]float64 `json:"stale_after"` // seconds
	Moments    []pythonMoment     `json:"moments"`
}

type pythonMoment struct {
	Now     time.Time      `json:"now"`
	Exports []pythonExport `json:"exports"` // since the moment before
	Answers string         `json:"answers"` // a file
}

type pythonExport struct {
	Evidence exchange.EvidenceType `json:"evidence"`
	At       time.Time             `json:"at"`
	Path     string                `json:"path"`
	Manifest json.RawMessage       `json:"manifest"`
}

// TestAnswersAgreeWithPython has an oracle that shares no code with the exchange, and no language, read the departments' files and say what
// every answer must be: which queries are refused, which materials are asked for in the light of facts that some state and others do
// not, and what is granted, demanded of a record, covered, stale, revoked and in quarantine. The run of 10,000 people and their companies:
// YIMEN_TEST_ORACLE=10000 go test ./test -run TestAnswersAgreeWithPython -v
func TestAnswersAgreeWithPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on this machine: the oracle in Python says nothing")
	}
	people := 150
	if n, err := strconv.Atoi(os.Getenv("YIMEN_TEST_ORACLE")); err == nil {
		people = n
	}
	p := openUnder(t, t.TempDir(), firstDay.Add(30*time.Minute), nil, otherGrants(t))
	o := oracleCity(t, p, people)
	city := newPythonCity(t, p)
	city.moment(p, o, o.export(firstDay, nil))

	p.now = p.now.AddDate(0, 0, 1) // revoked, suspended, superseded, corrected, gone, spoilt and mended
	for _, f := range o.files {
		f.rewrite(t, o.holders[:people], map[string]int{})
	}
	city.moment(p, o, o.export(firstDay.AddDate(0, 0, 1), nil))

	p.now = p.now.AddDate(0, 0, 3) // one bears no unreadable row any more, one speaks for its city only, all but these are stale
	driving, household := o.files["driving-licence"], o.files["household-registration"]
	driving.amend(t, regexp.MustCompile(`unreadable: \d+`), "unreadable: 0")
	household.amend(t, regexp.MustCompile(`kind: person`), `kind: person, divisions: ["430281"]`)
	city.moment(p, o, o.export(firstDay.AddDate(0, 0, 4), []*file{driving, household}))
	city.ask(python)
}

// export has departments export their files, all where none is named.
func (o *oracle) export(at time.Time, files []*file) []*file {
	if files == nil {
		for _, f := range o.files {
			files = append(files, f)
		}
	}
	for _, f := range files {
		f.exported = at
	}
	return files
}

func newPythonCity(t *testing.T, p *place) *pythonCity {
	t.Helper()
	schemas, err := filepath.Abs("../schemas/evidence")
	if err != nil {
		t.Fatal(err)
	}
	c := &pythonCity{t: t, dir: t.TempDir(), Asker: "xzsp", Schemas: schemas, Items: p.node.Catalogue.Services(), StaleAfter: map[string]float64{}}
	for _, e := range p.node.Catalogue.EvidenceTypes() {
		c.StaleAfter[string(e.Type)] = e.StaleAfter.Seconds()
	}
	for _, g := range p.node.Catalogue.Grants() {
		c.Grants = append(c.Grants, map[string]any{"department": g.Department, "item": g.Item, "evidence": g.Evidence, "from": g.From, "until": g.Until})
	}
	return c
}

// moment publishes the exports, keeps them for the oracle, and asks for everybody.
func (c *pythonCity) moment(p *place, o *oracle, files []*file) {
	c.t.Helper()
	m := pythonMoment{Now: p.now, Answers: filepath.Join(c.dir, fmt.Sprint("answers", len(c.Moments), ".jsonl"))}
	for _, f := range files {
		at := f.exported
		f.export(c.t, at, 1)
		m.Exports = append(m.Exports, c.keep(f, at, len(c.Moments)))
		o.publish(c.t, p, f)
	}
	p.settle()
	out, err := os.Create(m.Answers)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, h := range o.holders {
		if len(o.holders) < 1000 || i%3 == len(c.Moments) { // of many, each is asked about on one of the three days
			err = errors.Join(err, c.answers(out, p, o, h))
		}
	}
	if err := errors.Join(err, out.Close()); err != nil {
		c.t.Fatal(err)
	}
	c.Moments = append(c.Moments, m)
}

func (c *pythonCity) keep(f *file, at time.Time, number int) pythonExport {
	c.t.Helper()
	content, err := os.ReadFile(f.path)
	if err != nil {
		c.t.Fatal(err)
	}
	e := pythonExport{Evidence: f.Type, At: at, Path: filepath.Join(c.dir, fmt.Sprint(number, "-", f.Type, ".csv"))}
	manifest, err := os.ReadFile(f.path[:len(f.path)-len(".csv")] + ".yaml")
	if err == nil {
		e.Manifest, err = yaml.YAMLToJSON(manifest)
	}
	if err := errors.Join(err, os.WriteFile(e.Path, content, 0o600)); err != nil {
		c.t.Fatal(err)
	}
	return e
}

// answers writes what the exchange says to one holder about each item.
func (c *pythonCity) answers(to io.Writer, p *place, o *oracle, h exchange.Holder) error {
	dice := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(fmt.Sprint(h.Number, len(c.Moments))))))
	for _, item := range o.catalogue.Services() {
		q := broker.Query{Case: "LL-2030-0603-0007", Item: item.Code, Applicant: h,
			Caller: broker.Caller{Department: "xzsp", Clerk: "0017"}, Facts: stating(item, dice)}
		said := map[string]any{"applicant": h.Number, "item": item.Code, "facts": q.Facts}
		got, err := o.broker.Query(c.t.Context(), q)
		var refusal *exchange.Problem
		if errors.As(err, &refusal) {
			said["refused"] = refusal.Code
		} else if err != nil {
			return err
		}
		answers := [][3]string{}
		for _, a := range got.Answers {
			answers = append(answers, [3]string{a.Material, string(a.Outcome), string(a.Reason)})
		}
		said["answers"] = answers
		line, err := json.Marshal(said)
		if err == nil {
			_, err = to.Write(append(line, '\n'))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stating is what an applicant states of the facts that the item asks: yes, no, or nothing.
func stating(item catalogue.Service, dice *rand.Rand) map[string]any {
	facts := map[string]any{}
	for _, f := range item.Facts {
		if answer := dice.IntN(3); f.Kind == catalogue.Flag && answer < 2 {
			facts[f.Code] = answer == 1
		}
	}
	return facts
}

// ask lets the oracle judge all moments.
func (c *pythonCity) ask(python string) {
	c.t.Helper()
	said, err := json.Marshal(c)
	path := filepath.Join(c.dir, "city.json")
	if err := errors.Join(err, os.WriteFile(path, said, 0o600)); err != nil {
		c.t.Fatal(err)
	}
	began := time.Now()
	out, err := exec.CommandContext(c.t.Context(), python, "oracle/oracle.py", path).CombinedOutput()
	if err != nil {
		c.t.Errorf("the oracle in Python says otherwise: %v\n%s", err, out)
	}
	c.t.Logf("%s%s", out, time.Since(began).Round(time.Millisecond))
}
