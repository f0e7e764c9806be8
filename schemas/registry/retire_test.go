package registry

import (
	"fmt"
	"testing"
	"time"
)

// TestRetiredWhileRegistering: one node retires a subject while another registers versions of it. What comes after the
// retirement in the order is no registration, and every version ends deleted.
func TestRetiredWhileRegistering(t *testing.T) {
	w := newWorld(t)
	nodes := []*node{w.node(quiet), w.node(quiet)}
	for round := range 8 {
		subject := fmt.Sprintf("s%d-value", round)
		nodes[0].register(subject, shop(0))
		refused := make(chan error, 1)
		go func() {
			for i := 1; ; i++ {
				if _, err := nodes[0].Register(t.Context(), "t", subject, Candidate{Text: []byte(shop(i))}, false); err != nil {
					refused <- err
					return
				}
			}
		}()
		time.Sleep(time.Duration(round) * 3 * time.Millisecond)
		must(t, nodes[1].Retire(t.Context(), "t", subject, time.Now().Add(-time.Millisecond), "old"))
		wantCode(t, "a registration after the retirement", <-refused, 42205)
		for _, n := range nodes {
			eventually(t, "all versions are deleted", func() bool {
				_, err := n.Versions(subject, false)
				return err != nil
			})
		}
		retired := false
		for _, c := range nodes[1].History(subject) {
			if retired && c.Operation == opRegister {
				t.Errorf("version %d was registered after the retirement", c.Version)
			}
			retired = retired || c.Operation == opRetire
		}
		must(t, nodes[1].Retire(t.Context(), "t", subject, time.Time{}, "")) // taken back: it goes on with the next number
		before := nodes[1].History(subject)
		if got := nodes[1].register(subject, shop(99)).Entry.Version; got < 2 {
			t.Errorf("version %d after %d changes", got, len(before))
		}
	}
	for _, n := range nodes {
		must(t, n.Settled(t.Context()))
	}
	if nodes[0].dump() != nodes[1].dump() {
		t.Error("the registries disagree")
	}
}
