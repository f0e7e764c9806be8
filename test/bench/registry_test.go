package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
)

// TestCandidates asks our own check what the measurement rests on.
func TestCandidates(t *testing.T) {
	admit := func(text string) *gate.Schema {
		t.Helper()
		s, err := gate.Admit([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := admit(wider(0))
	for n := 1; n < 1000; n += 333 {
		next := admit(wider(n))
		if v := compat.Check(before.Compiled, next.Compiled, compat.Strict); !v.Compatible {
			t.Errorf("wider(%d) refuses something: %v", n, v.Findings)
		}
		if v := compat.Check(next.Compiled, admit(narrower(n)).Compiled, compat.Strict); v.Compatible {
			t.Errorf("narrower(%d) refuses nothing", n)
		}
		if before.ID() == next.ID() || admit(narrower(n)).ID() == admit(narrower(n+schemaProperties)).ID() {
			t.Errorf("candidate %d is not a new one", n)
		}
		before = next
	}
}

func TestJudgeSchema(t *testing.T) {
	if err := judgeSchema(fmt.Appendf(nil, `{"schema":%q,"schemaType":"JSON"}`, wider(3))); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "null", "{}", `{"schema":3}`, `{"schema":"{}"}`, `{"schema":"{\"properties\":{\"a\":{}}}"}`, `{"error_code":40403,"message":"Schema not found"}`} {
		if judgeSchema([]byte(bad)) == nil {
			t.Errorf("judgeSchema(%q) did not err", bad)
		}
	}
}

// TestRegistryClient has a server that answers wrongly.
func TestRegistryClient(t *testing.T) {
	var status int
	var answer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "bench" || password != "secret" || r.Header.Get("Content-Type") != registryMedia {
			t.Error("the request says neither who asks nor what it sends")
		}
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	c := registryClient{base: server.URL, token: "secret"}
	for _, row := range []struct {
		status               int
		answer               string
		registers, fits, not bool
	}{
		{200, `{"id":7}`, true, false, false},
		{200, `{"is_compatible":true}`, false, true, false},
		{200, `{"is_compatible":false}`, false, false, true},
		{200, `{}`, false, false, false},
		{200, `no JSON`, false, false, false},
		{409, `{"error_code":409,"id":7,"is_compatible":true}`, false, false, false},
		{500, `{"is_compatible":false}`, false, false, false},
	} {
		status, answer = row.status, row.answer
		if _, err := c.register(t.Context(), "{}"); (err == nil) != row.registers {
			t.Errorf("register: %d %s: %v", row.status, row.answer, err)
		}
		if err := c.test(t.Context(), "{}", true); (err == nil) != row.fits {
			t.Errorf("compatible: %d %s: %v", row.status, row.answer, err)
		}
		if err := c.test(t.Context(), "{}", false); (err == nil) != row.not {
			t.Errorf("incompatible: %d %s: %v", row.status, row.answer, err)
		}
	}
}

func TestJudged(t *testing.T) {
	for _, row := range []struct {
		place int
		rate  float64
		want  string
	}{
		{0, 25_000, "first ≥ 10,000/s met, aim ≥ 20,000/s met"},
		{0, 15_000, "first ≥ 10,000/s met, aim ≥ 20,000/s not met"},
		{1, 100, "mean: first ≤ 20ms met, aim ≤ 5ms not met"},
		{2, 1000, "mean: first ≤ 20ms met, aim ≤ 5ms met"},
		{3, 40, "mean: first ≤ 20ms not met, aim ≤ 10ms not met"},
	} {
		if got := (figure{Rate: row.rate}).judged(row.place).Note; got != row.want {
			t.Errorf("judged(%d) of %v = %q", row.place, row.rate, got)
		}
	}
}

// TestFetchPaths has clients fetch over plain HTTP.
func TestFetchPaths(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/x/") || r.Header.Get("Accept") != registryMedia {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		fmt.Fprintf(w, `{"schema":%q}`, wider(1))
	}))
	defer server.Close()
	b := bench{options: options{clients: 3, warm: time.Millisecond, measure: 50 * time.Millisecond}}
	var in, out strings.Builder
	fmt.Fprintf(&in, `{"addr":%q,"gets":["/x/1","/x/2"],"clients":%d,"warm":%d,"measure":%d,"checked":true}`, server.Listener.Addr().String(), b.clients, b.warm, b.measure)
	if err := generate(strings.NewReader(in.String()), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "wrong") || !strings.Contains(out.String(), `"errors":0`) {
		t.Errorf("outcome %s", out.String())
	}
}

func TestFindApicurio(t *testing.T) {
	dir := t.TempDir()
	if _, err := findApicurio(dir); err == nil {
		t.Error("found in an empty folder")
	}
	if _, err := findApicurio(filepath.Join(dir, "apicurio-registry-app-3.0.9-all.tar.gz")); err == nil {
		t.Error("found though it is not there")
	}
	archive := filepath.Join(dir, "apicurio-registry-app-3.0.9-all.tar.gz")
	if err := os.WriteFile(archive, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{dir, archive} {
		if got, err := findApicurio(place); got != archive || err != nil {
			t.Errorf("findApicurio(%s) = %s, %v", place, got, err)
		}
	}
	if _, err := startApicurio(context.Background(), archive, filepath.Join(dir, "x")); err == nil {
		t.Error("started from an empty archive")
	}
}
