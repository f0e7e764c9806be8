package registry

import (
	"strings"
	"sync"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
)

// confluent is a topic as Confluent's registry and others leave it.
func confluent() []exchange.Message {
	var msgs []exchange.Message
	for _, kv := range [][2]string{
		{`{"keytype":"NOOP","magic":0}`, ``},
		{`{"keytype":"CONFIG","subject":null,"magic":0}`, `{"compatibilityLevel":"FULL"}`},
		{`{"keytype":"SCHEMA","subject":"name-value","version":1,"magic":1}`, `{"subject":"name-value","version":1,"id":10,"schemaType":"JSON","schema":"{\"type\": \"string\"}","deleted":false}`},
		{`{"subject":"person-value","version":1,"magic":1,"keytype":"SCHEMA"}`, `{"subject":"person-value","version":1,"id":11,"schemaType":"JSON","references":[{"name":"n","subject":"name-value","version":1}],"schema":"{\"$ref\":\"n\"}","deleted":false,"ruleSet":null}`},
		{`{"keytype":"SCHEMA","subject":"gone-value","version":1,"magic":1}`, `{"subject":"gone-value","version":1,"id":12,"schemaType":"JSON","schema":"{}","deleted":false}`},
		{`{"keytype":"SCHEMA","subject":"gone-value","version":2,"magic":1}`, `{"subject":"gone-value","version":2,"id":13,"schemaType":"JSON","schema":"true","deleted":false}`},
		{`{"keytype":"DELETE_SUBJECT","subject":"gone-value","magic":0}`, `{"subject":"gone-value","version":2}`},
		{`{"keytype":"SCHEMA","subject":"gone-value","version":3,"magic":1}`, `{"subject":"gone-value","version":3,"id":12,"schemaType":"JSON","schema":"{}","deleted":false}`},
		{`{"keytype":"SCHEMA","subject":"soft-value","version":1,"magic":1}`, `{"subject":"soft-value","version":1,"id":14,"schemaType":"JSON","schema":"{\"a\":1}","deleted":true}`},
		{`{"keytype":"SCHEMA","subject":"hard-value","version":1,"magic":1}`, `{"subject":"hard-value","version":1,"id":15,"schemaType":"JSON","schema":"{\"a\":2}","deleted":true}`},
		{`{"keytype":"SCHEMA","subject":"hard-value","version":1,"magic":1}`, ``},
		{`{"keytype":"SCHEMA","subject":"avro-value","version":1,"magic":1}`, `{"subject":"avro-value","version":1,"id":99,"schema":"\"string\"","deleted":false}`},
		{`{"keytype":"SCHEMA","subject":":.city:x","version":1,"magic":1}`, `{"subject":":.city:x","version":1,"id":98,"schemaType":"JSON","schema":"{}","deleted":false}`},
		{`{"keytype":"SCHEMA","subject":"broken-value","version":1,"magic":1}`, `{"subject":"broken-value"`},
		{`{"keytype":"CONFIG","subject":"name-value","magic":0}`, `{"subject":"name-value","compatibilityLevel":"NONE","compatibilityPolicy":"LENIENT","alias":"x"}`},
		{`{"keytype":"MODE","subject":"soft-value","magic":0}`, `{"subject":"soft-value","mode":"READONLY"}`},
		{`{"keytype":"MODE","subject":"name-value","magic":0}`, `{"subject":"name-value","mode":"STRANGE"}`},
		{`{"keytype":"CONTEXT","tenant":"t","context":".city","magic":0}`, `{"tenant":"t","context":".city"}`},
		{`rubbish`, `rubbish`},
	} {
		m := exchange.Message{Key: []byte(kv[0])}
		if kv[1] != "" {
			m.Value = []byte(kv[1])
		}
		msgs = append(msgs, m)
	}
	return msgs
}

func TestAdoption(t *testing.T) {
	w := newWorld(t)
	before := confluent()
	must(t, w.bus().Append(t.Context(), Mirror, before))
	nodes := make([]*node, 3)
	var all sync.WaitGroup
	for i := range nodes { // at once
		all.Go(func() { nodes[i] = w.node(quiet) })
	}
	all.Wait()
	n := nodes[0]
	for _, other := range nodes[1:] {
		must(t, other.Settled(t.Context()))
		if other.dump() != n.dump() {
			t.Error("registries that took over at once disagree")
		}
	}
	for subject, want := range map[string][]Entry{
		"name-value":   {{Version: 1, ID: 10}},
		"person-value": {{Version: 1, ID: 11}},
		"gone-value":   {{Version: 1, ID: 12, Deleted: true}, {Version: 2, ID: 13, Deleted: true}, {Version: 3, ID: 12}},
		"soft-value":   {{Version: 1, ID: 14, Deleted: true}},
		"hard-value":   nil, "avro-value": nil, ":.city:x": nil, "broken-value": nil,
	} {
		got, _ := n.Versions(subject, true)
		if len(got) != len(want) {
			t.Errorf("%s has %d versions, want %d", subject, len(got), len(want))
			continue
		}
		for i, e := range got {
			if e.Version != want[i].Version || e.ID != want[i].ID || e.Deleted != want[i].Deleted {
				t.Errorf("%s: %+v, want %+v", subject, e, want[i])
			}
		}
	}
	if l := n.Level("person-value"); l.Compatibility != "FULL" || l.Own {
		t.Errorf("%+v", l)
	}
	if l := n.Level("name-value"); l != (Level{"NONE", compat.Lenient, true}) {
		t.Errorf("%+v", l)
	}
	if mode, own := n.Mode("soft-value"); mode != "READONLY" || !own {
		t.Error(mode, own)
	}
	if ids, err := n.ReferencedBy("name-value", 1); err != nil || len(ids) != 1 || ids[0] != 11 {
		t.Error(ids, err)
	}
	if again := n.register("name-value", `{"type":"string"}`); again.New {
		t.Error("white space makes another schema of what was taken over")
	}
	if elsewhere := n.register("other-value", `{"type":"string"}`); elsewhere.Entry.ID != 10 {
		t.Errorf("the same content got the id %d", elsewhere.Entry.ID)
	}
	if next := n.register("third-value", `{"type":["string","null"],"minLength":0}`); next.Entry.ID != 100 {
		t.Errorf("the next id is %d, want 100: 99 belongs to a schema that was not taken over", next.Entry.ID)
	}
	if log := nodes[0].log.String() + nodes[1].log.String() + nodes[2].log.String(); strings.Count(log, "not taken over") < 4 {
		t.Error("what is passed over is not told:", log)
	}
	eventually(t, "the versions deleted by a marker say so themselves", func() bool {
		got := w.mirrored()
		return strings.HasSuffix(got[string(schemaKey("gone-value", 1).bytes())], `"deleted":true}`) &&
			strings.HasSuffix(got[string(schemaKey("gone-value", 2).bytes())], `"deleted":true}`)
	})
	got := w.mirrored()
	if got["rubbish"] != "rubbish" || got[string(before[2].Key)] != string(before[2].Value) || got[string(before[3].Key)] != string(before[3].Value) {
		t.Error("records that say the right thing, or are not ours, were touched")
	}
	again := w.node(quiet)
	if again.dump() != n.dump() {
		t.Error("a registry that came later disagrees")
	}
}

// TestAdoptionOfOurOwn: what one registry wrote, another without the proposals takes over.
func TestAdoptionOfOurOwn(t *testing.T) {
	from, to := newWorld(t), newWorld(t)
	n := from.node(quiet)
	for i := range 250 { // more than go together
		n.register("a-value", shop(i))
	}
	must(t, n.DeleteVersion(t.Context(), "t", "a-value", 7, false))
	must(t, n.DeleteVersion(t.Context(), "t", "a-value", 8, false))
	must(t, n.DeleteVersion(t.Context(), "t", "a-value", 8, true))
	must(t, n.SetLevel(t.Context(), "t", "", Level{Compatibility: "FULL", Policy: compat.Lenient}))
	from.wantMirror(n)
	var msgs []exchange.Message
	for _, m := range from.topic(Mirror) {
		msgs = append(msgs, exchange.Message{Key: m.Key, Value: m.Value})
	}
	must(t, to.bus().Append(t.Context(), Mirror, msgs))
	heir := to.node(quiet)
	to.wantMirror(heir)
	got, err := heir.Versions("a-value", true)
	want, _ := n.Versions("a-value", true)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d versions, want %d; %v", len(got), len(want), err)
	}
	for i := range got {
		if g, w := got[i], want[i]; g.GUID != w.GUID || g.ID != w.ID || g.Version != w.Version || g.Deleted != w.Deleted || string(g.Text) != string(w.Text) {
			t.Errorf("%+v, want %+v", g, w)
		}
	}
	if heir.Level("") != n.Level("") || heir.MaxID() != n.MaxID() {
		t.Error(heir.Level(""), heir.MaxID())
	}
}
