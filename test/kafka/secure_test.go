package kafka_test

import (
	"testing"
	"time"
	"context"

	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
)

func TestTry(t *testing.T) {
	ca := kafka.NewAuthority(t)
	began := time.Now()
	c := kafka.Start(t, kafka.Options{Brokers: 3, Authority: ca, JVM: []string{"-Xmx320m"}})
	t.Log("started", time.Since(began))
	for _, leaf := range []kafka.Leaf{{Identity: kafka.Node("1")}, {Identity: kafka.Node("1"), P256: true},
		{Identity: kafka.Node("1"), Until: time.Now().Add(-time.Hour)}} {
		b, err := bus.Connect(bus.Config{Brokers: c.Addrs(), TLS: ca.Client(ca.Issue(leaf))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		t.Log(leaf, b.Ping(ctx))
		t.Log(b.Ensure(ctx, []bus.Topic{{Name: "a", Replicas: 3, MinISR: 2}}))
		cancel()
		b.Close()
	}
}
