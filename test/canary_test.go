package test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/identity"
)

// canary is something personal that must appear nowhere but in the department's own file and in answers.
type canary struct {
	plain string
	forms map[string][]byte
}

func newCanary(plain string) canary {
	c := canary{plain: plain, forms: map[string][]byte{"plain": []byte(plain)}}
	c.forms["hex"] = []byte(hex.EncodeToString([]byte(plain)))
	units := utf16.Encode([]rune(plain))
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	c.forms["utf-16le"], c.forms["utf-16be"] = little, big
	c.forms["json"] = []byte(strings.Trim(fmt.Sprintf("%+q", plain), `"`))
	for shift := range 3 { // base64 looks different at each place within three bytes
		code := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{'x'}, shift), plain...))
		c.forms[fmt.Sprintf("base64+%d", shift)] = []byte(code[4 : len(code)-4])
	}
	reversed := []rune(plain)
	slices.Reverse(reversed)
	c.forms["reversed"] = []byte(string(reversed))
	wide := strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + '！' - '!'
		}
		return r
	}, plain)
	c.forms["full width"] = []byte(wide)
	md, s1, s2 := md5.Sum([]byte(plain)), sha1.Sum([]byte(plain)), sha256.Sum256([]byte(plain))
	for name, sum := range map[string][]byte{"md5": md[:], "sha1": s1[:], "sha256": s2[:]} {
		c.forms[name], c.forms[name+" hex"] = sum, []byte(hex.EncodeToString(sum))
	}
	return c
}

// look reports every form of every canary found in the content.
func look(t *testing.T, where string, content []byte, canaries []canary) {
	t.Helper()
	for _, c := range canaries {
		for form, bytesOf := range c.forms {
			if bytes.Contains(content, bytesOf) {
				t.Errorf("%s holds a canary in the form %s", where, form)
			}
		}
	}
}

// noise is a log that many write to.
type noise struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *noise) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

const canaryManifest = `
adapter: wjw/canaries
evidence: health-certificate
source: {kind: tabular, path: canaries.csv, complete: true}
dialect: {encoding: utf-8}
holders: {kind: person}
tolerance: {rows: 100, share: 0.9, unreadable: 50}
mapping:
  name: 姓名
  citizenNumber: {column: 证号, as: citizen-number}
  certificateNumber: 编号
  trade: {constant: 食品}
  result: {constant: 合格}
  issuingAuthority: 机构
  issuedOn: {column: 体检日期, as: date}
  validFrom: {column: 体检日期, as: date}
  validUntil: {column: 有效期, as: date}
`

func TestCanariesAppearNowhere(t *testing.T) {
	var log noise
	dir := t.TempDir()
	p := open(t, dir, afternoon, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	department := t.TempDir() // its own machine: its file is not ours to search
	canaries, numbers := plant(t, filepath.Join(department, "canaries.csv"))
	write(t, filepath.Join(department, "canaries.yaml"), canaryManifest)
	result := p.publish(filepath.Join(department, "canaries.yaml"))
	if result.Published == 0 || result.Quarantined == 0 {
		t.Fatalf("the test needs sound and faulty rows: %+v", result)
	}

	refusals := askInEveryWay(t, p, numbers)
	look(t, "a refusal", refusals, canaries)
	look(t, "the metrics", get(t, p.node.URL()+"/metrics"), canaries)
	look(t, "readiness", get(t, p.node.URL()+"/readyz?verbose"), canaries)
	for _, topic := range []string{"evidence.health-certificate", "quarantine.wjw", "coverage.wjw", "audit"} {
		entries := 0
		p.follow(topic, func(m *exchange.Message) {
			entries++
			look(t, topic, slices.Concat(m.Key, m.Value), canaries)
			for _, h := range m.Headers {
				look(t, topic+" header "+h.Name, h.Value, canaries)
			}
		})
		if entries == 0 {
			t.Errorf("nothing stands on %s: the search was in vain", topic)
		}
	}
	p.close()
	look(t, "the log", log.b.Bytes(), canaries)
	if log.b.Len() == 0 {
		t.Error("nothing was logged: the search was in vain")
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		look(t, path[len(dir):], append([]byte(path), content...), canaries)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// plant writes a file of sound and faulty rows about people with unmistakable names and numbers.
func plant(t *testing.T, path string) (canaries []canary, numbers []string) {
	var b strings.Builder
	b.WriteString("姓名,证号,编号,机构,体检日期,有效期\n")
	for i := range 60 {
		name := fmt.Sprintf("金丝雀%c%c", '朙'+rune(i), '龘'-rune(i))
		body := fmt.Sprintf("43028119%02d0101%03d", 40+i, 100+i)
		number := body + string(identity.CitizenCheck(body))
		certificate := fmt.Sprintf("JKZ-KANARIE-%04d", i)
		day := "2026-03-07"
		switch i % 6 {
		case 1:
			number = body + "?"
		case 2:
			day = "昨天"
		}
		fmt.Fprintf(&b, "%s,%s,%s,醴陵市疾控中心,%s,2027-03-06\n", name, number, certificate, day)
		canaries = append(canaries, newCanary(name), newCanary(body), newCanary(certificate))
		numbers = append(numbers, number)
	}
	write(t, path, b.String())
	if err := os.Chtimes(path, afternoon, afternoon); err != nil {
		t.Fatal(err)
	}
	return canaries, numbers
}

// askInEveryWay asks rightly and wrongly, and gives what was refused.
func askInEveryWay(t *testing.T, p *place, numbers []string) []byte {
	t.Helper()
	var refused bytes.Buffer
	for i, number := range numbers {
		bodies := []string{
			fmt.Sprintf(`{"case":"LL-2026-%04d","item":"public-place-hygiene","applicant":"%s"}`, i, number),
			fmt.Sprintf(`{"case":"LL-2026-%04d","item":"no-such-item","applicant":"%s"}`, i, number),
			fmt.Sprintf(`{"case":"%s","item":"food-licence-new","applicant":"%s"}`, number, number),
			fmt.Sprintf(`{"case":"LL-2026-%04d","item":"%s","applicant":"%s"}`, i, number, number),
			fmt.Sprintf(`{"%s":1}`, number),
			fmt.Sprintf(`{"case":"LL-2026-%04d","applicant":"%s"`, i, number),
		}
		for _, item := range p.node.Catalogue.Services() {
			bodies = append(bodies, fmt.Sprintf(`{"case":"LL-2026-%04d","item":"%s","applicant":"%s"}`, i, item.Code, number))
		}
		for _, body := range bodies {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.client.Base+"/v1/queries", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusOK {
				refused.Write(content)
			}
		}
	}
	stranger := api.Client{Base: p.client.Base, Token: numbers[0]}
	_, err := stranger.Query(t.Context(), api.QueryRequest{Case: "LL-2026-0001", Item: "food-licence-new", Applicant: numbers[0]})
	if err == nil {
		t.Error("a stranger was answered")
	} else {
		refused.WriteString(err.Error())
	}
	return refused.Bytes()
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
