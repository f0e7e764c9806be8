// Package access says who may do what on Kafka, and makes Kafka's own rules say the same.
//
// Plan is pure: from who keeps what (the catalogue), who there is (the roll) and the rules that Kafka has it finds what to
// add and what to take away. Apply carries that out. Both are level-triggered: whatever was done before, by whomever, the
// rules afterwards are the right ones, and doing it again changes nothing.
//
// Rules name principals one by one. A department's adapters may write the topics of that department and nothing else; its
// services may read its notices, and its clerks have no business on Kafka. Who was revoked is forbidden everything, because
// connections that are open outlive certificates and a rule that forbids acts on them at once.
package access

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Member is an identity on the city's roll.
type Member struct {
	Identity certs.Identity
	Revoked  bool
}

// Changes are what makes Kafka's rules right.
type Changes struct {
	Add    []bus.Rule `json:"add"`
	Remove []bus.Rule `json:"remove"`
	// Foreign are rules of principals that are none of the city's, or that the roll does not know: they are left alone.
	Foreign []bus.Rule `json:"foreign"`
	// Holes are those of Foreign by which somebody else may write or alter the city's topics.
	Holes []bus.Rule `json:"holes"`
}

// None says whether the rules are right as they are.
func (c Changes) None() bool { return len(c.Add)+len(c.Remove) == 0 }

// Kafka is where rules are kept. *bus.Bus is one.
type Kafka interface {
	Rules(context.Context) ([]bus.Rule, error)
	Protect(ctx context.Context, add, remove []bus.Rule) error
}

// Apply makes Kafka's rules right and says what it changed. The members must be those of the roll's end: with an older
// roll it would take back what a newer one forbade.
func Apply(ctx context.Context, k Kafka, c *catalogue.Catalogue, topics []bus.Topic, members []Member) (Changes, error) {
	existing, err := k.Rules(ctx)
	if err != nil {
		return Changes{}, err
	}
	changes := Plan(c, topics, members, existing)
	if changes.None() {
		return changes, nil
	}
	return changes, k.Protect(ctx, changes.Add, changes.Remove)
}

// Plan finds what has to change. Rules are wanted for the topics given only.
func Plan(c *catalogue.Catalogue, topics []bus.Topic, members []Member, existing []bus.Rule) Changes {
	revoked := make(map[string]bool, len(members)) // by principal; of two entries the one that is revoked counts
	identities := make(map[string]certs.Identity, len(members))
	for _, m := range members {
		p := principal(m.Identity)
		identities[p], revoked[p] = m.Identity, revoked[p] || m.Revoked
	}
	wanted := make(map[bus.Rule]bool)
	for p, identity := range identities {
		rules := allowed(c, topics, identity)
		if revoked[p] {
			rules = forbidden(identity)
		}
		for _, r := range rules {
			wanted[r] = true
		}
	}
	var changes Changes
	for _, r := range existing {
		_, known := revoked[r.Principal]
		switch {
		case wanted[r]:
			delete(wanted, r)
		case known, !r.Deny && ofDepartment(r.Principal): // nobody whom the roll does not know may do anything in a department's name
			changes.Remove = append(changes.Remove, r)
		default:
			changes.Foreign = append(changes.Foreign, r)
			if isHole(r, topics) {
				changes.Holes = append(changes.Holes, r)
			}
		}
	}
	for r := range wanted {
		changes.Add = append(changes.Add, r)
	}
	for _, rules := range [][]bus.Rule{changes.Add, changes.Remove, changes.Foreign, changes.Holes} {
		slices.SortFunc(rules, compare)
	}
	return changes
}

// schemaTopics are what adapters read to know the schemas by which they are to write.
var schemaTopics = []string{"schemas.proposals", "_schemas"}

// every is the name of a resource that stands for all of its kind.
const every = "*"

// allowed are the rules for an identity that is not revoked. To read its own topics lets an adapter rebuild a lost state.
func allowed(c *catalogue.Catalogue, topics []bus.Topic, i certs.Identity) []bus.Rule {
	var rules []bus.Rule
	may := func(operation bus.Operation, resource bus.Resource, name string) {
		rules = append(rules, bus.Rule{Principal: principal(i), Operation: operation, Resource: resource, Name: name})
	}
	switch i.Role {
	case certs.Adapter:
		own := topicsOf(c, i.Department)
		for _, t := range topics {
			if slices.Contains(own, t.Name) {
				may(bus.Write, bus.TopicResource, t.Name)
			}
			if slices.Contains(own, t.Name) || slices.Contains(schemaTopics, t.Name) {
				may(bus.Read, bus.TopicResource, t.Name)
			}
		}
	case certs.Service:
		for _, t := range topics {
			if notices := envelope.NoticesTopic(i.Department); t.Name == notices {
				may(bus.Read, bus.TopicResource, notices)
				rules = append(rules, bus.Rule{Principal: principal(i), Operation: bus.Read, Resource: bus.GroupResource, Name: notices, Prefix: true}) // its consumers' groups begin so
			}
		}
	case certs.Node:
		// Nodes fold all topics and write most: what was registered, revoked, erased and asked. Evidence they could
		// write too, as tombstones of what is erased; a record without the keeper's signature is refused everywhere.
		for _, operation := range []bus.Operation{bus.Read, bus.Write, bus.DescribeConfigs} {
			may(operation, bus.TopicResource, every)
		}
		// To create topics, to keep these rules, and to check the brokers' settings at the start.
		for _, operation := range []bus.Operation{bus.Create, bus.Alter, bus.Describe, bus.DescribeConfigs} {
			may(operation, bus.ClusterResource, bus.ClusterName)
		}
	}
	return rules
}

// topicsOf are the topics that only a department's own adapters write.
func topicsOf(c *catalogue.Catalogue, d exchange.Department) []string {
	names := []string{envelope.CoverageTopic(d), envelope.QuarantineTopic(d)}
	for _, e := range c.EvidenceTypes() {
		if e.Keeper == d {
			names = append(names, envelope.EvidenceTopic(e.Type))
		}
	}
	return names
}

// forbidden are the rules for an identity that was revoked.
func forbidden(i certs.Identity) []bus.Rule {
	rule := bus.Rule{Principal: principal(i), Deny: true, Operation: bus.All, Resource: bus.TopicResource, Name: every}
	cluster := rule
	cluster.Resource, cluster.Name = bus.ClusterResource, bus.ClusterName
	return []bus.Rule{rule, cluster}
}

// user is how Kafka marks a principal that a certificate names.
const user = "User:"

func principal(i certs.Identity) string { return user + i.Principal() }

// ofDepartment says whether a principal has the form of a department's identity.
func ofDepartment(principal string) bool {
	name, ok := strings.CutPrefix(principal, user)
	_, err := certs.ParseIdentity("spiffe://city/dept/" + name)
	return ok && err == nil
}

// isHole says whether a rule lets its principal write or alter one of the topics.
func isHole(r bus.Rule, topics []bus.Topic) bool {
	switch r.Operation {
	case bus.Read, bus.Describe, bus.DescribeConfigs:
		return false
	}
	reaches := r.Resource == bus.ClusterResource || r.Resource == bus.TopicResource && slices.ContainsFunc(topics, func(t bus.Topic) bool {
		return r.Name == t.Name || r.Prefix && strings.HasPrefix(t.Name, r.Name) || !r.Prefix && r.Name == every
	})
	return reaches && !r.Deny
}

// compare sorts rules by principal, and what forbids before what allows.
func compare(a, b bus.Rule) int {
	return cmp.Or(
		strings.Compare(a.Principal, b.Principal),
		-cmp.Compare(number(a.Deny), number(b.Deny)),
		strings.Compare(string(a.Resource), string(b.Resource)),
		strings.Compare(a.Name, b.Name),
		cmp.Compare(number(a.Prefix), number(b.Prefix)),
		strings.Compare(string(a.Operation), string(b.Operation)),
		strings.Compare(a.Host, b.Host),
	)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
