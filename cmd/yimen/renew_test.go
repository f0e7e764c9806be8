package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/test/logs"
)

const caseSystem = "xzsp/service/case-system"

// later runs the command as if so much time had gone by.
func later(t *testing.T, by time.Duration, args ...string) ran {
	t.Helper()
	var out, talk bytes.Buffer
	p := surroundings(&out, &talk)
	p.now = func() time.Time { return time.Now().Add(by) }
	return ran{run(t.Context(), p, args), out.String(), talk.String()}
}

// TestRenew: a system that is not written in Go has its certificate renewed by the command.
func TestRenew(t *testing.T) {
	t.Parallel()
	up := startExchange(t)
	if said := up.join(t, caseSystem); !strings.Contains(said, "yimen renew "+caseSystem+" --data") {
		t.Errorf("enrolment says\n%s", said)
	}
	renew := []string{"renew", caseSystem, "--data", up.data, "--lang", "en"}
	key, _ := enrol.PlaceOf(up.data, caseSystem).Credential().Files()
	first := fileOf(t, key)

	if got := later(t, time.Hour, renew...); got.code != exitOK || !strings.Contains(got.out, "to be renewed by") || fileOf(t, key) != first {
		t.Errorf("not due yet: %d %s%s", got.code, got.out, got.talk)
	}
	if got := later(t, time.Hour, append(renew, "--exit-code", "-o", "name")...); got.code != exitUnchanged || got.out != "spiffe://yimen/dept/"+caseSystem+"\n" {
		t.Errorf("not due yet, by exit code: %d %s%s", got.code, got.out, got.talk)
	}
	got := later(t, 50*time.Hour, append(renew, "--exit-code", "-o", "json")...)
	var view renewedView
	if err := json.Unmarshal([]byte(got.out), &view); err != nil || got.code != exitOK || !view.Renewed || view.Key != key || !view.Due.Before(view.Until) {
		t.Errorf("renewed: %d %v %s%s", got.code, err, got.out, got.talk)
	}
	second := fileOf(t, key)
	if second == first || !servesWith(t, up, key) {
		t.Error("the new pair is not in the file, or the exchange does not take it")
	}

	said := new(logs.Buffer)
	ctx, stop := context.WithCancel(t.Context())
	p := surroundings(said, said)
	p.now = func() time.Time { return time.Now().Add(50 * time.Hour) }
	ended := make(chan code, 1)
	go func() { ended <- run(ctx, p, append(slices.Clone(renew), "--watch")) }()
	awaitText(t, said, "certificate renewed")
	stop()
	if got := <-ended; got != exitOK || fileOf(t, key) == second {
		t.Errorf("one that stays ended with %d and said\n%s", got, said)
	}
}

// TestRenewRefused: what keeps a certificate from being renewed is said with what mends it.
func TestRenewRefused(t *testing.T) {
	t.Parallel()
	up := startExchange(t)
	up.join(t, caseSystem)
	renew := []string{"renew", caseSystem, "--data", up.data, "--lang", "en"}
	wants := func(what string, got ran, code code, said ...string) {
		t.Helper()
		for _, part := range said {
			if !strings.Contains(got.talk, part) {
				t.Errorf("%s: it does not say %q", what, part)
			}
		}
		if got.code != code || got.out != "" {
			t.Errorf("%s: %d %s\n%s", what, got.code, got.out, got.talk)
		}
	}
	wants("out of date", later(t, 80*time.Hour, renew...), exitLogin, "YM-KEY-0202", "ask the exchange's administrator for a new token, then yimen enroll")
	wants("never enrolled", later(t, 0, "renew", "xzsp/service/other", "--data", up.data, "--lang", "en"), exitNotFound, "YM-ENR-0206", "yimen enroll")
	wants("no identity", later(t, 0, "renew", "a b", "--data", up.data), exitUsage, "YM-CLI-0808")

	place := enrol.PlaceOf(up.data, caseSystem)
	member, err := place.Membership()
	if err != nil {
		t.Fatal(err)
	}
	away := member
	away.Server = "https://127.0.0.1:1"
	if err := place.Save(away); err != nil {
		t.Fatal(err)
	}
	wants("nobody answers", later(t, 50*time.Hour, renew...), exitDown, "YM-ENR-0205", "the present certificate holds until")
	if err := place.Save(member); err != nil {
		t.Fatal(err)
	}
	got := yimen(t, "identity", "revoke", caseSystem, "--reason", "key-lost", "--confirm", caseSystem, "--token", "@"+filepath.Join(up.data, adminFile), "--server", up.url)
	if got.code != exitOK {
		t.Fatalf("revoke: %d %s", got.code, got.talk)
	}
	wants("revoked", later(t, 50*time.Hour, renew...), exitLogin, "YM-ROL-0102", "reason key-lost", "ask the exchange's administrator")
}

// TestRenewLeavesAnothersFiles: whoever is root would leave a file that its user cannot read.
func TestRenewLeavesAnothersFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can give a file away")
	}
	file := filepath.Join(t.TempDir(), "identity.key")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !keptByUs(file) {
		t.Error("an own file is taken for another's")
	}
	if err := os.Chown(file, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if keptByUs(file) {
		t.Error("another's file is taken for an own one")
	}
}

// TestUnitsRunTheCommand: what the systemd units run is a command line that the command takes.
func TestUnitsRunTheCommand(t *testing.T) {
	units, err := filepath.Glob("../../deploy/systemd/*.service")
	if err != nil || len(units) == 0 {
		t.Fatalf("no units: %v", err)
	}
	for _, unit := range units {
		_, line, found := strings.Cut(fileOf(t, unit), "\nExecStart=/usr/bin/yimen ")
		line, _, _ = strings.Cut(line, "\n")
		for from, to := range map[string]string{"%I": caseSystem, "/var/lib/yimen": t.TempDir(), "/etc/": t.TempDir() + "/"} {
			line = strings.ReplaceAll(line, from, to)
		}
		got := yimen(t, strings.Fields(line)...)
		if nothingThere := strings.Contains(got.talk, "YM-ENR-0206") || strings.Contains(got.talk, "YM-CFG-0103"); !found || !nothingThere {
			t.Errorf("%s: yimen %s ends with %d\n%s", unit, line, got.code, got.talk)
		}
	}
}

func fileOf(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	content, readErr := os.ReadFile(path)
	if err != nil || readErr != nil {
		t.Fatal(err, readErr)
	}
	if strings.HasSuffix(path, ".key") && info.Mode().Perm() != 0o600 {
		t.Errorf("%s has the mode %v", path, info.Mode())
	}
	return string(content)
}

// servesWith says whether the exchange takes what stands in the one file, read as other programs read it.
func servesWith(t *testing.T, up exchangeUp, key string) bool {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(key, key)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := certs.OpenCredential(enrol.PlaceOf(up.data, caseSystem).Credential())
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: trust.TLS().RootCAs, Certificates: []tls.Certificate{pair}}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	own, err := (&enrol.Client{Base: up.departments, HTTP: &http.Client{Transport: transport}}).Own(t.Context())
	if err != nil {
		t.Error(err)
	}
	return own.Fingerprint == certs.FingerprintOf(pair.Certificate[0]).String()
}
