package test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
)

// examples are the programs of deploy/examples, and what a machine must have for them.
var examples = []struct {
	name  string
	needs []string
	run   []string
}{
	{"curl", []string{"bash", "curl", "jq", "openssl"}, []string{"bash", "query.sh"}},
	{"python", []string{"python3"}, []string{"python3", "query.py"}},
	{"java", []string{os.Getenv("YIMEN_TEST_JAVA"), "javac"}, []string{os.Getenv("YIMEN_TEST_JAVA"), "Query.java"}}, // javac: a runtime alone compiles nothing
}

const applicant = "91430281000000019C" // a made-up company

// TestExamples runs the examples against a node: with a certificate, through a bad connection, where the server is somebody else, and
// where a limit holds them up. Nothing that is secret stands in their command lines.
func TestExamples(t *testing.T) {
	p := open(t, t.TempDir(), time.Time{}, nil)
	x := &bench{place: p, roots: filepath.Join(p.dir, "city.pem"), token: filepath.Join(p.dir, "window.token")}
	var city bytes.Buffer
	for _, root := range p.node.Authority.Roots() {
		pem.Encode(&city, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}) // into memory
	}
	write(t, x.roots, city.String())
	write(t, x.token, token+"\n")
	for _, a := range p.ask("food-licence-new", applicant).Answers {
		x.lines = append(x.lines, string(a.Outcome)+"\t"+a.Material+"\t"+a.Name.ZH+"\t"+string(a.Reason))
	}
	service := certs.CredentialConfig{Dir: filepath.Join(p.dir, "service"), Name: "identity"}
	if _, err := p.node.Enrol(t.Context(), certs.Identity{Department: "xzsp", Role: certs.Service, Name: "case-system"}, service); err != nil {
		t.Fatal(err)
	}
	x.certificate = filepath.Join(service.Dir, "identity.key")
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			for _, tool := range e.needs {
				if tool == "" {
					t.Skip("skipped: compiling takes seconds; ./test/run runs it, or YIMEN_TEST_JAVA=java")
				}
				if _, err := exec.LookPath(tool); err != nil {
					t.Skipf("skipped: %s is not on this machine", tool)
				}
			}
			x.tries(t, filepath.Join("..", "deploy", "examples", e.name), e.run)
		})
	}
}

// bench is what the examples are tried on.
type bench struct {
	*place
	roots, token, certificate string // files
	lines                     []string
}

func (x *bench) tries(t *testing.T, dir string, command []string) {
	direct := []string{"YIMEN_URL=" + x.node.DepartmentsURL(), "YIMEN_CA=" + x.roots, "YIMEN_CERT=" + x.certificate}
	if code, out, said := run(t, dir, command, direct); code != 0 || !containsAll(out, x.lines) || !strings.Contains(out, "回执 / receipt 0") {
		t.Errorf("with a certificate: exit %d\n%s%s", code, out, said)
	}

	f := x.front(t)
	throughFront := append(f.env(t), "YIMEN_TOKEN="+x.token)
	code, out, said := run(t, dir, command, throughFront)
	if code != 0 || !containsAll(out, x.lines) {
		t.Errorf("over a bad connection: exit %d\n%s%s", code, out, said)
	}
	if len(f.keys) != 3 || f.keys[0] != f.keys[2] || f.keys[0] == "" || slices.Contains(f.nonces[1:], f.nonces[0]) || f.nonces[1] == f.nonces[2] {
		t.Errorf("sent with the keys %v and nonces %v", f.keys, f.nonces)
	}

	f.limited = true
	code, out, said = run(t, dir, command, throughFront)
	if code != 1 || out != "" || len(f.keys) != 4 || !strings.Contains(said, "YM-LIM-0202") || !strings.Contains(said, "→ 请") {
		t.Errorf("suspended: exit %d after %d more\n%s%s", code, len(f.keys)-3, out, said)
	}

	stranger := []string{"YIMEN_URL=" + f.URL, "YIMEN_CA=" + x.roots, "YIMEN_TOKEN=" + x.token}
	if code, out, said := run(t, dir, command, stranger); code != 1 || out != "" || said == "" || len(f.keys) != 4 {
		t.Errorf("somebody else's server: exit %d, %d requests\n%s%s", code, len(f.keys)-4, out, said)
	}
}

func containsAll(out string, lines []string) bool {
	for _, line := range lines {
		if !strings.Contains(out, line+"\n") {
			return false
		}
	}
	return len(lines) > 0
}

// front is what stands between a program and the node on a bad day: it is not available first, then it is cut off.
type front struct {
	*httptest.Server
	mu           sync.Mutex
	keys, nonces []string
	limited      bool
}

func (x *bench) front(t *testing.T) *front {
	t.Helper()
	node, err := url.Parse(x.node.DepartmentsURL())
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	for _, root := range x.node.Authority.Roots() {
		trusted.AddCert(root)
	}
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(node) }, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	f := &front{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.keys, f.nonces = append(f.keys, r.Header.Get("Idempotency-Key")), append(f.nonces, r.Header.Get("Yimen-Nonce"))
		sent, limited := len(f.keys), f.limited
		f.mu.Unlock()
		switch {
		case limited:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(w, `{"code":"YM-LIM-0202","title":"本账号的查询已被暂停","status":429,"mend":"请本部门负责人联系监察人员"}`)
		case sent == 1:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "no leader", http.StatusServiceUnavailable)
		case sent == 2:
			panic(http.ErrAbortHandler)
		default:
			through.ServeHTTP(w, r)
		}
	}))
	f.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // that a handshake was given up is what is wanted
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// env is how a program is told of the front.
func (f *front) env(t *testing.T) []string {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "front.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})))
	return []string{"YIMEN_URL=" + f.URL, "YIMEN_CA=" + ca}
}

// run runs an example, which must not say the number or the token.
func run(t *testing.T, dir string, command, env []string) (code int, out, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], append(command[1:len(command):len(command)], "food-licence-new", "LL-2026-1123-0041")...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(applicant+"\n"), &stdout, &stderr
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "YIMEN_PATIENCE=30", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1")
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for _, secret := range []string{applicant, token} {
		if strings.Contains(stdout.String()+stderr.String(), secret) {
			t.Errorf("it says %s:\n%s%s", secret, stdout.String(), stderr.String())
		}
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}
