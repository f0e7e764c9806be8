package certs_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

func open(t *testing.T, dir string) *certs.Local {
	t.Helper()
	l, err := certs.OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSecretIsDrawnOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := open(t, dir).Secret("scjg")
	if err != nil || len(first) != certs.SecretSize {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	again, err := open(t, dir).Secret("scjg")
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("second opening gives another secret, %v", err)
	}
	other, _ := open(t, dir).Secret("gaj")
	if bytes.Equal(first, other) {
		t.Error("two names share a secret")
	}
	info, err := os.Stat(filepath.Join(dir, "scjg.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestUnsafeOrDamagedKeysAreRefused(t *testing.T) {
	cases := map[string]struct {
		spoil func(dir string) error
		code  string
	}{
		"file readable by group": {func(dir string) error { return os.Chmod(filepath.Join(dir, "a.key"), 0o640) }, "YM-KEY-0101"},
		"directory open to all":  {func(dir string) error { return os.Chmod(dir, 0o755) }, "YM-KEY-0101"},
		"symbolic link": {func(dir string) error {
			return os.Symlink(filepath.Join(dir, "a.key"), filepath.Join(dir, "b.key"))
		}, "YM-KEY-0101"},
		"truncated": {func(dir string) error { return os.Truncate(filepath.Join(dir, "a.key"), 5) }, "YM-KEY-0102"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			if _, err := open(t, dir).Secret("a"); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			l, err := certs.OpenLocal(dir)
			if err == nil {
				_, err = l.Secret("a")
			}
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Code != c.code || p.Mend.ZH == "" {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestManyOpenAndDrawAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	open(t, dir)
	var group sync.WaitGroup
	secrets := make([][]byte, 64)
	for i := range secrets {
		group.Go(func() {
			l, err := certs.OpenLocal(dir)
			if err == nil {
				secrets[i], err = l.Secret(string(rune('a' + i%8)))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range secrets {
		if !bytes.Equal(secrets[i], secrets[i%8]) {
			t.Fatalf("two secrets under the name %c", 'a'+i%8)
		}
	}
}
