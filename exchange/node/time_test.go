package node

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/limits"
)

// memory is an audit topic without a disk, whose waits would drown everything else.
type memory struct{}

func (memory) Append(context.Context, string, []exchange.Message) error { return nil }

const stranger = "token-of-a-department-without-grants"

// TestTimeTellsNothing: a department that may not ask cannot tell by status, by size or by time whether the exchange holds
// something of a company, holds nothing, or has been ordered to forget it. The index, the limits and the entries are real; the
// entries go nowhere. A handler that takes 60 µs longer for one of them is found out by the same test.
func TestTimeTellsNothing(t *testing.T) {
	c := settings(t)
	list, err := os.ReadFile(c.Callers)
	if err != nil {
		t.Fatal(err)
	}
	put(t, c.Callers, string(list)+"- {department: mzj, clerk: '0001', token_sha256: "+door.TokenHash(stranger)+"}\n")
	n := start(t, c)
	publish(t, n, 1)
	if said := ask(t, n); !strings.Contains(said, `"held"`) {
		t.Fatalf("said %s", said)
	}
	const forgotten = "91430281000000211Y" // of the schema's other example
	if _, err := n.Erase(t.Context(), "xzsp/0017", EraseRequest{Kind: erasure.OfHolder, Number: forgotten, Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	handler := strangersHandler(t, n)
	classes := map[string]string{"held": company, "absent": "924302810000003187", "forgotten": forgotten}

	// The machine is shared: a difference counts when it is there in each of some tries, a planted one when it is there in one.
	const tries = 4
	if told := inEach(tries, func() bool { return apart(t, handler, classes, "") }); told {
		t.Errorf("time tells them apart, in %d tries of %d", tries, tries)
	}
	if missed := inEach(tries, func() bool { return !apart(t, handler, classes, company) }); missed {
		t.Errorf("60 µs are not noticed in %d tries: this test would find nothing", tries)
	}
}

func inEach(tries int, so func() bool) bool {
	for range tries {
		if !so() {
			return false
		}
	}
	return true
}

// strangersHandler is the API over the node's own catalogue, index and door.
func strangersHandler(t *testing.T, n *Node) http.Handler {
	t.Helper()
	log, err := audit.New(audit.Config{Appender: memory{}, Keys: n.auditKeys, Clock: n.around.Clock})
	if err != nil {
		t.Fatal(err)
	}
	bounds, err := limits.New(limits.Config{Rules: limits.Unbounded(), Clock: n.around.Clock})
	if err != nil {
		t.Fatal(err)
	}
	bounds.Await(0)
	b, err := broker.New(broker.Config{Catalogue: n.Catalogue, Holdings: n.Index, Audit: log, Limits: bounds, Ready: n.mayAnswer, Clock: n.around.Clock})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Config{Broker: b, Catalogue: n.Current, Door: n.door, Metrics: prometheus.NewRegistry(), Clock: n.around.Clock})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// apart asks a thousand times and more for each class, in an order drawn anew each round, and says whether the times of any two
// differ. What is slow is slowed down by 60 µs.
func apart(t *testing.T, handler http.Handler, classes map[string]string, slow string) bool {
	t.Helper()
	const rounds = 1200
	took := map[string][]time.Duration{}
	var names []string
	for name := range classes {
		names = append(names, name)
	}
	runtime.GC()
	var answer string
	for range rounds {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			r := httptest.NewRequest(http.MethodPost, "/v1/queries", strings.NewReader(`{"case":"LL-2026-1123-0041","item":"food-licence-new","applicant":"`+classes[name]+`"}`))
			r.Header.Set("Authorization", "Bearer "+stranger)
			w := httptest.NewRecorder()
			began := time.Now()
			handler.ServeHTTP(w, r)
			if classes[name] == slow {
				for until := time.Now().Add(60 * time.Microsecond); time.Now().Before(until); {
				}
			}
			took[name] = append(took[name], time.Since(began))
			if said := fmt.Sprint(w.Code, w.Header(), w.Body); answer == "" {
				answer = said
			} else if said != answer || w.Code != http.StatusForbidden {
				t.Fatalf("%s is told apart: %s\n%s", name, said, answer)
			}
		}
	}
	far := false
	for i, a := range names {
		for _, b := range names[i+1:] {
			z := rankSum(took[a], took[b])
			t.Logf("%s %v, %s %v: z = %.1f", a, median(took[a]), b, median(took[b]), z)
			far = far || math.Abs(z) > 4 // by chance once in 16,000
		}
	}
	return far
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// rankSum is the normal score of the test of Mann and Whitney: 0 where neither sample tends to be larger.
func rankSum(a, b []time.Duration) float64 {
	type one struct {
		took time.Duration
		ofA  bool
	}
	var all []one
	for _, d := range a {
		all = append(all, one{d, true})
	}
	for _, d := range b {
		all = append(all, one{d, false})
	}
	slices.SortFunc(all, func(x, y one) int { return cmp.Compare(x.took, y.took) })
	sum := 0.0
	for i := 0; i < len(all); {
		end := i
		for end < len(all) && all[end].took == all[i].took {
			end++
		}
		shared := float64(i+1+end) / 2 // the rank of all that took as long
		for ; i < end; i++ {
			if all[i].ofA {
				sum += shared
			}
		}
	}
	m, n := float64(len(a)), float64(len(b))
	return (sum - m*(m+n+1)/2) / math.Sqrt(m*n*(m+n+1)/12)
}
