package node

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/access"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/contract"
)

// guard keeps Kafka's rules as the roll has them, where Kafka checks who is calling.
func (n *Node) guard(ctx context.Context) error {
	if n.cfg.Kafka.TLS.Cert == "" {
		return nil
	}
	for {
		changed := n.Roll.Changed()
		if err := n.protect(ctx); err != nil && ctx.Err() == nil {
			n.around.Log.Error("Kafka's rules are not as the roll has them", "error", err)
			changed = later(ctx, askAgain)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(mendRulesEvery): // somebody may have changed them by hand
		}
	}
}

// mendRulesEvery is how often rules are looked at without a change of the roll.
const mendRulesEvery = 10 * time.Minute

func (n *Node) protect(ctx context.Context) error {
	members, err := n.members(ctx)
	if err != nil {
		return err
	}
	changes, err := access.Apply(ctx, n.Bus, n.Catalogue, Topics(n.Catalogue, n.cfg.Kafka), members)
	if err == nil && !changes.None() {
		n.around.Log.Info("Kafka's rules were changed", "added", len(changes.Add), "removed", len(changes.Remove))
	}
	return err
}

// members are the identities on the roll, to its end, as Kafka's rules need them.
func (n *Node) members(ctx context.Context) ([]access.Member, error) {
	if err := n.Roll.Settled(ctx); err != nil {
		return nil, err
	}
	var members []access.Member
	var wrong []error
	for _, s := range n.Roll.Standings() {
		who, err := certs.ParseIdentity(s.Identity)
		wrong = append(wrong, err)
		members = append(members, access.Member{Identity: who, Revoked: !s.Revoked.IsZero()})
	}
	return members, errors.Join(wrong...)
}

// KafkaRules is the answer of GET /v1/kafka/rules: how Kafka's rules of access differ from what catalogue and roll demand.
type KafkaRules struct {
	// Kept says whether the node puts them right by itself: that takes a certificate for Kafka.
	Kept    bool           `json:"kept"`
	Changes access.Changes `json:"changes"`
}

// compareRules changes nothing.
func (n *Node) compareRules(ctx context.Context) (KafkaRules, error) {
	members, err := n.members(ctx)
	if err != nil {
		return KafkaRules{}, err
	}
	existing, err := n.Bus.Rules(ctx)
	if err != nil {
		return KafkaRules{}, err
	}
	return KafkaRules{Kept: n.cfg.Kafka.TLS.Cert != "", Changes: access.Plan(n.Catalogue, Topics(n.Catalogue, n.cfg.Kafka), members, existing)}, nil
}

// rules are GET /v1/kafka/rules.
func (n *Node) rules() []contract.Operation {
	rule := bus.Rule{Principal: "User:scjg/adapter/licences", Operation: bus.Write, Resource: bus.TopicResource, Name: "evidence.business-licence"}
	return []contract.Operation{{ID: "compareKafkaRules", Method: http.MethodGet, Path: "/v1/kafka/rules", Group: contract.Joining,
		Name: text("比较 Kafka 访问规则", "compare Kafka's rules"),
		About: text("Kafka 的访问规则与目录和身份名册的差别，不作改动。管理员可用。",
			"How Kafka's rules of access differ from what the catalogue and the roll of identities demand. Nothing is changed. For administrators."),
		Answer: KafkaRules{Kept: true, Changes: access.Changes{Add: []bus.Rule{rule}}},
		Do:     n.forAdmins(func(r *http.Request, _ string) (any, error) { return n.compareRules(r.Context()) }),
	}}
}
