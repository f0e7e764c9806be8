package copies

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	"rsc.io/qr"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/ofd"
)

// Places on a page, in millimetres.
const (
	left    = 20.0
	right   = 190.0
	top     = 24.0
	bottom  = 276.0
	valueAt = 66.0 // where values begin
	codeBox = 38.0 // the side of the square for a code

	titleSize  = 7.0
	textSize   = 3.7
	smallSize  = 3.0
	lineHeight = 5.6
	rowGap     = 2.4
)

// mostPages is how many pages a copy has at most.
const mostPages = 40

// font is a font that every office in the country has. Its ASCII is half as wide as its Chinese, as package ofd reckons.
const font = "宋体"

const maker = "一门政务数据交换平台"

// notice is the plain sentence on what a copy is.
const notice = "本件由" + maker + "根据数源部门共享的数据制作，是只含授权字段的加注副本；它不是证照原件，也不是签发部门制作的电子证照文件。"

// document lays a copy out.
func (c Copy) document() (ofd.Document, error) {
	s := &sheet{edge: right}
	s.turn()
	s.title(c.Name, "数据加注件")
	s.notice()
	s.heading("证照数据")
	if c.TypeCode != "" {
		s.row("证照类型代码", c.TypeCode)
	}
	s.row("持证主体代码（遮盖）", c.Holder)
	for _, f := range c.Fields {
		s.row(f.Name, f.Value)
	}
	s.heading("数据来源")
	for _, f := range c.source() {
		s.row(f.Name, f.Value)
	}
	if err := s.annotate(c.annotation(), c.Code); err != nil {
		return ofd.Document{}, err
	}
	if s.full() {
		return ofd.Document{}, tooLong()
	}
	c.finish(s.pages)
	id := sha256.Sum256([]byte(c.Receipt.ID))
	return ofd.Document{ID: hex.EncodeToString(id[:16]), Title: c.Name + "（数据加注件）", Author: maker, Subject: c.Use, Created: c.Made.In(exchange.China), Custom: c.metadata(), Font: font,
		Pages: s.pages, Attachments: []string{sealName}}, nil
}

// source says whose word the data are.
func (c Copy) source() []Field {
	until := string(c.Until)
	if until == "" {
		until = "记录未载明截止日期"
	}
	all := []Field{{"数源部门", c.Keeper}, {"数据截至", clock(c.AsOf)}, {"状态", "有效（以数据截至时间为准）"}, {"证照有效期至", until}}
	if c.Assurance != "" {
		all = append(all, Field{"可信等级", string(c.Assurance) + "：" + c.Assurance.Text().ZH})
	}
	return all
}

// annotation says for what the copy was made (GB/T 36903: 加注件元数据).
func (c Copy) annotation() []Field {
	return []Field{{"制作事由", c.Use}, {"索取部门", c.Asker}, {"制作者", maker}, {"制作时间", clock(c.Made)}, {"本件有效期截止", clock(c.Expires)}, {"回执编号", c.Receipt.ID}}
}

// metadata is what programs read of a copy, by the names of GB/T 36903 as licences' own files have them.
func (c Copy) metadata() (all []ofd.Datum) {
	for _, d := range []ofd.Datum{{Name: "ZZMC", Value: c.Name}, {Name: "ZZLXDM", Value: c.TypeCode}, {Name: "ZZBS", Value: c.Identifier},
		{Name: "JZJZZSJ", Value: clock(c.Made)}, {Name: "JZJZZZ", Value: maker}, {Name: "JZJZZSY", Value: c.Use}, {Name: "JZJYXQJZSJ", Value: clock(c.Expires)},
		{Name: "receipt", Value: c.Receipt.ID}, {Name: "qrcode", Value: c.Code}} {
		if d.Value != "" {
			all = append(all, d)
		}
	}
	return all
}

// clock is a moment as it is on clocks in China.
func clock(t time.Time) string { return t.In(exchange.China).Format(time.DateTime) }

// finish puts on every page what all of them have: the watermark, and at the foot which page of which copy it is.
func (c Copy) finish(pages []ofd.Page) {
	for i := range pages {
		p := &pages[i]
		p.Background = c.watermark()
		number := fmt.Sprintf("第 %d 页，共 %d 页", i+1, len(pages))
		p.Shapes = append(p.Shapes, rule(bottom+5, right-left))
		p.Texts = append(p.Texts,
			ofd.Text{X: left, Y: bottom + 10, Size: smallSize, Gray: 90, Says: "回执 " + c.Receipt.ID + "　加注副本，非证照原件；真伪可用 verifyFile 核验"},
			ofd.Text{X: right - ofd.Measure(number, smallSize), Y: bottom + 10, Size: smallSize, Gray: 90, Says: number})
	}
}

// watermark says across the page for what the copy may be used, who asked and when. No clerk is named.
func (c Copy) watermark() (all []ofd.Text) {
	const size, apart, angle = 5.0, 54.0, 28
	lines := slices.AppendSeq(slices.Collect(ofd.Wrap("仅用于："+c.Use, size, 150)), ofd.Wrap(c.Asker+"　"+clock(c.Made), size, 150))
	for n, y := 0, 90.0; y < ofd.Height+90; n, y = n+1, y+apart {
		x := left + 45*float64(n%2)
		for i, line := range lines {
			all = append(all, ofd.Text{X: x + 4*float64(i), Y: y + 8*float64(i), Size: size, Gray: 226, Angle: angle, Says: line})
		}
	}
	return all
}

// sheet is pages while they are filled from the top.
type sheet struct {
	pages []ofd.Page
	y     float64 // how far the last page is filled
	edge  float64 // where rows end
	least int     // bytes that all texts come to at least
}

// full says whether there is more than a copy may hold. What is written then is not written any more.
func (s *sheet) full() bool { return len(s.pages) > mostPages || s.least > MaxFile }

// turn begins a page.
func (s *sheet) turn() {
	s.pages = append(s.pages, ofd.Page{})
	s.y = top
}

func (s *sheet) last() *ofd.Page { return &s.pages[len(s.pages)-1] }

// need begins a page where there is no room.
func (s *sheet) need(height float64) {
	if s.y+height > bottom {
		s.turn()
	}
}

func (s *sheet) write(x, size float64, gray uint8, says string) {
	if says == "" {
		return
	}
	p, text := s.last(), ofd.Text{X: x, Y: s.y, Size: size, Gray: gray, Says: says}
	p.Texts = append(p.Texts, text)
	s.least += text.Least()
}

// title is what the copy is of, and that it is one.
func (s *sheet) title(name, below string) {
	for line := range ofd.Wrap(name, titleSize, right-left) {
		s.write(ofd.Width/2-ofd.Measure(line, titleSize)/2, titleSize, 0, line)
		s.y += titleSize * 1.4
	}
	s.write(ofd.Width/2-ofd.Measure(below, textSize*1.3)/2, textSize*1.3, 60, below)
	s.y += 6
}

func (s *sheet) notice() {
	lines := slices.Collect(ofd.Wrap(notice, textSize, right-left-8))
	p := s.last()
	p.Shapes = append(p.Shapes, ofd.Shape{Gray: 240, Boxes: []ofd.Box{{X: left, Y: s.y, Width: right - left, Height: lineHeight*float64(len(lines)) + 4}}})
	s.y += 6
	for _, line := range lines {
		s.write(left+4, textSize, 0, line)
		s.y += lineHeight
	}
	s.y += 3
}

// heading begins a part, which has at least a row below it on its page.
func (s *sheet) heading(name string) {
	s.need(24)
	s.y += 8
	s.write(left, textSize*1.15, 0, name)
	p := s.last()
	s.y += 2.4
	p.Shapes = append(p.Shapes, ofd.Shape{Gray: 60, Boxes: []ofd.Box{{X: left, Y: s.y, Width: right - left, Height: 0.3}}})
	s.y += 5.2
}

// row is a name with its value beside it. What is long goes on below, and on the next page; where the copy is full it ends.
func (s *sheet) row(name, value string) {
	nextName, endNames := iter.Pull(ofd.Wrap(name, textSize, valueAt-left-4))
	defer endNames()
	nextValue, endValues := iter.Pull(ofd.Wrap(value, textSize, s.edge-valueAt))
	defer endValues()
	for !s.full() {
		one, named := nextName()
		other, valued := nextValue()
		if !named && !valued {
			break
		}
		s.need(lineHeight)
		s.write(left, textSize, 90, one)
		s.write(valueAt, textSize, 0, other)
		s.y += lineHeight
	}
	p := s.last()
	p.Shapes = append(p.Shapes, rule(s.y-lineHeight+rowGap, s.edge-left))
	s.y += rowGap - 0.6
}

// rule is a thin line.
func rule(y, width float64) ofd.Shape {
	return ofd.Shape{Gray: 205, Boxes: []ofd.Box{{X: left, Y: y, Width: width, Height: 0.15}}}
}

// annotate is the part on the copy itself, on one page, with the code beside it.
func (s *sheet) annotate(rows []Field, code string) error {
	s.need(codeBox + 40)
	s.heading("加注")
	began, page := s.y, len(s.pages)
	if code != "" {
		s.edge = right - codeBox - 8
	}
	for _, f := range rows {
		s.row(f.Name, f.Value)
	}
	if code == "" {
		return nil
	}
	if len(s.pages) > page { // what was said took more than a page
		began = top
	}
	s.edge, s.y = right, max(s.y, began+codeBox)
	if err := s.code(code, right-codeBox, began-2); err != nil {
		return err
	}
	s.y += 2
	for line := range ofd.Wrap(aboutCode, smallSize, right-left) {
		s.need(lineHeight)
		s.write(left, smallSize, 60, line)
		s.y += lineHeight * 0.85
	}
	return nil
}

const aboutCode = "右侧为查询码：有共享授权的部门办件时扫描，可用 queryCertInfoByQRcode 查这张证照的现时数据，同样核对授权、计限额、留审计。码已加封，只有平台能读；本件有效期截止后作废。"

// code draws the two-dimensional code with which the record is asked for again.
func (s *sheet) code(says string, left, top float64) error {
	drawn, err := qr.Encode(says, qr.M)
	if err != nil {
		return fmt.Errorf("draw the code of a copy: %w", err)
	}
	module := codeBox / float64(drawn.Size)
	shape := ofd.Shape{}
	for y := range drawn.Size {
		for from, to := 0, 0; from < drawn.Size; from = max(to, from+1) {
			for to = from; to < drawn.Size && drawn.Black(to, y); {
				to++
			}
			if to > from { // neighbours in one: lines between them would show
				shape.Boxes = append(shape.Boxes, ofd.Box{X: left + module*float64(from), Y: top + module*float64(y), Width: module * float64(to-from), Height: module})
			}
		}
	}
	p := s.last()
	p.Shapes = append(p.Shapes, ofd.Shape{Gray: 255, Boxes: []ofd.Box{{X: left - 3, Y: top - 2, Width: codeBox + 6, Height: codeBox + 5}}}, shape)
	return nil
}
