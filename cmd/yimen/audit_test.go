package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/contract"
)

// auditUp is an exchange's audit log, served without the rest of an exchange.
type auditUp struct {
	dir, url, id  string
	key           string // --key @file
	token, number string // @file
	ledger        *ledger.Ledger
}

// memory is a topic of one partition.
type memory struct {
	mu   sync.Mutex
	msgs []exchange.Message
}

func (m *memory) Append(_ context.Context, _ string, msgs []exchange.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range msgs {
		msgs[i].Offset = int64(len(m.msgs))
		m.msgs = append(m.msgs, msgs[i])
	}
	return nil
}

func (m *memory) Follow(ctx context.Context, _ string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error {
	for next := from[0]; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		msgs := m.msgs[min(int(next), len(m.msgs)):]
		m.mu.Unlock()
		if len(msgs) > 0 {
			if err := handle(ctx, msgs); err != nil {
				return err
			}
			next += int64(len(msgs))
		}
	}
	return context.Cause(ctx)
}

func (m *memory) EndOffsets(context.Context, string) (map[int]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return map[int]int64{0: int64(len(m.msgs))}, nil
}

// startAudit serves a log of some entries until the test ends; the caller may do everything.
func startAudit(t *testing.T) auditUp {
	t.Helper()
	up := auditUp{dir: filepath.Join(t.TempDir(), "audit")}
	topic := &memory{}
	log, err := audit.New(audit.Config{Appender: topic, Keys: func(context.Context) (audit.Keys, error) { return audit.Keys{Token: bytes.Repeat([]byte{1}, 32)}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	if up.ledger, err = ledger.Open(t.Context(), ledger.Config{Dir: up.dir, Origin: "liling.yimen/audit", Key: func(context.Context) (ed25519.PrivateKey, error) { return private, nil }, Topic: topic}); err != nil {
		t.Fatal(err)
	}
	number := "430281199001010017"
	for i := range 30 {
		e := audit.Entry{Department: "scjg", Clerk: "w3-017", Case: "LL-2026-0001", Item: "food-licence-new", Decision: audit.Answered,
			Holder: exchange.Holder{Kind: exchange.Person, Number: number}, Materials: []audit.Material{{Material: "id-card", Outcome: exchange.Held,
				Evidence: []audit.Evidence{{Type: "id-card", Outcome: exchange.Held}}}}}
		switch i {
		case 3:
			e = audit.Entry{Kind: audit.Act, Clerk: "admin-1", Department: "scjg", Act: "revoke", Target: "scjg/clerk/w3-018"}
		case 4:
			e = audit.Entry{Kind: audit.Act, Clerk: "admin-1", Department: "scjg", Act: "replay", Target: up.id, Item: e.Item, Holder: e.Holder, Decision: audit.Answered}
		}
		receipt, err := log.Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		up.id = receipt.ID
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- up.ledger.Run(ctx) }()
	server := httptest.NewServer(contract.Handler(ledger.Operations(ledger.Serving{Ledger: up.ledger, Enter: func(ctx context.Context, e *audit.Entry) error {
		if err := log.Stamp(ctx, e); err != nil {
			return err
		}
		_, err := log.Append(ctx, *e)
		return err
	},
		Reader: func(r *http.Request) (ledger.Reader, error) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				return ledger.Reader{}, &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, What: both("不知道是谁", "who is it")}
			}
			return ledger.Reader{Department: "scjg", Clerk: "chief-1", Supervisor: true, Auditor: true, Holders: true}, nil
		}}), nil))
	t.Cleanup(func() {
		server.Close()
		stop()
		if err := errors.Join(<-ended, up.ledger.Close()); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := up.ledger.Proof(t.Context(), up.id); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	keep := func(name, content string) string {
		path := filepath.Join(filepath.Dir(up.dir), name)
		if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	up.url, up.key, up.token, up.number = server.URL, keep("log.vkey", up.ledger.VerifierKey()), keep("token", "secret"), keep("number", number)
	return up
}

func TestAuditVerify(t *testing.T) {
	t.Parallel()
	up := startAudit(t)
	kept := filepath.Join(t.TempDir(), "kept")
	for _, from := range [][]string{{"--log", up.dir}, {"--server", up.url, "--token", up.token}} {
		got := yimen(t, append([]string{"audit", "verify", "--key", up.key, "--last", kept, "--lang", "en"}, from...)...)
		if got.code != exitOK || !strings.HasPrefix(got.out, "✓ liling.yimen/audit  30 leaves, all is well\n") {
			t.Errorf("%v: %d\n%s%s", from, got.code, got.out, got.talk)
		}
	}
	if checkpoint, err := os.ReadFile(kept); err != nil || !bytes.HasPrefix(checkpoint, []byte("liling.yimen/audit\n30\n")) {
		t.Errorf("kept %q, %v", checkpoint, err)
	}
	exported := yimen(t, "audit", "export", "--log", up.dir, "--key", up.key)
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(file, []byte(exported.out), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := yimen(t, "audit", "verify", "--export", file, "--key", up.key, "-o", "json"); got.code != exitOK || !strings.Contains(got.out, `"leaves": 30`) {
		t.Errorf("an export: %d\n%s%s", got.code, got.out, got.talk)
	}
	spoiled := strings.Replace(exported.out, "w3-017", "w3-018", 1)
	if err := os.WriteFile(file, []byte(spoiled), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := yimen(t, "audit", "verify", "--export", file, "--key", up.key, "-o", "json"); got.code != exitFailed || !strings.Contains(got.out, `"wrong": 1`) {
		t.Errorf("a spoiled export: %d\n%s%s", got.code, got.out, got.talk)
	}

	bundle := filepath.Join(up.dir, "log", "tile", "entries", "000.p", "30")
	content, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle, bytes.Replace(content, []byte("w3-017"), []byte("w3-018"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	got := yimen(t, "audit", "verify", "--log", up.dir, "--key", up.key, "-o", "json")
	if got.code != exitFailed || !strings.Contains(got.out, `"result": "damaged"`) {
		t.Errorf("a changed log: %d\n%s%s", got.code, got.out, got.talk)
	}
	if got := yimen(t, "audit", "verify", "--log", up.dir, "--key", up.key); got.code != exitFailed || !strings.Contains(got.out, "✗ liling.yimen/audit") {
		t.Errorf("a changed log: %d\n%s%s", got.code, got.out, got.talk)
	}
}

func TestAuditReads(t *testing.T) {
	t.Parallel()
	up := startAudit(t)
	at := []string{"--server", up.url, "--token", up.token}
	show := yimen(t, append([]string{"audit", "show", up.id, "--key", up.key, "--lang", "en"}, at...)...)
	if show.code != exitOK || !strings.Contains(show.out, "✓ the proof holds: leaf 29 under a checkpoint of ") || !strings.Contains(show.out, "w3-017") {
		t.Errorf("%d\n%s%s", show.code, show.out, show.talk)
	}
	search := yimen(t, append([]string{"audit", "search", "--kind", "act", "-o", "wide"}, at...)...)
	if search.code != exitOK || !strings.Contains(search.out, "revoke scjg/clerk/w3-018") || strings.Count(search.out, "\n") != 3 {
		t.Errorf("%d\n%s%s", search.code, search.out, search.talk)
	}
	few := yimen(t, append([]string{"audit", "search", "--limit", "7", "-o", "name"}, at...)...)
	if few.code != exitOK || strings.Count(few.out, "\n") != 7 {
		t.Errorf("%d\n%s%s", few.code, few.out, few.talk)
	}
	subject := yimen(t, append([]string{"subject", "log", "--number", up.number, "--limit", "100"}, at...)...)
	if subject.code != exitOK || strings.Count(subject.out, "food-licence-new") != 29 || strings.Count(subject.out, "重放结论 food-licence-new") != 1 || strings.Contains(subject.out+subject.talk, "430281199001010017") {
		t.Errorf("%d\n%s%s", subject.code, subject.out, subject.talk)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32)).Public().(ed25519.PublicKey)
	strange, err := ledger.VerifierKey("liling.yimen/audit", other)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		want code
		args []string
	}{
		"another key":        {exitFailed, []string{"audit", "show", up.id, "--key", strange}},
		"no such entry":      {exitNotFound, []string{"audit", "show", "01ARYZ6S410000000000000000", "--key", up.key}},
		"a time that is not": {exitUsage, []string{"audit", "search", "--from", "yesterday"}},
		"no entries":         {exitUsage, []string{"audit", "search", "--limit", "0"}},
		"a clerk of nowhere": {exitFailed, []string{"audit", "search", "--clerk", "w3-017"}},
		"a key that is none": {exitFailed, []string{"audit", "verify", "--key", "x"}},
	} {
		if got := yimen(t, append(tc.args, at...)...); got.code != tc.want || got.out != "" {
			t.Errorf("%s: %d\n%s%s", name, got.code, got.out, got.talk)
		}
	}
	if got := yimen(t, "audit", "search", "--server", up.url, "--token", up.key); got.code != exitLogin {
		t.Errorf("a stranger: %d\n%s", got.code, got.talk)
	}
}
