package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol/enroltest"
	"github.com/onedoor/yimen/certs/roll/rolltest"
)

// printableIdentities are command lines of identity that have something to print, however often they are run.
func printableIdentities(t *testing.T) map[string]string {
	up := startRoll(t)
	up.Invite(rolltest.Adapter("scjg", "licences"))
	return map[string]string{
		"yimen identity invite":      "identity invite scjg/licences" + up.flags,
		"yimen identity list":        "identity list" + up.flags,
		"yimen identity revoke":      "identity revoke swj/tax --reason misuse --confirm swj/tax" + up.flags,
		"yimen identity fingerprint": "identity fingerprint --server " + up.Plain,
	}
}

// rollUp is an exchange that enrols, and how an administrator calls it.
type rollUp struct {
	*enroltest.Exchange
	flags string // of administrators
	admin string // the file of the token
}

func startRoll(t *testing.T) rollUp {
	t.Helper()
	e, token := enroltest.Start(t), filepath.Join(t.TempDir(), "admin.token")
	if err := os.WriteFile(token, []byte(enroltest.AdminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return rollUp{e, " --server " + e.Plain + " --token @" + token, token}
}

// at runs a command line in English, with the real time: certificates are of today.
func at(t *testing.T, in, line string, typed func(context.Context) ([]byte, error)) ran {
	t.Helper()
	var out, talk bytes.Buffer
	p := surroundings(&out, &talk)
	p.in, p.now, p.hidden = strings.NewReader(in), time.Now, typed
	got := run(t.Context(), p, append(strings.Fields(line), "--lang", "en"))
	return ran{got, out.String(), talk.String()}
}

// wants checks how a run ended and what it said.
func (r ran) wants(t *testing.T, what string, want code, out, talk string) {
	t.Helper()
	if r.code != want || !strings.Contains(r.out, out) || !strings.Contains(r.talk, talk) || talk == "" && strings.Contains(r.talk, "YM-") {
		t.Errorf("%s: exit code %d, want %d\nout\n%s\nwant %s\ntalk\n%s\nwant %s", what, r.code, want, r.out, out, r.talk, talk)
	}
}

// From the letter of access to a credential on the disk.
func TestEnroll(t *testing.T) {
	t.Parallel()
	up := startRoll(t)
	data := t.TempDir()
	invited := at(t, "", "identity invite scjg/licences -o json"+up.flags, nil)
	var letter struct {
		Token        string   `json:"token"`
		Fingerprints []string `json:"fingerprints"`
	}
	if err := json.Unmarshal([]byte(invited.out), &letter); err != nil || len(letter.Fingerprints) != 1 || letter.Token == "" {
		t.Fatalf("invite: %v\n%s%s", err, invited.out, invited.talk)
	}
	base := "enroll --server " + up.URL + " --data " + data + " --token - --fingerprint "
	other := certs.FingerprintOf(nil).String()
	for _, row := range []struct {
		name, line string
		code       code
		talk       string
	}{
		{"another fingerprint", base + other, exitFailed, "YM-ENR-0203"},
		{"half a fingerprint", base + "SHA256:3b:9e", exitFailed, "YM-KEY-0201"},
		{"plain HTTP", "enroll --server " + up.Plain + " --data " + data + " --token - --fingerprint " + letter.Fingerprints[0], exitFailed, "YM-ENR-0202"},
		{"no address", "enroll --server yimen --token - --fingerprint " + other, exitUsage, "YM-CLI-0601"},
		{"no name", base + other + " --name scjg", exitUsage, "YM-CLI-0801"},
		{"another's token", base + letter.Fingerprints[0] + " --name scjg/permits", exitFailed, "YM-ROL-0104"},
		{"a data directory that takes nothing", strings.Replace(base, data, up.admin, 1) + letter.Fingerprints[0], exitFailed, "the token was not sent"},
		{"no fingerprint", "enroll --server " + up.URL + " --token -", exitUsage, "YM-CLI-0204"},
		{"nobody there", strings.Replace(base, up.URL, "https://127.0.0.1:1", 1) + other, exitDown, "YM-ENR-0205"},
	} {
		got := at(t, letter.Token+"\n", row.line, nil)
		got.wants(t, row.name, row.code, "", row.talk)
		if strings.Contains(got.out+got.talk, letter.Token) {
			t.Errorf("%s: it shows the token", row.name)
		}
	}
	got := at(t, letter.Token+"\n", base+letter.Fingerprints[0]+" --name scjg/licences", nil)
	got.wants(t, "enroll", exitOK, "valid 72 h", "")
	got.wants(t, "enroll", exitOK, "scjg/adapter/licences", "")
	c, err := certs.OpenCredential(credentialAt(data, "scjg/adapter/licences", time.Now))
	if err != nil || c.Identity() != rolltest.Adapter("scjg", "licences") {
		t.Errorf("kept: %v", err)
	}
	known, err := os.ReadFile(filepath.Join(data, "certs", "exchange.json"))
	if err != nil || !bytes.Contains(known, []byte("kafka1.example:9093")) || !bytes.Contains(known, []byte(up.URL)) || !bytes.Contains(known, []byte("sealing-1")) {
		t.Errorf("of the exchange: %s %v", known, err)
	}
	at(t, letter.Token+"\n", base+letter.Fingerprints[0], nil).wants(t, "the token again", exitLogin, "", "YM-ROL-0101")
	typed := up.Invite(rolltest.Adapter("scjg", "licences"))
	at(t, "", base+letter.Fingerprints[0]+" -o json", func(context.Context) ([]byte, error) { return []byte(typed), nil }).
		wants(t, "a token typed unseen, enrolled anew", exitOK, `"name": "scjg/adapter/licences"`, "token: ")
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	up := startRoll(t)
	run := func(line string) ran { return at(t, "", line+up.flags, nil) }
	token := up.Invite(rolltest.Adapter("swj", "tax"))
	letter := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(letter, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	at(t, "", "enroll --server "+up.URL+" --data "+data+" --token @"+letter+" --fingerprint "+up.Fingerprint().String(), nil).wants(t, "enroll", exitOK, "", "")
	invited := run("identity invite scjg/licences")
	invited.wants(t, "invite", exitOK, "--fingerprint "+up.Fingerprint().String()+" --token -", "")
	if strings.Contains(invited.out, up.Plain) || !strings.Contains(invited.out, "--server https://…") {
		t.Errorf("it tells the department the administrator's own address:\n%s", invited.out)
	}
	got := run("identity list")
	for _, want := range []string{"NAME", "CERT", "scjg/adapter/licences  scjg  adapter  invited  -", "swj/adapter/tax        swj   adapter  valid    72 h"} {
		got.wants(t, "list", exitOK, want, "")
	}
	run("identity list -o name").wants(t, "names", exitOK, "scjg/adapter/licences\nswj/adapter/tax\n", "")
	run("identity list -o wide").wants(t, "wide", exitOK, "SHA256:", "")

	run("identity revoke swj/tax --reason misuse").wants(t, "nobody confirms", exitUsage, "", "YM-CLI-0713")
	run("identity revoke swj/tax --reason misuse --confirm swj").wants(t, "confirmed wrongly", exitUsage, "", "YM-CLI-0713")
	run("identity revoke swj/tax --reason because").wants(t, "no such reason", exitUsage, "", "YM-CLI-0209")
	run("identity revoke swj/tax").wants(t, "no reason", exitUsage, "", "--reason")
	atTerminal := func(context.Context) ([]byte, error) { return nil, nil }
	at(t, "swj/tacks\n", "identity revoke swj/tax --reason misuse"+up.flags, atTerminal).wants(t, "typed wrongly", exitFailed, "", "YM-CLI-0711")
	run("identity list").wants(t, "still valid", exitOK, "72 h", "")
	at(t, "swj/tax\n", "identity revoke swj/tax --reason misuse"+up.flags, atTerminal).wants(t, "typed", exitOK, "swj/adapter/tax was revoked", "1 valid certificate")
	run("identity list").wants(t, "revoked", exitOK, "revoked  -     it was misused", "")
	run("identity revoke swj --reason superseded --confirm swj").wants(t, "department", exitOK, "swj was revoked", "0 valid certificates")

	run("identity restore swj/tax").wants(t, "restore", exitOK, "swj/adapter/tax was restored", "")
	run("identity restore swj/tax").wants(t, "restore again", exitNotFound, "", "YM-ROL-0204")
	run("identity restore swj -o json").wants(t, "restore the department", exitOK, `"target": "swj"`, "")
	run("identity invite swj").wants(t, "a department is not invited", exitFailed, "", "YM-ENR-0102")
	run("identity invite nobody/a").wants(t, "unknown department", exitNotFound, "", "YM-CAT-0999")
	run("identity invite scjg/a --life 9999h").wants(t, "for too long", exitFailed, "", "YM-ROL-0213")
	at(t, "", "identity list --server "+up.Plain+" --token @"+letter, nil).wants(t, "not an administrator", exitLogin, "", "YM-API-0401")
	at(t, "", "identity list --server http://127.0.0.1:1 --token @"+letter, nil).wants(t, "nobody there", exitDown, "", "YM-ENR-0205")

	fingerprint := up.Fingerprint().String()
	at(t, "", "identity fingerprint -o name --server "+up.Plain, nil).wants(t, "fingerprint", exitOK, fingerprint+"\n", "")
	at(t, "", "identity fingerprint -o name "+filepath.Join(data, "certs", "swj", "adapter", "roots.crt"), nil).wants(t, "fingerprint of a file", exitOK, fingerprint+"\n", "")
	at(t, "", "identity fingerprint "+letter, nil).wants(t, "another file", exitFailed, "", "YM-CLI-0802")
	at(t, "", "identity fingerprint none.crt", nil).wants(t, "no file", exitNotFound, "", "YM-CLI-0111")
}

func TestSpans(t *testing.T) {
	s := &session{process: surroundings(nil, nil), lang: "en"}
	for span, want := range map[time.Duration]string{72 * time.Hour: "72 h", 72*time.Hour - time.Second: "72 h", 80 * time.Hour: "3 d", 21*time.Hour + time.Minute: "21 h",
		time.Hour: "1 h", 59 * time.Minute: "59 min", 10 * time.Second: "0 min", -time.Hour: "0 min"} {
		if got := s.span(span); got != want {
			t.Errorf("%v is %s, want %s", span, got, want)
		}
	}
}
