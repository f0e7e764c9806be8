package test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
)

// TestCanariesAppearNowhereOnKafka looks for people in every file of a real broker too: its segments, indexes, snapshots and log.
func TestCanariesAppearNowhereOnKafka(t *testing.T) {
	if os.Getenv("YIMEN_TEST_KAFKA") == "" {
		t.Skip("skipped: needs a real Kafka; run ./test/run")
	}
	cluster := kafka.Start(t, kafka.Options{Properties: map[string]string{
		"log.index.size.max.bytes": "65536", // otherwise each index is laid out with ten megabytes of nothing, all of which is searched
	}})
	w := canariesAppearNowhere(t, 500, cluster.Addrs()...)
	size := 0
	for _, data := range cluster.Dirs() {
		size += w.lookBelow(t, filepath.Dir(data)) // the broker's log stands beside its data
	}
	t.Logf("%d bytes of the broker's files", size)

	// A search that finds nothing proves nothing unless it would have found something, just there.
	const leak = "a record that leaks 430281194001011"
	leaks(t, cluster, leak)
	found := 0
	control := newWatchlist()
	control.add(leak, leak)
	for _, data := range cluster.Dirs() {
		segments, err := filepath.Glob(filepath.Join(data, "audit-0", "*.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, segment := range segments {
			content, err := os.ReadFile(segment)
			if err != nil {
				t.Fatal(err)
			}
			found += len(control.in(content))
		}
	}
	if found == 0 {
		t.Error("what leaks onto a topic is not seen in the broker's files: the search was in vain")
	}
}

// leaks puts something in plain onto a topic.
func leaks(t *testing.T, cluster *kafka.Cluster, what string) {
	t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: cluster.Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Append(t.Context(), "audit", []exchange.Message{{Topic: "audit", Value: []byte(what)}}); err != nil {
		t.Fatal(err)
	}
}
