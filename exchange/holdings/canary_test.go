package holdings_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

func quarantinedCanary(w *world, name, text string) exchange.Message {
	return w.rejection(envelope.Rejection{Adapter: "mzj/marriages", Type: marriage, Row: [16]byte{7}, Line: 1, Code: "YM-ID-0101",
		Holders: []exchange.Holder{holder(citizen(77))}, Columns: []string{"姓名"}, Values: []string{name + text}, At: noon})
}

func (w *world) withdraw(s statement) {
	s.version, s.holders = s.version+1, nil
	w.state(s)
}

// needles are the texts as they could stand in a file, in lower case: plain, UTF-16, GB 18030, hexadecimal, Base64
// at each of its three shifts, and plain hashes.
func needles(texts ...string) map[string][]byte {
	all := map[string][]byte{}
	add := func(what string, needle []byte) { all[what] = lower(needle) }
	for _, text := range texts {
		plain := []byte(text)
		add("plain "+text, plain)
		add("hexadecimal "+text, []byte(hex.EncodeToString(plain)))
		for _, order := range []int{0, 1} {
			var wide []byte
			for _, unit := range utf16.Encode([]rune(text)) {
				pair := [2]byte{byte(unit), byte(unit >> 8)}
				wide = append(wide, pair[order], pair[1-order])
			}
			add("UTF-16 "+text+string(rune('0'+order)), wide)
		}
		if gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes(plain); err == nil {
			add("GB 18030 "+text, gb)
		}
		for shift := range 3 {
			coded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), plain...))
			add("Base64 "+text+string(rune('0'+shift)), []byte(coded[4:len(coded)-4]))
		}
		md, sha, sha2 := md5.Sum(plain), sha1.Sum(plain), sha256.Sum256(plain)
		for hash, sum := range map[string][]byte{"MD5": md[:], "SHA-1": sha[:], "SHA-256": sha2[:]} {
			add(hash+" "+text, sum)
			add(hash+" in hexadecimal "+text, []byte(hex.EncodeToString(sum)))
		}
	}
	return all
}

// lower changes the ASCII letters only: the bytes of a file are not text.
func lower(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

func TestNeedlesAreFound(t *testing.T) {
	text := "43028119900101001X 金丝雀"
	var wide []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(unit>>8), byte(unit))
	}
	sum := md5.Sum([]byte(text))
	for what, written := range map[string][]byte{
		"plain":  []byte("\xffx" + text + "y"),
		"UTF-16": append([]byte{0xff}, wide...),
		"Base64": []byte(base64.StdEncoding.EncodeToString([]byte("{" + text + "}"))),
		"hex":    []byte(hex.EncodeToString([]byte(text))),
		"MD5":    sum[:],
	} {
		found := false
		for _, needle := range needles(text) {
			found = found || bytes.Contains(lower(written), needle)
		}
		if !found {
			t.Errorf("%s is not found", what)
		}
	}
}

func readAll(t *testing.T, dir string) (files map[string][]byte, size int) {
	t.Helper()
	files = map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(os.DirFS(dir), path)
		if errors.Is(err, fs.ErrNotExist) { // the engine has just deleted it
			return nil
		}
		files[path] = append(content, path...) // names of files count too
		size += len(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, size
}
