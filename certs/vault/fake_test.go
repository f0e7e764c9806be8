package vault_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/certstest"
	"github.com/onedoor/yimen/certs/vault"
)

// fake answers as Vault does to what the authority asks, and as it does not where a test says so. That the real one answers
// so is shown in test/vault.
type fake struct {
	server *httptest.Server
	ca     string
	dir    string
	signer *certs.LocalAuthority

	mu      sync.Mutex // guards all below
	tokens  map[string]bool
	kv      map[string]any // nil: there is none
	number  int            // of the document's version
	spoil   func(path string, answer map[string]any) map[string]any
	status  int // of every answer; 0: as it should be
	said    []string
	strange map[string]bool // tokens that were shown but not given
}

func newFake(t *testing.T) *fake {
	t.Helper()
	signer, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: certstest.City})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{signer: signer, dir: t.TempDir(), tokens: map[string]bool{}, strange: map[string]bool{}}
	f.server = httptest.NewUnstartedServer(f)
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	f.ca = filepath.Join(f.dir, "ca.pem")
	f.file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})))
	return f
}

func (f *fake) file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// config is a node's, with a secret-id that has just been brought.
func (f *fake) config(t *testing.T) vault.Config {
	t.Helper()
	return vault.Config{
		Address: f.server.URL, CA: f.ca, Refresh: 200 * time.Millisecond, Timeout: 3 * time.Second,
		Login: vault.Login{RoleID: "role", SecretID: f.file(t, "secret-id"+rand.Text(), "hvs.wrapping\n")},
		Log:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func (f *fake) open(t *testing.T, config vault.Config) *vault.Authority {
	t.Helper()
	a, err := vault.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// set changes how it answers.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	f.said = append(f.said, path)
	var sent map[string]any
	if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		json.Unmarshal(body, &sent)
	}
	status, answer := f.status, map[string]any{}
	if status == 0 {
		status, answer = f.answer(path, r, sent)
	}
	if f.spoil != nil && status == http.StatusOK {
		answer = f.spoil(path, answer)
	}
	w.Header().Set("Location", "https://elsewhere.invalid/") // where the status is a redirect
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer)
}

func (f *fake) answer(path string, r *http.Request, sent map[string]any) (int, map[string]any) {
	refuse := func(status int, text string) (int, map[string]any) {
		return status, map[string]any{"errors": []string{text}}
	}
	token := r.Header.Get("X-Vault-Token")
	switch {
	case path == "sys/wrapping/lookup":
		return http.StatusOK, data(map[string]any{"creation_path": "auth/approle/role/yimen-node/secret-id"})
	case path == "sys/wrapping/unwrap":
		return http.StatusOK, data(map[string]any{"secret_id": "the secret-id"})
	case path == "auth/approle/login":
		made := "hvs." + rand.Text()
		f.tokens[made] = true
		return http.StatusOK, map[string]any{"auth": map[string]any{"client_token": made, "lease_duration": 3600, "renewable": true}}
	case !f.tokens[token]:
		f.strange[token] = true
		return refuse(http.StatusForbidden, "permission denied")
	case path == "auth/token/revoke-self":
		delete(f.tokens, token)
	case strings.HasPrefix(path, "yimen-pki/sign/"):
		return f.sign(strings.TrimPrefix(path, "yimen-pki/sign/"), sent)
	case path == "yimen-pki/issuers", path == "yimen-pki/issuers/":
		return http.StatusOK, data(map[string]any{"keys": []string{"one"}})
	case path == "yimen-pki/issuer/one/json":
		return http.StatusOK, data(map[string]any{"certificate": toPEM(f.signer.Roots()[0].Raw)})
	case path == "yimen-transit/encrypt/yimen":
		return http.StatusOK, data(map[string]any{"ciphertext": fmt.Sprint(sent["associated_data"], "|", sent["plaintext"])})
	case path == "yimen-transit/decrypt/yimen":
		return f.decrypt(sent)
	case path == "yimen-kv/data/secrets" && r.Method == http.MethodGet:
		if f.number == 0 {
			return refuse(http.StatusNotFound, "")
		}
		return http.StatusOK, data(map[string]any{"data": f.kv, "metadata": f.metadata()})
	case path == "yimen-kv/data/secrets":
		if options, _ := sent["options"].(map[string]any); options["cas"] != float64(f.number) {
			return refuse(http.StatusBadRequest, "check-and-set parameter did not match the current version")
		}
		f.kv, _ = sent["data"].(map[string]any)
		f.number++
		return http.StatusOK, data(f.metadata())
	}
	return http.StatusNoContent, nil
}

func (f *fake) metadata() map[string]any {
	return map[string]any{"version": f.number, "created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": false}
}

func (f *fake) decrypt(sent map[string]any) (int, map[string]any) {
	var results []map[string]any
	for _, item := range sent["batch_input"].([]any) {
		item := item.(map[string]any)
		bound, plain, _ := strings.Cut(item["ciphertext"].(string), "|")
		if bound != item["associated_data"] {
			return http.StatusBadRequest, data(map[string]any{"batch_results": []map[string]any{{"error": "cipher: message authentication failed"}}})
		}
		results = append(results, map[string]any{"plaintext": plain})
	}
	return http.StatusOK, data(map[string]any{"batch_results": results})
}

// sign issues what is asked for, by the local authority.
func (f *fake) sign(role string, sent map[string]any) (int, map[string]any) {
	block, _ := pem.Decode([]byte(sent["csr"].(string)))
	identity, err := certs.ParseIdentity(sent["uri_sans"].(string))
	if err != nil || string(identity.Role) != role || identity.City != certstest.City {
		return http.StatusBadRequest, map[string]any{"errors": []string{"URI Subject Alternative Names were provided via the API which are not valid for this role"}}
	}
	var hosts []string
	for _, list := range []string{"alt_names", "ip_sans"} {
		hosts = append(hosts, strings.FieldsFunc(sent[list].(string), func(r rune) bool { return r == ',' })...)
	}
	life, err := time.ParseDuration(sent["ttl"].(string))
	if err != nil {
		return http.StatusBadRequest, nil
	}
	issued, err := f.signer.Issue(context.Background(), certs.Order{Request: block.Bytes, Identity: identity, Hosts: hosts, Life: life})
	if err != nil {
		return http.StatusBadRequest, map[string]any{"errors": []string{err.Error()}}
	}
	return http.StatusOK, data(map[string]any{"certificate": toPEM(issued.Certificate.Raw), "ca_chain": []string{toPEM(f.signer.Roots()[0].Raw)}})
}

func data(of map[string]any) map[string]any { return map[string]any{"data": of} }

func toPEM(raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

// replaced is the answer to signing with another certificate.
func replaced(answer map[string]any, certificate *x509.Certificate) map[string]any {
	of := maps.Clone(answer["data"].(map[string]any))
	of["certificate"] = toPEM(certificate.Raw)
	return data(of)
}
