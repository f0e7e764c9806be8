package kafka_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
)

func TestTry2(t *testing.T) {
	ca, other := kafka.NewAuthority(t), kafka.NewAuthority(t)
	c := kafka.Start(t, kafka.Options{Authority: ca})
	p := kafka.Start(t, kafka.Options{})
	try := func(name string, addr []string, config *tls.Config) {
		for range 4 {
			b, err := bus.Connect(bus.Config{Brokers: addr, TLS: config})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			err = b.Ping(ctx)
			var p *exchange.Problem
			errors.As(err, &p)
			if p != nil {
				err = p.Err
			}
			s := ""
			for e := err; e != nil; e = errors.Unwrap(e) {
				s += fmt.Sprintf("%T ", e)
			}
			t.Log(name, err, s)
			cancel()
			b.Close()
		}
	}
	try("good", c.Addrs(), ca.As(kafka.Node("1")))
	try("unknown", c.Addrs(), other.As(kafka.Node("1")))
	cfg := ca.Client(other.Issue(kafka.Leaf{Identity: kafka.Node("1")}))
	try("foreign", c.Addrs(), cfg)
	try("none", c.Addrs(), ca.Client())
	try("expired", c.Addrs(), ca.Client(ca.Issue(kafka.Leaf{Identity: kafka.Node("1"), Until: time.Now().Add(-time.Hour)})))
	try("plain", c.Addrs(), nil)
	try("tls to plain", p.Addrs(), ca.As(kafka.Node("1")))
	cfg = ca.As(kafka.Node("1"))
	cfg.ServerName = "kafka1.example.gov.cn"
	try("host", c.Addrs(), cfg)
}
