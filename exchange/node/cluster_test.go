package node

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/test/kafka"
)

// Topics that an older version made on the embedded broker are brought up to date: nobody else looks after them.
func TestOwnTopicsAreBroughtUpToDate(t *testing.T) {
	settings := settings(t)
	older := []bus.Topic{{Name: "audit"}, {Name: "quarantine.scjg", Retention: keepYears}, {Name: "evidence.business-licence", Partitions: 2, Compact: true}}
	broker, err := embedded.Start(embedded.Config{Dir: filepath.Join(settings.Data, kafkaDir)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	err = b.Ensure(t.Context(), older)
	b.Close()
	broker.Close()
	if err != nil {
		t.Fatal(err)
	}
	n := start(t, settings)
	if found, err := n.Bus.Findings(t.Context(), Topics(n.Catalogue, n.cfg.Kafka)); err != nil || len(found) > 0 {
		t.Errorf("left are %+v, %v", found, err)
	}
}

// A cluster that others look after is not changed, and says what to run.
func TestOthersTopicsAreLeft(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	settings := settings(t)
	settings.Kafka = Kafka{Brokers: []string{broker.Addr()}, Partitions: 2}
	cluster, err := OpenCluster(settings, surroundings())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.Bus.Ensure(t.Context(), []bus.Topic{{Name: "audit", Retention: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), settings, surroundings())
	if exchange.KindOf(err) != exchange.Conflict || !strings.Contains(err.Error(), "--entity-name audit --add-config retention.ms=-1") {
		t.Errorf("%v", err)
	}
	settings.Kafka.Brokers = nil
	if _, err := OpenCluster(settings, surroundings()); exchange.KindOf(err) != exchange.Invalid {
		t.Errorf("an embedded Kafka is opened as a cluster: %v", err)
	}
}

// pems writes a certificate and its key, and the authority's root.
func pems(t *testing.T, a *kafka.Authority, leaf kafka.Leaf) KafkaTLS {
	t.Helper()
	dir := t.TempDir()
	files := KafkaTLS{CA: filepath.Join(dir, "root.pem"), Cert: filepath.Join(dir, "node.pem"), Key: filepath.Join(dir, "node.key")}
	certificate, key := kafka.PEM(t, a.Issue(leaf))
	put(t, files.CA, string(a.RootPEM()))
	put(t, files.Cert, string(certificate))
	put(t, files.Key, string(key))
	return files
}

func TestKafkaTLSFiles(t *testing.T) {
	authority := kafka.NewAuthority(t)
	leaf := kafka.Leaf{Identity: kafka.Node("2")}
	for name, row := range map[string]struct {
		spoil func(KafkaTLS) error
		code  string
	}{
		"sound":               {func(KafkaTLS) error { return nil }, ""},
		"no root":             {func(f KafkaTLS) error { return os.Remove(f.CA) }, "YM-CFG-0107"},
		"a root of something": {func(f KafkaTLS) error { return os.WriteFile(f.CA, []byte("root"), 0o600) }, "YM-CFG-0107"},
		"no certificate":      {func(f KafkaTLS) error { return os.Remove(f.Cert) }, "YM-CFG-0108"},
		"no key":              {func(f KafkaTLS) error { return os.Remove(f.Key) }, "YM-CFG-0108"},
		"another's key":       {func(f KafkaTLS) error { return os.Rename(pems(t, authority, leaf).Key, f.Key) }, "YM-CFG-0108"},
		"a key for all":       {func(f KafkaTLS) error { return os.Chmod(f.Key, 0o640) }, "YM-CFG-0109"},
	} {
		files := pems(t, authority, leaf)
		if err := row.spoil(files); err != nil {
			t.Fatal(err)
		}
		_, err := files.load(nil)
		var p *exchange.Problem
		if code := map[bool]string{true: ""}[err == nil]; row.code != code && (!errors.As(err, &p) || p.Code != row.code || p.Mend.ZH == "") {
			t.Errorf("%s: %v, want %s", name, err, row.code)
		}
	}
	if config, err := (KafkaTLS{}).load(nil); config != nil || err != nil {
		t.Errorf("without TLS: %v %v", config, err)
	}
	files := pems(t, authority, leaf)
	if config, err := (KafkaTLS{CA: files.CA}).load(nil); err != nil || config.GetClientCertificate != nil {
		t.Errorf("with a root alone: %+v %v", config, err)
	}
}

// A renewed certificate is shown without a restart; one of which half is written is not.
func TestKafkaCertificateIsReadAgain(t *testing.T) {
	authority := kafka.NewAuthority(t)
	files := pems(t, authority, kafka.Leaf{Identity: kafka.Node("2")})
	var said strings.Builder
	config, err := files.load(slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		t.Helper()
		c, err := config.GetClientCertificate(&tls.CertificateRequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.Subject.CommonName
	}
	renewed := pems(t, authority, kafka.Leaf{Identity: kafka.Node("2-renewed")})
	for _, step := range []struct {
		do     func() error
		want   string
		warned bool
	}{
		{func() error { return nil }, "node/2", false},
		{func() error { return os.Rename(renewed.Cert, files.Cert) }, "node/2", true},
		{func() error { return os.Rename(renewed.Key, files.Key) }, "node/2-renewed", false},
		{func() error { return os.Chmod(files.Key, 0o644) }, "node/2-renewed", true},
	} {
		said.Reset()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := shown(); got != step.want || (said.Len() > 0) != step.warned {
			t.Errorf("shown is %s, want %s; said %q", got, step.want, said.String())
		}
	}
}
