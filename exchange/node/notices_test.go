package node

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/notice"
)

// TestRevokedLicenceTellsItsCases subscribes one case of two that relied on a licence, revokes the licence while the receiver is down, and
// starts the node anew. In the end that case was told, once, on Kafka and by the webhook, and nobody else was.
func TestRevokedLicenceTellsItsCases(t *testing.T) {
	var down atomic.Bool
	var mu sync.Mutex
	var got [][]byte
	hook := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		switch {
		case in.Method == http.MethodOptions:
			out.Header().Set("WebHook-Allowed-Origin", in.Header.Get("WebHook-Request-Origin"))
		case down.Load():
			out.WriteHeader(http.StatusServiceUnavailable)
		default:
			body, _ := io.ReadAll(in.Body)
			mu.Lock()
			got = append(got, body)
			mu.Unlock()
		}
	}))
	defer hook.Close()
	cfg := settings(t)
	cfg.Webhooks.Allow = []string{"127.0.0.0/8"}
	var passed atomic.Int64
	around := surroundings()
	around.Clock = func() time.Time { return noon.Add(time.Duration(passed.Load())) }
	begin := func() (*Node, *api.Client) {
		n, err := Start(t.Context(), cfg, around)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		return n, &api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Transport: transport, Timeout: 10 * time.Second}, Clock: around.Clock}
	}
	n, clerk := begin()
	publish(t, n, 1)
	for _, matter := range []string{"LL-2026-1123-0041", "LL-2026-1123-0042"} {
		if _, err := clerk.Query(t.Context(), api.QueryRequest{Case: matter, Item: "food-licence-new", Applicant: company}); err != nil {
			t.Fatal(err)
		}
	}
	var s notice.Subscribed
	if err := clerk.Call(t.Context(), http.MethodPost, "/v1/subscriptions", notice.Wish{Case: "LL-2026-1123-0041", URL: hook.URL + "/notices"}, &s); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	state(t, n, 2, noon, func(document []byte) []byte { return bytes.Replace(document, []byte(`存续`), []byte(`吊销`), 1) })
	told := func(n *Node) int64 {
		ends, err := n.Bus.EndOffsets(t.Context(), envelope.NoticesTopic("xzsp"))
		if err != nil {
			t.Fatal(err)
		}
		return ends[0]
	}
	within(t, n, func() (bool, error) { return told(n) == 1, nil })
	stop(t, n)
	down.Store(false)
	n, clerk = begin()
	within(t, n, func() (bool, error) {
		passed.Add(int64(time.Minute))
		var all notice.Listing
		err := clerk.Call(t.Context(), http.MethodGet, "/v1/subscriptions", nil, &all)
		return err == nil && all.Subscriptions[0].Delivered == 1 && all.Subscriptions[0].Waiting == 0 && all.Key == s.Key, err
	})
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || told(n) != 1 {
		t.Fatalf("%d deliveries, %d notices", len(got), told(n))
	}
	var e notice.Event
	if err := json.Unmarshal(got[0], &e); err != nil {
		t.Fatal(err)
	}
	if e.Subject != "LL-2026-1123-0041" || e.Type != "city.yimen.record.revoked" || e.Data.Relied.Status != exchange.Valid || e.Data.Now != (notice.State{Version: 2, Status: exchange.Revoked}) {
		t.Errorf("told %+v", e)
	}
	if strings.Contains(string(got[0]), company) {
		t.Error("the applicant's number was sent")
	}
	relied, err := n.Reliances.Relied(t.Context(), e.Data.Record)
	if err != nil || len(relied) != 2 {
		t.Errorf("relied: %v, %v", relied, err)
	}
}

// TestErasedRecordTellsItsCases: what is erased is told of too, by its tombstone.
func TestErasedRecordTellsItsCases(t *testing.T) {
	n := start(t, settings(t))
	publish(t, n, 1)
	query(t, n)
	if _, err := n.Notices.Subscribe(t.Context(), notice.Person{Department: "xzsp", Name: "xzsp/0017"}, notice.Wish{All: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Erase(t.Context(), "scjg/0001", EraseRequest{Kind: "holder", Number: company, Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	var got exchange.Message
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.Bus.Read(ctx, envelope.NoticesTopic("xzsp"), nil, map[int]int64{0: 1}, func(_ context.Context, msgs []exchange.Message) error {
		got = msgs[0]
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got.Header("ce_type") != "city.yimen.record.erased" || string(got.Key) != "LL-2026-1123-0041" {
		t.Errorf("told %s of %s", got.Header("ce_type"), got.Key)
	}
}

// within waits ten seconds for something to be so.
func within(t testing.TB, n *Node, so func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.await(ctx, so); err != nil {
		t.Fatal(err)
	}
}
