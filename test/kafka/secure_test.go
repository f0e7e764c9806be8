package kafka_test

import (
	"testing"

	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/bustest"
	"github.com/onedoor/yimen/test/kafka"
)

// TestRules: what package bus promises of rules holds where Kafka itself enforces them.
func TestRules(t *testing.T) {
	ca := kafka.NewAuthority(t)
	c := kafka.Start(t, kafka.Options{Authority: ca})
	b, err := bus.Connect(bus.Config{Brokers: c.Addrs(), TLS: ca.As(kafka.Node("main"))})
	if err != nil {
		t.Fatal(err)
	}
	bustest.Rules(t, b)
}
