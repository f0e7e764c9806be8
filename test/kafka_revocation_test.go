package test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/test/kafka"
)

// revokedWithin is how long a revoked machine may still be served.
const revokedWithin = 5 * time.Second

// TestRevocationOnKafka revokes one of two adapters that enrolled: neither Kafka, over the connection that it has open or a new
// one, nor the exchange serves it any more. The other goes on.
func TestRevocationOnKafka(t *testing.T) {
	if os.Getenv("YIMEN_TEST_KAFKA") == "" {
		t.Skip("skipped: needs a real Kafka; run ./test/run")
	}
	n, city := guarded(t)
	admin := enrol.Client{Base: n.URL(), Token: token, HTTP: http.DefaultClient}
	good, bad := join(t, n, admin, city, "licences"), join(t, n, admin, city, "permits")
	for _, m := range []*machine{good, bad} {
		within(t, time.Minute, "the rules let an adapter in", func() bool { return m.produce(m.open) == nil })
		if err := m.call(); err != nil {
			t.Fatal(err)
		}
	}

	since := time.Now()
	if err := admin.Revoke(t.Context(), "scjg/permits", "key-lost"); err != nil {
		t.Fatal(err)
	}
	t.Logf("the revocation was answered after %v", time.Since(since))
	var problem *exchange.Problem
	if err := bad.call(); !errors.As(err, &problem) || problem.Code != "YM-ROL-0102" {
		t.Errorf("the exchange goes on answering: %v", err)
	}
	t.Logf("the exchange refuses after %v", time.Since(since))
	within(t, revokedWithin-time.Since(since), "Kafka refuses a connection that is open", func() bool { return exchange.KindOf(bad.produce(bad.open)) == exchange.Denied })
	t.Logf("Kafka refuses after %v", time.Since(since))
	before := written(t, n)
	if err := bad.produce(bad.connect()); err == nil { // Kafka does not even show it that there is such a topic
		t.Error("Kafka serves a new connection")
	}
	if now := written(t, n); now != before {
		t.Errorf("%d messages were written after the refusal", now-before)
	}
	for range 3 {
		if err := good.produce(good.open); err != nil {
			t.Errorf("the other adapter: %v", err)
		}
	}
	if err := good.produce(good.connect()); err != nil {
		t.Errorf("the other adapter, anew: %v", err)
	}
	if err := good.call(); err != nil {
		t.Errorf("the other adapter: %v", err)
	}
}

// guarded is a node on a Kafka that lets in nobody without a certificate and does what its rules say. The brokers and the node's
// own connection have their certificates from the city; the brokers trust those that the node issues besides.
func guarded(t *testing.T) (*node.Node, *kafka.Authority) {
	t.Helper()
	city, dir := kafka.NewAuthority(t), t.TempDir()
	data := filepath.Join(dir, "data")
	issuer, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(data, "keys"), City: kafka.City})
	if err != nil {
		t.Fatal(err)
	}
	trusted := filepath.Join(dir, "trusted.pem")
	write(t, trusted, string(city.RootPEM())+string(rootsPEM(issuer)))
	cluster := kafka.Start(t, kafka.Options{Authority: city, Properties: map[string]string{"ssl.truststore.location": trusted}})

	files := node.KafkaTLS{CA: filepath.Join(dir, "city.pem"), Cert: filepath.Join(dir, "node.pem"), Key: filepath.Join(dir, "node.key")}
	certificate, key := kafka.PEM(t, city.Issue(kafka.Leaf{Identity: kafka.Node("main")}))
	write(t, files.CA, string(city.RootPEM()))
	write(t, files.Cert, string(certificate))
	write(t, files.Key, string(key))
	callers := filepath.Join(dir, "callers.yaml")
	write(t, callers, `- {department: xzsp, clerk: "0017", admin: true, token_sha256: "`+door.TokenHash(token)+"\"}\n")
	n, err := node.Start(t.Context(), node.Config{Data: data, City: kafka.City, HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0", Callers: callers,
		Limits: limits.Unbounded(), Kafka: node.Kafka{Brokers: cluster.Addrs(), TLS: files}},
		node.Surroundings{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})), Catalogue: []fs.FS{demo.Catalogue()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, city
}

// rootsPEM are an authority's roots as a file holds them.
func rootsPEM(a certs.Authority) []byte {
	var all bytes.Buffer
	for _, root := range a.Roots() {
		pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}) // a buffer takes everything
	}
	return all.Bytes()
}

// machine is a department's, with an adapter's certificate.
type machine struct {
	t          *testing.T
	node       *node.Node
	city       *kafka.Authority
	credential *certs.Credential
	open       *bus.Bus // a connection since before
}

// join invites an adapter and enrols it, as a department does.
func join(t *testing.T, n *node.Node, admin enrol.Client, city *kafka.Authority, name string) *machine {
	t.Helper()
	invitation, err := admin.Invite(t.Context(), "scjg/"+name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	key, request, err := certs.NewRequest(envelope.Standard, rand.Reader, kafka.Adapter("scjg", name).Principal())
	if err != nil {
		t.Fatal(err)
	}
	joined, err := enrol.Join(t.Context(), n.DepartmentsURL(), n.Fingerprint(), invitation.Token, func(envelope.Suite) ([]byte, error) { return request, nil }, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := certs.HoldCredential(certs.CredentialConfig{Clock: time.Now, Log: slog.New(slog.DiscardHandler)}, key, joined.Papers())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, node: n, city: city, credential: credential}
	m.open = m.connect()
	return m
}

func (m *machine) connect() *bus.Bus {
	m.t.Helper()
	config := m.credential.TLS()
	config.RootCAs = m.city.Client().RootCAs // the brokers' certificates are the city's
	b, err := bus.Connect(bus.Config{Brokers: []string{m.node.KafkaAddr()}, TLS: config})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { b.Close() })
	return b
}

// theirs is a topic of the department's.
var theirs = envelope.QuarantineTopic("scjg")

// written counts what stands on it.
func written(t *testing.T, n *node.Node) (all int64) {
	t.Helper()
	ends, err := n.Bus.EndOffsets(t.Context(), theirs)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		all += end
	}
	return all
}

// produce writes to the department's topic.
func (m *machine) produce(b *bus.Bus) error {
	ctx, cancel := context.WithTimeout(m.t.Context(), revokedWithin)
	defer cancel()
	return b.Append(ctx, theirs, []exchange.Message{{Topic: theirs, Key: []byte("key"), Value: []byte("value")}})
}

// call has its certificate renewed, over a new connection with the present one.
func (m *machine) call() error {
	transport := &http.Transport{TLSClientConfig: m.credential.TLS()}
	defer transport.CloseIdleConnections()
	_, request, err := certs.NewRequest(envelope.Standard, rand.Reader, m.credential.Identity().Principal())
	if err != nil {
		return err
	}
	client := enrol.Client{Base: m.node.DepartmentsURL(), HTTP: &http.Client{Transport: transport, Timeout: revokedWithin}}
	_, err = client.Renew(m.t.Context(), request)
	return err
}

// within waits until something has come about, no longer than it may take.
func within(t *testing.T, most time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", most, what)
		}
	}
}
