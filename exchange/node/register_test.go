package node

import (
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// TestDeletedTypesStayDeleted: what an administrator took out of the registry for good does not come back with the next start.
func TestDeletedTypesStayDeleted(t *testing.T) {
	cfg := settings(t)
	n := start(t, cfg)
	subject := registry.EvidenceSubject("food-licence")
	for _, permanent := range []bool{false, true} {
		if _, err := n.Registry.DeleteSubject(t.Context(), "xzsp/0001", subject, permanent); err != nil {
			t.Fatal(err)
		}
	}
	before := n.Registry.Subjects("", true, false)
	stop(t, n)
	n = start(t, cfg)
	if after := n.Registry.Subjects("", true, false); !slices.Equal(before, after) {
		t.Errorf("subjects %v, before the restart %v", after, before)
	}
	if _, err := n.Registry.Version(subject, 0, true); exchange.KindOf(err) != exchange.NotFound {
		t.Errorf("it is back: %v", err)
	}
}

// TestRegistryIsCounted: requests to the registry are among the node's metrics.
func TestRegistryIsCounted(t *testing.T) {
	n := start(t, settings(t))
	get(t, n.URL()+RegistryPath+"/subjects")
	if said := get(t, n.URL()+"/metrics"); !strings.Contains(said, `yimen_registry_requests_total{method="GET",route="/subjects",status="200"} 1`) {
		t.Errorf("metrics:\n%s", said)
	}
}
