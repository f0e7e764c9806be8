package rest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
)

// TestOwnClient lets Yimen's client and its service talk to each other.
func TestOwnClient(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Impact = func(_ context.Context, _ string, _ []byte, progress func(done, of int64)) (json.RawMessage, error) {
			progress(1, 2)
			return json.RawMessage(`{"records":2}`), nil
		}
	})
	c := &Client{Base: w.base, Token: writerToken}
	ctx := t.Context()
	const subject = "证照/shop-value"
	wish := func(schema string) registry.Candidate { return registry.Candidate{Text: []byte(schema)} }

	if got, err := c.Register(ctx, subject, wish(shop), true); err != nil || !got.New || got.Version != 1 || got.Verdict == nil {
		t.Errorf("dry run %+v: %v", got, err)
	}
	if got, err := c.Subjects(ctx, true); err != nil || len(got) != 0 {
		t.Errorf("after a dry run %q: %v", got, err)
	}
	made, err := c.Register(ctx, subject, wish(shop), false)
	if err != nil || !made.New || made.ID != 1 || made.GUID == "" {
		t.Fatalf("registered %+v: %v", made, err)
	}
	if got, err := c.Register(ctx, subject, wish(shop), false); err != nil || got.New || got.Version != 1 {
		t.Errorf("registered again %+v: %v", got, err)
	}
	var why *registry.Incompatible
	if _, err := c.Register(ctx, subject, wish(narrower), false); !errors.As(err, &why) || exchange.KindOf(err) != exchange.Conflict || len(why.Judgement.Against) == 0 {
		t.Errorf("incompatible: %v", err)
	}
	if got, err := c.Versions(ctx, subject, false); err != nil || len(got) != 1 {
		t.Errorf("versions %v: %v", got, err)
	}

	if err := c.SetLevel(ctx, subject, registry.Level{Compatibility: "FULL", Policy: compat.Lenient}); err != nil {
		t.Error(err)
	}
	if got, err := c.Level(ctx, subject); err != nil || got != (registry.Level{Compatibility: "FULL", Policy: compat.Lenient, Own: true}) {
		t.Errorf("level %+v: %v", got, err)
	}
	if err := c.DeleteLevel(ctx, subject); err != nil {
		t.Error(err)
	}
	if got, err := c.Level(ctx, subject); err != nil || got.Own || got.Compatibility != "BACKWARD" {
		t.Errorf("level %+v: %v", got, err)
	}
	if mode, own, err := c.Mode(ctx, subject); err != nil || own || mode != "READWRITE" {
		t.Errorf("mode %s, %v: %v", mode, own, err)
	}

	if err := c.Deprecate(ctx, subject, 1, "旧版"); err != nil {
		t.Error(err)
	}
	if got, err := c.Version(ctx, subject, 0, false); err != nil || got.Deprecated == nil || got.Deprecated.Reason != "旧版" || got.Schema != shop {
		t.Errorf("version %+v: %v", got, err)
	}
	if err := c.Deprecate(ctx, subject, 0, ""); err != nil {
		t.Error(err)
	}
	from := time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := c.Retire(ctx, subject, from, "合并"); err != nil {
		t.Error(err)
	}
	if got, err := c.Retirement(ctx, subject); err != nil || got == nil || !got.From.Equal(from) || got.Reason != "合并" {
		t.Errorf("retirement %+v: %v", got, err)
	}
	if err := c.Retire(ctx, subject, time.Time{}, ""); err != nil {
		t.Error(err)
	}
	if got, err := c.Retirement(ctx, subject); err != nil || got != nil {
		t.Errorf("retirement %+v: %v", got, err)
	}
	if got, err := c.History(ctx, subject); err != nil || len(got) == 0 || got[0].Subject != subject {
		t.Errorf("history %+v: %v", got, err)
	}
	told := 0
	if got, err := c.Impact(ctx, subject, []byte(shop), func(int64, int64) { told++ }); err != nil || string(got) != `{"records":2}` || told != 1 {
		t.Errorf("impact %s after %d lines: %v", got, told, err)
	}
	if _, err := (&Client{Base: w.base, Token: readerToken}).Register(ctx, subject, wish(wider), true); exchange.KindOf(err) != exchange.Denied {
		t.Errorf("by a reader: %v", err)
	}
}
