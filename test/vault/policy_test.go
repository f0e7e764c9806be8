package vault_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"testing"

	"github.com/hashicorp/vault/api"

	authority "github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/test/vault"
)

// login gives a client with a node's own token.
func login(t *testing.T, s *vault.Server) *api.Client {
	t.Helper()
	secret, err := s.Root().Write("auth/approle/role/yimen-node/secret-id", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.As("").Logical().Write("auth/approle/login", map[string]any{"role_id": s.RoleID(), "secret_id": secret.Data["secret_id"]})
	if err != nil {
		t.Fatal(err)
	}
	return s.As(answer.Auth.ClientToken)
}

func status(err error) int {
	var answer *api.ResponseError
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// A node may do what it does, and nothing else of what would be of use to whoever has its token.
func TestNodeMayDoNothingElse(t *testing.T) {
	s := vault.Start(t)
	open(t, byAppRole(t, s)).Ring(t.Context(), "sealing")
	node := login(t, s).Logical()
	s.Write("yimen-transit/keys/other", nil)
	for _, write := range []struct {
		path string
		data map[string]any
	}{
		{"yimen-pki/sign/broker", map[string]any{"common_name": "broker/kafka1"}},
		{"yimen-pki/sign-verbatim", nil},
		{"yimen-pki/sign-verbatim/adapter", nil},
		{"yimen-pki/issue/adapter", map[string]any{"common_name": "x"}},
		{"yimen-pki/root/generate/internal", map[string]any{"common_name": "x"}},
		{"yimen-pki/root/sign-intermediate", nil},
		{"yimen-pki/roles/adapter", map[string]any{"allow_any_name": true}},
		{"yimen-pki/config/issuers", nil},
		{"yimen-transit/keys/new", nil},
		{"yimen-transit/keys/yimen/rotate", nil},
		{"yimen-transit/keys/yimen/config", map[string]any{"deletion_allowed": true}},
		{"yimen-transit/encrypt/new", map[string]any{"plaintext": "AAAA"}},
		{"yimen-transit/decrypt/other", map[string]any{"ciphertext": "vault:v1:AAAA"}},
		{"yimen-kv/data/other", map[string]any{"data": map[string]any{}}},
		{"yimen-kv/delete/secrets", map[string]any{"versions": []int{1}}},
		{"yimen-kv/destroy/secrets", map[string]any{"versions": []int{1}}},
		{"yimen-kv/config", map[string]any{"cas_required": false}},
		{"auth/approle/role/yimen-node/secret-id", nil},
		{"auth/token/create", nil},
		{"sys/policies/acl/yimen-node", map[string]any{"policy": `path "*" { capabilities = ["sudo"] }`}},
		{"sys/seal", nil},
	} {
		if _, err := node.Write(write.path, write.data); status(err) != http.StatusForbidden {
			t.Errorf("write %s: %v, want forbidden", write.path, err)
		}
	}
	for _, path := range []string{"yimen-transit/export/encryption-key/yimen", "yimen-transit/backup/yimen", "yimen-kv/data/other", "yimen-kv/metadata/secrets", "auth/approle/role/yimen-node/role-id", "sys/policies/acl/yimen-node"} {
		if _, err := node.Read(path); status(err) != http.StatusForbidden {
			t.Errorf("read %s: %v, want forbidden", path, err)
		}
	}
	for _, path := range []string{"yimen-kv/data/secrets", "yimen-kv/metadata/secrets", "yimen-pki/root", "yimen-transit/keys/yimen"} {
		if _, err := node.Delete(path); status(err) != http.StatusForbidden {
			t.Errorf("delete %s: %v, want forbidden", path, err)
		}
	}
	if _, err := node.Write("yimen-kv/data/secrets", map[string]any{"data": map[string]any{}}); status(err) != http.StatusBadRequest {
		t.Errorf("overwriting the secrets without naming what is overwritten: %v", err)
	}
}

// A machine of Kafka's brokers may have brokers certified, and nothing else; what it reads of the secrets it cannot unwrap.
func TestBrokerMachineMayDoNothingElse(t *testing.T) {
	s := vault.Start(t)
	open(t, byAppRole(t, s)).Ring(t.Context(), "sealing")
	made, err := s.Root().Write("auth/token/create", map[string]any{"policies": []string{"yimen-broker"}, "no_default_policy": true})
	if err != nil {
		t.Fatal(err)
	}
	broker := s.As(made.Auth.ClientToken).Logical()
	for _, path := range []string{"yimen-pki/sign/node", "yimen-pki/sign/adapter", "yimen-pki/sign-verbatim/broker", "yimen-pki/issue/broker", "yimen-pki/roles/broker",
		"yimen-transit/encrypt/yimen", "yimen-transit/decrypt/yimen", "yimen-kv/data/secrets", "auth/token/create"} {
		if _, err := broker.Write(path, map[string]any{"common_name": "x"}); status(err) != http.StatusForbidden {
			t.Errorf("write %s: %v, want forbidden", path, err)
		}
	}
	other := byBrokerMachine(t, s)
	other.Login.Cert, other.Login.Key = s.MachineCertificate(vault.Machine)
	if _, err := authority.Open(t.Context(), other); err == nil {
		t.Error("a node's machine logs in as a broker's")
	}
}

// The roles certify what they are for, also where a node asks for more.
func TestRolesCertifyNothingElse(t *testing.T) {
	s := vault.Start(t)
	node := login(t, s).Logical()
	request := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: order(t).Request}))
	const adapter = "spiffe://liling/dept/scjg/adapter/licences"
	for name, ask := range map[string]struct {
		role string
		data map[string]any
	}{
		"an adapter's role for a node":    {"adapter", map[string]any{"uri_sans": "spiffe://liling/node/1"}},
		"a clerk's role for an adapter":   {"clerk", map[string]any{"uri_sans": adapter}},
		"another city":                    {"adapter", map[string]any{"uri_sans": "spiffe://changsha/dept/scjg/adapter/licences"}},
		"a host of an adapter":            {"adapter", map[string]any{"uri_sans": adapter, "alt_names": "scjg.example"}},
		"this machine as an adapter":      {"adapter", map[string]any{"uri_sans": adapter, "alt_names": "localhost"}},
		"an address of an adapter":        {"adapter", map[string]any{"uri_sans": adapter, "ip_sans": "127.0.0.1"}},
		"a wildcard of a node":            {"node", map[string]any{"uri_sans": "spiffe://liling/node/1", "alt_names": "*.example"}},
		"a node's role for a broker":      {"node", map[string]any{"uri_sans": "spiffe://liling/broker/kafka1"}},
		"an identity and a node's beside": {"adapter", map[string]any{"uri_sans": adapter + ",spiffe://liling/node/1"}},
	} {
		ask.data["csr"], ask.data["common_name"], ask.data["exclude_cn_from_sans"] = request, "x", true
		if answer, err := node.Write("yimen-pki/sign/"+ask.role, ask.data); status(err) != http.StatusBadRequest {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	answer, err := node.Write("yimen-pki/sign/adapter", map[string]any{"csr": request, "common_name": "x", "uri_sans": adapter, "exclude_cn_from_sans": true, "ttl": "9000h"})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(answer.Data["certificate"].(string)))
	if life := lifeOf(t, block.Bytes); life > 72*60*60+60 {
		t.Errorf("asked for a year, Vault gave %d s", life)
	}
}

// Whoever brings a secret-id does not see it.
func TestDelivererSeesNoSecretID(t *testing.T) {
	s := vault.Start(t)
	made, err := s.Root().Write("auth/token/create", map[string]any{"policies": []string{"yimen-deliver"}, "no_default_policy": true})
	if err != nil {
		t.Fatal(err)
	}
	const path = "auth/approle/role/yimen-node/secret-id"
	deliverer := s.As(made.Auth.ClientToken)
	if _, err := deliverer.Logical().Write(path, nil); status(err) != http.StatusForbidden {
		t.Errorf("a secret-id that is not wrapped: %v", err)
	}
	deliverer.SetWrappingLookupFunc(func(string, string) string { return "1h" })
	if _, err := deliverer.Logical().Write(path, nil); status(err) != http.StatusForbidden {
		t.Errorf("a secret-id wrapped for an hour: %v", err)
	}
	deliverer.SetWrappingLookupFunc(func(string, string) string { return "5m" })
	answer, err := deliverer.Logical().Write(path, nil)
	if err != nil || answer.WrapInfo == nil || answer.Data["secret_id"] != nil {
		t.Errorf("a wrapped secret-id: %v", err)
	}
}

// Setting up again changes nothing: the same root, the same secrets.
func TestSetUpTwice(t *testing.T) {
	s := vault.Start(t)
	a := open(t, byAppRole(t, s))
	before, err := a.Ring(t.Context(), "sealing")
	if err != nil {
		t.Fatal(err)
	}
	s.SetUp()
	b := open(t, byAppRole(t, s))
	after, err := b.Ring(t.Context(), "sealing")
	if err != nil || string(before[0].Secret) != string(after[0].Secret) {
		t.Errorf("another secret after setting up again: %v", err)
	}
	if len(b.Roots()) != 1 || !b.Roots()[0].Equal(a.Roots()[0]) {
		t.Errorf("%d roots after setting up again, or another", len(b.Roots()))
	}
	if _, err := a.Issue(t.Context(), order(t)); err != nil {
		t.Error(err)
	}
}

func lifeOf(t *testing.T, raw []byte) int {
	t.Helper()
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return int(c.NotAfter.Sub(c.NotBefore).Seconds())
}
