package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/impact"
)

// An item whose conditions cannot be decided any more is told with the material, the field and what mends it.
func TestImpactNamesConditions(t *testing.T) {
	var out bytes.Buffer
	s := &session{process: surroundings(&out, nil), lang: exchange.EN, format: asTable}
	lost := impact.Material{Code: "food-licence", Name: both("食品经营许可证", "Food licence"), Reads: []string{"validUntil"}, Lost: []string{"validUntil"},
		What: both("条件要读的字段没有了", "its conditions read validUntil"), Mend: both("保留", "keep it")}
	items := []impact.Item{{Code: "renewal", Name: both("延续", "Renewal"), Materials: []impact.Material{{Code: "form", Name: both("表", "Form")}, lost}}}
	if err := s.itemsTouched(&out, items); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "→ Food licence: its conditions read validUntil; keep it\n") {
		t.Errorf("said\n%s", out.String())
	}
}
