package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
	"github.com/onedoor/yimen/test/vault"
)

// cityConfig writes the configuration of the test's city, whose authority lies in the data directory that it gives too.
func cityConfig(t *testing.T, more string) (file, data string) {
	t.Helper()
	data = t.TempDir()
	file = filepath.Join(data, "yimen.yaml")
	if err := os.WriteFile(file, []byte("data: "+data+"\ncallers: callers.yaml\ncity: "+kafka.City+"\n"+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, data
}

// viewOf is what a run printed with -o json.
func certificateIn(t *testing.T, got ran) (v certifiedView) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.out), &v); err != nil || got.code != exitOK {
		t.Fatalf("%d %v: %s%s", got.code, err, got.out, got.talk)
	}
	return v
}

// leafIn is the certificate of a file that holds a key and its chain, which must be each other's.
func leafIn(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	fileOf(t, file) // looks at its mode
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func TestCertify(t *testing.T) {
	t.Parallel()
	config, data := cityConfig(t, "")
	dir := filepath.Join(data, "tls")
	certify := []string{"certify", "broker/kafka1", "--config", config, "--dir", dir, "--lang", "en", "-o", "json"}
	withHost := append(certify, "--host", "kafka1.example", "--host", "10.0.0.11")

	if got := yimen(t, certify...); got.code != exitUsage || !strings.Contains(got.talk, "YM-CLI-0816") {
		t.Errorf("no host: %d %s", got.code, got.talk)
	}
	first := certificateIn(t, later(t, 0, withHost...))
	leaf := leafIn(t, first.Key)
	if who, err := certs.IdentityOf(leaf); err != nil || who != kafka.Broker("kafka1") || leaf.Subject.CommonName != "broker/kafka1" {
		t.Errorf("issued to %v, %v", who, err)
	}
	if !first.Issued || !first.RestartBy.IsZero() || leaf.VerifyHostname("kafka1.example") != nil || leaf.VerifyHostname("10.0.0.11") != nil || leaf.PublicKeyAlgorithm != x509.ECDSA {
		t.Errorf("issued %+v", first)
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life != certs.BrokerLife || !first.Due.Equal(leaf.NotBefore.Add(60*24*time.Hour)) {
		t.Errorf("it lives %v, and is due %v", life, first.Due)
	}

	if again := later(t, 59*24*time.Hour, append(certify, "--exit-code")...); again.code != exitUnchanged || !leafIn(t, first.Key).Equal(leaf) {
		t.Errorf("not due yet: %d %s%s", again.code, again.out, again.talk)
	}
	due := certificateIn(t, later(t, 61*24*time.Hour, certify...))
	if !due.Issued || due.Serial == first.Serial || strings.Join(due.Hosts, " ") != "kafka1.example 10.0.0.11" || !due.RestartBy.Equal(first.Until) {
		t.Errorf("due: %+v", due)
	}
	if moved := certificateIn(t, later(t, 61*24*time.Hour, append(certify, "--host", "10.0.0.99")...)); !moved.Issued || strings.Join(moved.Hosts, " ") != "10.0.0.99" {
		t.Errorf("with another host: %+v", moved)
	}
	if gone := certificateIn(t, later(t, 200*24*time.Hour, withHost...)); !gone.Issued {
		t.Errorf("out of date: %+v", gone)
	}
	short := certificateIn(t, later(t, 200*24*time.Hour, append(certify, "--now", "--life", "48h")...))
	if life := short.Until.Sub(time.Now().Add(200 * 24 * time.Hour)); life < 47*time.Hour || life > 48*time.Hour {
		t.Errorf("for two days: %+v", short)
	}

	for _, at := range []time.Duration{200 * 24 * time.Hour, 400 * 24 * time.Hour} { // also once it is out of date
		if got := later(t, at, "certify", "broker/kafka2", "--config", config, "--dir", dir, "--host", "10.0.0.12"); got.code != exitHeld || !strings.Contains(got.talk, "YM-CLI-0817") {
			t.Errorf("another broker's folder: %d %s", got.code, got.talk)
		}
	}
	if got := later(t, 0, append(certify, "--now")...); got.code != exitOK {
		t.Errorf("by a clock that was set back: %d %s", got.code, got.talk)
	}
	if err := os.WriteFile(first.Key, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := later(t, 0, certify...); got.code != exitFailed || !strings.Contains(got.talk, "YM-CLI-0818") {
		t.Errorf("a damaged file: %d %s", got.code, got.talk)
	}
	for _, name := range []string{"scjg/licences", "scjg/service/x", "broker", "node/A"} {
		if got := yimen(t, "certify", name, "--config", config, "--dir", t.TempDir()); got.code != exitUsage || !strings.Contains(got.talk, "YM-CLI-0815") {
			t.Errorf("%s: %d %s", name, got.code, got.talk)
		}
	}
	node := certificateIn(t, later(t, 0, "certify", "node/main", "--config", config, "--dir", filepath.Join(data, "node"), "-o", "json"))
	if leaf := leafIn(t, node.Key); leaf.NotAfter.Sub(leaf.NotBefore) != certs.MaxLife || !strings.Contains(strings.Join(node.Settings, "\n"), "cert: "+node.Key) {
		t.Errorf("a node: %+v", node)
	}
}

// TestCertifyHandsFilesOver: root issues, and Kafka's own user reads.
func TestCertifyHandsFilesOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can give a file away")
	}
	config, data := cityConfig(t, "")
	dir := filepath.Join(data, "tls")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	v := certificateIn(t, later(t, 0, "certify", "broker/kafka1", "--config", config, "--dir", dir, "--host", "10.0.0.11", "-o", "json"))
	for _, file := range []string{v.Key, v.Roots} {
		if info, err := os.Stat(file); err != nil || ours(info) {
			t.Errorf("%s is still root's, %v", file, err)
		}
	}
}

// TestCertifyByVault: the authority is a real Vault, to which the broker's machine logs in by its own certificate.
func TestCertifyByVault(t *testing.T) {
	v := vault.Start(t)
	certificate, key := v.MachineCertificate(vault.BrokerMachine)
	dir := t.TempDir()
	config := filepath.Join(dir, "yimen.yaml")
	content := "data: data\ncallers: callers.yaml\ncity: " + vault.City + "\nvault: {address: '" + v.Address() + "', ca: " + v.CA + ", login: {kind: cert, role: yimen-broker, cert: " + certificate + ", cert_key: " + key + "}}\n"
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	issued := certificateIn(t, later(t, 0, "certify", "broker/kafka1", "--config", config, "--dir", filepath.Join(dir, "tls"), "--host", "10.0.0.11", "-o", "json"))
	leaf := leafIn(t, issued.Key)
	if leaf.NotAfter.Sub(leaf.NotBefore) < certs.BrokerLife-time.Minute || leaf.VerifyHostname("10.0.0.11") != nil || leaf.Subject.CommonName != "broker/kafka1" {
		t.Errorf("issued %+v", issued)
	}
	if got := later(t, 0, "certify", "node/main", "--config", config, "--dir", filepath.Join(dir, "node")); got.code == exitOK || !strings.Contains(got.talk, "YM-VLT-") {
		t.Errorf("a broker's machine has a node certified: %d %s", got.code, got.talk)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("an authority in files was made beside Vault")
	}
}

// TestCertifyBrokerOnKafka: a real Kafka starts with what the command issued, and takes over what it renewed while it runs: who is
// connected stays connected, and who connects sees the new certificate.
func TestCertifyBrokerOnKafka(t *testing.T) {
	config, data := cityConfig(t, "")
	dir := filepath.Join(data, "tls")
	certify := []string{"certify", "broker/kafka1", "--config", config, "--dir", dir, "--lang", "en", "-o", "json"}
	first := certificateIn(t, later(t, 0, append(certify, "--host", "127.0.0.1", "--host", "localhost")...))
	city := kafka.AuthorityOf(t, filepath.Join(data, "keys"))
	cluster := kafka.Start(t, kafka.Options{Authority: city, Properties: map[string]string{"ssl.keystore.location": first.Key, "ssl.truststore.location": first.Roots}})

	staying := connected(t, cluster, city)
	if err := appended(t, staying); err != nil {
		t.Fatal(err)
	}
	raw, err := tls.Dial("tcp", cluster.Addr(), city.As(kafka.Node("main")))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if seen := raw.ConnectionState().PeerCertificates[0].SerialNumber.Text(16); seen != first.Serial {
		t.Fatalf("Kafka shows %s, issued was %s", seen, first.Serial)
	}

	reload := append(certify, "--kafka", cluster.Addr())
	if got := later(t, 0, append(reload, "--exit-code")...); got.code != exitUnchanged {
		t.Errorf("nothing is due, and it shows what the file has: %d %s", got.code, got.talk)
	}
	began := time.Now()
	for range 2 { // the second time the setting has been written and taken away before
		renewed := certificateIn(t, later(t, 0, append(reload, "--now")...))
		t.Logf("renewed and read anew after %v", time.Since(began).Round(time.Millisecond))
		if !renewed.Reloaded || renewed.Serial == first.Serial {
			t.Errorf("renewed: %+v", renewed)
		}
		if seen := shownBy(t, cluster, city); seen != renewed.Serial {
			t.Errorf("a new client sees %s, renewed was %s", seen, renewed.Serial)
		}
	}
	if err := appended(t, staying); err != nil {
		t.Errorf("who was connected: %v", err)
	}
	if err := appended(t, connected(t, cluster, city)); err != nil {
		t.Errorf("who connects now: %v", err)
	}
	raw.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := raw.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection of before was ended: %v", err)
	}

	// A renewal that the broker has not been told of is made up for, due or not.
	untold := certificateIn(t, later(t, 0, append(certify, "--now")...))
	if made := certificateIn(t, later(t, 0, reload...)); made.Issued || !made.Reloaded || shownBy(t, cluster, city) != untold.Serial {
		t.Errorf("made up for: %+v", made)
	}
	cluster.Stop()
	cluster.Restart()
	if seen := shownBy(t, cluster, city); seen != untold.Serial {
		t.Errorf("after a restart Kafka shows %s", seen)
	}
	refusedReload(t, city, cluster, config, data)
}

// refusedReload: what keeps a broker from reading anew is said with what mends it.
func refusedReload(t *testing.T, city *kafka.Authority, cluster *kafka.Cluster, config, data string) {
	t.Helper()
	other := filepath.Join(data, "other")
	for what, row := range map[string]struct {
		args []string
		code code
		said string
	}{
		"a broker that reads another file": {[]string{"broker/kafka1", "--dir", other, "--kafka", cluster.Addr()}, exitHeld, "YM-BUS-0312"},
		"no broker's address":              {[]string{"broker/kafka1", "--dir", filepath.Join(data, "tls"), "--now", "--kafka", strings.Replace(cluster.Addr(), "127.0.0.1", "localhost", 1)}, exitNotFound, "YM-BUS-0311"},
		"nobody there":                     {[]string{"broker/kafka1", "--dir", other, "--kafka", "127.0.0.1:1"}, exitDown, "YM-BUS-0105"},
	} {
		got := later(t, 0, append([]string{"certify", "--config", config, "--host", "127.0.0.1", "--host", "localhost"}, row.args...)...)
		if got.code != row.code || !strings.Contains(got.talk, row.said) {
			t.Errorf("%s: %d %s", what, got.code, got.talk)
		}
	}
	b, err := bus.Connect(bus.Config{Brokers: cluster.Addrs(), TLS: city.As(kafka.Node("stranger"))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	err = b.ReloadKeyStore(t.Context(), cluster.Addr(), filepath.Join(data, "tls", "identity.key"), nil)
	if exchange.KindOf(err) != exchange.Denied {
		t.Errorf("who is no super user: %v", err)
	}
}

func connected(t *testing.T, cluster *kafka.Cluster, city *kafka.Authority) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(bus.Config{Brokers: cluster.Addrs(), TLS: city.As(kafka.Node("main"))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func appended(t *testing.T, b *bus.Bus) error {
	t.Helper()
	const topic = "try"
	if err := b.Ensure(t.Context(), []bus.Topic{{Name: topic, Replicas: 1}}); err != nil {
		return err
	}
	return b.Append(t.Context(), topic, []exchange.Message{{Topic: topic, Key: []byte("key"), Value: []byte("value")}})
}

// shownBy is the serial number that a new client sees.
func shownBy(t *testing.T, cluster *kafka.Cluster, city *kafka.Authority) string {
	t.Helper()
	conn, err := tls.Dial("tcp", cluster.Addr(), city.As(kafka.Node("main")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Text(16)
}
