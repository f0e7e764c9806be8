// Package ofd writes fixed pages of text as OFD files (GB/T 33190-2016), the layout format of government documents.
//
// A Document is pages with texts, boxes and shapes, each at a place in millimetres; Files gives the files of its package, and Pack the
// archive. Fonts are named and not embedded: each glyph's advance is stated, so lines end where they were reckoned to end whatever font a
// reader has. The same document is always the same bytes, and nothing is compressed, so that Unpack, which reads such archives and
// no others, has nothing to inflate.
package ofd

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Width and Height are those of a page (A4) in millimetres.
const (
	Width  = 210
	Height = 297
)

// Document is what a file holds.
type Document struct {
	ID                     string // 32 hexadecimal digits
	Title, Author, Subject string
	Created                time.Time // written as it is on the clocks of its location
	Custom                 []Datum   // metadata beyond the standard's (CustomDatas)
	Font                   string    // of all texts, by its name
	Pages                  []Page
	// Attachments are names of files that go with the document, such as receipt.json: AttachmentFile has where their content belongs.
	Attachments []string
}

// Datum is one piece of metadata.
type Datum struct{ Name, Value string }

// Page is what stands on a page: shapes lie on its background, and texts on both.
type Page struct {
	Background []Text // a watermark
	Shapes     []Shape
	Texts      []Text
}

// Text is one line of text.
type Text struct {
	X, Y  float64 // where its base line begins, from the upper left
	Size  float64
	Gray  uint8   // 0: black
	Angle float64 // degrees by which it rises
	Says  string
}

// Least is how many bytes of a file a text takes at least: whoever adds them up knows early what grows too large.
func (t Text) Least() int {
	least := len(t.Says)
	for _, r := range t.Says {
		if r > 0xFFFF { // it stands alone; see codes
			least += len(`<ofd:TextCode X="0" Y="0"></ofd:TextCode>`)
		}
	}
	return least
}

// Shape is rectangles filled with one colour.
type Shape struct {
	Gray  uint8
	Boxes []Box
}

// Box is a rectangle by its upper left corner.
type Box struct{ X, Y, Width, Height float64 }

// File is one file of a package.
type File struct {
	Name    string
	Content []byte
}

// The files of a package.
const (
	rootFile        = "OFD.xml"
	documentFile    = "Doc_0/Document.xml"
	resourcesFile   = "Doc_0/PublicRes.xml"
	attachmentsFile = "Doc_0/Attachs/Attachments.xml"
)

// AttachmentFile is where an attachment's content belongs.
func AttachmentFile(name string) string { return "Doc_0/Attachs/" + name }

func pageFile(i int) string { return fmt.Sprintf("Doc_0/Pages/Page_%d/Content.xml", i) }

// Files are those of the document's package, its attachments' contents left out.
func (d Document) Files() ([]File, error) {
	w := writer{last: fontID}
	w.add(rootFile, d.root())
	pages := make([]xmlPageRef, len(d.Pages))
	for i, p := range d.Pages {
		pages[i] = xmlPageRef{ID: w.id(), At: strings.TrimPrefix(pageFile(i), "Doc_0/")}
		w.add(pageFile(i), w.page(p))
	}
	document := xmlDocument{Space: space, Area: box(0, 0, Width, Height), Resources: "PublicRes.xml", Pages: pages}
	if len(d.Attachments) > 0 {
		document.Attachments = strings.TrimPrefix(attachmentsFile, "Doc_0/")
		w.add(attachmentsFile, d.attachments())
	}
	w.add(resourcesFile, xmlResources{Space: space, Base: "Res", Fonts: []xmlFont{{ID: fontID, Name: d.Font, Family: d.Font}}})
	document.MaxID = w.last
	w.add(documentFile, document)
	return w.files, w.err
}

func (d Document) root() xmlRoot {
	root := xmlRoot{Space: space, Version: "1.0", Kind: "OFD", Info: xmlInfo{ID: d.ID, Title: spelt(d.Title), Author: spelt(d.Author), Subject: spelt(d.Subject),
		Created: d.Created.Format(time.DateOnly), Creator: "Yimen"}, Document: documentFile}
	for _, datum := range d.Custom {
		root.Info.Custom = append(root.Info.Custom, xmlDatum{datum.Name, spelt(datum.Value)})
	}
	return root
}

// spelt is metadata as pages have the same text: readers show it beside them.
func spelt(value string) string { return string(plain(value)) }

func (d Document) attachments() xmlAttachments {
	all := xmlAttachments{Space: space}
	for i, name := range d.Attachments {
		_, format, _ := strings.Cut(name, ".")
		all.All = append(all.All, xmlAttachment{ID: "attachment" + strconv.Itoa(i+1), Name: name, Format: format, Created: d.Created.Format("2006-01-02T15:04:05"), At: "/" + AttachmentFile(name)})
	}
	return all
}

// fontID is the identifier of the only font.
const fontID = 1

// writer makes the files of a package; objects are numbered through.
type writer struct {
	files []File
	last  int
	err   error
}

func (w *writer) id() int {
	w.last++
	return w.last
}

func (w *writer) add(name string, content any) {
	body, err := xml.Marshal(content)
	if err != nil {
		w.err = fmt.Errorf("write %s: %w", name, err)
	}
	w.files = append(w.files, File{name, append([]byte(xml.Header), body...)})
}

func (w *writer) page(p Page) xmlPage {
	page := xmlPage{Space: space}
	if len(p.Background) > 0 {
		page.Layers = append(page.Layers, xmlLayer{ID: w.id(), Kind: "Background", Texts: w.texts(p.Background)})
	}
	body := xmlLayer{ID: w.id(), Kind: "Body"}
	for _, s := range p.Shapes {
		body.Shapes = append(body.Shapes, w.shape(s))
	}
	body.Texts = w.texts(p.Texts)
	page.Layers = append(page.Layers, body)
	return page
}

func (w *writer) texts(all []Text) (written []xmlText) {
	for _, t := range all {
		if t.Says != "" {
			written = append(written, w.text(t))
		}
	}
	return written
}

func (w *writer) text(t Text) xmlText {
	boundary, matrix, y := t.placed()
	return xmlText{ID: w.id(), Boundary: boundary, Matrix: matrix, Font: fontID, Size: number(t.Size), Colour: gray(t.Gray), Codes: codes(t.Says, t.Size, y)}
}

func (w *writer) shape(s Shape) xmlShape {
	var path strings.Builder
	for _, b := range s.Boxes {
		x, y := b.X+b.Width, b.Y+b.Height
		fmt.Fprintf(&path, "M %s %s L %s %s L %s %s L %s %s C ", number(b.X), number(b.Y), number(x), number(b.Y), number(x), number(y), number(b.X), number(y))
	}
	return xmlShape{ID: w.id(), Boundary: box(0, 0, Width, Height), Stroke: false, Fill: true, Colour: gray(s.Gray), Path: strings.TrimSpace(path.String())}
}

// codes are the glyphs of a line with the advances between them. Readers disagree on what an advance belongs to where a character takes
// two units of UTF-16, so each of those stands alone.
func codes(says string, size, y float64) (all []xmlCode) {
	x := 0.0
	for says != "" {
		piece := says[:run(says)]
		all = append(all, xmlCode{X: number(x), Y: number(y), Advances: advances(piece, size), Says: piece})
		x += Measure(piece, size)
		says = says[len(piece):]
	}
	return all
}

// run is how long the first piece is that can stand in one code.
func run(says string) int {
	for i, r := range says {
		if r > 0xFFFF && i == 0 {
			return utf8.RuneLen(r)
		} else if r > 0xFFFF {
			return i
		}
	}
	return len(says)
}

// gray is a colour.
func gray(g uint8) xmlColour { return xmlColour{fmt.Sprintf("%d %d %d", g, g, g)} }

func box(x, y, width, height float64) string {
	return strings.Join([]string{number(x), number(y), number(width), number(height)}, " ")
}

// number is a length with a thousandth of a millimetre, in the fewest digits.
func number(f float64) string {
	s := strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0")
	if s = strings.TrimSuffix(s, "."); s == "-0" {
		return "0"
	}
	return s
}
