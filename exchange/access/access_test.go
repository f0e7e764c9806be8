package access

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas/registry"
)

func city(t testing.TB) (*catalogue.Catalogue, []bus.Topic) {
	t.Helper()
	c, err := catalogue.Load(catalogue.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	topics := []bus.Topic{{Name: "audit"}, {Name: "identities"}, {Name: "erasures"}, {Name: registry.Proposals}, {Name: registry.Mirror}}
	for _, e := range c.EvidenceTypes() {
		topics = append(topics, bus.Topic{Name: envelope.EvidenceTopic(e.Type)})
	}
	for _, d := range c.Departments() {
		topics = append(topics, bus.Topic{Name: envelope.CoverageTopic(d.Code)}, bus.Topic{Name: envelope.QuarantineTopic(d.Code)}, bus.Topic{Name: envelope.NoticesTopic(d.Code)})
	}
	return c, topics
}

func of(d exchange.Department, role certs.Role, name string) certs.Identity {
	return certs.Identity{City: "liling", Department: d, Role: role, Name: name}
}

var node2 = certs.Identity{City: "liling", Role: certs.Node, Name: "2"}

// short writes rules as "+principal operation resource", with - for those that forbid.
func short(rules []bus.Rule) string {
	var all []string
	for _, r := range rules {
		sign, end := "+", ""
		if r.Deny {
			sign = "-"
		}
		if r.Prefix {
			end = "…"
		}
		all = append(all, sign+strings.TrimPrefix(r.Principal, user)+" "+string(r.Operation)+" "+r.Name+end)
	}
	return strings.Join(all, "\n")
}

func parse(t testing.TB, text string) []bus.Rule {
	t.Helper()
	var rules []bus.Rule
	for line := range strings.Lines(text) {
		part := strings.Fields(line)
		if len(part) != 3 {
			t.Fatalf("%q is no rule", line)
		}
		name, prefix := strings.CutSuffix(part[2], "…")
		r := bus.Rule{Principal: user + part[0][1:], Deny: part[0][0] == '-', Operation: bus.Operation(part[1]), Resource: bus.TopicResource, Name: name, Prefix: prefix}
		if name == bus.ClusterName {
			r.Resource = bus.ClusterResource
		}
		rules = append(rules, r)
	}
	return rules
}

const (
	rightsOfTax = `+swj/adapter/clearance read _schemas
+swj/adapter/clearance read coverage.swj
+swj/adapter/clearance write coverage.swj
+swj/adapter/clearance read evidence.tax-clearance
+swj/adapter/clearance write evidence.tax-clearance
+swj/adapter/clearance read quarantine.swj
+swj/adapter/clearance write quarantine.swj
+swj/adapter/clearance read schemas.proposals`
	rightsOfNode = `+node/2 alter kafka-cluster
+node/2 create kafka-cluster
+node/2 describe kafka-cluster
+node/2 describeconfigs kafka-cluster
+node/2 describeconfigs *
+node/2 read *
+node/2 write *`
	nothingForTax = `-swj/adapter/clearance all kafka-cluster
-swj/adapter/clearance all *`
)

func TestPlan(t *testing.T) {
	c, topics := city(t)
	tax := of("swj", certs.Adapter, "clearance")
	for name, row := range map[string]struct {
		members        []Member
		existing       string
		add, remove    string
		foreign, holes string
	}{
		"nobody":                       {},
		"an adapter":                   {members: []Member{{Identity: tax}}, add: rightsOfTax},
		"a node":                       {members: []Member{{Identity: node2}}, add: rightsOfNode},
		"clerks have no business here": {members: []Member{{Identity: of("xzsp", certs.Clerk, "0017")}}},
		"a service reads its department's notices": {members: []Member{{Identity: of("xzsp", certs.Service, "window")}},
			add: "+xzsp/service/window read notices.xzsp…\n+xzsp/service/window read notices.xzsp"},
		"a department that the catalogue does not know": {members: []Member{{Identity: of("nowhere", certs.Adapter, "a")}},
			add: "+nowhere/adapter/a read _schemas\n+nowhere/adapter/a read schemas.proposals"},
		"nothing to do": {members: []Member{{Identity: tax}, {Identity: node2}}, existing: rightsOfTax + "\n" + rightsOfNode},
		"one is missing, one is too many": {members: []Member{{Identity: tax}},
			existing: strings.Replace(rightsOfTax, "write evidence.tax-clearance", "write evidence.business-licence", 1),
			add:      "+swj/adapter/clearance write evidence.tax-clearance", remove: "+swj/adapter/clearance write evidence.business-licence"},
		"revoked":                 {members: []Member{{Identity: tax, Revoked: true}}, existing: rightsOfTax, add: nothingForTax, remove: rightsOfTax},
		"revoked already":         {members: []Member{{Identity: tax, Revoked: true}}, existing: nothingForTax},
		"revoked once is revoked": {members: []Member{{Identity: tax, Revoked: true}, {Identity: tax}}, existing: nothingForTax},
		"restored":                {members: []Member{{Identity: tax}}, existing: nothingForTax, add: rightsOfTax, remove: nothingForTax},
		"a revoked clerk": {members: []Member{{Identity: of("xzsp", certs.Clerk, "0017"), Revoked: true}},
			add: "-xzsp/clerk/0017 all kafka-cluster\n-xzsp/clerk/0017 all *"},
		"unknown to the roll: allowed nothing, forbidden still": {existing: "+swj/adapter/ghost write evidence.tax-clearance\n-swj/adapter/old all *",
			remove: "+swj/adapter/ghost write evidence.tax-clearance", foreign: "-swj/adapter/old all *"},
		"foreign": {members: []Member{{Identity: node2}}, existing: rightsOfNode + "\n+monitor describe *\n+monitor read evidence.…\n+node/broker9 alter kafka-cluster\n+* write evidence.tax-…\n+* write other\n-* write audit",
			foreign: "-* write audit\n+* write evidence.tax-…\n+* write other\n+monitor describe *\n+monitor read evidence.…\n+node/broker9 alter kafka-cluster",
			holes:   "+* write evidence.tax-…\n+node/broker9 alter kafka-cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Plan(c, topics, row.members, parse(t, row.existing))
			for what, pair := range map[string][2]string{"add": {short(got.Add), row.add}, "remove": {short(got.Remove), row.remove},
				"foreign": {short(got.Foreign), row.foreign}, "holes": {short(got.Holes), row.holes}} {
				if pair[0] != pair[1] {
					t.Errorf("%s:\n%s\nwant:\n%s", what, pair[0], pair[1])
				}
			}
			if got.None() != (row.add+row.remove == "") {
				t.Errorf("none: %v", got.None())
			}
		})
	}
}

func TestSchemaTopicsAreTheRegistrys(t *testing.T) {
	if !slices.Equal(schemaTopics, []string{registry.Proposals, registry.Mirror}) {
		t.Errorf("adapters may read %v", schemaTopics)
	}
}

// permits is Kafka's own reading of rules (StandardAuthorizer), written anew: what forbids wins, what nothing allows is
// forbidden, and to read or write is to describe.
func permits(rules []bus.Rule, principal string, operation bus.Operation, topic string) bool {
	allowed := false
	for _, r := range rules {
		concerns := r.Resource == bus.TopicResource && (r.Principal == principal || r.Principal == "User:*") &&
			(r.Name == topic || r.Prefix && strings.HasPrefix(topic, r.Name) || !r.Prefix && r.Name == "*")
		does := r.Operation == operation || r.Operation == bus.All ||
			!r.Deny && operation == bus.Describe && (r.Operation == bus.Read || r.Operation == bus.Write || r.Operation == bus.Alter)
		if concerns && does {
			if r.Deny {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// after are the rules once changes were made.
func after(existing []bus.Rule, c Changes) []bus.Rule {
	left := slices.DeleteFunc(slices.Clone(existing), func(r bus.Rule) bool { return slices.Contains(c.Remove, r) })
	return append(left, c.Add...)
}

// Whatever stood there and whoever is revoked: afterwards each topic is written by its keeper's adapters and nodes alone,
// a second run changes nothing, and nothing is both added and removed.
func TestOnlyKeepersWrite(t *testing.T) {
	c, topics := city(t)
	var names []string
	for _, topic := range topics {
		names = append(names, topic.Name)
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	for range 200 {
		var members []Member
		var existing []bus.Rule
		for _, d := range c.Departments() {
			for _, role := range []certs.Role{certs.Adapter, certs.Service, certs.Clerk} {
				members = append(members, Member{of(d.Code, role, fmt.Sprint("n", random.IntN(3))), random.IntN(3) == 0})
			}
		}
		members = append(members, Member{node2, random.IntN(2) == 0})
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		for range random.IntN(60) {
			who := pick([]string{principal(members[random.IntN(len(members))].Identity), "User:swj/adapter/ghost", "User:monitor"})
			r := bus.Rule{Principal: who, Deny: random.IntN(4) == 0, Operation: bus.Operation(pick([]string{"read", "write", "all", "describe"})),
				Resource: bus.TopicResource, Name: pick(append(names, "*", "evidence."))}
			r.Prefix = r.Name == "evidence."
			existing = append(existing, r)
		}
		first := Plan(c, topics, members, existing)
		now := after(existing, first)
		if second := Plan(c, topics, members, now); !second.None() || !slices.Equal(second.Foreign, first.Foreign) {
			t.Fatalf("a second run adds\n%s\nand removes\n%s", short(second.Add), short(second.Remove))
		}
		for _, r := range existing {
			if r.Principal == "User:monitor" && !slices.Contains(now, r) {
				t.Fatalf("a foreign rule is gone: %+v", r)
			}
		}
		for _, m := range members {
			for _, topic := range names {
				write, read := permits(now, principal(m.Identity), bus.Write, topic), permits(now, principal(m.Identity), bus.Read, topic)
				wantWrite, wantRead := may(c, m, topic)
				if write != wantWrite || read != wantRead {
					t.Fatalf("%s (revoked: %v) on %s: writes %v, reads %v", m.Identity, m.Revoked, topic, write, read)
				}
			}
		}
		if permits(now, "User:swj/adapter/ghost", bus.Write, "evidence.tax-clearance") {
			t.Fatal("somebody whom the roll does not know may write")
		}
	}
}

// may says from the catalogue alone what a member should be able to do.
func may(c *catalogue.Catalogue, m Member, topic string) (write, read bool) {
	switch kind, rest, _ := strings.Cut(topic, "."); {
	case m.Revoked:
		return false, false
	case m.Identity.Role == certs.Node:
		return true, true
	case m.Identity.Role == certs.Service:
		return false, kind == "notices" && rest == string(m.Identity.Department)
	case m.Identity.Role != certs.Adapter:
		return false, false
	case kind == "evidence":
		e, _ := c.Evidence(exchange.EvidenceType(rest))
		return e.Keeper == m.Identity.Department, e.Keeper == m.Identity.Department
	case kind == "coverage", kind == "quarantine":
		return rest == string(m.Identity.Department), rest == string(m.Identity.Department)
	}
	return false, topic == "_schemas" || topic == "schemas.proposals"
}

// fake keeps rules.
type fake struct {
	rules  []bus.Rule
	broken error
	asked  int // to change something
}

func (f *fake) Rules(context.Context) ([]bus.Rule, error) { return slices.Clone(f.rules), f.broken }

func (f *fake) Protect(_ context.Context, add, remove []bus.Rule) error {
	f.asked++
	f.rules = after(f.rules, Changes{Add: add, Remove: remove})
	return f.broken
}

func TestApply(t *testing.T) {
	c, topics := city(t)
	tax := of("swj", certs.Adapter, "clearance")
	k := &fake{rules: parse(t, "+monitor describe *")}
	for i, revoked := range []bool{false, false, true, true, false} {
		changes, err := Apply(t.Context(), k, c, topics, []Member{{tax, revoked}})
		if again := i == 1 || i == 3; err != nil || changes.None() != again || len(changes.Foreign) != 1 {
			t.Errorf("run %d: %+v %v", i, changes, err)
		}
		if permits(k.rules, principal(tax), bus.Write, "evidence.tax-clearance") == revoked {
			t.Errorf("run %d: revoked is %v", i, revoked)
		}
	}
	if k.asked != 3 {
		t.Errorf("asked %d times to change something", k.asked)
	}
	k.broken = errors.New("no answer")
	if _, err := Apply(t.Context(), k, c, topics, []Member{{tax, false}}); !errors.Is(err, k.broken) || k.asked != 3 {
		t.Errorf("%v after asking %d times", err, k.asked)
	}
}
