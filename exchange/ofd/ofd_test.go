package ofd

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// sample is a document of two pages.
func sample() Document {
	return Document{ID: strings.Repeat("ab", 16), Title: "题 <&>", Author: "平台", Subject: "事由", Created: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Font: "宋体",
		Custom: []Datum{{"JZJZZSY", "事由 <&>"}}, Attachments: []string{"seal.json"},
		Pages: []Page{{Background: []Text{{X: 20, Y: 90, Size: 5, Gray: 226, Angle: 28, Says: "水印"}}, Shapes: []Shape{{Gray: 60, Boxes: []Box{{20, 30, 170, 0.3}, {20, 40, 1, 1}}}},
			Texts: []Text{{X: 20, Y: 30, Size: 3.7, Says: "不动产权第0000001号"}, {X: 20, Y: 40, Size: 3.7}}},
			{Texts: []Text{{X: 20, Y: 30, Size: 3.7, Says: "𠮷野家😀 \x01\ufffe"}}}}}
}

func packed(t testing.TB, d Document) []byte {
	t.Helper()
	files, err := d.Files()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := Pack(files)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// The same document is the same bytes, uncompressed and without times; every file is well formed, and all places that are named are there.
func TestFiles(t *testing.T) {
	archive := packed(t, sample())
	if !bytes.Equal(archive, packed(t, sample())) {
		t.Error("other bytes the second time")
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var names, ids []string
	for _, f := range r.File {
		names = append(names, f.Name)
		if f.Method != zip.Store || f.Flags != 0 {
			t.Errorf("%s: method %d, flags %x: not all readers take it", f.Name, f.Method, f.Flags)
		}
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(content); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if element, begins := token.(xml.StartElement); begins {
				if element.Name.Space != space {
					t.Errorf("%s: %s is of no namespace", f.Name, element.Name.Local)
				}
				for _, a := range element.Attr {
					if a.Name.Local == "ID" && element.Name.Local != "Page" {
						ids = append(ids, a.Value)
					}
				}
			}
		}
	}
	want := []string{"OFD.xml", "Doc_0/Pages/Page_0/Content.xml", "Doc_0/Pages/Page_1/Content.xml", "Doc_0/Attachs/Attachments.xml", "Doc_0/PublicRes.xml", "Doc_0/Document.xml"}
	if !slices.Equal(names, want) {
		t.Errorf("files %v", names)
	}
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("identifiers stand twice: %v", ids)
	}
}

// A character outside of the basic plane stands alone, so that advances mean the same to all readers.
func TestCodes(t *testing.T) {
	all := codes("号A𠮷野家", 10, 10)
	if len(all) != 3 || all[0].Says != "号A" || all[0].Advances != "10" || all[1].Says != "𠮷" || all[1].X != "16.5" || all[1].Advances != "" || all[2].X != "26.5" {
		t.Errorf("%+v", all)
	}
	if got := advances("中中中ab中", 4); got != "g 3 4 g 2 2.2" {
		t.Errorf("advances %s", got)
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		says  string
		width float64
		want  []string
	}{
		{"", 30, nil},
		{"不动产权证书", 30, []string{"不动产", "权证书"}},
		{"不动产，权证", 30, []string{"不动", "产，权", "证"}},
		{"a long word", 35, []string{"a long", "word"}},
		{"abcdefghijklmn", 35, []string{"abcdef", "ghijkl", "mn"}},
		{"一\n二\r\n三", 30, []string{"一", "二", "三"}},
		{"字", 1, []string{"字"}},
		{"a\u202eb\x01c\td", 90, []string{"a\ufffdb\ufffdc d"}},
		{"1\u200b2\u00ad3\u3164", 90, []string{"1\ufffd2\ufffd3\ufffd"}},
		{"张\U000e0041\U000e0100\u2028三", 90, []string{"张\ufffd\U000e0100\ufffd三"}},
		{"e\u0301" + strings.Repeat("\u0300", 9), 90, []string{"e\u0301" + strings.Repeat("\u0300", 7) + "\ufffd\ufffd"}},
	} {
		if got := slices.Collect(Wrap(test.says, 10, test.width)); !slices.Equal(got, test.want) {
			t.Errorf("%q in %v: %q, want %q", test.says, test.width, got, test.want)
		}
	}
}

// What pages do not show stands in no metadata either.
func TestMetadataIsPlain(t *testing.T) {
	const hidden = "\u202e\u200b\u2066\U000e0041\ufeff"
	d := sample()
	d.Title, d.Author, d.Subject, d.Custom[0].Value = "题"+hidden, "平台"+hidden, "事由"+hidden, "1.2.156"+hidden
	d.Pages = nil
	if archive := string(packed(t, d)); strings.ContainsAny(archive, hidden) || strings.Count(archive, "\ufffd") != 4*utf8.RuneCountInString(hidden) {
		t.Errorf("hidden characters stand in %q", archive)
	}
}

// A text takes no fewer bytes than it says it does.
func TestLeast(t *testing.T) {
	for _, says := range []string{"", "abc", "不动产", "𠮷野家😀", strings.Repeat("\U000e0100", 50)} {
		text := Text{X: 1, Y: 1, Size: 3, Says: says}
		files, err := Document{Pages: []Page{{Texts: []Text{text}}}}.Files()
		if err != nil {
			t.Fatal(err)
		}
		if page := len(files[1].Content); text.Least() > page || text.Least() < len(says) {
			t.Errorf("%q takes %d of %d bytes", says, text.Least(), page)
		}
	}
}

// entry is a file of an archive that is made by hand.
type entry struct {
	zip.FileHeader
	content string
}

func archiveOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		if e.CRC32 == 0 {
			e.CRC32 = crc32.ChecksumIEEE([]byte(e.content))
		}
		if e.CompressedSize64 == 0 {
			e.CompressedSize64 = uint64(len(e.content))
		}
		if e.UncompressedSize64 == 0 {
			e.UncompressedSize64 = uint64(len(e.content))
		}
		f, err := w.CreateRaw(&e.FileHeader)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, e.content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Only archives of this package's form are read: nothing is inflated, nothing leads out, and nothing claims more than there is.
func TestUnpackRefuses(t *testing.T) {
	plain := func(name string) entry { return entry{zip.FileHeader{Name: name}, "content"} }
	compressed := func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, _ := w.Create("OFD.xml")
		f.Write(make([]byte, 1<<20))
		w.Close()
		return b.Bytes()
	}()
	var many []entry
	for range mostFiles + 1 {
		many = append(many, plain("OFD.xml"))
	}
	for name, archive := range map[string][]byte{
		"nothing":           nil,
		"a PDF":             []byte("%PDF-1.7 and so on"),
		"compressed":        compressed,
		"up and out":        archiveOf(t, plain("../OFD.xml")),
		"absolute":          archiveOf(t, plain("/OFD.xml")),
		"backslashes":       archiveOf(t, plain(`Doc_0\OFD.xml`)),
		"a folder":          archiveOf(t, plain("Doc_0/")),
		"a drive":           archiveOf(t, plain("C:OFD.xml")),
		"twice":             archiveOf(t, plain("OFD.xml"), plain("OFD.xml")),
		"too many":          archiveOf(t, many...),
		"larger than it is": archiveOf(t, entry{zip.FileHeader{Name: "OFD.xml", CompressedSize64: 1 << 40, UncompressedSize64: 1 << 40}, "content"}),
		"two sizes":         archiveOf(t, entry{zip.FileHeader{Name: "OFD.xml", UncompressedSize64: 3}, "content"}),
		"a wrong checksum":  archiveOf(t, entry{zip.FileHeader{Name: "OFD.xml", CRC32: 1}, "content"}),
	} {
		if files, err := Unpack(archive); !errors.Is(err, ErrForeign) || files != nil {
			t.Errorf("%s: %d files, %v", name, len(files), err)
		}
	}
	if files, err := Unpack(packed(t, sample())); err != nil || len(files) != 6 {
		t.Errorf("our own: %d files, %v", len(files), err)
	}
}

// Whatever is unpacked has no more content than the archive has bytes, and is the same when it is packed and unpacked again.
func FuzzUnpack(f *testing.F) {
	f.Add(packed(f, sample()))
	f.Add(archiveOf(f, entry{zip.FileHeader{Name: "OFD.xml"}, "content"}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		files, err := Unpack(archive)
		if err != nil {
			return
		}
		size := 0
		for _, file := range files {
			size += len(file.Content)
			if strings.Contains(file.Name, "..") || strings.HasPrefix(file.Name, "/") {
				t.Errorf("a file is called %q", file.Name)
			}
		}
		if size > len(archive) {
			t.Errorf("%d bytes of %d", size, len(archive))
		}
		again, err := Pack(files)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := Unpack(again); err != nil || len(same) != len(files) {
			t.Errorf("packed again: %d files of %d, %v", len(same), len(files), err)
		}
	})
}

// Any text is broken into lines that fit, and no letter is lost.
func FuzzWrap(f *testing.F) {
	for _, says := range []string{"", "不动产权证书，第1号。", "a long word and another", "\u202e\x00\n\r\n ", "𠮷😀e\u0301"} {
		f.Add(says, 3.7, 40.0)
	}
	f.Fuzz(func(t *testing.T, says string, size, width float64) {
		if !utf8.ValidString(says) || !(size >= 1 && size <= 20) || !(width >= size && width <= 500) {
			return
		}
		lines := slices.Collect(Wrap(says, size, width))
		for _, line := range lines {
			if Measure(line, size) > width+size/100 && utf8.RuneCountInString(line) > 1 {
				t.Errorf("%q is longer than %v", line, width)
			}
		}
		count := func(s string) (n int) {
			for _, r := range s {
				if !unseen(r) && unicode.IsLetter(r) || unicode.IsDigit(r) {
					n++
				}
			}
			return n
		}
		if whole, parts := count(says), count(strings.Join(lines, "")); whole != parts {
			t.Errorf("%d characters became %d: %q → %q", whole, parts, says, lines)
		}
	})
}
