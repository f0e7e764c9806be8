package node

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/erasure"
)

// TestDoubtIsCorrected: a clerk doubts what an answer rested on, the keeper accepts it and publishes another version; the doubt is
// corrected then, the answers given before are listed, and nothing that was written stands anywhere in the node's files.
func TestDoubtIsCorrected(t *testing.T) {
	const reason = "住所应为渌江大道八百八十八号"
	cfg := settings(t)
	put(t, cfg.Callers, "- {department: xzsp, clerk: '0017', token_sha256: "+door.TokenHash(token)+"}\n"+
		"- {department: scjg, clerk: '0021', token_sha256: "+door.TokenHash("keeper")+", grants: true}\n")
	n := start(t, cfg)
	publish(t, n, 1)
	as := func(token string) func(method, path string, asked, answer any) error {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		c := &api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Transport: transport, Timeout: 10 * time.Second}, Clock: n.around.Clock}
		return func(method, path string, asked, answer any) error {
			return c.Call(t.Context(), method, path, asked, answer)
		}
	}
	clerk, keeper := as(token), as("keeper")

	c := query(t, n)
	record := ""
	for _, a := range c.Answers {
		if a.Material == "business-licence" {
			record = a.Evidence[0].Record
		}
	}
	if err := n.await(t.Context(), func() (bool, error) { // the ledger follows the log
		_, err := n.Ledger.Entry(t.Context(), c.Receipt.ID)
		return err == nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	var d doubts.Standing
	if err := clerk(http.MethodPost, "/v1/doubts", doubts.Raising{Receipt: c.Receipt.ID, Record: record, Fields: []string{"address"}, Reason: reason}, &d); err != nil {
		t.Fatal(err)
	}
	if err := keeper(http.MethodPost, "/v1/doubts/"+d.ID+"/decisions", doubts.Decision{Act: doubts.Accept, Replaces: d.Version}, &d); err != nil {
		t.Fatal(err)
	}
	if d.Status != doubts.Accepted || d.Reason != reason || d.Doubted != 1 {
		t.Errorf("accepted: %+v", d)
	}
	state(t, n, 2, noon, func(document []byte) []byte {
		var fields map[string]any
		if err := json.Unmarshal(document, &fields); err != nil {
			t.Fatal(err)
		}
		fields["address"] = "别处"
		changed, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	})
	if err := n.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all doubts.Listing
	if err := clerk(http.MethodGet, "/v1/doubts", nil, &all); err != nil || len(all.Doubts) != 1 || all.Doubts[0].Status != doubts.Corrected || all.Doubts[0].Newer != 2 || all.Doubts[0].Published.IsZero() {
		t.Fatalf("corrected: %+v %v", all, err)
	}
	query(t, n) // rests on the correction
	var reach doubts.Reach
	if err := clerk(http.MethodGet, "/v1/doubts/"+d.ID+"/reliances", nil, &reach); err != nil || len(reach.Reliances) != 1 || reach.Reliances[0].Receipt != c.Receipt.ID {
		t.Errorf("relied on: %+v %v", reach, err)
	}
	if err := keeper(http.MethodGet, "/v1/doubts/"+d.ID+"/reliances", nil, &reach); err != nil || len(reach.Reliances) != 0 || len(reach.Departments) != 1 || reach.Departments[0].Answers != 1 {
		t.Errorf("for the keeper: %+v %v", reach, err)
	}
	textErasedWith(t, n, record)
	stop(t, n)
	writtenNowhere(t, cfg.Data, reason)
}

// textErasedWith has a record erased: the one text that was written of it gets its tombstone.
func textErasedWith(t *testing.T, n *Node, record string) {
	t.Helper()
	if _, err := n.Erase(t.Context(), "xzsp/0001", EraseRequest{Kind: erasure.OfRecord, Type: "business-licence", Record: record, Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	texts, buried := map[string]bool{}, map[string]bool{}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := n.await(soon, func() (bool, error) {
		each(t, n, doubts.TextsTopic, func(m exchange.Message) {
			if m.Value == nil {
				buried[string(m.Key)] = true
			} else {
				texts[string(m.Key)] = true
			}
		})
		return len(texts) == 1 && maps.Equal(texts, buried), nil
	}); err != nil {
		t.Errorf("%v: texts %v, tombstones %v", err, texts, buried)
	}
}

// writtenNowhere looks for a text in every file below a directory.
func writtenNowhere(t *testing.T, dir, text string) {
	t.Helper()
	doubted := false
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		doubted = doubted || strings.Contains(path, doubts.Topic) && len(content) > 0
		if bytes.Contains(content, []byte(text)) {
			t.Errorf("%s has what was written", path)
		}
		return err
	})
	if err != nil || !doubted {
		t.Errorf("nothing was kept of the doubt: the search was in vain (%v)", err)
	}
}
