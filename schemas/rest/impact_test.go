package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// serveImpact is a service that answers nothing but impacts, behind a server that is in a hurry.
func serveImpact(t *testing.T, hurry time.Duration, impact func(ctx context.Context, progress func(done, of int64)) (json.RawMessage, error)) string {
	t.Helper()
	handler := New(Config{Writer: func(*http.Request) (string, error) { return "data/0001", nil },
		Impact: func(ctx context.Context, subject string, schema []byte, progress func(done, of int64)) (json.RawMessage, error) {
			if subject != "证照/a" || string(schema) != shop {
				return nil, errors.New("asked about another schema")
			}
			return impact(ctx, progress)
		}})
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = hurry, hurry
	server.Start()
	t.Cleanup(server.Close)
	return server.URL + "/subjects/%E8%AF%81%E7%85%A7%2Fa/impact"
}

func lineOf(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("the answer ended (%v)", lines.Err())
	}
	return lines.Text()
}

func TestImpactOutlivesTimeouts(t *testing.T) {
	const hurry = 100 * time.Millisecond
	url := serveImpact(t, hurry, func(ctx context.Context, progress func(done, of int64)) (json.RawMessage, error) {
		progress(1, 3)
		progress(2, 3) // just after the one before: not told
		select {
		case <-time.After(3 * hurry): // longer than the server's limits
			progress(3, 3)
			return json.RawMessage(`{"items":["a"]}`), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	response, err := http.Post(url, registryJSON, strings.NewReader(asked(shop)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("Content-Type %s", got)
	}
	lines := bufio.NewScanner(response.Body)
	for _, want := range []string{`{"done":1,"of":3}`, `{"done":3,"of":3}`, `{"impact":{"items":["a"]}}`} {
		if got := lineOf(t, lines); got != want {
			t.Errorf("line %s, want %s", got, want)
		}
	}
	if lines.Scan() {
		t.Errorf("one line too many: %s", lines.Text())
	}
}

func TestImpactFails(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"a problem":  {&exchange.Problem{Code: "YM-IMP-0101", Kind: exchange.Unavailable, What: text("索引未就绪", "the index is not ready")}, `{"error":{"error_code":50001,"message":"the index is not ready","problem":{"code":"YM-IMP-0101","kind":"unavailable",`},
		"no problem": {errors.New("hidden"), `{"error":{"error_code":50001,"message":"internal error`},
	} {
		url := serveImpact(t, time.Minute, func(context.Context, func(done, of int64)) (json.RawMessage, error) { return nil, row.err })
		response, err := http.Post(url, registryJSON, strings.NewReader(asked(shop)))
		if err != nil {
			t.Fatal(err)
		}
		if got := lineOf(t, bufio.NewScanner(response.Body)); !strings.HasPrefix(got, row.want) || strings.Contains(got, "hidden") {
			t.Errorf("%s: %s", name, got)
		}
		response.Body.Close()
	}
}

func TestImpactRefuses(t *testing.T) {
	url := serveImpact(t, time.Minute, func(context.Context, func(done, of int64)) (json.RawMessage, error) {
		t.Error("asked")
		return nil, nil
	})
	for body, want := range map[string]int{``: 400, `{}`: 422, `{"schema":"{}"}`: 422, asked(strings.Repeat(" ", 10)): 422} {
		response, err := http.Post(url, registryJSON, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", body, response.StatusCode, want)
		}
	}
}

func TestImpactStopsWhenTheCallerGoes(t *testing.T) {
	stopped := make(chan struct{})
	url := serveImpact(t, time.Minute, func(ctx context.Context, progress func(done, of int64)) (json.RawMessage, error) {
		progress(1, 2)
		<-ctx.Done()
		close(stopped)
		return nil, ctx.Err()
	})
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(asked(shop)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lineOf(t, bufio.NewScanner(response.Body))
	leave()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Fatal("the work goes on")
	}
}

// TestChecksAreBounded: anybody may ask for a check, so they must not take the machine.
func TestChecksAreBounded(t *testing.T) {
	s := newService(Config{})
	s.patience = time.Millisecond
	for range cap(s.checks) {
		done, err := s.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer done()
	}
	for _, path := range []string{"/compatibility/subjects/a/versions", "/compatibility/subjects/a/versions/latest", "/subjects/a"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(asked(shop))))
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.patience = time.Minute
	if _, err := s.turn(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: %v", err)
	}
}
