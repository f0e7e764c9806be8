// Package vault runs a real HashiCorp Vault for tests: it starts, seals, pauses, kills and restarts the server's process, as
// deploy/vault/setup.sh has set it up.
//
// The binary is what the environment variable YIMEN_TEST_VAULT names; ./test/run builds it. Where the variable is not set,
// Start skips the test.
package vault

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
)

const (
	variable = "YIMEN_TEST_VAULT"
	patience = 60 * time.Second // for a start on a busy machine

	// City is the trust domain that the Vault is set up for.
	City = "liling"
	// Machine is the common name that may log in by certificate.
	Machine = "node1"
	// BrokerMachine is the one that may log in to have brokers' certificates issued.
	BrokerMachine = "kafka1"
)

// Server is a running Vault with TLS and file storage. Its methods end the test where they cannot do their work.
type Server struct {
	Addr string // host:port
	CA   string // PEM file of the CA of its certificate

	t        testing.TB
	binary   string
	dir      string
	machines authority
	unseal   string // the key
	root     *api.Client
	process  *process
}

// process is one run of the server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start starts a Vault, initialised, unsealed and set up. It ends with the test, which shows the log if it failed.
func Start(t testing.TB) *Server {
	t.Helper()
	binary := os.Getenv(variable)
	if binary == "" {
		t.Skip("needs a real Vault: run ./test/run")
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, binary: binary, dir: t.TempDir(), Addr: freeAddr(t), machines: newAuthority(t, "machines")}
	s.lay()
	t.Cleanup(s.cleanUp)
	s.launch()
	s.initialise()
	s.SetUp()
	return s
}

// Address is the server's URL.
func (s *Server) Address() string { return "https://" + s.Addr }

// Root asks Vault as its administrator.
func (s *Server) Root() *api.Logical { return s.root.Logical() }

// SetUp runs deploy/vault/setup.sh.
func (s *Server) SetUp() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, script(s.t), City, s.machines.file, Machine, BrokerMachine)
	cmd.Env = append(os.Environ(), "PATH="+s.dir+":"+os.Getenv("PATH"), "VAULT_ADDR="+s.Address(), "VAULT_CACERT="+s.CA, "VAULT_TOKEN="+s.root.Token())
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("set up Vault: %v\n%s", err, out)
	}
}

// Seal seals the Vault.
func (s *Server) Seal() {
	s.t.Helper()
	s.must(s.root.Sys().Seal())
}

// Unseal unseals the Vault.
func (s *Server) Unseal() {
	s.t.Helper()
	status, err := s.root.Sys().Unseal(s.unseal)
	s.must(err)
	if status.Sealed {
		s.t.Fatal("Vault is still sealed")
	}
	s.await(200)
}

// Pause stops the process as it is; Resume lets it go on.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Kill ends the process as kill -9 does.
func (s *Server) Kill() {
	s.signal(syscall.SIGKILL)
	<-s.process.done
}

// Restart starts the process again, on its address and data, and unseals it.
func (s *Server) Restart() {
	s.t.Helper()
	s.launch()
	s.Unseal()
}

// WrappedSecretID writes a file with a fresh wrapping token, as it is brought to a node.
func (s *Server) WrappedSecretID() (path string) {
	s.t.Helper()
	path = filepath.Join(s.t.TempDir(), "secret-id")
	s.Bring(path)
	return path
}

// Bring writes a fresh wrapping token into the file.
func (s *Server) Bring(path string) {
	s.t.Helper()
	answer, err := s.Wrapping("5m").Write("auth/approle/role/yimen-node/secret-id", nil)
	s.must(err)
	s.must(os.WriteFile(path, []byte(answer.WrapInfo.Token+"\n"), 0o600))
}

// Wrapping asks Vault as its administrator, and has the answers wrapped.
func (s *Server) Wrapping(life string) *api.Logical {
	s.t.Helper()
	client := s.As(s.root.Token())
	client.SetWrappingLookupFunc(func(string, string) string { return life })
	return client.Logical()
}

// As is a client with another's token.
func (s *Server) As(token string) *api.Client {
	s.t.Helper()
	client, err := s.root.Clone()
	s.must(err)
	client.SetToken(token)
	return client
}

// RoleID is the role-id of the nodes' AppRole.
func (s *Server) RoleID() string {
	s.t.Helper()
	answer, err := s.Root().Read("auth/approle/role/yimen-node/role-id")
	s.must(err)
	return answer.Data["role_id"].(string)
}

// MachineCertificate gives the files of a certificate by which the named machine may log in.
func (s *Server) MachineCertificate(name string) (certificate, key string) {
	s.t.Helper()
	return s.machines.issue(s.t, s.t.TempDir(), name)
}

// NewRoot has the PKI certify by a new root of its own.
func (s *Server) NewRoot() {
	s.t.Helper()
	s.Write("yimen-pki/root/rotate/internal", map[string]any{
		"issuer_name": "second", "common_name": "Yimen " + City + " 2", "organization": City, "key_type": "ec",
		"ttl": "87600h", "max_path_length": 0, "permitted_uri_domains": City,
	})
	s.Write("yimen-pki/config/issuers", map[string]any{"default": "second"})
}

// NewIntermediate has the PKI certify by an authority below a root outside Vault, which is named "machines".
func (s *Server) NewIntermediate() {
	s.t.Helper()
	made, err := s.Root().Write("yimen-pki/intermediate/generate/internal", map[string]any{"common_name": "Yimen below", "key_type": "ec"})
	s.must(err)
	chain := s.machines.certify(s.t, []byte(made.Data["csr"].(string)))
	set, err := s.Root().Write("yimen-pki/intermediate/set-signed", map[string]any{"certificate": chain})
	s.must(err)
	for issuer, key := range set.Data["mapping"].(map[string]any) {
		if key != "" {
			s.Write("yimen-pki/config/issuers", map[string]any{"default": issuer})
		}
	}
}

// Write writes as the administrator.
func (s *Server) Write(path string, data map[string]any) {
	s.t.Helper()
	_, err := s.Root().Write(path, data)
	s.must(err)
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// lay writes the server's directory.
func (s *Server) lay() {
	s.t.Helper()
	s.CA = s.machines.file
	certificate, key := s.machines.issue(s.t, s.dir, "server")
	config := fmt.Sprintf(`
disable_mlock = true
api_addr = %q
log_level = "warn"
storage "file" { path = %q }
listener "tcp" {
  address = %q
  tls_cert_file = %q
  tls_key_file = %q
}
`, s.Address(), filepath.Join(s.dir, "data"), s.Addr, certificate, key)
	s.must(os.WriteFile(s.path("config.hcl"), []byte(config), 0o600))
	s.must(os.Symlink(s.binary, s.path("vault"))) // for setup.sh
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) launch() {
	s.t.Helper()
	log, err := os.OpenFile(s.path("log.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	s.must(err)
	defer log.Close()
	cmd := exec.Command(s.binary, "server", "-config", s.path("config.hcl"))
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.dir, log, log, orphansDie()
	s.must(cmd.Start())
	p := &process{cmd: cmd, done: make(chan struct{})}
	s.process = p
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	s.connect()
	s.await(200, 501, 503)
}

// connect makes the administrator's client, which keeps its token.
func (s *Server) connect() {
	s.t.Helper()
	config := api.DefaultConfig()
	config.Address, config.MaxRetries, config.Timeout = s.Address(), 0, 20*time.Second
	s.must(config.ConfigureTLS(&api.TLSConfig{CACert: s.CA}))
	client, err := api.NewClient(config)
	s.must(err)
	client.ClearNamespace()
	client.ClearToken()
	if s.root != nil {
		client.SetToken(s.root.Token())
	}
	s.root = client
}

// await returns when /sys/health answers with one of the statuses.
func (s *Server) await(statuses ...int) {
	s.t.Helper()
	var last any
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		answer, err := s.root.Logical().ReadRawWithContext(ctx, "sys/health")
		cancel()
		if answer == nil {
			last = err
			continue
		}
		answer.Body.Close()
		last = answer.StatusCode
		for _, status := range statuses {
			if answer.StatusCode == status {
				return
			}
		}
	}
	s.t.Fatalf("Vault at %s does not answer: %v", s.Addr, last)
}

func (s *Server) initialise() {
	s.t.Helper()
	made, err := s.root.Sys().Init(&api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	s.must(err)
	s.unseal = made.KeysB64[0]
	s.root.SetToken(made.RootToken)
	s.Unseal()
}

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	s.must(s.process.cmd.Process.Signal(signal))
}

func (s *Server) cleanUp() {
	if s.process != nil {
		s.process.cmd.Process.Kill()
		select {
		case <-s.process.done:
		case <-time.After(patience):
			s.t.Errorf("Vault at %s did not end within %v", s.Addr, patience)
		}
	}
	if s.t.Failed() {
		text, _ := os.ReadFile(s.path("log.txt"))
		s.t.Logf("log of Vault (its end):\n%s", text[max(0, len(text)-6000):])
	}
}

// script is deploy/vault/setup.sh of this checkout.
func script(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "deploy", "vault", "setup.sh")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if strings.TrimRight(dir, string(filepath.Separator)) == filepath.VolumeName(dir) {
			t.Fatal("deploy/vault/setup.sh is not in this checkout")
		}
	}
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
