// Package clients lets stock Kafka clients of other languages use an exchange: its Kafka and its schema registry.
package clients

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/schemas/opinion"
	"github.com/onedoor/yimen/test/kafka"
)

const (
	variable = "YIMEN_TEST_PYTHON" // the program of a virtual environment with requirements.txt; ./test/run makes it
	token    = "schema-token-of-a-test"
	topic    = "clients.licences"
)

// report is what licence.py prints.
type report struct {
	OK    bool `json:"ok"`
	Steps []struct {
		Name   string          `json:"name"`
		OK     bool            `json:"ok"`
		Detail json.RawMessage `json:"detail"`
	} `json:"steps"`
}

// TestMain is the second validator's process too.
func TestMain(m *testing.M) {
	opinion.AnswerIfAsked()
	os.Exit(m.Run())
}

// TestPython plays confluent-kafka, unmodified, against a real Kafka and an exchange's registry: a business licence is
// produced by its registered schema and read by another client, and every call of the registry client does what it should.
func TestPython(t *testing.T) {
	python := os.Getenv(variable)
	if python == "" {
		t.Skip("skipped: needs the Python client; run ./test/run")
	}
	brokers := kafka.Start(t, kafka.Options{}).Addrs()
	n := exchange(t, brokers)
	if err := n.Bus.Ensure(t.Context(), []bus.Topic{{Name: topic, Partitions: 2}}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "licence.py", brokers[0], n.URL()+node.RegistryPath, token, topic)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, ended := cmd.Output()
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("the client gave no report: %v, %v\n%s%s", err, ended, out, complaint.String())
	}
	if len(r.Steps) == 0 || !r.OK || ended != nil {
		t.Errorf("%d steps, %v\n%s", len(r.Steps), ended, complaint.String())
	}
	for _, s := range r.Steps {
		if s.OK {
			t.Logf("%s: %s", s.Name, s.Detail)
		} else {
			t.Errorf("%s: %s", s.Name, s.Detail)
		}
	}
}

// exchange is a running exchange with a caller who may change schemas.
func exchange(t *testing.T, brokers []string) *node.Node {
	t.Helper()
	dir := t.TempDir()
	callers := filepath.Join(dir, "callers.yaml")
	list := `- {department: xzsp, clerk: "0017", schemas: true, token_sha256: "` + door.TokenHash(token) + "\"}\n"
	if err := os.WriteFile(callers, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(t.Context(), node.Config{Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0", Callers: callers, CacheMiB: 8,
		Kafka: node.Kafka{Brokers: brokers}}, node.Surroundings{Catalogue: []fs.FS{demo.Catalogue()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close exchange: %v", err)
		}
	})
	return n
}
