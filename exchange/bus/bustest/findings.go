package bustest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
)

func testFindings(t *testing.T, s Server) {
	b := connect(t, s)
	ctx := limit(t, 30*time.Second)
	before := bus.Topic{Name: fmt.Sprintf("bustest.findings-%d", time.Now().UnixNano()), Retention: 24 * time.Hour}
	after := bus.Topic{Name: before.Name, Compact: true, Retention: 48 * time.Hour, Config: map[string]string{"message.timestamp.type": "LogAppendTime"}}
	if missing, err := b.Missing(ctx, []bus.Topic{before}); err != nil || len(missing) != 1 {
		t.Fatalf("missing are %v, %v", missing, err)
	}
	if err := b.Ensure(ctx, []bus.Topic{before}); err != nil {
		t.Fatal(err)
	}
	if missing, err := b.Missing(ctx, []bus.Topic{before}); err != nil || len(missing) != 0 {
		t.Fatalf("missing are %v, %v", missing, err)
	}
	found, err := b.Findings(ctx, []bus.Topic{after})
	var settings []string
	for _, f := range found {
		if !f.Mendable() || f.Topic != before.Name || f.Problem.Kind != exchange.Conflict {
			t.Errorf("found %+v", f)
		}
		settings = append(settings, f.Setting)
	}
	slices.Sort(settings)
	if strings.Join(settings, " ") != "cleanup.policy message.timestamp.type retention.ms" || err != nil {
		t.Fatalf("found are %v, %v", settings, err)
	}
	for range 2 { // once more than needed
		if err := b.Mend(ctx, found); err != nil {
			t.Fatal(err)
		}
	}
	for { // a broker learns of settings a moment later
		err := b.Ensure(ctx, []bus.Topic{after})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := b.Safe(ctx, []bus.Topic{after}); err != nil {
		t.Errorf("a single broker as it should be: %v", err)
	}
}
