package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/test/logs"
)

// exchangeUp is a demo that runs in this process.
type exchangeUp struct {
	data, url, departments, kafka string
	said                          func() string // to whoever started it
}

var servingAt = regexp.MustCompile(`(?m)^serving at (\S+)   for departments at (\S+)   Kafka (\S+) `)

// startExchange runs a small demo until the test ends, and demands that it then stops in good order.
func startExchange(t *testing.T) exchangeUp {
	t.Helper()
	data, talk := t.TempDir(), new(logs.Buffer)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan code, 1)
	p := surroundings(new(logs.Buffer), talk)
	p.now = time.Now // the adapters look at the time of files
	go func() {
		ended <- run(ctx, p, []string{"demo", "--people", "300", "--data", data, "--http", "127.0.0.1:0", "--departments", "127.0.0.1:0", "--kafka", "127.0.0.1:0", "--lang", "en"})
	}()
	t.Cleanup(func() {
		stop()
		if got := <-ended; got != exitOK || !strings.HasSuffix(talk.String(), "stopped\n") {
			t.Errorf("the demo ended with %d and said\n%s", got, talk)
		}
	})
	for range 400 {
		if at := servingAt.FindStringSubmatch(talk.String()); at != nil {
			return exchangeUp{data, at[1], at[2], at[3], talk.String}
		}
		select {
		case got := <-ended:
			ended <- got
			t.Fatalf("the demo ended with %d and said\n%s", got, talk)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("the demo is not up after 20 s and said\n%s", talk)
	return exchangeUp{}
}

// trial copies a register without faults out of the city, with a manifest of its own: the demo's adapters are held.
func (e exchangeUp) trial(t *testing.T) (manifest string) {
	t.Helper()
	from := filepath.Join(e.data, cityDir, "scjg", "food-licence")
	dir := t.TempDir()
	for _, ending := range []string{".csv", ".yaml"} {
		content, err := os.ReadFile(from + ending)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.Replace(content, []byte("adapter: scjg/food-licence"), []byte("adapter: scjg/trial"), 1)
		if err := os.WriteFile(filepath.Join(dir, "food-licence"+ending), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "food-licence.yaml")
}

// erasure is an order to erase a record that is not there.
func (e exchangeUp) erasure(t *testing.T) string {
	t.Helper()
	const id = "02b63e8d000000000000000000000001"
	got := yimen(t, "erase", "record", "health-certificate", id, "--basis", "pipl-47", "--confirm", id, "--token", "@"+filepath.Join(e.data, adminFile), "--server", e.url, "-o", "name")
	if got.code != exitOK {
		t.Fatalf("erase ended with %d and said\n%s", got.code, got.talk)
	}
	return strings.TrimSpace(got.out)
}

// receipt asks about the demo's applicant, and gives the receipt's id once the log has its entry.
func (e exchangeUp) receipt(t *testing.T) string {
	t.Helper()
	asker := []string{"--applicant", "@" + filepath.Join(e.data, applicantFile), "--token", "@" + filepath.Join(e.data, tokenFile), "--server", e.url, "-o", "name"}
	got := yimen(t, append([]string{"query", "enterprise-deregistration", "--case", "demo-0002"}, asker...)...)
	id := strings.TrimSpace(got.out)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		again := yimen(t, append([]string{"audit", "replay", id}, asker...)...)
		if again.code == exitOK {
			return id
		}
		if time.Now().After(deadline) {
			t.Fatalf("query ended with %d, replay with %d and said\n%s%s", got.code, again.code, got.talk, again.talk)
		}
	}
}

// join enrols an adapter or a system, whose data is kept beside the demo's, and gives what the command said.
func (e exchangeUp) join(t *testing.T, adapter string) string {
	t.Helper()
	admin := []string{"--token", "@" + filepath.Join(e.data, adminFile), "--server", e.url, "-o", "name"}
	fingerprint := yimen(t, "identity", "fingerprint", "--server", e.url, "-o", "name")
	invited := yimen(t, append([]string{"identity", "invite", adapter}, admin...)...)
	token := filepath.Join(t.TempDir(), "one.token")
	if err := os.WriteFile(token, []byte(invited.out), 0o600); err != nil {
		t.Fatal(err)
	}
	got := yimen(t, "enroll", "--server", e.departments, "--fingerprint", strings.TrimSpace(fingerprint.out), "--token", "@"+token, "--data", e.data)
	if got.code != exitOK {
		t.Fatalf("enroll ended with %d and said\n%s%s%s", got.code, got.talk, invited.talk, fingerprint.talk)
	}
	return got.out
}

// config writes a configuration that takes the demo's Kafka for a cluster.
func (e exchangeUp) config(t *testing.T) (file string) {
	t.Helper()
	return clusterConfig(t, `brokers: ["`+e.kafka+`"]`)
}

// clusterConfig writes a configuration with such a kafka.
func clusterConfig(t *testing.T, kafka string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "yimen.yaml")
	if err := os.WriteFile(file, []byte("data: data\ncallers: callers.yaml\nkafka: {"+kafka+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
