package bus_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
)

// listen answers every connection with talk, until the test ends.
func listen(t *testing.T, talk func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c)
			}()
		}
	}()
	return l.Addr().String()
}

// handshakes is a server that wants certificates of clients, and then says nothing more.
func handshakes(config *tls.Config, clients *kafka.Authority) func(net.Conn) {
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, clients.Client().RootCAs
	return func(c net.Conn) {
		tls.Server(c, config).Handshake()
		io.Copy(io.Discard, c) // closing over what was not read would lose the alert
	}
}

func ping(t *testing.T, address string, config *tls.Config) error {
	t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: []string{address}, TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return b.Ping(ctx)
}

func TestDistrustIsNamed(t *testing.T) {
	city, stranger := kafka.NewAuthority(t), kafka.NewAuthority(t)
	node := kafka.Node("main")
	issue := func(a *kafka.Authority, until time.Time) tls.Certificate {
		return a.Issue(kafka.Leaf{Identity: node, Until: until})
	}
	sound, expired := issue(city, time.Time{}), issue(city, time.Now().Add(-time.Hour))
	broker := listen(t, handshakes(city.Client(sound), city))
	stale := listen(t, handshakes(city.Client(expired), city))
	plain := listen(t, func(c net.Conn) { c.Read(make([]byte, 4<<10)) })
	alarmed := listen(t, func(c net.Conn) { // as Java answers what is no TLS
		c.Read(make([]byte, 4<<10))
		c.Write([]byte{21, 3, 3, 0, 2, 2, 80})
	})
	elsewhere := city.Client(sound)
	elsewhere.ServerName = "kafka1.example.gov.cn"
	for name, row := range map[string]struct {
		address string
		config  *tls.Config
		why     string
	}{
		"a broker of another authority":  {broker, stranger.Client(sound), "was not issued by the city's authority"},
		"a broker at another address":    {broker, elsewhere, "does not name the address"},
		"a broker's certificate expired": {stale, city.Client(sound), "the broker's certificate has expired"},
		"a client of another authority":  {broker, city.Client(issue(stranger, time.Time{})), "does not accept this process's certificate"},
		"a client's certificate expired": {broker, city.Client(expired), "this process's certificate expired at 2"},
		"a client without a certificate": {broker, city.Client(), "showed none"},
		"a port without TLS":             {plain, city.Client(sound), "does not speak TLS on this port"},
		"plain text to a port with TLS":  {alarmed, nil, "wants TLS, and this process speaks plain text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ping(t, row.address, row.config)
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Kind != exchange.Unavailable || !strings.Contains(p.Why.EN, row.why) || p.Why.ZH == "" || p.Mend.ZH == "" || p.Mend.EN == "" {
				t.Errorf("%v, want %q", err, row.why)
			}
		})
	}
}

// A certificate that was renewed serves the next connection, without a restart.
func TestRenewedCertificateIsShown(t *testing.T) {
	city := kafka.NewAuthority(t)
	config := city.Client(city.Issue(kafka.Leaf{Identity: kafka.Node("main")}))
	var current atomic.Pointer[tls.Certificate]
	old := city.Issue(kafka.Leaf{Identity: kafka.Adapter("scjg", "old"), Until: time.Now().Add(-time.Minute)})
	current.Store(&old)
	shown := make(chan string, 100)
	accept := handshakes(config, city)
	config.VerifyConnection = func(s tls.ConnectionState) error {
		shown <- s.PeerCertificates[0].Subject.CommonName
		return nil
	}
	address := listen(t, accept)
	client := city.Client()
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return current.Load(), nil }
	b, err := bus.Connect(bus.Config{Brokers: []string{address}, TLS: client})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.Append(ctx, "t", nil) }() // tries again and again
	select {
	case name := <-shown:
		t.Fatalf("an expired certificate was accepted: %s", name)
	case <-time.After(100 * time.Millisecond):
	}
	fresh := city.Issue(kafka.Leaf{Identity: kafka.Adapter("scjg", "new")})
	current.Store(&fresh)
	select {
	case name := <-shown:
		if name != "scjg/adapter/new" {
			t.Errorf("shown was %s", name)
		}
	case <-ctx.Done():
		t.Error("the renewed certificate was never shown")
	}
	cancel()
	<-ended
}
