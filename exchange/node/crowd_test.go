package node

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/limits"
)

// TestTenTimesTheLoad sends ten times as many queries at once as a node takes in hand, beside clients that stall. Each is answered or
// told at once to come again; nothing is answered twice or without an entry, and the probes answer all the while.
func TestTenTimesTheLoad(t *testing.T) {
	t.Parallel()
	const atOnce, each = 4, 10
	c, around := settings(t), surroundings()
	c.Limits, around.atOnce = limits.Unbounded(), atOnce
	n, err := Start(t.Context(), c, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	publish(t, n, 1)
	stalled := stall(t, n.fronts[people].address, 50)
	before := entriesOn(t, n)
	var answered, shed, wrong atomic.Int64
	var group sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: 10 * atOnce}
	defer transport.CloseIdleConnections()
	for range 10 * atOnce {
		group.Go(func() {
			client := api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Transport: transport, Timeout: 20 * time.Second}, Clock: n.around.Clock}
			for range each {
				_, err := client.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company})
				var p *exchange.Problem
				switch {
				case err == nil:
					answered.Add(1)
				case errors.As(err, &p) && p.Code == "YM-QRY-0305" && p.After > 0:
					shed.Add(1)
				default:
					wrong.Add(1)
					t.Logf("%v", err)
				}
			}
		})
	}
	for range 20 {
		began := time.Now()
		body := get(t, n.URL()+"/livez")
		if took := time.Since(began); body != "ok\n" || took > 5*time.Second {
			t.Errorf("the probe is answered %q after %v", body, took)
		}
	}
	group.Wait()
	t.Logf("of %d queries %d were answered, %d told to come again", 10*atOnce*each, answered.Load(), shed.Load())
	if wrong.Load() != 0 || answered.Load() == 0 || shed.Load() == 0 {
		t.Errorf("%d answered, %d told to come again, %d otherwise", answered.Load(), shed.Load(), wrong.Load())
	}
	if left := entriesOn(t, n) - before; left != answered.Load() {
		t.Errorf("%d entries for %d answers", left, answered.Load())
	}
	ask(t, n)
	for _, conn := range stalled { // who sends nothing for so long is hung up on
		conn.SetReadDeadline(time.Now().Add(n.fronts[people].ReadHeaderTimeout + 5*time.Second))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a client that stalls is waited for")
			break
		}
	}
}

// stall opens connections on which half a request comes and then nothing.
func stall(t *testing.T, address string, count int) (all []net.Conn) {
	t.Helper()
	for range count {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		io.WriteString(conn, "POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthor")
		all = append(all, conn)
	}
	return all
}

// entriesOn counts what stands on the audit topic.
func entriesOn(t *testing.T, n *Node) (all int64) {
	t.Helper()
	ends, err := n.Bus.EndOffsets(t.Context(), audit.Topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		all += end
	}
	return all
}
