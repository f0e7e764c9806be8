package bus_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange/bus"
)

func TestListenersOfABroker(t *testing.T) {
	for _, row := range []struct {
		name, listeners, protocols string
		want                       []string
	}{
		{"as deployed", "SSL://10.0.0.11:9093,CONTROLLER://10.0.0.11:9094", "SSL:SSL,CONTROLLER:SSL", []string{"ssl 10.0.0.11:9093", "controller 10.0.0.11:9094"}},
		{"on all addresses", "SSL://:9093, CONTROLLER://0.0.0.0:9094,V6://[::]:9095", "SSL:SSL, CONTROLLER:SASL_SSL,V6:SSL", []string{"ssl 10.0.0.11:9093", "controller 10.0.0.11:9094", "v6 10.0.0.11:9095"}},
		{"some in plain", "PLAINTEXT://:9092,INSIDE://h:9093,SSL://h:9094", "PLAINTEXT:PLAINTEXT,INSIDE:SASL_PLAINTEXT", []string{"ssl h:9094"}},
		{"its protocol's name stands for another", "SSL://h:9093", "SSL:PLAINTEXT", nil},
		{"none", "", "", nil},
		{"nonsense", "SSL,://,SSL://h", "::,", nil},
	} {
		if got := bus.ParseListeners(row.listeners, row.protocols, "10.0.0.11:9093"); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func FuzzListeners(f *testing.F) {
	f.Add("SSL://10.0.0.11:9093,CONTROLLER://:9094", "SSL:SSL,CONTROLLER:SSL")
	f.Add("a://[::]:1,b://0.0.0.0:2", "a:SASL_SSL")
	f.Fuzz(func(t *testing.T, listeners, protocols string) {
		for _, one := range bus.ParseListeners(listeners, protocols, "h:1") {
			at := one[strings.LastIndexByte(one, ' ')+1:]
			if host, _, err := net.SplitHostPort(at); err != nil || host == "" {
				t.Errorf("%q is called at %q", listeners, at)
			}
		}
	})
}
