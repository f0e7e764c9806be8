package limits

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// monday is a Monday morning in China.
var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, exchange.China)

// node is one node's limits, with what it told people.
type node struct {
	*Limits
	metrics *prometheus.Registry
	said    *bytes.Buffer
}

// world is a city's nodes, the audit topic they share, and one clock.
type world struct {
	t     testing.TB
	now   time.Time
	nodes []*node
	topic []audit.Entry
	lag   int // how many of the newest entries the nodes have not folded
	next  int // of the topic, to be folded
	ids   int
}

func newWorld(t testing.TB, rules Rules, nodes int) *world {
	t.Helper()
	w := &world{t: t, now: monday}
	for range nodes {
		w.nodes = append(w.nodes, w.start(rules))
	}
	return w
}

// start is a node that has read the topic.
func (w *world) start(rules Rules) *node {
	w.t.Helper()
	n := &node{metrics: prometheus.NewPedanticRegistry(), said: new(bytes.Buffer)}
	var err error
	n.Limits, err = New(Config{Rules: rules, Clock: func() time.Time { return w.now }, Log: slog.New(slog.NewTextHandler(n.said, nil)), Metrics: n.metrics})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range w.topic {
		n.Fold(&w.topic[i])
	}
	n.Await(0)
	return n
}

// entry is a query of xzsp/w1 for somebody new, of whom something is held, as Stamp leaves it; changes are made to it.
func (w *world) entry(changes ...func(*audit.Entry)) audit.Entry {
	w.ids++
	id := strconv.Itoa(w.ids)
	e := audit.Entry{ID: "id" + id, Time: w.now, Department: "xzsp", Clerk: "w1", Case: "case" + id, Item: "food-licence-new", Subject: "subject" + id,
		Near: "near" + id, Found: true}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func by(department exchange.Department, clerk string) func(*audit.Entry) {
	return func(e *audit.Entry) { e.Department, e.Clerk = department, clerk }
}

func about(subject string) func(*audit.Entry) { return func(e *audit.Entry) { e.Subject = subject } }
func near(near string) func(*audit.Entry)     { return func(e *audit.Entry) { e.Near = near } }
func inCase(number string) func(*audit.Entry) { return func(e *audit.Entry) { e.Case = number } }
func item(code exchange.Item) func(*audit.Entry) {
	return func(e *audit.Entry) { e.Item = code }
}
func nonce(nonce string) func(*audit.Entry) { return func(e *audit.Entry) { e.Nonce = nonce } }
func unheld(e *audit.Entry)                 { e.Found = false }
func notAllowed(e *audit.Entry)             { e.Decision, e.Refusal = audit.Refused, notPermitted }

// notHeld is what an entry says of somebody of whom for certain nothing is held.
var notHeld = []audit.Material{{Material: "licence", Outcome: exchange.Supply, Reason: exchange.NotHeld,
	Evidence: []audit.Evidence{{Type: "business-licence", Outcome: exchange.Supply, Reason: exchange.NotHeld}}}}

// ask is what the broker does on the first node: the entry is admitted or refused, and comes onto the topic either way.
func (w *world) ask(changes ...func(*audit.Entry)) error { return w.askOn(0, w.entry(changes...)) }

func (w *world) askOn(node int, e audit.Entry) error {
	found := e.Found
	e.Found = false // not known before it was looked up
	err := w.nodes[node].Admit(&e)
	if exchange.KindOf(err) == exchange.Unavailable {
		return err
	}
	if err != nil && e.Decision != audit.Refused {
		w.t.Fatalf("%v, and the entry is %+v", err, e)
	}
	if e.Decision != audit.Refused {
		if e.Decision, e.Found = audit.Answered, found; !found {
			e.Materials = notHeld
		}
	}
	w.append(e)
	return err
}

func (w *world) append(e audit.Entry) {
	w.topic = append(w.topic, e)
	w.fold(len(w.topic) - w.lag)
}

// fold lets all nodes fold the topic up to an offset.
func (w *world) fold(end int) {
	for ; w.next < end; w.next++ {
		for _, n := range w.nodes {
			n.Fold(&w.topic[w.next])
		}
	}
}

func (w *world) lift(target string) {
	w.ids++
	w.append(audit.Entry{ID: "id" + strconv.Itoa(w.ids), Kind: audit.Act, Act: LiftAct, Target: target, Time: w.now, Clerk: "admin"})
}

// wait lets time pass.
func (w *world) wait(d time.Duration) { w.now = w.now.Add(d) }

// suspensions of a node, each as its target and rule.
func (n *node) list() []string {
	var all []string
	for _, s := range n.Suspensions() {
		all = append(all, s.Target()+" "+string(s.Rule))
	}
	return all
}

// alarms counts a node's alarms by rule.
func (n *node) alarms() map[string]int {
	families, err := n.metrics.Gather()
	if err != nil {
		panic(err)
	}
	counts := map[string]int{}
	for _, f := range families {
		if f.GetName() != "yimen_limits_alarms_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if v := int(m.GetCounter().GetValue()); v > 0 {
				counts[m.GetLabel()[0].GetValue()] = v
			}
		}
	}
	return counts
}

// refusalOf is the code that a refused query leaves in its entry, "" for an answered one.
func (w *world) refusalOf(err error) string {
	w.t.Helper()
	last := w.topic[len(w.topic)-1]
	if (err != nil) != (last.Refusal != "") {
		w.t.Fatalf("%v, and the entry says %q", err, last.Refusal)
	}
	return last.Refusal
}

func (w *world) want(what string, err error, refusal string) {
	w.t.Helper()
	if got := w.refusalOf(err); got != refusal {
		w.t.Errorf("%s: %q (%v), want %q", what, got, err, refusal)
	}
}

// repeat asks n times and demands an answer each time.
func (w *world) repeat(n int, changes ...func(*audit.Entry)) {
	w.t.Helper()
	for i := range n {
		if err := w.ask(changes...); err != nil {
			w.t.Fatalf("query %d of %d: %v", i+1, n, err)
		}
	}
}

func (w *world) suspended(want ...string) {
	w.t.Helper()
	for i, n := range w.nodes {
		if got := n.list(); !slices.Equal(got, want) {
			w.t.Errorf("node %d: suspended %s, want %s", i, strings.Join(got, ", "), strings.Join(want, ", "))
		}
	}
}

func numbered(prefix string, i int) string { return fmt.Sprintf("%s%d", prefix, i) }
