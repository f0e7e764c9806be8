package certs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Ring is every version of the named secret, oldest first. Each is a file of its own, NAME.VERSION.key, so that drawing the next one
// leaves those before it alone.
func (a *LocalAuthority) Ring(ctx context.Context, name string) ([]Key, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.extend(name); err != nil { // another process may have rotated
		return nil, err
	}
	if len(a.rings[name]) == 0 {
		if _, err := a.draw(name); err != nil {
			return nil, err
		}
	}
	return append([]Key(nil), a.rings[name]...), ctx.Err()
}

// Rotate draws the next version of a secret.
func (a *LocalAuthority) Rotate(_ context.Context, name string) (Key, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.extend(name); err != nil {
		return Key{}, err
	}
	return a.draw(name)
}

// extend reads the versions that are not known yet. mu is held.
func (a *LocalAuthority) extend(name string) error {
	for {
		version := len(a.rings[name]) + 1
		path := a.versionPath(name, version)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		secret, made, err := readSecret(path)
		if err != nil {
			return err
		}
		a.rings[name] = append(a.rings[name], Key{Version: version, Secret: secret, Made: made})
	}
}

// draw makes the next version; where another process is first, that one is it. mu is held.
func (a *LocalAuthority) draw(name string) (Key, error) {
	fresh := make([]byte, SecretSize)
	rand.Read(fresh)
	err := write(a.versionPath(name, len(a.rings[name])+1), fresh, 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, err
	}
	if err := a.extend(name); err != nil {
		return Key{}, err
	}
	return a.rings[name][len(a.rings[name])-1], nil
}

func (a *LocalAuthority) versionPath(name string, version int) string {
	return filepath.Join(a.dir, fmt.Sprintf("%s.%d%s", name, version, secretSuffix))
}

func readSecret(path string) ([]byte, time.Time, error) {
	if err := private(path); err != nil {
		return nil, time.Time{}, err
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read key: %w", err)
	}
	if len(secret) != SecretSize {
		return nil, time.Time{}, damaged(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read key: %w", err)
	}
	return secret, info.ModTime(), nil
}
