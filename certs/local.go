// Package certs is how the parts of the exchange know and trust one another: identities, the authority that certifies them,
// and the secrets it keeps.
//
// An Authority is the LocalAuthority of this machine, whose keys lie in files that nobody else may read, or HashiCorp Vault
// (package vault). Local is the same kind of directory without an authority, for an adapter's own keys.
package certs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onedoor/yimen/exchange"
)

// SecretSize is the length of every secret in bytes.
const SecretSize = 32

// Local is the local authority: a directory of key files, each readable by its owner only.
type Local struct{ dir string }

// OpenLocal opens the authority kept in dir, making the directory (0700) where there is none. It refuses a directory or a
// key file that others could read: whoever can read a key can read what it protects.
func OpenLocal(dir string) (*Local, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make key directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read key directory: %w", err)
	}
	if err := private(dir); err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == publicSuffix {
			continue
		}
		err := private(filepath.Join(dir, entry.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a half-written key of somebody else, whole under its name by now
			return nil, err
		}
	}
	return &Local{dir: dir}, nil
}

const (
	secretSuffix = ".key"
	publicSuffix = ".pub"
)

// ReadPrivate is the content of a file that holds a secret. It refuses one that others could read.
func ReadPrivate(path string) ([]byte, error) {
	if err := private(path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read secret file: %w", err)
	}
	return content, nil
}

func private(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at key file: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 && info.Mode()&fs.ModeSymlink == 0 {
		return nil
	}
	mode := "600"
	if info.IsDir() {
		mode = "700"
	}
	return &exchange.Problem{Code: "YM-KEY-0101", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "密钥文件可能被他人读取：" + path, EN: "key file can be read by others: " + path},
		Why:  exchange.Text{ZH: "权限为 " + info.Mode().String(), EN: "its mode is " + info.Mode().String()},
		Mend: exchange.Text{ZH: "chmod " + mode + " " + path + "；如他人可能已读取，请更换密钥", EN: "chmod " + mode + " " + path + "; if others may have read it, replace the key"}}
}

// Secret is the secret of that name, drawn at random when it is first asked for.
func (l *Local) Secret(name string) ([]byte, error) {
	secret, err := l.read(name+secretSuffix, func() ([]byte, error) {
		fresh := make([]byte, SecretSize)
		rand.Read(fresh)
		return fresh, nil
	})
	if err != nil {
		return nil, err
	}
	if len(secret) != SecretSize {
		return nil, damaged(filepath.Join(l.dir, name+secretSuffix), exchange.Text{ZH: "长度不是 32 字节", EN: "it is not 32 bytes long"})
	}
	return secret, nil
}

func (l *Local) read(file string, make func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(l.dir, file)
	content, err := os.ReadFile(path)
	if err == nil {
		return content, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if content, err = make(); err != nil {
		return nil, err
	}
	if err := write(path, content, 0o600); errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path) // another process was first
	} else if err != nil {
		return nil, err
	}
	return content, nil
}

// write makes the file whole or not at all: half a key would lock everything away.
func write(path string, content []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*"+filepath.Ext(path))
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := os.Link(temporary.Name(), path); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

func damaged(path string, why exchange.Text) error {
	return &exchange.Problem{Code: "YM-KEY-0102", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "密钥文件已损坏：" + path, EN: "key file is damaged: " + path},
		Why:  why,
		Mend: exchange.Text{ZH: "从备份恢复该文件；没有它，用它保护的数据无法再读取", EN: "restore the file from a backup; without it, what it protects cannot be read again"}}
}
