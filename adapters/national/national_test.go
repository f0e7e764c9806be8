package national

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/adaptertest"
	"github.com/onedoor/yimen/exchange"
)

func person(i int) string { return fmt.Sprintf(`{"zsbh":"H%05d","sfzh":"x","xm":"甲"}`, i) }

func TestPromises(t *testing.T) {
	const rows = 3000
	adaptertest.Promises(t, func(t *testing.T) adaptertest.Fixture {
		p := newPlatform(t)
		for i := range rows {
			p.rows = append(p.rows, person(i))
		}
		return adaptertest.Fixture{Source: source(t, p, append(paged[:2:2], "size: 500", "complete: true")...), Rows: rows, Now: now,
			Change: func() { p.rows = append(p.rows, person(rows)) },
			Damage: func() { p.rows[1500] = `"H01500"` },
			Cut:    func() { p.cut = 3 },
			Remove: func() { p.CloseClientConnections(); p.Close() },
		}
	})
}

// read gives the values of all rows.
func read(t *testing.T, s *Source) (rows []string, err error) {
	t.Helper()
	_, err = s.Read(t.Context(), nil, func(r adapters.Row) error { rows = append(rows, strings.Join(r.Values, ",")); return nil })
	return rows, err
}

func TestRows(t *testing.T) {
	p := newPlatform(t, `{"zsbh":"1","sfzh":"x","xm":null,"more":1}`, `{"zsbh":2.50,"sfzh":true}`, `{"zsbh":[1],"xm":"甲"}`)
	s := source(t, p, paged...)
	rows, err := read(t, s)
	want := "[x,,1 true,,2.50 ,甲,[1]]" // by the columns' names
	if err != nil || fmt.Sprint(rows) != want {
		t.Errorf("%v, want %s: %v", rows, want, err)
	}
	if p.asked["year"] != float64(2026) || p.refreshes != 1 {
		t.Errorf("asked %v, %d refreshes", p.asked, p.refreshes)
	}
}

// A secret is used until shortly before its end, and one that was replaced elsewhere is refreshed once.
func TestSecrets(t *testing.T) {
	p := newPlatform(t, person(1), person(2), person(3))
	at := now
	p.clock = func() time.Time { return at }
	s := source(t, p, paged...)
	for i, step := range []struct {
		after     time.Duration
		elsewhere bool
		refreshes int
	}{
		{0, false, 1},
		{8 * time.Minute, false, 1},
		{90 * time.Second, false, 2}, // half a minute before its end
		{time.Minute, true, 3},
		{24 * time.Hour, false, 4},
	} {
		at = at.Add(step.after)
		if step.elsewhere {
			p.secret = "somebody-else-refreshed-it"
		}
		if rows, err := read(t, s); err != nil || len(rows) != 3 || p.refreshes != step.refreshes {
			t.Fatalf("step %d: %d rows, %d refreshes, %v", i, len(rows), p.refreshes, err)
		}
	}
	p.prefix = "hnjhpt"
	if rows, err := read(t, source(t, p, append(paged[:len(paged):len(paged)], "prefix: hnjhpt")...)); err != nil || len(rows) != 3 {
		t.Errorf("a province's prefix: %d rows, %v", len(rows), err)
	}
}

func TestWhatIsNoReading(t *testing.T) {
	three := []string{person(1), person(2), person(3)}
	for name, test := range map[string]struct {
		spoil func(*platform)
		more  []string
		code  string
	}{
		"a clock that is wrong":         {func(p *platform) { p.clock = func() time.Time { return now.Add(time.Hour) } }, paged, "YM-SRC-0311"},
		"a total that is too large":     {func(p *platform) { p.total = 4 }, paged, "YM-SRC-0316"},
		"a total that is too small":     {func(p *platform) { p.total = 1 }, paged, "YM-SRC-0316"},
		"pages that are one":            {func(p *platform) { p.deaf, p.total = true, 9 }, paged, "YM-SRC-0315"},
		"rows elsewhere":                {func(p *platform) {}, []string{"rows: /data/list"}, "YM-SRC-0314"},
		"a total elsewhere":             {func(p *platform) {}, []string{"rows: /data/rows", "total: /total"}, "YM-SRC-0314"},
		"rows of other fields":          {func(p *platform) { p.rows = []string{`{"ZSBH":"1"}`} }, paged, "YM-SRC-0319"},
		"no rows of a complete service": {func(p *platform) { p.rows = nil }, append(paged[:len(paged):len(paged)], "complete: true"), "YM-SRC-0318"},
		"nobody there":                  {func(p *platform) { p.Close() }, paged, "YM-SRC-0310"},
	} {
		p := newPlatform(t, three...)
		s := source(t, p, test.more...)
		test.spoil(p)
		rows, err := read(t, s)
		problem, ok := errors.AsType[*exchange.Problem](err)
		if !ok || problem.Code != test.code || len(rows) > 0 || strings.Contains(err.Error(), "430281") || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
	p := newPlatform(t, three...)
	p.caps = 1 // fewer than were asked for: no page is taken for the last because it is short
	if rows, err := read(t, source(t, p, paged...)); err != nil || len(rows) != 3 {
		t.Errorf("small pages: %d rows, %v", len(rows), err)
	}
	if rows, err := read(t, source(t, p, "rows: /data/rows", "size: 2")); err != nil || len(rows) != 3 {
		t.Errorf("no total: %d rows, %v", len(rows), err)
	}
}

func TestCancelled(t *testing.T) {
	p := newPlatform(t, person(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source(t, p, paged...).Read(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Personal data goes over http to this machine only, unless the manifest says that the network may read it.
func TestPlainHTTPMustBeAllowed(t *testing.T) {
	const far = "http://203.0.113.9/httpproxy"
	p := newPlatform(t)
	sound := defaults()
	sound.URL, sound.RefreshURL, sound.Requester, sound.Service, sound.AppKeyFile = "https://gov.example/a", "https://gov.example/b", requester, service, "app.key"
	for name, test := range map[string]struct {
		change  func(*settings)
		refused bool
	}{
		"https":             {func(*settings) {}, false},
		"http":              {func(s *settings) { s.URL = far }, true},
		"http for secrets":  {func(s *settings) { s.RefreshURL = far }, true},
		"capital letters":   {func(s *settings) { s.URL = "HTTP://gov.example/a" }, true},
		"a name like ours":  {func(s *settings) { s.URL = "http://localhost.gov.example/a" }, true},
		"this machine":      {func(s *settings) { s.URL, s.RefreshURL = "http://localhost:8080/a", "http://[::1]:8080/b" }, false},
		"allowed by a word": {func(s *settings) { s.URL, s.Insecure = far, true }, false},
	} {
		own := sound
		test.change(&own)
		if err := check(manifest(t, p), own); (err != nil) != test.refused || err != nil && !strings.Contains(err.Error(), "YM-MAN-0178") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(manifest(t, p, "insecure: true"), p.clock); err != nil {
		t.Error(err)
	}
}

func TestManifestsRefused(t *testing.T) {
	p := newPlatform(t)
	for line, code := range map[string]string{
		"size: 0": "YM-MAN-0175", "prefix: GJ": "YM-MAN-0174", "rows: data": "YM-MAN-0176", "complete: true": "YM-MAN-0177", "colour: red": "YM-MAN-0111",
	} {
		if _, err := New(manifest(t, p, line), p.clock); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v", line, err)
		}
	}
	m := manifest(t, p)
	key := m.Path("app.key")
	for name, spoil := range map[string]func() error{
		"YM-SRC-0302": func() error { return os.Chmod(key, 0o640) },
		"YM-SRC-0301": func() error { return os.Remove(key) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := New(m, p.clock); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: %v", name, err)
		}
		os.WriteFile(filepath.Clean(key), []byte(testKey), 0o600)
	}
}

// What Java makes of the convention: KeyGenerator "AES" of 128 bits seeded by SHA1PRNG, Cipher "AES", Mac "HmacSHA256" (OpenJDK 17).
func TestAgainstJava(t *testing.T) {
	const opened = "fedcba9876543210fedcba9876543210"
	if got, err := decrypt(testKey, "LDh6LJzNCB09fXMknMzXpiw4eiyczQgdPX1zJJzM16ZUfuRMyoXTthzV/Enp8P/V"); err != nil || got != opened {
		t.Errorf("%q, %v", got, err)
	}
	if got := sign(opened, service, "rid", "1795662000000"); got != "F3ZSkBTUjT+Q8YKpsooVFEKONz6fUibYaZ+cQJZBR2o=" {
		t.Error(got)
	}
	if _, err := decrypt("another", "LDh6LJzNCB09fXMknMzXpiw4eiyczQgdPX1zJJzM16ZUfuRMyoXTthzV/Enp8P/V"); err == nil {
		t.Error("opened by another key")
	}
}

func FuzzLease(f *testing.F) {
	sound := encrypt(testKey, "secret")
	for _, answer := range []string{`{"code":"0","data":{"secret":"` + sound + `","secretEndTime":"1795662000000"}}`, `{"code":0,"data":"{\"secret\":\"` + sound + `\",\"secretEndTime\":\"2026-11-27 10:00:00\"}"}`,
		`{"code":"-1","data":"","message":"x"}`, `{}`, `[`, `{"code":"0","data":{"secret":"","secretEndTime":-1}}`} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		l, err := parseLease(answer, testKey)
		if err == nil && (l.secret == "" || l.until.IsZero()) {
			t.Errorf("%q gives %+v", answer, l)
		}
		if err != nil && len(err.Error()) > 100 {
			t.Errorf("it repeats the answer: %v", err)
		}
	})
}

func FuzzPage(f *testing.F) {
	for _, answer := range []string{`{"code":"0","data":{"total":1,"rows":[{"a":1}]}}`, `{"code":"E-104"}`, `{"data":{"rows":null,"total":"2"}}`, `{"data":[]}`, `null`, `{"data":{"rows":[1,"x",[]],"total":1e3}}`} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		p, err := parsePage(answer, "/data/rows", "/data/total")
		var no refused
		if err != nil && !errors.Is(err, errNoRows) && !errors.Is(err, errNoTotal) && !errors.As(err, &no) || err == nil && p.total < 0 || len(no) > 16 {
			t.Errorf("%+v, %v", p, err)
		}
		for _, row := range p.rows {
			cell(row)
		}
	})
}
