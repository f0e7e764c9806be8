package gate

import (
	"net/url"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// here is the address of a schema that gives itself none. Relative references are resolved against it; nothing is read
// from it.
const here = "yimen:///schema"

// document is one text: the schema itself or one that it refers to.
type document struct {
	name      string // of a reference; "" for the schema itself
	url       string // where the validator finds it
	root      any
	draft     int
	resources map[string]*resource // by their absolute address, the document's own included
	places    map[string]bool      // the pointers of the subschemas that were looked at
	refs      []ref
	patterns  int
	compiled  patterns
	found     *[]*Fault
}

// resource is a part of a document with an address of its own.
type resource struct {
	base    string
	pointer string
	anchors map[string]string // to pointers
	dynamic map[string]string // $dynamicAnchor, to pointers
}

// ref is one $ref or $dynamicRef.
type ref struct {
	at       string // pointer of the keyword
	text     string
	resource *resource // in which it stands
}

// documents are all texts of one admission.
type documents struct {
	main  *document
	given []*document // references, not yet at any address
	all   []*document // at their addresses, main first; one text may be at several
	found []*Fault

	patterns patterns
}

// read reads all texts and puts the first at its address.
func read(text []byte, refs []Reference) (*documents, error) {
	docs := &documents{patterns: patterns{}}
	var err error
	if docs.main, err = readDocument("", text); err != nil {
		return docs, err
	}
	for _, r := range refs {
		d, err := readDocument(r.Name, r.Text)
		if err != nil {
			return docs, within(r.Name, err)
		}
		docs.given = append(docs.given, d)
	}
	return docs, docs.place(docs.main, here)
}

// readDocument reads one text. Where only its dialect is wrong it is given all the same.
func readDocument(name string, text []byte) (*document, error) {
	root, offset, err := decode(text, schemaLimits())
	if err != nil {
		f := *faultOf(err)
		f.Offset = offset
		return nil, &f
	}
	d := &document{name: name, root: root}
	d.draft, err = draftOf(root)
	return d, err
}

// within tells of a problem in a text that a schema refers to.
func within(name string, err error) error {
	if err == nil || name == "" {
		return err
	}
	p := *faultOf(err).Problem
	p.Why = exchange.Text{ZH: "引用的 " + quote(name) + " 中，" + p.Why.ZH, EN: "in the referenced " + quote(name) + ", " + p.Why.EN}
	return &Fault{Problem: &p} // the place is none of the schema's own
}

// place puts a document at an address and looks at everything in it.
func (docs *documents) place(d *document, address string) error {
	d.url, d.resources, d.places = address, map[string]*resource{}, map[string]bool{}
	d.refs, d.found, d.compiled = nil, &docs.found, docs.patterns
	docs.all = append(docs.all, d)
	root := &resource{base: address, anchors: map[string]string{}, dynamic: map[string]string{}}
	d.resources[address] = root
	return within(d.name, d.look(d.root, "", root))
}

// note keeps a fault and goes on.
func (docs *documents) note(err error) { docs.found = append(docs.found, faultOf(err)) }

// resolve finds the target of every reference, and the texts that are needed for it.
func (docs *documents) resolve() {
	for i := 0; i < len(docs.all); i++ { // grows
		d := docs.all[i]
		for k := 0; k < len(d.refs); k++ { // grows
			if err := docs.target(d, d.refs[k]); err != nil {
				docs.note(within(d.name, err))
			}
		}
	}
}

// target makes sure that a reference has one.
func (docs *documents) target(d *document, r ref) error {
	address, fragment, ok := join(r.resource.base, r.text)
	if !ok {
		return SchemaFault("YM-SCH-0107", r.at, "引用 "+quote(r.text)+" 的地址写法不对", "reference "+quote(r.text)+" is no address that can be resolved",
			"用片段（#/…）指向本文件，或者写完整的地址；$id 是 urn: 时不能用相对地址", "point into this document by a fragment (#/…) or write the whole address; relative ones do not go with a $id of the form urn:")
	}
	if metaSchema(address) {
		return docs.ownMeta()
	}
	in, res := docs.find(d, address)
	if in == nil {
		given := docs.reference(r.text, address)
		if given == nil {
			return unresolved(r, address)
		}
		placed := *given
		if err := docs.place(&placed, address); err != nil {
			return err
		}
		in, res = &placed, placed.resources[address]
	}
	pointer, anchored := fragment, true
	if fragment != "" && fragment[0] != '/' {
		pointer, anchored = res.anchors[fragment]
	} else {
		pointer = res.pointer + fragment
	}
	v, found := follow(in.root, pointer)
	if !anchored || !found {
		return SchemaFault("YM-SCH-0107", r.at, "引用 "+quote(r.text)+" 没有对应的定义", "reference "+quote(r.text)+" has no target",
			"补上被引用的定义，或者改正名称", "add what it refers to, or correct the name")
	}
	if in.places[pointer] {
		return nil
	}
	return within(in.name, in.look(v, pointer, in.around(pointer))) // under a keyword nobody knows
}

// ownMeta refuses a reference to a meta-schema where the schema would extend it: by $dynamicAnchor "meta" its parts come
// back to the schema.
func (docs *documents) ownMeta() error {
	for _, d := range docs.all {
		for _, res := range d.resources {
			if at, is := res.dynamic["meta"]; is {
				return within(d.name, dialectProblem(at+"/$dynamicAnchor", "不接受自定义的元 Schema", "meta-schemas of one's own are not admitted"))
			}
		}
	}
	return nil
}

// around is the resource in which a pointer leads.
func (d *document) around(pointer string) *resource {
	best := d.resources[d.url]
	for _, r := range d.resources {
		if strings.HasPrefix(pointer+"/", r.pointer+"/") && len(r.pointer) >= len(best.pointer) {
			best = r
		}
	}
	return best
}

// find is the document and the part of it at an address: those of the same document first.
func (docs *documents) find(d *document, address string) (*document, *resource) {
	if r, ok := d.resources[address]; ok {
		return d, r
	}
	for _, other := range docs.all {
		if other.url == address {
			return other, other.resources[address]
		}
	}
	return nil, nil
}

// reference is the text given for a $ref: by its name as it stands there, by its name's address, or by its own $id.
func (docs *documents) reference(text, address string) *document {
	bare, _, _ := strings.Cut(text, "#")
	i := slices.IndexFunc(docs.given, func(d *document) bool { return d.name == bare })
	if i < 0 {
		i = slices.IndexFunc(docs.given, func(d *document) bool {
			at, _, ok := join(docs.main.base(), d.name)
			return ok && at == address || d.base() == address
		})
	}
	if i < 0 {
		return nil
	}
	return docs.given[i]
}

// base is the address a document gives itself.
func (d *document) base() string {
	node, _ := d.root.(map[string]any)
	if own, _, ok := join(here, identifierOf(node, d.draft)); ok {
		return own
	}
	return here
}

func unresolved(r ref, address string) error {
	scheme, _, _ := strings.Cut(address, ":")
	if scheme == "http" || scheme == "https" || scheme == "file" {
		return SchemaFault("YM-SCH-0107", r.at, "引用 "+quote(r.text)+" 指向外部地址（remote reference）", "remote reference "+quote(r.text),
			"不读取网址和文件：把内容抄进 definitions，写成 #/definitions/名称；或者先登记它，再在 references 里按这个名称给出", "addresses and files are never read: copy it into definitions and write #/definitions/NAME, or register it and name it in references")
	}
	return SchemaFault("YM-SCH-0107", r.at, "引用 "+quote(r.text)+" 没有给出", "reference "+quote(r.text)+" is not among the schemas given",
		"先登记被引用的 Schema，再在 references 里按这个名称给出；或者抄进 definitions", "register it and name it in references exactly so, or copy it into definitions")
}

// join resolves a reference against a base. It is not ok where nothing sensible comes of it.
func join(base, text string) (address, fragment string, ok bool) {
	text, fragment, _ = strings.Cut(text, "#")
	fragment, err := url.PathUnescape(fragment)
	if err != nil {
		return "", "", false
	}
	if text == "" {
		return base, fragment, true
	}
	b, err := url.Parse(base)
	if err != nil {
		return "", "", false
	}
	t, err := url.Parse(text)
	if err != nil || b.Opaque != "" && !t.IsAbs() {
		return "", "", false
	}
	return b.ResolveReference(t).String(), fragment, true
}
