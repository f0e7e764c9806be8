package national

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
)

const (
	requester = "7acbccd9-0000-4d3a-a485-4ac24f94cc5d"
	service   = "s_1200000900000_2108"
	testKey   = "0123456789abcdef0123456789abcdef"
)

var now = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)

// platform is a strict server of the convention, written from its description and not from the client.
type platform struct {
	*httptest.Server
	mu        sync.Mutex
	clock     func() time.Time
	prefix    string
	secret    string
	until     time.Time
	lives     time.Duration
	refreshes int
	rows      []string // JSON
	total     int      // what it says; -1: how many there are
	caps      int      // the most rows it puts into a page; 0: what is asked for
	deaf      bool     // takes no notice of which page is asked for
	cut       int      // breaks off at that page
	asked     map[string]any
}

func newPlatform(t testing.TB, rows ...string) *platform {
	p := &platform{clock: func() time.Time { return now }, prefix: "gjgxjhpt", lives: 10 * time.Minute, rows: rows, total: -1}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /auth/refreshappsecret", p.refresh)
	mux.HandleFunc("POST /httpproxy", p.call)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// admits holds a request to every word of the convention, and says the code with which it refuses.
func (p *platform) admits(r *http.Request, secret string) string {
	values := map[string]string{}
	for _, name := range []string{"rid", "sid", "rtime", "sign"} {
		given := r.Header.Values(p.prefix + "_" + name)
		if len(given) != 1 {
			return "E-101"
		}
		values[name] = given[0]
	}
	at, err := strconv.ParseInt(values["rtime"], 10, 64)
	if err != nil || len(values["rtime"]) != 13 || p.clock().Sub(time.UnixMilli(at)).Abs() > 5*time.Minute {
		return "E-103"
	}
	if values["rid"] != requester || values["sid"] != service {
		return "E-106"
	}
	if secret == "" || values["sign"] != signed(secret, values["sid"]+values["rid"]+values["rtime"]) {
		return "E-104"
	}
	return ""
}

// signed is Base64(HMAC-SHA256(secret, text)).
func signed(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (p *platform) refresh(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var body map[string]string
	if no := p.admits(r, testKey); no != "" || stdjson.NewDecoder(r.Body).Decode(&body) != nil || body[p.prefix+"_sign"] != r.Header.Get(p.prefix+"_sign") {
		fmt.Fprintf(w, `{"code":%q,"data":"","message":"no"}`, no)
		return
	}
	p.refreshes++
	p.secret, p.until = fmt.Sprintf("%032x", p.refreshes), p.clock().Add(p.lives)
	fmt.Fprintf(w, `{"code":"0","data":{"secret":%q,"secretEndTime":"%d"},"message":"ok"}`, encrypt(testKey, p.secret), p.until.UnixMilli())
}

func (p *platform) call(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	secret := p.secret
	if !p.clock().Before(p.until) {
		secret = ""
	}
	if no := p.admits(r, secret); no != "" {
		fmt.Fprintf(w, `{"code":%q,"data":null,"message":"张三 430281199001010017"}`, no)
		return
	}
	var body struct{ PageNo, PageSize int }
	p.asked = map[string]any{}
	decoder := stdjson.NewDecoder(r.Body)
	decoder.Decode(&p.asked)
	body.PageNo, body.PageSize = int(p.asked["pageNo"].(float64)), int(p.asked["pageSize"].(float64))
	if p.cut == body.PageNo {
		panic(http.ErrAbortHandler)
	}
	if p.deaf {
		body.PageNo = 1
	}
	size := body.PageSize
	if p.caps > 0 {
		size = min(size, p.caps)
	}
	from := min((body.PageNo-1)*size, len(p.rows))
	total := p.total
	if total < 0 {
		total = len(p.rows)
	}
	fmt.Fprintf(w, `{"code":"0","data":{"total":%d,"rows":[%s]}}`, total, strings.Join(p.rows[from:min(from+size, len(p.rows))], ","))
}

func encrypt(key, secret string) string {
	padding := aes.BlockSize - len(secret)%aes.BlockSize
	plain := append([]byte(secret), strings.Repeat(string(rune(padding)), padding)...)
	block, err := aes.NewCipher(cipherKey(key))
	if err != nil {
		panic(err)
	}
	for at := 0; at < len(plain); at += aes.BlockSize {
		block.Encrypt(plain[at:], plain[at:at+aes.BlockSize])
	}
	return base64.StdEncoding.EncodeToString(plain)
}

// manifest is one for the platform's service; more are further lines below source.
func manifest(t testing.TB, p *platform, more ...string) *adapters.Manifest {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.key"), []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "adapter: wjw/births\nevidence: health-certificate\nsource:\n  kind: national\n  url: " + p.URL + "/httpproxy\n  refresh_url: " + p.URL + "/auth/refreshappsecret\n" +
		"  requester: " + requester + "\n  service: " + service + "\n  app_key_file: app.key\n"
	for _, line := range more {
		text += "  " + line + "\n"
	}
	m, err := adapters.ParseManifest(filepath.Join(dir, "births.yaml"), []byte(text+"mapping: {certificateNumber: zsbh, citizenNumber: sfzh, name: xm}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var paged = []string{"rows: /data/rows", "total: /data/total", "size: 2", "parameters: {year: 2026}"}

func source(t testing.TB, p *platform, more ...string) *Source {
	t.Helper()
	s, err := New(manifest(t, p, more...), p.clock)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
