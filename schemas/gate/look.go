package gate

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// What a document may hold at most beside the limits of its text, so that compiling stays quick.
const (
	maxSubschemas = 5_000
	maxPatterns   = 500
)

// look goes through a schema and all below it, notes identifiers, anchors and references, and checks what the validator
// would not refuse, or not with a place.
func (d *document) look(v any, at string, in *resource) error {
	if d.places[at] {
		return nil
	}
	if d.places[at] = true; len(d.places) > maxSubschemas {
		return SchemaFault("YM-SCH-0116", at, "子 Schema 过多", "there are too many subschemas", "拆成几个 Schema，用 references 引用", "split it into several schemas that refer to each other")
	}
	node, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	in, err := d.identify(node, at, in)
	d.note(err)
	d.note(d.dialect(node, at))
	d.note(d.patternsOf(node, at))
	d.note(limitsOf(node, at))
	d.note(d.references(node, at, in))
	for child := range Children(node, d.draft) {
		if err := d.look(child.Schema, at+child.Pointer, in); err != nil {
			return err
		}
	}
	return nil
}

// note keeps a fault and goes on.
func (d *document) note(err error) {
	if err != nil {
		*d.found = append(*d.found, faultOf(within(d.name, err)))
	}
}

// identify notes the address and the anchors a schema gives itself.
func (d *document) identify(node map[string]any, at string, in *resource) (*resource, error) {
	if id := identifierOf(node, d.draft); id != "" {
		base, _, ok := join(in.base, id)
		if !ok {
			return in, SchemaFault("YM-SCH-0113", at, "$id 不是地址", "$id is no address", "写成完整的地址，如 urn:example:name", "write a whole address, such as urn:example:name")
		}
		if known, taken := d.resources[base]; taken && known.pointer != at {
			return in, SchemaFault("YM-SCH-0113", at, "$id 与另一处相同", "$id is that of another place", "每处用不同的 $id", "give each its own $id")
		}
		in = &resource{base: base, pointer: at, anchors: map[string]string{}, dynamic: map[string]string{}}
		d.resources[base] = in
		if at == "" {
			d.resources[d.url] = in // it is found there as well
		}
	}
	for _, name := range d.anchors(node) {
		if where, taken := in.anchors[name]; taken && where != at {
			return in, SchemaFault("YM-SCH-0113", at, "锚点 "+quote(name)+" 重复", "anchor "+quote(name)+" is there twice", "每个锚点只用一次", "use each anchor once")
		}
		in.anchors[name] = at
	}
	if name, ok := node["$dynamicAnchor"].(string); ok && d.draft == 2020 {
		in.dynamic[name] = at
	}
	return in, nil
}

// anchors are the names by which a fragment can point at a schema.
func (d *document) anchors(node map[string]any) []string {
	var names []string
	keywords := []string{"$id"}
	switch d.draft {
	case 4:
		keywords = []string{"id"}
	case 2020:
		keywords = []string{"$anchor", "$dynamicAnchor"}
	}
	if _, is := node["$ref"]; is && d.draft != 2020 {
		return nil // nothing beside $ref counts
	}
	for _, k := range keywords {
		name, _ := node[k].(string)
		if d.draft != 2020 {
			_, name, _ = strings.Cut(name, "#")
		}
		if name != "" && name[0] != '/' {
			names = append(names, name)
		}
	}
	return names
}

// dialect refuses a change of dialect within a document, and keywords of a draft that is not ours.
func (d *document) dialect(node map[string]any, at string) error {
	if _, own := node["$vocabulary"]; own {
		return dialectProblem(at+"/$vocabulary", "不接受自定义的元 Schema", "meta-schemas of one's own are not admitted")
	}
	if v, named := node["$schema"]; named && at != "" {
		if uri, _ := v.(string); draftNamed(uri) != d.draft {
			return SchemaFault("YM-SCH-0102", at+"/$schema", "内层的 $schema 与最外层不同", "$schema inside differs from the one at the top",
				"一份文件只用一个草案；删掉内层的 $schema", "use one draft in a document: remove the inner $schema")
		}
	}
	if d.draft == 2020 {
		for _, old := range []string{"$recursiveRef", "$recursiveAnchor"} {
			if _, is := node[old]; is {
				return SchemaFault("YM-SCH-0103", at+"/"+old, old+" 属于 2019-09 草案", old+" is of draft 2019-09", "改用 $dynamicRef 和 $dynamicAnchor", "use $dynamicRef and $dynamicAnchor")
			}
		}
	}
	return nil
}

func (d *document) patternsOf(node map[string]any, at string) error {
	named, _ := node["patternProperties"].(map[string]any)
	for _, p := range slices.Sorted(maps.Keys(named)) {
		d.note(d.pattern(p, at+"/patternProperties/"+Escape(p)))
	}
	if p, ok := node["pattern"].(string); ok {
		return d.pattern(p, at+"/pattern")
	}
	return nil
}

func (d *document) pattern(p, at string) error {
	if d.patterns++; d.patterns > maxPatterns {
		return SchemaFault("YM-SCH-0116", at, "正则表达式过多", "there are too many patterns", "减少 pattern 和 patternProperties", "use fewer patterns")
	}
	if _, err := d.compiled.compile(p); err != nil {
		zh, en := patternHint(p)
		return SchemaFault("YM-SCH-0109", at, "正则表达式无法编译", "the pattern does not compile", zh, en)
	}
	return nil
}

// limitsOf checks limits on lengths and counts: the validator keeps 64 bits of them and drops the rest.
func limitsOf(node map[string]any, at string) error {
	for _, k := range []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"} {
		n, ok := node[k].(json.Number)
		if !ok {
			continue
		}
		most := big.NewRat(1<<53, 1)
		if r, ok := new(big.Rat).SetString(string(n)); !ok || r.Cmp(most) > 0 {
			return SchemaFault("YM-SCH-0117", at+"/"+k, k+" 过大", k+" is too large", "最大 9007199254740992；没有上限就不写", "at most 9007199254740992; leave it out where there is no limit")
		}
	}
	return nil
}

func (d *document) references(node map[string]any, at string, in *resource) error {
	keywords := []string{"$ref"}
	if d.draft == 2020 {
		keywords = []string{"$ref", "$dynamicRef"}
	}
	for _, k := range keywords {
		v, is := node[k]
		if !is {
			continue
		}
		text, ok := v.(string)
		if _, beside := node["const"]; beside && (d.draft == 6 || d.draft == 7) {
			return SchemaFault("YM-SCH-0107", at+"/const", "$ref 旁边的 const 按规定不起作用，校验器却会检查它", "const beside $ref has no effect by the standard, and the validator checks it all the same",
				`写成 "allOf": [{"$ref": …}]，再加 const；不需要就删掉`, `write "allOf": [{"$ref": …}] and const beside it, or remove const`)
		}
		if !ok {
			return SchemaFault("YM-SCH-0107", at+"/"+k, k+" 不是文本", k+" is no string", "写成 #/definitions/名称", "write #/definitions/NAME")
		}
		d.refs = append(d.refs, ref{at: at + "/" + k, text: text, resource: in})
	}
	return nil
}
