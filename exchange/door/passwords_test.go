package door

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
)

// cheapHash is the cheapest hash that a callers file may hold.
func cheapHash(t testing.TB, password string, memory uint32) string {
	t.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: memory, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// signing is a doorkeeper with one local account, the clock it reads, and what it reported.
func signing(t testing.TB) (k *Keeper, now *time.Time, reported *[]string) {
	t.Helper()
	callers, err := parseCallers("c.yaml", []byte("- {department: xzsp, clerk: '0017', user: zhang, password: '"+cheapHash(t, "four unrelated words", leastMemory)+"', schemas: true}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	now, reported = new(time.Time), new([]string)
	*now = time.Date(2026, 11, 23, 12, 0, 0, 0, exchange.China)
	return New(Config{Callers: callers, Clock: func() time.Time { return *now }, Report: func(_ context.Context, e audit.Entry) { *reported = append(*reported, e.Refusal) }}), now, reported
}

func from(address string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/window/sign-in", nil)
	r.RemoteAddr = address
	return r
}

func TestLocalAccounts(t *testing.T) {
	k, _, reported := signing(t)
	caller, err := k.SignIn(from("10.0.0.1:1"), "zhang", "four unrelated words")
	if err != nil || caller.Name() != "xzsp/0017" || !caller.May(Schemas) || len(*reported) > 0 {
		t.Fatalf("%v %v %v", caller, err, *reported)
	}
	var said []string
	for _, wrong := range [][2]string{{"zhang", "four unrelated word"}, {"zhang", ""}, {"nobody", "four unrelated words"}, {"", ""}} {
		_, err := k.SignIn(from("10.0.0.1:1"), wrong[0], wrong[1])
		if exchange.KindOf(err) != exchange.Unauthorised {
			t.Fatalf("%v: %v", wrong, err)
		}
		said = append(said, err.Error())
	}
	if said[0] != said[2] || strings.Contains(said[0], "zhang") {
		t.Errorf("a refusal tells which names there are: %v", said)
	}
	if got := strings.Join(*reported, " "); got != strings.TrimSpace(strings.Repeat("YM-API-0409 ", 4)) {
		t.Errorf("reported %s", got)
	}
	if _, err := k.Still(from("10.0.0.1:1"), broker.Caller{Department: "xzsp", Clerk: "0018"}); exchange.KindOf(err) != exchange.Unauthorised {
		t.Errorf("somebody who is no longer listed goes on: %v", err)
	}
}

func TestStrangersTakeAsLong(t *testing.T) {
	p, _, _, err := argon2id.DecodeHash(nobodys)
	if err != nil || p.Memory != hardness.Memory || p.Iterations != hardness.Iterations || p.Parallelism != hardness.Parallelism {
		t.Errorf("a name that is not known is refused by another computation: %+v %v", p, err)
	}
}

func TestGuessesAreSlowedDown(t *testing.T) {
	k, now, _ := signing(t)
	try := func(address string) error {
		_, err := k.SignIn(from(address), "zhang", "wrong")
		return err
	}
	for range guessesOfOne {
		if err := try("10.0.0.1:1"); exchange.KindOf(err) != exchange.Unauthorised {
			t.Fatal(err)
		}
	}
	if err := try("10.0.0.1:2"); exchange.KindOf(err) != exchange.Limited {
		t.Errorf("the guess after the last: %v", err)
	}
	if _, err := k.SignIn(from("10.0.0.2:1"), "zhang", "four unrelated words"); err != nil {
		t.Errorf("one machine keeps the clerk out at another: %v", err)
	}
	*now = now.Add(guessEvery)
	if err := try("10.0.0.1:1"); exchange.KindOf(err) != exchange.Unauthorised {
		t.Errorf("after the wait: %v", err)
	}
}

func TestPasswordHashes(t *testing.T) {
	good := cheapHash(t, "x", leastMemory)
	for hash, sound := range map[string]bool{good: true, nobodys: true, "": false, "secret": false, cheapHash(t, "x", leastMemory/2): false,
		strings.Replace(good, "m=19456", "m=4194304", 1): false, strings.Replace(good, "t=1", "t=1000", 1): false, strings.Replace(good, "argon2id", "argon2i", 1): false} {
		if soundHash(hash) != sound {
			t.Errorf("%s is taken: %v", hash, !sound)
		}
	}
	if _, err := PasswordHash("seven77"); exchange.KindOf(err) != exchange.Invalid || strings.Contains(err.Error(), "seven77") {
		t.Errorf("short password: %v", err)
	}
	if hash, err := PasswordHash("口令至少八个字符"); err != nil || !soundHash(hash) {
		t.Errorf("%s %v", hash, err)
	}
}

func TestWhoIsRevokedIsSignedOutAtOnce(t *testing.T) {
	k, _, _ := signing(t)
	roll := &town{revoked: map[string]bool{}}
	k.cfg.City, k.cfg.Roll = "liling", roll
	who := broker.Caller{Department: "xzsp", Clerk: "0017"}
	if _, err := k.Still(from("10.0.0.1:1"), who); err != nil {
		t.Fatal(err)
	}
	roll.revoked[certs.Identity{City: "liling", Department: "xzsp", Role: certs.Clerk, Name: "0017"}.String()] = true
	if _, err := k.Still(from("10.0.0.1:1"), who); exchange.KindOf(err) != exchange.Unauthorised {
		t.Errorf("the session goes on: %v", err)
	}
	if _, err := k.SignIn(from("10.0.0.1:1"), "zhang", "four unrelated words"); exchange.KindOf(err) != exchange.Unauthorised {
		t.Errorf("the account goes on: %v", err)
	}
}
