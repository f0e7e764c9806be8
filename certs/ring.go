package certs

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// rings are the versions of secrets in a directory of key files: sealing.1.key, sealing.2.key. A file never changes, so what
// was read stays true; whether another process has added a version is seen from the next file's name.
type rings struct {
	dir    string
	clock  func() time.Time
	random io.Reader
}

const (
	blockSecret   = "YIMEN SECRET"
	headerVersion = "Version" // name and number, so that a file under another name is noticed
	headerMade    = "Made"
)

func (r rings) path(name string, version int) string {
	return filepath.Join(r.dir, fmt.Sprintf("%s.%d%s", name, version, secretSuffix))
}

// extend reads the versions that came after those known.
func (r rings) extend(name string, known []Key) ([]Key, error) {
	for {
		key, err := r.read(name, len(known)+1)
		if errors.Is(err, fs.ErrNotExist) {
			return known, nil
		}
		if err != nil {
			return nil, err
		}
		known = append(slices.Clip(known), key)
	}
}

// more says whether a version after those known is there.
func (r rings) more(name string, known []Key) bool {
	_, err := os.Lstat(r.path(name, len(known)+1))
	return err == nil
}

// load reads a ring that nothing is known of; none where nothing is there. One that has lost its first versions is not begun
// anew.
func (r rings) load(name string) ([]Key, error) {
	known, err := r.extend(name, nil)
	if err != nil || len(known) > 0 {
		return known, err
	}
	later, err := filepath.Glob(filepath.Join(r.dir, name+".*"+secretSuffix))
	if err != nil {
		return nil, fmt.Errorf("look for key files: %w", err)
	}
	if len(later) > 0 && !slices.Contains(later, r.path(name, 1)) {
		return nil, damaged(r.path(name, 1), exchange.Text{ZH: "该文件缺失，而后面的版本还在", EN: "it is missing while later versions are there"})
	}
	return nil, nil
}

// first draws version 1, or takes the one of whoever was first.
func (r rings) first(name string) ([]Key, error) {
	if err := r.draw(name, 1); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return r.extend(name, nil)
}

// add draws the version after those known, or after those that others add meanwhile, and gives the ring and the version.
func (r rings) add(name string, known []Key) ([]Key, int, error) {
	for {
		version := len(known) + 1
		drawn := r.draw(name, version)
		if drawn != nil && !errors.Is(drawn, fs.ErrExist) {
			return nil, 0, drawn
		}
		longer, err := r.extend(name, known)
		if err != nil || drawn == nil {
			return longer, version, err
		}
		known = longer
	}
}

// draw writes the file of a new version: fs.ErrExist where it is there.
func (r rings) draw(name string, version int) error {
	key := Key{Version: version, Secret: make([]byte, SecretSize), Made: r.clock().UTC()}
	if _, err := io.ReadFull(r.random, key.Secret); err != nil {
		return fmt.Errorf("draw secret %s: %w", name, err)
	}
	return write(r.path(name, version), encodeKey(name, key), 0o600)
}

func (r rings) read(name string, version int) (Key, error) {
	path := r.path(name, version)
	content, err := ReadPrivate(path)
	if err != nil {
		return Key{}, err
	}
	key, err := decodeKey(name, version, content)
	if err != nil {
		return Key{}, damaged(path, exchange.Text{ZH: "内容不是该版本的密钥", EN: "it does not hold this version of the secret"})
	}
	return key, nil
}

func encodeKey(name string, key Key) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockSecret, Bytes: key.Secret, Headers: map[string]string{
		headerVersion: name + " " + strconv.Itoa(key.Version), headerMade: key.Made.Format(time.RFC3339)}})
}

func decodeKey(name string, version int, content []byte) (Key, error) {
	block, rest := pem.Decode(content)
	if block == nil || len(rest) > 0 || block.Type != blockSecret || len(block.Bytes) != SecretSize || block.Headers[headerVersion] != name+" "+strconv.Itoa(version) {
		return Key{}, errors.New("not the secret's file")
	}
	made, err := time.Parse(time.RFC3339, block.Headers[headerMade])
	if err != nil {
		return Key{}, err
	}
	return Key{Version: version, Secret: block.Bytes, Made: made.UTC()}, nil
}
