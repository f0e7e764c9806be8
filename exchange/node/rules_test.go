package node

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/door"
)

// An administrator is told how Kafka's rules differ from the roll's; nobody else is, and nothing is changed by asking.
func TestKafkaRulesAreCompared(t *testing.T) {
	t.Parallel()
	c := settings(t)
	const admin = "token-of-an-administrator"
	c.Callers = filepath.Join(t.TempDir(), "callers.yaml")
	put(t, c.Callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+"}\n"+
		"- {department: xzsp, clerk: '0002', admin: true, token_sha256: "+door.TokenHash(admin)+"}\n")
	n := start(t, c)
	adapter := certs.Identity{Department: "scjg", Role: certs.Adapter, Name: "licences"}
	if _, err := n.Enrol(t.Context(), adapter, certs.CredentialConfig{Dir: t.TempDir(), Name: "a"}); err != nil {
		t.Fatal(err)
	}
	adapter.City = n.cfg.City
	writes := bus.Rule{Principal: "User:" + adapter.Principal(), Operation: bus.Write, Resource: bus.TopicResource, Name: "evidence.business-licence"}

	first := comparedBy(t, n, admin)
	if first.Kept || count(first.Changes.Add, writes) != 1 || len(first.Changes.Remove) > 0 {
		t.Errorf("at first %+v", first)
	}
	if err := n.Bus.Protect(t.Context(), first.Changes.Add, nil); err != nil {
		t.Fatal(err)
	}
	if right := comparedBy(t, n, admin); !right.Changes.None() {
		t.Errorf("left are %+v", right.Changes)
	}
	if err := n.Roll.Revoke(t.Context(), roll.Target{Identity: adapter}, "xzsp/0002", "JC-2026-014"); err != nil {
		t.Fatal(err)
	}
	if after := comparedBy(t, n, admin); count(after.Changes.Remove, writes) != 1 {
		t.Errorf("once it is revoked: %+v", after.Changes)
	}
	clerk := api.Client{Base: n.URL(), Token: token, Clock: n.around.Clock}
	if err := clerk.Call(t.Context(), http.MethodGet, "/v1/kafka/rules", nil, new(KafkaRules)); exchange.KindOf(err) != exchange.Denied {
		t.Errorf("a clerk is told: %v", err)
	}
}

func comparedBy(t *testing.T, n *Node, token string) (rules KafkaRules) {
	t.Helper()
	client := api.Client{Base: n.URL(), Token: token, Clock: n.around.Clock}
	if err := client.Call(t.Context(), http.MethodGet, "/v1/kafka/rules", nil, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

func count(all []bus.Rule, one bus.Rule) (n int) {
	for _, r := range all {
		if r == one {
			n++
		}
	}
	return n
}
