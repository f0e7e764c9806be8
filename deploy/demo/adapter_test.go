package demo

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/tabular"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

// TestAdaptersFindThePlanted reads the written files with their manifests, as the adapters do: every planted flaw must be
// found and nothing else.
func TestAdaptersFindThePlanted(t *testing.T) {
	set, err := schemas.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, exchange.China)
	c := New(Config{Seed: 8, People: 2000, Spoilt: 40, Now: now})
	dir := t.TempDir()
	if err := c.Write(dir, nil); err != nil {
		t.Fatal(err)
	}
	for _, tally := range c.Tallies() {
		manifest, err := adapters.LoadManifest(filepath.Join(dir, strings.TrimSuffix(tally.File, ".csv")+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		source, err := tabular.New(manifest, func() time.Time { return now })
		if err != nil {
			t.Fatalf("%s: %v", tally.File, err)
		}
		schema, _ := set.ByType(tally.Type)
		report, err := adapters.Check(t.Context(), manifest, source, schema, 0, 0)
		if err != nil {
			t.Errorf("%s: %v", tally.File, err)
			continue
		}
		if report.Read != int64(tally.Rows) || report.Faulty != int64(tally.Bad()) {
			t.Errorf("%s: %d rows, %d faulty; planted %d, %d: %v; found %+v", tally.File, report.Read, report.Faulty,
				tally.Rows, tally.Bad(), tally.Spoilt, report.Kinds)
		}
		if bound := manifest.Tolerance; int64(tally.Bad()) > bound.Rows || int64(tally.Nameless) > bound.Unreadable {
			t.Errorf("%s: %d bad rows, %d nameless: more than the manifest bears", tally.File, tally.Bad(), tally.Nameless)
		}
	}
}
