// Package openapi has Schemathesis ask an exchange all that its OpenAPI document allows, and much that it does not.
package openapi

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/schemas/opinion"
)

const (
	variable = "YIMEN_TEST_SCHEMATHESIS" // the Python of a virtual environment with requirements.txt; ./test/run makes it
	requests = "YIMEN_TEST_REQUESTS"     // how many requests at least; few where it is not set
)

// roles are what callers may do besides asking, one of them everything.
var roles = map[string]string{
	"clerk":      "",
	"supervisor": ", supervisor: true",
	"auditor":    ", auditor: true",
	"citizens":   ", citizens: true",
	"admin":      ", admin: true",
	"all":        ", schemas: true, admin: true, supervisor: true, auditor: true, citizens: true",
}

// TestMain is the second validator's process too.
func TestMain(m *testing.M) {
	opinion.AnswerIfAsked()
	os.Exit(m.Run())
}

// No request gets a server error or an answer that the document does not have, whoever asks.
func TestContract(t *testing.T) {
	python := os.Getenv(variable)
	if python == "" {
		t.Skip("skipped: needs Schemathesis; run ./test/run")
	}
	most := 0
	if set := os.Getenv(requests); set != "" {
		var err error
		if most, err = strconv.Atoi(set); err != nil {
			t.Fatalf("%s: %v", requests, err)
		}
	}
	n := exchange(t)
	sent := 0
	for seed := 1; seed == 1 || sent < most && !t.Failed(); seed++ {
		for role := range roles {
			sent += run(t, python, n.URL(), role, seed)
		}
	}
	t.Logf("%d requests, %d at least were wanted", sent, most)
}

// run has one role ask, and gives the number of requests.
func run(t *testing.T, python, url, role string, seed int) int {
	t.Helper()
	report, phases := filepath.Join(t.TempDir(), "report.json"), "examples,fuzzing"
	if role == "all" { // what a request may look like at all is the same for everybody
		phases = "examples,coverage,fuzzing"
	}
	cmd := exec.CommandContext(t.Context(), python, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", url+"/openapi.json", "--checks", "all", "--continue-on-failure",
		"--phases", phases, "--max-examples", "10", "--seed", strconv.Itoa(seed), "--header", "Authorization: Bearer "+tokenOf(role),
		"--no-color", "--warnings", "off", "--report", "json", "--report-json-path", report)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s, seed %d: %v\n%s", role, seed, err, out)
	}
	var said struct {
		Cases struct{ Generated int } `json:"test_cases"`
	}
	content, err := os.ReadFile(report)
	if err != nil || json.Unmarshal(content, &said) != nil {
		t.Fatalf("no report: %v\n%s", err, out)
	}
	return said.Cases.Generated
}

func tokenOf(role string) string { return "token-of-a-test-" + role }

// exchange is a running one with a caller of each role.
func exchange(t *testing.T) *node.Node {
	t.Helper()
	dir := t.TempDir()
	var list strings.Builder
	for role, rights := range roles {
		list.WriteString(`- {department: xzsp, clerk: "` + role + `", token_sha256: "` + door.TokenHash(tokenOf(role)) + `"` + rights + "}\n")
	}
	callers := filepath.Join(dir, "callers.yaml")
	if err := os.WriteFile(callers, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(t.Context(), node.Config{Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0", Callers: callers, CacheMiB: 8,
		Limits: limits.Unbounded(), Kafka: node.Kafka{Listen: "127.0.0.1:0"}}, node.Surroundings{Catalogue: []fs.FS{demo.Catalogue()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close exchange: %v", err)
		}
	})
	warm(t, n)
	return n
}

// warm asks once and waits for the proof: until a log has heard of something, it does not know what it lacks, and says so with 503.
func warm(t *testing.T, n *node.Node) {
	t.Helper()
	client := api.Client{Base: n.URL(), Token: tokenOf("clerk")}
	c, err := client.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: "924302810000003187"})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := n.Ledger.Proof(t.Context(), c.ID); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
