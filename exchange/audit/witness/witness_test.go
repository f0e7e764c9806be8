package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	formats "github.com/transparency-dev/formats/log"
	cosigned "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/onedoor/yimen/exchange"
)

const origin = "liling.yimen/audit"

// fakeLog is a log of numbered leaves in memory, made by a library other than ours and Tessera's. Two logs of the same name and
// other salt are two histories.
type fakeLog struct {
	t      testing.TB
	origin string
	signer note.Signer
	vkey   string
	salt   string
	hashes []tlog.Hash
	size   int64
}

func newLog(t testing.TB, salt string) *fakeLog {
	t.Helper()
	secret, vkey, err := note.GenerateKey(zeros{}, origin) // the same key for every log
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeLog{t: t, origin: origin, signer: signer, vkey: vkey, salt: salt}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (l *fakeLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, x := range at {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *fakeLog) grow(to int64) {
	for ; l.size < to; l.size++ {
		more, err := tlog.StoredHashes(l.size, fmt.Appendf(nil, "%s %d", l.salt, l.size), l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.hashes = append(l.hashes, more...)
	}
}

// checkpoint is signed by the log, and by others too.
func (l *fakeLog) checkpoint(size int64) []byte {
	l.grow(size)
	hash, err := tlog.TreeHash(size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	text := formats.Checkpoint{Origin: l.origin, Size: uint64(size), Hash: hash[:]}.Marshal()
	raw, err := note.Sign(&note.Note{Text: string(text)}, l.signer)
	if err != nil {
		l.t.Fatal(err)
	}
	return raw
}

// request is a whole request.
func (l *fakeLog) request(old, size int64) string {
	checkpoint := l.checkpoint(size)
	b := fmt.Appendf(nil, "old %d\n", old)
	if old > 0 && old < size {
		p, err := tlog.ProveTree(size, old, l)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, h := range p {
			b = fmt.Appendf(b, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
		}
	}
	return string(b) + "\n" + string(checkpoint)
}

func open(t testing.TB, dir string, logs ...*fakeLog) *Witness {
	t.Helper()
	cfg := Config{Dir: dir, Name: "witness.example/w1"}
	for _, l := range logs {
		cfg.Logs = append(cfg.Logs, Log{Origin: l.origin, Key: l.vkey})
	}
	w, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func post(w http.Handler, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, Path, strings.NewReader(body)))
	return answer
}

// cosigns demands a cosignature and checks it by a library that is not ours.
func cosigns(t testing.TB, w *Witness, l *fakeLog, old, size int64) {
	t.Helper()
	answer := post(w, l.request(old, size))
	if answer.Code != http.StatusOK {
		t.Fatalf("%d → %d: status %d, %s", old, size, answer.Code, answer.Body)
	}
	verifier, err := cosigned.NewVerifierForCosignatureV1(w.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(append(l.checkpoint(size), answer.Body.Bytes()...), note.VerifierList(verifier))
	if err != nil || len(n.Sigs) != 1 || n.Sigs[0].Name != "witness.example/w1" {
		t.Errorf("%v %+v\n%s", err, n, answer.Body)
	}
}

func TestCosignsWhatExtends(t *testing.T) {
	dir, l := t.TempDir(), newLog(t, "a")
	w := open(t, dir, l)
	last := int64(0)
	for _, size := range []int64{0, 1, 1, 2, 7, 8, 255, 256, 257, 1000, 1000} {
		cosigns(t, w, l, last, size)
		last = size
	}
	key := w.VerifierKey()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, dir, l)
	defer w.Close()
	if w.VerifierKey() != key {
		t.Error("another key after a restart")
	}
	cosigns(t, w, l, 1000, 1001)
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
}

func TestRefusals(t *testing.T) {
	l, fork, stranger := newLog(t, "a"), newLog(t, "b"), newLog(t, "a")
	stranger.origin = "elsewhere/log"
	unsigned := newLog(t, "a")
	secret, _, err := note.GenerateKey(nonzeros{}, origin)
	if err != nil {
		t.Fatal(err)
	}
	if unsigned.signer, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	w := open(t, t.TempDir(), l)
	defer w.Close()
	cosigns(t, w, l, 0, 100)
	line := base64.StdEncoding.EncodeToString(make([]byte, sha256.Size)) + "\n"
	withProof := func(r, lines string) string { return strings.Replace(r, "\n\n", "\n"+lines+"\n", 1) }
	signature := strings.LastIndex(l.request(100, 150), " ") + 10
	for name, tc := range map[string]struct {
		body   string
		status int
	}{
		"another log":             {stranger.request(0, 150), statusUnknown},
		"another key":             {unsigned.request(100, 150), statusUnsigned},
		"signature changed":       {l.request(100, 150)[:signature] + "AAAA" + l.request(100, 150)[signature+4:], statusUnsigned},
		"text changed":            {strings.Replace(l.request(100, 150), "\n150\n", "\n151\n", 1), statusUnsigned},
		"old above new":           {l.request(101, 50), statusMalformed},
		"forgotten":               {l.request(0, 150), statusConflict},
		"behind":                  {l.request(90, 150), statusConflict},
		"ahead":                   {l.request(120, 150), statusConflict},
		"smaller":                 {l.request(90, 99), statusConflict},
		"fork of the same size":   {fork.request(100, 100), statusConflict},
		"fork":                    {fork.request(100, 150), statusUnproved},
		"no proof":                {"old 100\n\n" + string(l.checkpoint(150)), statusUnproved},
		"another proof":           {withProof("old 100\n\n"+string(l.checkpoint(150)), strings.Repeat(line, 5)), statusUnproved},
		"proof of the same":       {withProof(l.request(100, 100), line), statusUnproved},
		"empty":                   {"", statusMalformed},
		"no old size":             {strings.Replace(l.request(100, 150), "old 100", "100", 1), statusMalformed},
		"zeros in front":          {strings.Replace(l.request(100, 150), "old 100", "old 0100", 1), statusMalformed},
		"sign in front":           {strings.Replace(l.request(100, 150), "old 100", "old +100", 1), statusMalformed},
		"no empty line":           {strings.Replace(l.request(100, 100), "\n\n", "\n", 1), statusMalformed},
		"too long a proof":        {withProof(l.request(100, 150), strings.Repeat(line, 64)), statusMalformed},
		"proof of other hashes":   {withProof(l.request(100, 150), "AAAA\n"), statusMalformed},
		"proof in other spelling": {strings.Replace(withProof(l.request(100, 150), line), "A=\n", "B=\n", 1), statusMalformed},
		"no note":                 {"old 100\n\n" + origin + "\n", statusMalformed},
		"too long":                {"old 100\n\n" + strings.Repeat("a", mostBody), statusMalformed},
	} {
		answer := post(w, tc.body)
		if answer.Code != tc.status || strings.Contains(answer.Body.String(), "—") {
			t.Errorf("%s: status %d, want %d: %s", name, answer.Code, tc.status, answer.Body)
		}
		sized := tc.status == statusConflict && name != "fork of the same size"
		if sized != (answer.Header().Get("Content-Type") == "text/x.tlog.size") || sized && answer.Body.String() != "100\n" {
			t.Errorf("%s: %v %q", name, answer.Header(), answer.Body)
		}
	}
	cosigns(t, w, l, 100, 150) // nothing of that moved it
	empty := post(open(t, t.TempDir(), l), withProof(l.request(0, 100), line))
	if empty.Code != statusUnproved {
		t.Errorf("a proof from nothing: %d", empty.Code)
	}
	for path, method := range map[string]string{Path: http.MethodGet, "/": http.MethodPost} {
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		if answer.Code != http.StatusMethodNotAllowed && answer.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d", method, path, answer.Code)
		}
	}
}

type nonzeros struct{}

func (nonzeros) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte{1}, len(p)))
	return len(p), nil
}

// Many requests at once: the sizes that are cosigned only grow, and of two histories one is cosigned.
func TestRequestsAtOnce(t *testing.T) {
	histories := []*fakeLog{newLog(t, "a"), newLog(t, "b")}
	requests := map[string]string{}
	for i, l := range histories {
		for old := int64(0); old < 12; old++ {
			for size := max(1, old); size < 12; size++ {
				requests[fmt.Sprint(i, " ", old, " ", size)] = l.request(old, size)
			}
		}
	}
	dir := t.TempDir()
	w := open(t, dir, histories[0])
	defer w.Close()
	var mu sync.Mutex
	cosignedOf := map[string]map[string]bool{} // size → histories
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for name, body := range requests { // in another order each time
				if post(w, body).Code == http.StatusOK {
					part := strings.Fields(name)
					mu.Lock()
					if cosignedOf[part[2]] == nil {
						cosignedOf[part[2]] = map[string]bool{}
					}
					cosignedOf[part[2]][part[0]] = true
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	if len(cosignedOf) == 0 {
		t.Fatal("nothing was cosigned")
	}
	first := ""
	for size, of := range cosignedOf {
		for history := range of {
			if first == "" {
				first = history
			}
			if history != first {
				t.Errorf("both histories were cosigned, one at size %s", size)
			}
		}
	}
}

func TestStateIsWatched(t *testing.T) {
	dir, l := t.TempDir(), newLog(t, "a")
	w := open(t, dir, l)
	cosigns(t, w, l, 0, 100)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := statePath(dir, origin)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for bit := range 8 {
			changed := bytes.Clone(whole)
			changed[at] ^= 1 << bit
			refusesState(t, dir, path, changed, l)
		}
		refusesState(t, dir, path, whole[:at], l)
	}
	put(t, path, whole)
	w = open(t, dir, l)
	cosigns(t, w, l, 100, 101)
	w.Close()
}

func refusesState(t *testing.T, dir, path string, content []byte, l *fakeLog) {
	t.Helper()
	put(t, path, content)
	w, err := Open(Config{Dir: dir, Logs: []Log{{l.origin, l.vkey}}})
	if err == nil {
		w.Close()
		t.Errorf("taken: %q", content)
	} else if exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("error %v", err)
	}
}

func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsSignedThatIsNotKept(t *testing.T) {
	dir, l := t.TempDir(), newLog(t, "a")
	w := open(t, dir, l)
	defer w.Close()
	cosigns(t, w, l, 0, 10)
	if err := os.RemoveAll(filepath.Join(dir, logsDir)); err != nil {
		t.Fatal(err)
	}
	if answer := post(w, l.request(10, 20)); answer.Code != http.StatusInternalServerError || strings.Contains(answer.Body.String(), "—") {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
	if answer := post(w, l.request(20, 30)); answer.Code != statusConflict || answer.Body.String() != "10\n" {
		t.Errorf("it went on from what it did not keep: %d %s", answer.Code, answer.Body)
	}
}

func TestOpenRefuses(t *testing.T) {
	l := newLog(t, "a")
	dir := t.TempDir()
	w := open(t, dir, l)
	if _, err := Open(Config{Dir: dir}); exchange.KindOf(err) != exchange.Conflict {
		t.Errorf("twice: %v", err)
	}
	w.Close()
	for name, tc := range map[string]struct {
		kind  exchange.Kind
		spoil func(dir string, cfg *Config)
	}{
		"name with a space": {exchange.Invalid, func(_ string, cfg *Config) { cfg.Name = "a b" }},
		"no name":           {exchange.Invalid, func(_ string, cfg *Config) { cfg.Name = "" }},
		"key of a log":      {exchange.Invalid, func(_ string, cfg *Config) { cfg.Logs = []Log{{origin, "x"}} }},
		"no origin":         {exchange.Invalid, func(_ string, cfg *Config) { cfg.Logs = []Log{{"", l.vkey}} }},
		"a log twice":       {exchange.Invalid, func(_ string, cfg *Config) { cfg.Logs = append(cfg.Logs, cfg.Logs...) }},
		"key damaged":       {exchange.Conflict, func(dir string, _ *Config) { put(t, filepath.Join(dir, keyFile), []byte("PRIVATE+KEY+x")) }},
		"key for all to read": {exchange.Invalid, func(dir string, _ *Config) {
			open(t, dir).Close()
			if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		"a file for a directory": {exchange.Unavailable, func(dir string, cfg *Config) {
			cfg.Dir = filepath.Join(dir, "file")
			put(t, cfg.Dir, nil)
		}},
	} {
		dir := t.TempDir()
		cfg := Config{Dir: dir, Name: "w", Logs: []Log{{origin, l.vkey}}}
		tc.spoil(dir, &cfg)
		w, err := Open(cfg)
		if err == nil {
			w.Close()
		}
		if err == nil || exchange.KindOf(err) != tc.kind || strings.Contains(err.Error(), "PRIVATE+KEY") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, keyFile)); tc.kind == exchange.Invalid && strings.Contains(name, "name") && !os.IsNotExist(err) {
			t.Errorf("%s: a key was left behind: %v", name, err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	l := newLog(f, "a")
	f.Add([]byte(l.request(0, 1)))
	f.Add([]byte(l.request(3, 10)))
	f.Add([]byte("old 1\n\n"))
	w := open(f, f.TempDir(), l)
	defer w.Close()
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseRequest(body)
		if err == nil {
			again := fmt.Appendf(nil, "old %d\n", r.old)
			for _, h := range r.proof {
				again = fmt.Appendf(again, "%s\n", base64.StdEncoding.EncodeToString(h))
			}
			if again = append(append(again, '\n'), r.checkpoint...); !bytes.Equal(again, body) {
				t.Errorf("%q was read as %q", body, again)
			}
		}
		post(w, string(body))
	})
}
