package node

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/test/kafka"
)

// Whatever a client was told stands in the audit topic, and is proven by the node that comes after, wherever the one before was
// killed. What stands there and was told to nobody is no harm.
func TestNodeKilledAnywhereNothingIsToldWithoutAnEntry(t *testing.T) {
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	killed(t, server.Addr())
}

func TestNodeKilledAnywhereOnKafka(t *testing.T) {
	killed(t, kafka.Start(t, kafka.Options{}).Addr())
}

// killed starts, asks and kills one node after the other, each in the directory that the one before left.
func killed(t *testing.T, address string) {
	dir := t.TempDir()
	list, err := os.ReadFile(settings(t).Callers)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "callers.yaml"), string(list))
	n := start(t, lasting(dir, address))
	publish(t, n, 1)
	stop(t, n)

	points := []string{"before 5", "after 7", "write 9", "half 4", "written 6"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2 {
		points = append(points, fmt.Sprint("time ", random.IntN(100_000)))
	}
	var told []string
	for _, point := range points {
		told = append(told, toldUntilDeath(t, point, dir, address)...)
	}
	lies := len(told)
	told = append(told, toldUntilDeath(t, "lie 3", dir, address)...)

	n = start(t, lasting(dir, address))
	known := keptEntries(t, n)
	honest := 0
	for i, body := range told {
		switch err := unfounded(t, n, known, body); {
		case err == nil:
			honest++
		case i < lies:
			t.Errorf("told without an entry: %v\n%s", err, body)
		}
	}
	if honest == len(told) {
		t.Error("an answer was made without an entry, and this test did not find it")
	}
	if honest < len(points) || len(known) <= honest { // "after" and "write" leave an entry each that nobody was told of
		t.Errorf("%d answers hold, of %d entries", honest, len(known))
	}
	t.Logf("%d answers hold, %d do not, of %d entries", honest, len(told)-honest, len(known))
}

// toldUntilDeath lets clients ask a node that dies, and gives all that they were told, also in part.
func toldUntilDeath(t *testing.T, point, dir, address string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), killVariable+"="+point+" "+dir+" "+address)
	said, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(said).ReadString('\n')
	base := strings.TrimSpace(line)
	var mu sync.Mutex
	var told []string
	var clients sync.WaitGroup
	for range askers {
		clients.Go(func() {
			for {
				body, err := askRaw(ctx, base)
				if body != "" {
					mu.Lock()
					told = append(told, body)
					mu.Unlock()
				}
				if err != nil {
					return
				}
			}
		})
	}
	clients.Wait()
	err = child.Wait()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || ctx.Err() != nil || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the node did not die at %q: %v, %s", point, err, line)
	}
	return told
}

// askRaw gives what came of an answer, and the error that ended it.
func askRaw(ctx context.Context, base string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/queries",
		strings.NewReader(`{"case":"LL-2026-1123-0041","item":"food-licence-new","applicant":"`+company+`"}`))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// proven demands a proof of inclusion once the ledger has had its time.
func proven(t *testing.T, n *Node, id string, entry []byte) error {
	t.Helper()
	var text []byte
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := n.await(ctx, func() (yes bool, err error) {
		text, err = n.Ledger.Proof(ctx, id)
		if exchange.KindOf(err) == exchange.Unavailable {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return err
	}
	_, err = ledger.VerifyProof(ledger.Keys{Log: n.Ledger.VerifierKey()}, text, entry)
	return err
}

// keptEntries are the entries of queries on the audit topic, by id.
func keptEntries(t *testing.T, n *Node) map[string][]byte {
	t.Helper()
	known := map[string][]byte{}
	each(t, n, audit.Topic, func(m exchange.Message) {
		if e, err := audit.Parse(m.Key, m.Value); err != nil {
			t.Error(err)
		} else if e.Decision == audit.Answered {
			known[e.ID] = m.Value
		}
	})
	return known
}

// unfounded says what is wrong with an answer: that its entry is not on the topic, is another one, or is not proven. Of one that was
// cut off only the id is known.
func unfounded(t *testing.T, n *Node, known map[string][]byte, body string) error {
	t.Helper()
	var told broker.Conclusion
	decoder := json.NewDecoder(strings.NewReader(body))
	whole := decoder.Decode(&told) == nil
	if !whole {
		rest, found := strings.CutPrefix(body, `{"id":"`)
		if told.ID, _, _ = strings.Cut(rest, `"`); !found || !audit.ValidID(told.ID) {
			return fmt.Errorf("the answer cut off does not begin with its id")
		}
	}
	entry, found := known[told.ID]
	if !found {
		return errors.New("no such entry")
	}
	signer, err := n.signer(t.Context(), signatureKey)
	if err != nil {
		return err
	}
	if whole {
		if err := audit.VerifyReceipt(signer.Public().(ed25519.PublicKey), told.Receipt, entry); err != nil {
			return err
		}
	}
	return proven(t, n, told.ID, entry)
}
