package bustest

import (
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

// Rules tests the rules of access of a Kafka in which the caller may change them.
func Rules(t *testing.T, b *bus.Bus) {
	const ours, other = "User:bustest/adapter/one", "User:bustest/adapter/other"
	read := bus.Rule{Principal: ours, Operation: bus.Read, Resource: bus.TopicResource, Name: "bustest.rules"}
	write, prefix, deny, cluster, fromOne := read, read, read, read, read
	write.Operation = bus.Write
	prefix.Prefix = true
	deny.Deny, deny.Operation, deny.Name = true, bus.All, "*"
	cluster.Resource, cluster.Name, cluster.Operation = bus.ClusterResource, bus.ClusterName, bus.DescribeConfigs
	fromOne.Host = "10.0.0.5"
	foreign := read
	foreign.Principal = other
	all := []bus.Rule{read, write, prefix, deny, cluster, fromOne, foreign}
	expect := func(what string, want ...bus.Rule) {
		t.Helper()
		deadline := time.Now().Add(5 * time.Second) // a broker learns of rules a moment later
		for {
			got, err := b.Rules(limit(t, 10*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			got = slices.DeleteFunc(got, func(r bus.Rule) bool { return r.Principal != ours && r.Principal != other })
			missing := slices.ContainsFunc(want, func(r bus.Rule) bool { return !slices.Contains(got, r) })
			if len(got) == len(want) && !missing {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: there are %+v, want %+v", what, got, want)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	change := func(add, remove []bus.Rule) {
		t.Helper()
		if err := b.Protect(limit(t, 10*time.Second), add, remove); err != nil {
			t.Fatal(err)
		}
	}
	change(all, nil)
	expect("added", all...)
	change(all, nil)
	expect("added twice", all...)
	change(nil, []bus.Rule{prefix})
	expect("removed is the prefix alone", read, write, deny, cluster, fromOne, foreign)
	change(nil, []bus.Rule{read, deny})
	expect("removed are those named alone", write, cluster, fromOne, foreign)
	change([]bus.Rule{deny}, []bus.Rule{write, prefix})
	expect("added and removed, one of them not there", deny, cluster, fromOne, foreign)
	change(nil, all)
	expect("none are left")
	if err := b.Protect(t.Context(), nil, []bus.Rule{read, {Principal: other, Operation: bus.Read, Resource: bus.TopicResource}}); exchange.KindOf(err) != exchange.Internal {
		t.Errorf("a rule without a name, which would be a pattern: %v", err)
	}
}
