package national

import (
	"encoding/base64"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/schemas"
)

// What asks for files. The exchange holds what licences say and not their files, so what it gives is a copy that it makes of the
// granted fields (加注件), and says so on it.

// forFile is what downloadFile is asked. The two members of the holder are the only ones which the convention does not have here.
type forFile struct {
	FileType                    string `json:"fileType"` // ofd
	CertificateIdentifier       string `json:"certificateIdentifier"`
	CertificateCopyCause        string `json:"certificateCopyCause"`
	CertificateCopyExpiringTime string `json:"certificateCopyExpiringTime,omitempty"` // until when the copy is to serve
	HolderCode                  string `json:"holderCode,omitempty"`
	HolderTypeCode              string `json:"holderTypeCode,omitempty"`
}

// aCopy is the data of an answer with a file, or with its address.
type aCopy struct {
	ContentType    string        `json:"contentType,omitzero"` // base64, or https of an address
	Content        string        `json:"content,omitzero"`
	CertIdentifier string        `json:"certIdentifier,omitzero"` // where it is granted
	ExpiringTime   string        `json:"certificateCopyExpiringTime,omitzero"`
	Receipt        audit.Receipt `json:"receipt,omitzero"`
}

// copyList is the data of an answer with addresses: a list, and where there is none an object, as other answers have it.
type copyList []aCopy

// Schema says both in the OpenAPI document.
func (copyList) Schema(r huma.Registry) *huma.Schema {
	one := r.Schema(reflect.TypeFor[aCopy](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeArray, Items: one}, one}}
}

// onlyFile is the only type of file that there is.
const onlyFile = "ofd"

func (f facade) file(t turn, d forFile) (said, error) {
	if err := required("fileType", d.FileType, "certificateIdentifier", d.CertificateIdentifier, "certificateCopyCause", d.CertificateCopyCause); err != nil {
		return said{}, err
	}
	if !strings.EqualFold(d.FileType, onlyFile) {
		return said{}, f.Door.Reject(t.Request, t.caller, notServed(text("没有这种类型的文件", "there are no files of that type"),
			text("fileType 写 ofd；只要数据的，用 queryCertInfo", "write ofd as fileType; for the data alone use queryCertInfo")))
	}
	until, err := f.servesUntil(d.CertificateCopyExpiringTime)
	if err != nil {
		return said{}, err
	}
	w, err := f.identified(t, byIdentifier{d.CertificateIdentifier, d.CertificateCopyCause, d.HolderCode, d.HolderTypeCode})
	if err != nil {
		return said{}, err
	}
	made, err := f.copied(t, w, until)
	if err != nil || made.status != ok {
		return made.said, err
	}
	made.told.ContentType, made.told.Content = "base64", base64.StdEncoding.EncodeToString(made.file)
	made.data = made.told
	return made.said, nil
}

// making is a copy that was made, or why there is none.
type making struct {
	finding
	file []byte
	told aCopy
}

// copied finds the one licence that is wanted and makes a copy of it.
func (f facade) copied(t turn, w wanted, until time.Time) (making, error) {
	found, err := f.findOne(t, w)
	if err != nil || found.status != ok {
		return making{finding: found}, err
	}
	if len(fieldsOf(found.evidence[0])) == 0 {
		found.said = said{status: noRight, text: text("授权不含任何字段，没有可写进文件的", "the grant shows no field, so there is nothing to write into a file"), data: receipted{found.Receipt}}
		return making{finding: found}, nil
	}
	c, err := f.copyOf(t, w, found, until)
	if err != nil {
		return making{}, err
	}
	file, err := f.Press.Print(t.Context(), c)
	return making{found, file, aCopy{CertIdentifier: c.Identifier, ExpiringTime: c.Expires.In(exchange.China).Format(time.DateTime), Receipt: found.Receipt}}, err
}

// copyOf is what a copy says of what was found.
func (f facade) copyOf(t turn, w wanted, found finding, until time.Time) (copies.Copy, error) {
	e := found.evidence[0]
	c := copies.Copy{Type: e.Type, Name: w.evidence.Name.ZH, TypeCode: w.evidence.TypeCode, Identifier: f.identifierOf(e), Holder: found.Applicant, Fields: f.told(e),
		Keeper: f.departmentName(e.Keeper), AsOf: e.AsOf, Until: e.Until, Assurance: e.Assurance,
		Use:        "办理事项：" + found.ItemName.ZH + "；收件号：" + found.Case, // the useCause's other words go nowhere: people write names into it
		Department: t.caller.Department, Asker: f.departmentName(t.caller.Department), Made: found.Time, Expires: earlier(until, e.Until), Receipt: found.Receipt}
	named := copies.Named{Holder: w.holder, Type: e.Type, Expires: c.Expires}
	err := named.Record.UnmarshalText([]byte(e.Record))
	if err == nil {
		c.Code, err = f.Press.Code(t.Context(), named)
	}
	return c, err
}

// told are the granted fields by their Chinese names, in the schema's order; a field of a list or an object is a line of its own.
func (f facade) told(e exchange.Evidence) (lines []copies.Field) {
	var named []schemas.Field
	if schema, known := f.Schemas().ByType(e.Type); known {
		named = schema.Fields()
	}
	granted := fieldsOf(e)
	for _, name := range inOrder(granted, f.topFields(e.Type)) {
		lines = append(lines, inLines("", schemas.Show(alone(name, granted[name]), named, exchange.ZH))...)
	}
	return lines
}

// alone is an object with one member.
func alone(name string, value jsontext.Value) []byte {
	return slices.Concat([]byte("{"), []byte(quoted(name)), []byte(":"), []byte(value), []byte("}"))
}

// inOrder are the names of a licence's fields: those of the schema as it has them, others behind.
func inOrder(granted licence, all []schemas.Field) (names []string) {
	for _, field := range all {
		if _, shown := granted[field.Pointer]; shown {
			names = append(names, field.Pointer)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(granted)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func inLines(within string, fields []schemas.Shown) (lines []copies.Field) {
	for _, one := range fields {
		name := within + one.Name
		if len(one.Within) == 0 {
			lines = append(lines, copies.Field{Name: name, Value: one.Value})
			continue
		}
		lines = append(lines, inLines(name+" ", one.Within)...)
	}
	return lines
}

// identifierOf is the licence's identifier where it is granted, else empty.
func (f facade) identifierOf(e exchange.Evidence) string {
	return facts(fieldsOf(e)).word(f.identifierField(e.Type))
}

func (f facade) departmentName(code exchange.Department) string {
	if d, known := f.Catalogue().Department(code); known && d.Name.ZH != "" {
		return d.Name.ZH
	}
	return string(code)
}

// How long a copy serves: as long as a case usually takes, and no longer than half a year.
const (
	usualLife   = 30 * 24 * time.Hour
	longestLife = 180 * 24 * time.Hour
)

// servesUntil reads until when a copy is to serve: a day, which counts whole, or a moment on clocks in China. Longer than the longest
// is the longest.
func (f facade) servesUntil(asked string) (time.Time, error) {
	now := f.Clock()
	if asked == "" {
		return now.Add(usualLife), nil
	}
	for form, more := range map[string]int{time.DateOnly: 1, time.DateTime: 0, time.RFC3339: 0} {
		at, err := time.ParseInLocation(form, asked, exchange.China)
		if at = at.AddDate(0, 0, more); err == nil && at.After(now) {
			return earliest(at, now.Add(longestLife)), nil
		}
	}
	return time.Time{}, &exchange.Problem{Code: "YM-NAT-0109", Kind: exchange.Invalid, What: text("有效期截止时间不可用", "the expiring time cannot be used"),
		Mend: text("写将来的日期或时间，如 2026-12-31 或 2026-12-31 18:00:00；可不写，为 30 天，最长 180 天", "write a day or a moment to come, such as 2026-12-31 or 2026-12-31 18:00:00; without it it is 30 days, and 180 at most")}
}

// earlier is the first of a moment and of the end of a licence's last day: a copy serves no longer than the licence.
func earlier(at time.Time, last exchange.Date) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, string(last), exchange.China)
	if err != nil { // it has no last day
		return at
	}
	return earliest(at, day.AddDate(0, 0, 1))
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
