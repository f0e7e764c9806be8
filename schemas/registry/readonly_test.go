package registry

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// mute is a bus that only reads, as an adapter's rights are.
type mute struct {
	Topics
	t testing.TB
}

func (m mute) Append(_ context.Context, topic string, _ []exchange.Message) error {
	m.t.Errorf("something was written to %s", topic)
	return errLost
}

// EndOffsets answers for what an adapter may read.
func (m mute) EndOffsets(ctx context.Context, topic string) (map[int]int64, error) {
	if topic != Proposals {
		m.t.Errorf("%s was asked about", topic)
	}
	return m.Topics.EndOffsets(ctx, topic)
}

func TestReadOnly(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	entry := n.register("a-value", shop(0)).Entry
	n.register("a-value", shop(1))
	must(t, n.DeleteVersion(t.Context(), "t", "a-value", 2, false))
	must(t, n.SetLevel(t.Context(), "t", "a-value", Level{Compatibility: "FULL"}))
	w.wantMirror(n)
	reader := w.node(quiet, func(c *Config, _ *Registry) { c.Topics, c.ReadOnly = mute{c.Topics, t}, true })
	if reader.dump() != n.dump() {
		t.Error("it reads something else than a registry that writes")
	}
	later := n.register("b-value", shop(2)).Entry // it hears of what comes later, too
	if got, err := reader.ByID(t.Context(), later.ID); err != nil || !bytes.Equal(got.Text, later.Text) {
		t.Errorf("by id: %+v, %v", got, err)
	}
	if got, err := reader.Lookup(t.Context(), "a-value", Candidate{Text: []byte(shop(0))}, false); err != nil || got.ID != entry.ID {
		t.Errorf("look-up: %+v, %v", got, err)
	}
	if j, err := reader.Test(t.Context(), "a-value", -1, Candidate{Text: []byte(shop(3))}); err != nil || len(j.Against) == 0 {
		t.Errorf("test: %+v, %v", j, err)
	}
	if got, err := reader.Register(t.Context(), "t", "b-value", Candidate{Text: []byte(shop(4))}, true); err != nil || got.Entry.Version != 2 {
		t.Errorf("dry run: %+v, %v", got, err)
	}
	for what, change := range map[string]func(context.Context) error{
		"register": func(ctx context.Context) error {
			return errorOf(reader.Register(ctx, "t", "b-value", Candidate{Text: []byte(shop(4))}, false))
		},
		"evidence": func(ctx context.Context) error {
			return errorOf(reader.Register(ctx, "t", "evidence.x-value", Candidate{Text: []byte(shop(4))}, false))
		},
		"set level":      func(ctx context.Context) error { return reader.SetLevel(ctx, "t", "", Level{Compatibility: "NONE"}) },
		"delete level":   func(ctx context.Context) error { return errorOf(reader.DeleteLevel(ctx, "t", "a-value")) },
		"set mode":       func(ctx context.Context) error { return reader.SetMode(ctx, "t", "", "READONLY", false) },
		"delete mode":    func(ctx context.Context) error { return errorOf(reader.DeleteMode(ctx, "t", "")) },
		"delete version": func(ctx context.Context) error { return reader.DeleteVersion(ctx, "t", "a-value", 1, false) },
		"delete subject": func(ctx context.Context) error { return errorOf(reader.DeleteSubject(ctx, "t", "a-value", false)) },
		"deprecate":      func(ctx context.Context) error { return reader.Deprecate(ctx, "t", "a-value", 1, "old") },
		"retire":         func(ctx context.Context) error { return reader.Retire(ctx, "t", "a-value", time.Now(), "old") },
	} {
		wantCode(t, what, change(t.Context()), 42205)
	}
	must(t, reader.Settled(t.Context()))
	must(t, n.Settled(t.Context()))
	if reader.dump() != n.dump() {
		t.Error("something changed")
	}
}
