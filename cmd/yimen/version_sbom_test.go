package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// TestBill: every module that the Go tool says is in this very program stands in the bill, once, with the sum that go.sum has.
func TestBill(t *testing.T) {
	build, ok := debug.ReadBuildInfo()
	if !ok || len(build.Deps) == 0 {
		t.Fatal("the test was not built with modules")
	}
	var out, talk bytes.Buffer
	p := surroundings(&out, &talk)
	p.build = build
	if got := run(t.Context(), p, []string{"version", "--sbom"}); got != exitOK {
		t.Fatalf("%d %s", got, talk.String())
	}
	var b bill
	if err := json.Unmarshal(out.Bytes(), &b); err != nil || b.Format != "CycloneDX" || b.SpecVersion != "1.6" || b.Metadata.Component.Name != "github.com/onedoor/yimen" {
		t.Fatalf("%v %+v", err, b.Metadata)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range b.Components {
		if seen[m.Reference] || !strings.HasPrefix(m.Locator, "pkg:golang/"+m.Name+"@") {
			t.Errorf("twice, or not to be found: %+v", m)
		}
		seen[m.Reference] = true
		if m.Name != "std" && !strings.Contains(string(sums), m.Name+" "+m.Version+" "+m.Properties[0].Value+"\n") {
			t.Errorf("go.sum does not have %+v", m)
		}
	}
	if len(b.Components) != len(build.Deps)+1 || !strings.Contains(out.String(), "pkg:golang/github.com/segmentio/kafka-go@v") {
		t.Errorf("%d components for %d modules", len(b.Components), len(build.Deps))
	}
	talk.Reset()
	p.build = nil
	if got := run(t.Context(), p, []string{"version", "--sbom"}); got != exitNotFound || !strings.Contains(talk.String(), "YM-CLI-0819") {
		t.Errorf("without modules: %d %s", got, talk.String())
	}
}
