package schemas

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// rootKeywords are the x- keywords that stand at the top of a schema; the others describe a field.
func rootKeywords() []string {
	return []string{"x-evidence-type", "x-record-id", "x-holder", "x-validity", "x-status"}
}

func fieldKeywords() []string { return []string{"x-title-en", "x-description-en", "x-sensitive"} }

// extension checks that an x- keyword is one of ours and in its place.
func extension(keyword, at string) *gate.Fault {
	if slices.Contains(fieldKeywords(), keyword) || at == "" && slices.Contains(rootKeywords(), keyword) {
		return nil
	}
	place := at + "/" + gate.Escape(keyword)
	if slices.Contains(rootKeywords(), keyword) {
		return gate.SchemaFault("YM-SCH-0104", place, keyword+" 只能写在最外层", keyword+" belongs at the top of the schema", "移到最外层", "move it to the top")
	}
	list := strings.Join(slices.Concat(rootKeywords(), fieldKeywords()), " ")
	return gate.SchemaFault("YM-SCH-0104", place, "未知的 x- 关键字 "+strconv.Quote(keyword), "unknown x- keyword "+strconv.Quote(keyword), "可用的："+list, "there are: "+list)
}

// path leads to a value of a document; the step "*" stands for every element of an array.
type path []string

func (p path) String() string {
	var b strings.Builder
	for _, step := range p {
		b.WriteString("/" + gate.Escape(step))
	}
	return b.String()
}

// readPath reads a JSON pointer.
func readPath(v any) (path, bool) {
	s, ok := v.(string)
	if !ok || !strings.HasPrefix(s, "/") {
		return nil, false
	}
	p := path(strings.Split(s[1:], "/"))
	for i, step := range p {
		p[i] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return p, true
}

// holderPath says where numbers of holders stand and of what kind they are; no kind: told by form.
type holderPath struct {
	path path
	kind exchange.HolderKind
}

// keywords is what the x- keywords of a schema say.
type keywords struct {
	evidence    exchange.EvidenceType
	record      []path
	holders     []holderPath
	from, until path // nil: not given
	status      path
	statuses    map[string]exchange.Status
}

// reader reads the x- keywords of one schema.
type reader struct {
	root map[string]any
	keys keywords
}

func readKeywords(root map[string]any) (keywords, []*gate.Fault) {
	r := reader{root: root}
	var found []*gate.Fault
	for _, read := range []func() *gate.Fault{r.evidence, r.record, r.holders, r.validity, r.status} {
		if f := read(); f != nil {
			found = append(found, f)
		}
	}
	return r.keys, found
}

func (r *reader) evidence() *gate.Fault {
	name, _ := r.root["x-evidence-type"].(string)
	if !exchange.ValidName(name) {
		return gate.SchemaFault("YM-SCH-0120", "/x-evidence-type", "缺少证照类型，或者写法不对", "the evidence type is missing or no valid name",
			"小写字母和数字，以连字符相连，如 business-licence", "use lower-case letters and digits joined by hyphens, such as business-licence")
	}
	r.keys.evidence = exchange.EvidenceType(name)
	return nil
}

func (r *reader) record() *gate.Fault {
	const at = "/x-record-id"
	list, _ := r.root["x-record-id"].([]any)
	if len(list) == 0 {
		return gate.SchemaFault("YM-SCH-0121", at, "没有说明哪些字段构成证照编号", "it is not said which fields make the certificate's number", `写成 "x-record-id": ["/certificateNumber"]`, `write "x-record-id": ["/certificateNumber"]`)
	}
	for _, v := range list {
		p, ok := readPath(v)
		field, required, found := r.find(p)
		if !ok || !found || !required || slices.Contains(p, "*") {
			return gate.SchemaFault("YM-SCH-0121", at, "指向的字段不存在，或者不是必填", "it points at a field that does not exist or is not required", "指向必填的字段，不经过数组", "point at required fields, not into arrays")
		}
		if !identifier(field) {
			return gate.SchemaFault("YM-SCH-0125", p.String(), "编号字段不是有格式或者模式的字符串", "a field that identifies is no string with a format or a pattern",
				`写成 "type": "string"，加 format 或者锚定的 pattern`, `write "type": "string" with a format or an anchored pattern`)
		}
		r.keys.record = append(r.keys.record, p)
	}
	return nil
}

func (r *reader) holders() *gate.Fault {
	const at = "/x-holder"
	list, _ := r.root["x-holder"].([]any)
	if len(list) == 0 {
		return gate.SchemaFault("YM-SCH-0122", at, "没有说明持证主体", "the holder is not named", `写成 "x-holder": [{"path": "/creditCode", "kind": "org"}]`, `write "x-holder": [{"path": "/creditCode", "kind": "org"}]`)
	}
	for _, v := range list {
		entry, _ := v.(map[string]any)
		kind, formats := holderKind(entry["kind"])
		p, ok := readPath(entry["path"])
		field, _, found := r.find(p)
		if !ok || !found || formats == nil || !onlyKeys(entry, "path", "kind") {
			return gate.SchemaFault("YM-SCH-0122", at, "路径不存在，或者 kind 不是 person、org、any", "a path does not exist, or a kind is none of person, org, any", "路径指向证件号码字段，数组用 *，如 /spouses/*/number", "point at the field of the number, through arrays by *: /spouses/*/number")
		}
		format, _ := field["format"].(string)
		if !identifier(field) || !slices.Contains(formats, format) {
			want := strings.Join(formats, " | ")
			return gate.SchemaFault("YM-SCH-0125", p.String(), "持证主体号码没有校验格式", "the number of a holder has no format that checks it", "写成 \"format\": "+want, "write \"format\": "+want)
		}
		r.keys.holders = append(r.keys.holders, holderPath{p, kind})
	}
	return nil
}

// holderKind reads the kind of a holder and the formats its number may have.
func holderKind(v any) (exchange.HolderKind, []string) {
	switch v {
	case "person":
		return exchange.Person, []string{gate.FormatCitizen}
	case "org":
		return exchange.Organisation, []string{gate.FormatCredit}
	case "any":
		return "", []string{gate.FormatHolder}
	}
	return "", nil
}

func (r *reader) validity() *gate.Fault {
	v, given := r.root["x-validity"]
	if !given {
		return nil
	}
	entry, _ := v.(map[string]any)
	ok := len(entry) > 0 && onlyKeys(entry, "from", "until")
	for name, to := range map[string]*path{"from": &r.keys.from, "until": &r.keys.until} {
		if v, given := entry[name]; given {
			p, read := readPath(v)
			field, _, found := r.find(p)
			ok = ok && read && found && field["format"] == "date" && !slices.Contains(p, "*")
			*to = p
		}
	}
	if !ok {
		return gate.SchemaFault("YM-SCH-0123", "/x-validity", "指向的字段不存在，或者不是日期", "it points at a field that does not exist or is no date",
			`写成 {"from": "/validFrom", "until": "/validUntil"}，字段用 "format": "date"`, `write {"from": "/validFrom", "until": "/validUntil"} and give the fields "format": "date"`)
	}
	return nil
}

func (r *reader) status() *gate.Fault {
	v, given := r.root["x-status"]
	if !given {
		return nil
	}
	bad := gate.SchemaFault("YM-SCH-0124", "/x-status", "状态字段不存在，或者对照表不完整", "the field of the status does not exist, or its table is not complete",
		`写成 {"path": "/status", "values": {"存续": "valid"}}，取值为 valid、suspended、revoked、superseded，并覆盖该字段 enum 的每一项`,
		`write {"path": "/status", "values": {"存续": "valid"}} with valid, suspended, revoked or superseded for every value of the field's enum`)
	entry, _ := v.(map[string]any)
	p, ok := readPath(entry["path"])
	field, _, found := r.find(p)
	table, _ := entry["values"].(map[string]any)
	if !ok || !found || len(table) == 0 || slices.Contains(p, "*") || !slices.Equal(typesOf(field), []string{"string"}) || !onlyKeys(entry, "path", "values") {
		return bad
	}
	r.keys.status, r.keys.statuses = p, map[string]exchange.Status{}
	for value, v := range table {
		s, _ := v.(string)
		switch status := exchange.Status(s); status {
		case exchange.Valid, exchange.Suspended, exchange.Revoked, exchange.Superseded:
			r.keys.statuses[value] = status
		default:
			return bad
		}
	}
	if enum, closed := field["enum"].([]any); closed && !sameValues(enum, r.keys.statuses) {
		return bad
	}
	return nil
}

// sameValues says whether an enum lists exactly the values of the table.
func sameValues(enum []any, table map[string]exchange.Status) bool {
	for _, v := range enum {
		s, _ := v.(string)
		if _, ok := table[s]; !ok {
			return false
		}
	}
	return len(enum) == len(table)
}

// find follows a path through the schema to the field it means.
func (r *reader) find(p path) (field map[string]any, required, ok bool) {
	field, required = r.root, true
	for _, step := range p {
		var must bool
		if field, must, ok = r.step(field, step); !ok {
			return nil, false, false
		}
		required = required && must
	}
	if len(p) == 0 {
		return nil, false, false
	}
	all := parts(r.root, field, "")
	if i := slices.IndexFunc(all, func(p part) bool { return p.node["type"] != nil }); i > 0 {
		return all[i].node, required, true
	}
	return all[0].node, required, true
}

// step goes down one step, and says whether the field there must be given.
func (r *reader) step(node map[string]any, step string) (field map[string]any, required, ok bool) {
	for _, p := range parts(r.root, node, "") {
		names, _ := p.node["required"].([]any)
		required = required || slices.Contains(names, any(step))
		properties, _ := p.node["properties"].(map[string]any)
		v := properties[step]
		if step == "*" {
			v = p.node["items"]
		}
		if found, is := v.(map[string]any); is {
			field, ok = found, true
		}
	}
	return field, required, ok
}

// identifier says whether a field is a string that something checks.
func identifier(field map[string]any) bool {
	_, format := field["format"]
	_, pattern := field["pattern"]
	return slices.Equal(typesOf(field), []string{"string"}) && (format || pattern)
}

func onlyKeys(m map[string]any, names ...string) bool {
	for name := range maps.Keys(m) {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}
