package gate

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled is what the validator made of the documents.
type compiled struct {
	compiler *jsonschema.Compiler
	root     *jsonschema.Schema
	rest     []*jsonschema.Schema // definitions nobody refers to, and the like
	anchors  map[string][]*jsonschema.Schema
	more     []*Fault // beside the one returned as an error
}

// compile hands the documents to the validator. Whatever resolve has not placed does not exist for it.
func (docs *documents) compile(formats bool) (*compiled, error) {
	c := &compiled{compiler: jsonschema.NewCompiler(), anchors: map[string][]*jsonschema.Schema{}}
	c.compiler.DefaultDraft(jsonschema.Draft7)
	c.compiler.UseLoader(noLoader{})
	c.compiler.UseRegexpEngine(docs.patterns.compile)
	if formats {
		c.compiler.AssertFormat()
		registerFormats(c.compiler)
	} else {
		ignoreFormats(c.compiler)
	}
	for _, d := range docs.all {
		if err := c.compiler.AddResource(d.url, d.root); err != nil {
			return c, fmt.Errorf("compile schema: %w", err)
		}
	}
	var err error
	if c.root, err = c.at(docs.main, ""); err != nil {
		return c, err
	}
	return c, c.others(docs)
}

// others compiles what no way leads to from the root, since somebody may yet refer to it.
func (c *compiled) others(docs *documents) error {
	reached := map[string]bool{}
	reach(c.root, func(s *jsonschema.Schema) { reached[s.Location] = true })
	for _, d := range docs.all {
		for _, pointer := range slices.Sorted(maps.Keys(d.places)) {
			if reached[location(d.url, pointer)] {
				continue
			}
			s, err := c.at(d, pointer)
			if err != nil {
				return within(d.name, err)
			}
			c.rest = append(c.rest, s)
			reach(s, func(s *jsonschema.Schema) { reached[s.Location] = true })
		}
		for _, r := range d.resources {
			for name, pointer := range r.dynamic {
				s, err := c.at(d, pointer)
				if err != nil {
					return within(d.name, err)
				}
				if !slices.Contains(c.anchors[name], s) {
					c.anchors[name] = append(c.anchors[name], s)
				}
			}
		}
	}
	return nil
}

// at compiles the schema at a place of a document.
func (c *compiled) at(d *document, pointer string) (*jsonschema.Schema, error) {
	s, err := c.compiler.Compile(location(d.url, pointer))
	if err == nil {
		return s, nil
	}
	var against *jsonschema.SchemaValidationError
	var cause *jsonschema.ValidationError
	if errors.As(err, &against) && errors.As(against.Err, &cause) {
		return nil, c.against(d, fragmentOf(against.URL), Findings(cause))
	}
	return nil, SchemaFault("YM-SCH-0114", pointer, "Schema 无法编译", "the schema does not compile", "检查引用和正则表达式", "look at the references and patterns")
}

// against tells of what the meta-schema does not allow: notes all but the first, which it returns.
func (c *compiled) against(d *document, at string, list []Finding) error {
	var all []*Fault
	for _, f := range list {
		all = append(all, SchemaFault("YM-SCH-0112", at+f.Pointer, "不符合 "+draftName(d.draft)+" 的规定："+f.What.ZH, draftName(d.draft)+" does not allow this: "+f.What.EN, f.Mend.ZH, f.Mend.EN))
	}
	if d.name == "" {
		c.more = append(c.more, all[1:]...)
	}
	return all[0]
}

func draftName(draft int) string {
	if draft == 2020 {
		return "2020-12"
	}
	return fmt.Sprintf("draft-%02d", draft)
}

// location is a place as the validator writes it.
func location(address, pointer string) string {
	if !strings.ContainsFunc(pointer, func(r rune) bool {
		return r != '/' && r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return address + "#" + pointer // as most are
	}
	tokens := strings.Split(pointer, "/")
	for i, t := range tokens {
		tokens[i] = url.PathEscape(t)
	}
	return address + "#" + strings.Join(tokens, "/")
}

// fragmentOf is the JSON pointer in a location.
func fragmentOf(location string) string {
	_, fragment, _ := strings.Cut(location, "#")
	if pointer, err := url.PathUnescape(fragment); err == nil {
		return pointer
	}
	return fragment
}

// examples makes sure that the examples of a schema and its parts fit. Draft-04 has none.
// What they cost together is bounded like one document.
func (c *compiled) examples(d *document, each cost) []*Fault {
	var found []*Fault
	spent := 0
	if d.draft == 4 {
		return nil
	}
	for _, pointer := range slices.Sorted(maps.Keys(d.places)) {
		v, _ := follow(d.root, pointer)
		node, _ := v.(map[string]any)
		list, _ := node["examples"].([]any)
		if _, is := node["$ref"]; len(list) == 0 || is && d.draft != 2020 {
			continue
		}
		s, err := c.at(d, pointer)
		if err != nil {
			return append(found, faultOf(err))
		}
		for i, example := range list {
			if spent += each.of(sizeOf(example)); spent > maxCost {
				return append(found, SchemaFault("YM-SCH-0131", pointer+"/examples", "示例过大，核验时间无法保证", "the examples are too large to be checked in bounded time", "减少示例，或者简化大枚举、多分支和长 pattern", "give fewer examples, or simplify large enums, many branches and long patterns"))
			}
			found = append(found, fits(s, example, fmt.Sprintf("%s/examples/%d", pointer, i))...)
		}
	}
	return found
}

func fits(s *jsonschema.Schema, example any, at string) []*Fault {
	if depth(example) > maxDepth {
		return []*Fault{SchemaFault("YM-SCH-0131", at, "示例嵌套过深", "the example is nested too deeply", fmt.Sprintf("嵌套最多 %d 层", maxDepth), fmt.Sprintf("nest at most %d levels", maxDepth))}
	}
	var cause *jsonschema.ValidationError
	if !errors.As(s.Validate(example), &cause) {
		return nil
	}
	var found []*Fault
	for _, f := range Findings(cause) {
		found = append(found, SchemaFault("YM-SCH-0131", at+f.Pointer, "示例不符合 Schema："+f.What.ZH, "the example does not fit the schema: "+f.What.EN, f.Mend.ZH, f.Mend.EN))
	}
	return found
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			deepest = max(deepest, depth(child))
		}
	case []any:
		for _, child := range v {
			deepest = max(deepest, depth(child))
		}
	default:
		return 0
	}
	return deepest + 1
}

// noLoader refuses to read anything from outside.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("nothing is loaded from outside") }
