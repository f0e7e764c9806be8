package test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/emmansun/gmsm/sm3"
)

// watchlist finds canaries, things personal that must appear nowhere but in the department's own file and in answers, in every form
// in which they could slip out. All of them are looked for in one pass: there are hundreds of thousands of forms.
type watchlist struct {
	seed  maphash.Seed
	known []uint64             // bits by the hash of a form's first bytes: most places of a content need no other look
	forms map[[8]byte][]sought // by a form's first bytes
	count int
}

// sought is one form of one canary.
type sought struct {
	bytes []byte
	what  string
}

const knownBits = 1 << 26

func newWatchlist() *watchlist {
	return &watchlist{seed: maphash.MakeSeed(), known: make([]uint64, knownBits/64), forms: map[[8]byte][]sought{}}
}

// add takes a canary in all its forms. whole has the hashes taken of it: who hashes, hashes a whole number.
func (w *watchlist) add(part, whole string) {
	for what, form := range formsOf(part) {
		w.put(what, form)
	}
	for what, form := range hashesOf(whole) {
		w.put(what, form)
	}
}

func (w *watchlist) put(what string, form []byte) {
	if len(form) < 8 {
		panic("a canary of less than eight bytes sings by chance: " + what)
	}
	head := [8]byte(form)
	bit := maphash.Bytes(w.seed, head[:]) % knownBits
	w.known[bit/64] |= 1 << (bit % 64)
	w.forms[head] = append(w.forms[head], sought{form, what})
	w.count++
}

// in lists what was found in the content.
func (w *watchlist) in(content []byte) (found []string) {
	for i := 0; i+8 <= len(content); i++ {
		head := content[i : i+8]
		bit := maphash.Bytes(w.seed, head) % knownBits
		if w.known[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, s := range w.forms[[8]byte(head)] {
			if bytes.HasPrefix(content[i:], s.bytes) {
				found = append(found, s.what)
			}
		}
	}
	return found
}

// look reports every form of every canary found in the content, and gives how many bytes were looked at.
func (w *watchlist) look(t *testing.T, where string, content []byte) int {
	t.Helper()
	if found := w.in(content); len(found) > 0 {
		t.Errorf("%s holds canaries %d times, the first in the form %s", where, len(found), found[0])
	}
	return len(content)
}

// lookBelow looks at every file below a directory, its name included.
func (w *watchlist) lookBelow(t *testing.T, dir string) (size int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		size += w.look(t, path[len(dir):], append([]byte(path), content...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// formsOf are the ways in which something can be written.
func formsOf(plain string) map[string][]byte {
	forms := map[string][]byte{"plain": []byte(plain)}
	lower := hex.EncodeToString([]byte(plain))
	forms["hex"], forms["HEX"] = []byte(lower), []byte(strings.ToUpper(lower))
	units := utf16.Encode([]rune(plain))
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	forms["utf-16le"], forms["utf-16be"] = little, big
	forms["json"] = []byte(strings.Trim(fmt.Sprintf("%+q", plain), `"`))
	for shift := range 3 { // base64 looks different at each place within three bytes
		padded := append(bytes.Repeat([]byte{'x'}, shift), plain...)
		for name, code := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64url": base64.URLEncoding} {
			text := code.EncodeToString(padded)
			forms[fmt.Sprintf("%s+%d", name, shift)] = []byte(text[4 : len(text)-4])
		}
	}
	reversed := []rune(plain)
	slices.Reverse(reversed)
	forms["reversed"] = []byte(string(reversed))
	forms["full width"] = []byte(strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + '！' - '!'
		}
		return r
	}, plain))
	return forms
}

// hashesOf are the hashes by which people believe to have hidden something.
func hashesOf(plain string) map[string][]byte {
	forms := map[string][]byte{}
	md, s1, s2, s5, sm := md5.Sum([]byte(plain)), sha1.Sum([]byte(plain)), sha256.Sum256([]byte(plain)), sha512.Sum512([]byte(plain)), sm3.Sum([]byte(plain))
	for name, sum := range map[string][]byte{"md5": md[:], "sha1": s1[:], "sha256": s2[:], "sha512": s5[:], "sm3": sm[:]} {
		forms[name] = sum
		forms[name+" hex"] = []byte(hex.EncodeToString(sum))
		forms[name+" HEX"] = []byte(strings.ToUpper(hex.EncodeToString(sum)))
		forms[name+" base64"] = []byte(base64.RawStdEncoding.EncodeToString(sum))
	}
	return forms
}

// TestWatchlistSeesEveryForm: a search that finds nothing proves nothing unless it would have found something.
func TestWatchlistSeesEveryForm(t *testing.T) {
	w := newWatchlist()
	const number, name = "43028119400101100", "金丝雀朙龘"
	w.add(number, number+"X")
	w.add(name, name)
	for _, plain := range []string{number, name} {
		for what, form := range formsOf(plain) {
			if len(w.in(slices.Concat([]byte("noise"), form, []byte("noise")))) == 0 {
				t.Errorf("%s is not seen", what)
			}
		}
	}
	for what, form := range hashesOf(number + "X") {
		if len(w.in(append([]byte{1, 2, 3}, form...))) == 0 {
			t.Errorf("%s is not seen", what)
		}
	}
	if found := w.in([]byte("43028119400101200 金丝鸟朙龘 and nothing else")); found != nil {
		t.Errorf("sees %v where there is nothing", found)
	}
	if w.count < 2*30 {
		t.Errorf("only %d forms", w.count)
	}
}
