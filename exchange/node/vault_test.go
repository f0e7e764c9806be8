package node

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"testing"
	"time"

	authority "github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/test/vault"
)

// TestOnVault runs a city of the national suite whose keys are in a real Vault, rotates one, takes Vault away and gives it back.
func TestOnVault(t *testing.T) {
	v := vault.Start(t)
	c := settings(t)
	c.City, c.Crypto = vault.City, "national"
	c.Vault = authority.Config{Address: v.Address(), CA: v.CA, Hold: 6 * time.Second, Refresh: time.Second,
		Login: authority.Login{RoleID: v.RoleID(), SecretID: v.WrappedSecretID()}}
	around := Surroundings{Clock: time.Now, Catalogue: []fs.FS{demo.Catalogue()}} // Vault's certificates begin now
	n, err := Start(t.Context(), c, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	publish(t, n, 1)
	before := ask(t, n)
	if k, err := n.Rotate(t.Context(), "xzsp/0001", KeyRotation{Name: sealingKey}); err != nil || k.Versions != 2 || k.InUse != 1 {
		t.Errorf("rotated: %+v, %v", k, err)
	}

	v.Seal()
	away := time.Now()
	for range 3 { // well within hold; more would be taken for pressing
		time.Sleep(time.Second)
		ask(t, n)
	}
	for time.Since(away) < 20*time.Second && n.mayAnswer() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("closed %s after Vault was sealed", time.Since(away).Round(time.Millisecond))
	client := api.Client{Base: n.URL(), Token: token, HTTP: &http.Client{Timeout: 10 * time.Second}, Clock: n.around.Clock}
	_, err = client.Query(t.Context(), api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: company})
	var problem *exchange.Problem
	if !errors.As(err, &problem) || problem.Code != "YM-KEY-0301" || problem.Kind != exchange.Unavailable {
		t.Errorf("while Vault is away for longer than keys may stay: %v", err)
	}

	for gone := time.Now().Add(time.Second); ; time.Sleep(lookAgain / 4) {
		_, err := n.Index.Find(t.Context(), exchange.Holder{Kind: exchange.Organisation, Number: company}, []exchange.EvidenceType{"business-licence"})
		if errors.Is(err, errKeyless) {
			break
		}
		if time.Now().After(gone) {
			t.Errorf("the index still has its keys: %v", err)
			break
		}
	}

	v.Unseal()
	back := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for n.mayAnswer() != nil {
		if ctx.Err() != nil {
			t.Fatal("the node does not answer 5 s after Vault is back")
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("open %s after Vault was unsealed", time.Since(back).Round(time.Millisecond))
	if after := ask(t, n); after != before {
		t.Errorf("answers %s, before %s", after, before)
	}
}
