package test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/test/kafka"
)

// TestRealRegistrationsOverAKilledBroker publishes the real file to a real Kafka whose broker is killed and restarted
// in the middle, twice: nothing acknowledged is lost, and nothing that was sent twice shows twice in an answer.
func TestRealRegistrationsOverAKilledBroker(t *testing.T) {
	if os.Getenv("YIMEN_TEST_KAFKA") == "" {
		t.Skip("skipped: needs a real Kafka; run ./test/run")
	}
	cluster := kafka.Start(t, kafka.Options{})
	p := realPlace(t, cluster.Addrs()...)
	var restarts sync.WaitGroup
	kills := 0
	r := p.adapterTelling(filepath.Join(p.dir, "manifest.yaml"), func(progress adapters.Progress) {
		if kills < 2 && progress.Read > int64(4000*(kills+1)) {
			kills++
			restarts.Wait()
			cluster.Kill()
			restarts.Go(func() {
				time.Sleep(500 * time.Millisecond) // the adapter meets a dead broker, not a slow one
				cluster.Restart()
			})
		}
	})
	defer r.Close()
	result, err := r.Run(t.Context())
	restarts.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if kills != 2 {
		t.Fatalf("the broker was killed %d times: the reading was over too soon", kills)
	}
	p.settle()
	if result.Published+result.Quarantined != 15329 || result.Quarantined != 2 { // which rows and why: TestRealRegistrations
		t.Errorf("%+v", result)
	}
	published := payloads(t, p)
	if int64(len(published)) != result.Published {
		t.Errorf("%d records stand on the topic, want %d", len(published), result.Published)
	}
	for _, row := range rows(t, "hunan-companies.csv")[:3000] {
		if published[row["统一社会信用代码"]] == "" {
			continue
		}
		a := answer(t, p.ask("food-licence-new", row["统一社会信用代码"]), "business-licence")
		if a.Outcome != exchange.Held || len(a.Evidence) != 1 {
			t.Fatalf("a published company: %s %s with %d records", a.Outcome, a.Reason, len(a.Evidence))
		}
	}
}
