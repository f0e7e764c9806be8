package limits

import (
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// askWith asks about one applicant, in a new case each time, and about an agent; then the broker finds something of the applicant, and of
// the agent or not.
func (w *world) askWith(agent audit.Party, held bool) string {
	w.t.Helper()
	e := w.entry(same)
	e.Found, e.Parties = false, map[exchange.Role]audit.Party{exchange.Agent: agent}
	err := w.nodes[0].Admit(&e)
	if err == nil {
		e.Decision, e.Found = audit.Answered, true
		if agent.Found = held; !held {
			e.Materials = []audit.Material{{Material: "licence", Outcome: exchange.Supply, Reason: exchange.NotHeld,
				Evidence: []audit.Evidence{{Type: "business-licence", Of: exchange.Agent, Outcome: exchange.Supply, Reason: exchange.NotHeld}}}}
		}
		e.Parties = map[exchange.Role]audit.Party{exchange.Agent: agent}
	}
	w.append(e)
	return w.refusalOf(err)
}

// Who is asked about beside the applicant counts as the applicant does: whoever walks numbers as those of agents gets no further.
func TestPartiesCount(t *testing.T) {
	for name, row := range map[string]struct {
		near    string // empty: another for each
		held    bool
		answers int
		refusal string
	}{
		"subjects of an hour": {"", true, 59, "limited_clerk_hour"},
		"neighbours":          {"near", true, 40, "suspended_neighbours"},
		"misses":              {"", false, 50, "suspended_misses"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Rules{}, 2)
			answers, refusal := 0, ""
			for answers < 200 {
				agent := audit.Party{Subject: numbered("agent", answers), Near: row.near}
				if row.near == "" {
					agent.Near = numbered("near-agent", answers)
				}
				if refusal = w.askWith(agent, row.held); refusal != "" {
					break
				}
				if answers++; row.refusal != "limited_clerk_hour" && answers%25 == 0 {
					w.wait(time.Hour)
				}
			}
			if answers != row.answers || refusal != row.refusal {
				t.Errorf("%d answers, then %q", answers, refusal)
			}
			again := newWorld(t, Rules{}, 1) // what the topic says comes to the same
			again.now = w.now
			if err := again.nodes[0].Take(t.Context(), messages(t, w.topic)); err != nil {
				t.Fatal(err)
			}
			again.suspended(w.nodes[0].list()...)
			if one, other := w.nodes[1].state(), again.nodes[0].state(); one != other {
				t.Errorf("folded\n%s\ntaken\n%s", one, other)
			}
		})
	}
}
