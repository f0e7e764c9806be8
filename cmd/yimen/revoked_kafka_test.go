package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/test/kafka"
	"github.com/onedoor/yimen/test/logs"
)

// guardedExchange is a node on a Kafka that lets in nobody without a certificate; brokers and departments have one root.
func guardedExchange(t *testing.T) exchangeUp {
	t.Helper()
	if os.Getenv("YIMEN_TEST_KAFKA") == "" {
		t.Skip("skipped: needs a real Kafka; run ./test/run")
	}
	data := t.TempDir()
	city := kafka.AuthorityOf(t, filepath.Join(data, "keys"))
	cluster := kafka.Start(t, kafka.Options{Authority: city})
	certificate, key := kafka.PEM(t, city.Issue(kafka.Leaf{Identity: kafka.Node("main")}))
	at := func(name string) string { return filepath.Join(data, name) }
	for name, content := range map[string][]byte{"root.pem": city.RootPEM(), "node.pem": certificate, "node.key": key, adminFile: []byte("administrator\n"),
		"callers.yaml": []byte(`- {department: xzsp, clerk: "0017", admin: true, token_sha256: "` + door.TokenHash("administrator") + "\"}\n")} {
		if err := os.WriteFile(at(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n, err := node.Start(t.Context(), node.Config{Data: data, City: kafka.City, HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0", Callers: at("callers.yaml"), Limits: limits.Unbounded(),
		Kafka: node.Kafka{Brokers: cluster.Addrs(), TLS: node.KafkaTLS{CA: at("root.pem"), Cert: at("node.pem"), Key: at("node.key")}}},
		node.Surroundings{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Catalogue: []fs.FS{demo.Catalogue()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return exchangeUp{data: data, url: n.URL(), departments: n.DepartmentsURL(), kafka: cluster.Addr()}
}

// TestRevokedAdapterReadsWhy: Kafka refuses whoever was revoked, or hides its topics, and does not say why, so the adapter asks the
// exchange: one that stays, one that starts while Kafka refuses, and one that starts once Kafka hides everything.
func TestRevokedAdapterReadsWhy(t *testing.T) {
	up := guardedExchange(t)
	up.join(t, "wjw/health-certs")
	args := []string{"adapter", "run", healthCertificates(t), "--data", up.data, "--lang", "en"}
	admitted := ran{code: exitFailed}
	for deadline := time.Now().Add(time.Minute); admitted.code != exitOK; admitted = yimen(t, args...) { // the node has yet to write its rules
		if time.Now().After(deadline) {
			t.Fatalf("the adapter was not let in: %d %s", admitted.code, admitted.talk)
		}
	}
	said, stop := staying(t, args)
	awaitText(t, said, "nothing to publish")
	got := yimen(t, "identity", "revoke", "wjw/health-certs", "--reason", "key-lost", "--confirm", "wjw/health-certs", "--token", "@"+filepath.Join(up.data, adminFile), "--server", up.url)
	if got.code != exitOK {
		t.Fatalf("revoke: %d %s", got.code, got.talk)
	}
	corrected(t, args[2])
	awaitText(t, said, "YM-ROL-0102: wjw/adapter/health-certs was revoked")
	stop()
	for _, lang := range []string{"en", "zh"} {
		began := time.Now()
		refused := yimen(t, append(args[:len(args)-1], lang)...)
		t.Logf("after %v it reads\n%s", time.Since(began).Round(time.Second), refused.talk)
		for _, want := range map[string][]string{
			"en": {"YM-ROL-0102  wjw/adapter/health-certs was revoked", "reason key-lost", "ask the exchange's administrator"},
			"zh": {"YM-ROL-0102  wjw/adapter/health-certs 已被吊销", "原因 key-lost", "联系交换平台管理员"},
		}[lang] {
			if !strings.Contains(refused.talk, want) {
				t.Errorf("it does not read %q", want)
			}
		}
		if refused.code != exitLogin {
			t.Errorf("exit code %d", refused.code)
		}
	}
}

// staying runs an adapter that stays, and gives what it says.
func staying(t *testing.T, args []string) (said *logs.Buffer, stop func()) {
	t.Helper()
	said = new(logs.Buffer)
	ctx, end := context.WithCancel(t.Context())
	p := surroundings(said, said)
	p.now = time.Now
	ended := make(chan code, 1)
	go func() { ended <- run(ctx, p, append(slices.Clone(args), "--watch")) }()
	return said, func() {
		t.Helper()
		end()
		if got := <-ended; got != exitOK && got != exitInterrupted {
			t.Errorf("it ended with %d", got)
		}
	}
}

func awaitText(t *testing.T, said *logs.Buffer, want string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(said.String(), want); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not say %q but\n%s", want, said)
		}
	}
}

// corrected changes the register's row, so that there is something to publish.
func corrected(t *testing.T, manifest string) {
	t.Helper()
	file := filepath.Join(filepath.Dir(manifest), "health.csv")
	rows, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(rows), "2027-03-06", "2027-03-05", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// healthCertificates is a register of one row with its manifest.
func healthCertificates(t *testing.T) (manifest string) {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("testdata/script/identity.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, files, _ := strings.Cut(string(script), "-- health.csv --\n")
	rows, rules, found := strings.Cut(files, "-- health.yaml --\n")
	if !found {
		t.Fatal("the script has no register of health certificates any more")
	}
	manifest = filepath.Join(dir, "health.yaml")
	err = errors.Join(os.WriteFile(filepath.Join(dir, "health.csv"), []byte(rows), 0o600), os.WriteFile(manifest, []byte("every: 1s\n"+rules), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}
