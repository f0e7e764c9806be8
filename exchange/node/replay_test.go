package node

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// A department's request that was answered is refused when somebody sends it again, also after the node has been started anew,
// and each refusal stands in the audit log.
func TestReplayAfterARestart(t *testing.T) {
	t.Parallel()
	c := settings(t)
	n := start(t, c)
	who := certs.Identity{Department: "xzsp", Role: certs.Service, Name: "window"}
	at := certs.CredentialConfig{Dir: t.TempDir(), Name: "window"}
	if _, err := n.Enrol(t.Context(), who, at); err != nil {
		t.Fatal(err)
	}
	ask := func(n *Node, number string) (int, string) {
		t.Helper()
		window, err := n.Enrol(t.Context(), who, at) // takes up what was enrolled
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{TLSClientConfig: window.TLS()}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.DepartmentsURL()+"/v1/queries",
			strings.NewReader(`{"case":"LL-2026-1123-0041","item":"food-licence-new","applicant":"`+company+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if number != "" {
			r.Header.Set("Yimen-Nonce", number)
			r.Header.Set("Yimen-Time", noon.Format(time.RFC3339))
		}
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	const number = "a-number-of-this-request"
	if status, body := ask(n, number); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := ask(n, ""); status != http.StatusUnprocessableEntity || !strings.Contains(body, "YM-API-0104") {
		t.Errorf("without a number: %d %s", status, body)
	}
	if status, body := ask(n, number); status != http.StatusConflict || !strings.Contains(body, "YM-LIM-0101") {
		t.Errorf("again: %d %s", status, body)
	}
	stop(t, n)
	n = start(t, c)
	if status, body := ask(n, number); status != http.StatusConflict || !strings.Contains(body, "YM-LIM-0101") {
		t.Errorf("again after a restart: %d %s", status, body)
	}
	if status, body := ask(n, number+"-2"); status != http.StatusOK {
		t.Errorf("another: %d %s", status, body)
	}
	log := entries(t, n)
	if got := strings.Count(log, `"refusal":"replayed"`); got != 2 {
		t.Errorf("%d entries of replays in %s", got, log)
	}
	if got := strings.Count(log, `"refusal":"YM-API-0104"`); got != 1 {
		t.Errorf("%d entries of missing numbers in %s", got, log)
	}
}

// entries are all entries that the audit topic has now.
func entries(t *testing.T, n *Node) string {
	t.Helper()
	var all strings.Builder
	each(t, n, audit.Topic, func(m exchange.Message) { all.Write(m.Value) })
	return all.String()
}

// each hands over all messages that a topic of one partition has now.
func each(t *testing.T, n *Node, topic string, do func(exchange.Message)) {
	t.Helper()
	ends, err := n.Bus.EndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if ends[0] == 0 {
		return
	}
	whole := errors.New("all was read")
	err = n.Bus.Follow(t.Context(), topic, map[int]int64{0: 0}, func(_ context.Context, msgs []exchange.Message) error {
		for _, m := range msgs {
			do(m)
			if m.Offset+1 >= ends[0] {
				return whole
			}
		}
		return nil
	})
	if !errors.Is(err, whole) {
		t.Fatal(err)
	}
}
