package certs_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/certstest"
	"github.com/onedoor/yimen/exchange"
)

func TestLocalAuthority(t *testing.T) {
	certstest.Test(t, func(t *testing.T) certstest.Place {
		dir := filepath.Join(t.TempDir(), "keys")
		return certstest.Place{Open: func(t *testing.T) certs.Authority {
			authority := openAuthority(t, dir)
			t.Cleanup(func() { authority.Close() })
			return authority
		}}
	})
}

func openAuthority(t *testing.T, dir string) *certs.LocalAuthority {
	t.Helper()
	authority, err := certs.NewLocal(certs.LocalConfig{Dir: dir, City: certstest.City})
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func TestProcessesThatOpenAtOnceShareTheRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	roots := make([][]*x509.Certificate, 16)
	var group sync.WaitGroup
	for i := range roots {
		group.Go(func() {
			authority, err := certs.NewLocal(certs.LocalConfig{Dir: dir, City: certstest.City})
			if err != nil {
				t.Error(err)
				return
			}
			roots[i] = authority.Roots()
		})
	}
	group.Wait()
	for _, r := range roots {
		if len(r) != 1 || !r[0].Equal(roots[0][0]) {
			t.Fatal("two roots in one directory")
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files after opening, %v", len(files), err)
	}
}

func TestAuthorityOfDamagedFilesIsRefused(t *testing.T) {
	replace := func(name string, change func([]byte) []byte) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, name)
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, change(content), 0o600)
		}
	}
	cases := map[string]struct {
		spoil func(dir string) error
		code  string
	}{
		"root readable by others": {func(dir string) error { return os.Chmod(filepath.Join(dir, "authority.pem"), 0o644) }, "YM-KEY-0101"},
		"root cut short":          {replace("authority.pem", func(b []byte) []byte { return b[:len(b)-20] }), "YM-KEY-0102"},
		"root of another key": {func(dir string) error {
			other := filepath.Join(t.TempDir(), "keys")
			openAuthority(t, other)
			own, _ := os.ReadFile(filepath.Join(dir, "authority.pem"))
			theirs, _ := os.ReadFile(filepath.Join(other, "authority.pem"))
			mark := []byte("-----BEGIN CERTIFICATE")
			mixed := append(bytes.Clone(own[:bytes.Index(own, mark)]), theirs[bytes.Index(theirs, mark):]...)
			return os.WriteFile(filepath.Join(dir, "authority.pem"), mixed, 0o600)
		}, "YM-KEY-0102"},
		"secret readable by others": {func(dir string) error { return os.Chmod(filepath.Join(dir, "sealing.1.key"), 0o640) }, "YM-KEY-0101"},
		"secret cut short":          {replace("sealing.2.key", func(b []byte) []byte { return b[:len(b)/2] }), "YM-KEY-0102"},
		"secret of another name": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "index.1.key"), filepath.Join(dir, "sealing.2.key"))
		}, "YM-KEY-0102"},
		"first version lost": {func(dir string) error { return os.Remove(filepath.Join(dir, "sealing.1.key")) }, "YM-KEY-0102"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			authority := openAuthority(t, dir)
			for _, secret := range []string{"index", "sealing"} {
				if _, err := authority.Ring(t.Context(), secret); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := authority.Rotate(t.Context(), "sealing"); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			again, err := certs.NewLocal(certs.LocalConfig{Dir: dir, City: certstest.City})
			if err == nil {
				_, err = again.Ring(t.Context(), "sealing")
			}
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Code != c.code || p.Mend.ZH == "" {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "keys")
	openAuthority(t, dir)
	if _, err := certs.NewLocal(certs.LocalConfig{Dir: dir, City: "changsha"}); err == nil {
		t.Error("the authority of another city was opened")
	}
}

func TestOnlyRandomnessMakesKeys(t *testing.T) {
	none := bytes.NewReader(nil)
	if _, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: certstest.City, Random: none}); err == nil {
		t.Error("a root was made without randomness")
	}
	dir := filepath.Join(t.TempDir(), "keys")
	openAuthority(t, dir)
	authority, err := certs.NewLocal(certs.LocalConfig{Dir: dir, City: certstest.City, Random: none})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := authority.Ring(t.Context(), "sealing"); err == nil {
		t.Errorf("%v was drawn without randomness", keys)
	}
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	request, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	order := certs.Order{Request: request, Identity: certs.Identity{City: certstest.City, Role: certs.Node, Name: "one"}}
	if _, err := authority.Issue(t.Context(), order); err == nil {
		t.Error("a serial number was drawn without randomness")
	}
}

func TestCertificateBeginsAtTheClock(t *testing.T) {
	now := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	authority, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: certstest.City, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	request, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	issued, err := authority.Issue(context.Background(), certs.Order{Request: request, Identity: certs.Identity{City: certstest.City, Role: certs.Node, Name: "one"}, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if c := issued.Certificate; !c.NotBefore.Equal(now.Add(-time.Minute)) || !c.NotAfter.Equal(now.Add(time.Hour)) {
		t.Errorf("from %v to %v", c.NotBefore, c.NotAfter)
	}
	keys, err := authority.Ring(t.Context(), "index")
	if err != nil || !keys[0].Made.Equal(now) {
		t.Errorf("made %v, %v", keys[0].Made, err)
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := openAuthority(t, dir).Ring(t.Context(), "sealing"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"authority.pem", "sealing.1.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestReadPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := certs.ReadPrivate(path); err != nil || string(content) != "s3cret" {
		t.Errorf("%q, %v", content, err)
	}
	os.Chmod(path, 0o604)
	if _, err := certs.ReadPrivate(path); exchange.KindOf(err) != exchange.Invalid || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

func FuzzRequest(f *testing.F) {
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	request, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	f.Add(request, "node1.example")
	f.Add([]byte{0x30}, "::1")
	f.Fuzz(func(t *testing.T, request []byte, host string) {
		order := certs.Order{Request: request, Identity: certs.Identity{City: "liling", Role: certs.Node, Name: "one"}, Hosts: []string{host}}
		draft, err := order.Draft(time.Now())
		if err != nil && exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("%v", err)
		}
		if err == nil && len(draft.DNSNames)+len(draft.IPAddresses) != 1 {
			t.Errorf("%d names of one host", len(draft.DNSNames)+len(draft.IPAddresses))
		}
	})
}
