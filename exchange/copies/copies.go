// Package copies makes annotated copies of records (加注件): files for people and for cases that say what government holds of a licence.
//
// A copy is a file of the exchange's own making, from the data that a query answered with: the granted fields and no others, whose word
// they are and as of when, for what they were asked, by which department, and until when the copy serves. It says on its face that it is
// neither the licence nor a file of the department which issued that. A Press prints copies (OFD, GB/T 33190) and seals them with a
// signature over every byte, and tells its own from others (Check). The code on a copy (查询码) names its record to the exchange alone. A
// Shelf keeps copies in memory until they are fetched, once.
package copies

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/ofd"
)

// Media is the media type of copies.
const Media = "application/ofd"

// Copy is what a copy says. Nothing of it is looked up: the same copy is always the same file.
type Copy struct {
	Type       exchange.EvidenceType
	Name       string // of the type: 不动产权证书
	TypeCode   string // 证照类型代码, empty: it has none
	Identifier string // 证照标识, empty: it is not granted
	Holder     string // masked
	Fields     []Field

	Keeper    string    // whose word it is (数源部门)
	AsOf      time.Time // up to when
	Until     exchange.Date
	Assurance exchange.Assurance

	Use        string              // the item and the case (事由)
	Department exchange.Department // who asked
	Asker      string              // its name
	Made       time.Time
	Expires    time.Time // until when the copy serves
	Code       string    // names the record; see Press.Code
	Receipt    audit.Receipt
}

// Field is one granted field as people read it.
type Field struct{ Name, Value string }

// Keys are those of a Press.
type Keys struct {
	Signature ed25519.PrivateKey // signs copies
	Codes     []byte             // seals what codes name; 32 bytes
}

// Press makes copies and checks them. It is safe for concurrent use, and keeps no key.
type Press struct {
	keys   func(context.Context) (Keys, error)
	random io.Reader
}

// NewPress makes a press, which asks for its keys with each copy. random makes codes unlike each other; nil: crypto/rand.
func NewPress(keys func(context.Context) (Keys, error), random io.Reader) *Press {
	if random == nil {
		random = rand.Reader
	}
	return &Press{keys, random}
}

// Print makes the file of a copy.
func (p *Press) Print(ctx context.Context, c Copy) ([]byte, error) {
	keys, err := p.keys(ctx)
	if err != nil {
		return nil, err
	}
	document, err := c.document()
	if err != nil {
		return nil, err
	}
	files, err := document.Files()
	if err != nil {
		return nil, err
	}
	seal, err := sealOf(c, files, keys.Signature)
	if err != nil {
		return nil, err
	}
	file, err := ofd.Pack(append(files, ofd.File{Name: sealFile, Content: seal}))
	if err == nil && len(file) > MaxFile {
		return nil, tooLong()
	}
	return file, err
}

// MaxFile is the most bytes of a copy.
const MaxFile = 1 << 20

func tooLong() error {
	return &exchange.Problem{Code: "YM-CPY-0101", Kind: exchange.Invalid, What: text("内容太多，制不成加注件", "there is too much for a copy"),
		Mend: text("用 queryCertInfo 取数据", "ask for the data instead, with queryCertInfo")}
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
