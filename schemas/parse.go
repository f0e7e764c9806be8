package schemas

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/gate"
)

// Parse reads one evidence schema, refuses what would let wrong records pass or could not be shown to people, and compiles
// it. The error is a *exchange.Problem that names the place and the mend. The text passes the document gate first.
func Parse(text []byte) (*Schema, error) {
	doc, err := gate.Decode(text)
	if err != nil {
		return nil, err
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return nil, schemaProblem("YM-SCH-0101", "", "Schema 不是对象", "a schema is an object", "写成 { … }", "write { … }")
	}
	if err := dialect(root); err != nil {
		return nil, err
	}
	if err := newLint().schema(root, "", content); err != nil {
		return nil, err
	}
	if err := references(root); err != nil {
		return nil, err
	}
	s := &Schema{Text: bytes.Clone(text)}
	if s.compiled, err = compile(root); err != nil {
		return nil, err
	}
	if s.ID, err = guid(text); err != nil {
		return nil, err
	}
	if err := s.describe(root); err != nil {
		return nil, err
	}
	if err := s.tryExamples(root); err != nil {
		return nil, err
	}
	return s, nil
}

// dialect admits draft-07, which is also what a schema without $schema is taken for.
func dialect(root map[string]any) error {
	uri, named := root["$schema"]
	if !named {
		return nil
	}
	if s, ok := uri.(string); ok && strings.TrimSuffix(s, "#") == "http://json-schema.org/draft-07/schema" {
		return nil
	}
	return schemaProblem("YM-SCH-0102", "/$schema", "不是 draft-07", "this is not draft-07",
		`写成 "$schema": "http://json-schema.org/draft-07/schema#"`, `write "$schema": "http://json-schema.org/draft-07/schema#"`)
}

// compile hands the schema to the validator. Nothing is ever loaded: references stay within the document, and $id,
// which would move their base, is left out.
func compile(root map[string]any) (*jsonschema.Schema, error) {
	const here = "urn:yimen:schema"
	root = maps.Clone(root)
	delete(root, "$id")
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(compilePattern)
	registerFormats(c)
	err := c.AddResource(here, root)
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	compiled, err := c.Compile(here)
	var against *jsonschema.SchemaValidationError
	var cause *jsonschema.ValidationError
	switch {
	case err == nil:
		return compiled, nil
	case errors.As(err, &against) && errors.As(against.Err, &cause):
		f := findings(cause)[0]
		return nil, schemaProblem("YM-SCH-0112", f.Pointer, "不符合 draft-07 的规定："+f.What.ZH, "draft-07 does not allow this: "+f.What.EN, f.Mend.ZH, f.Mend.EN)
	}
	return nil, schemaProblem("YM-SCH-0114", "", "Schema 无法编译", "the schema does not compile", "检查引用和正则表达式", "look at the references and patterns")
}

// noLoader refuses to read anything from outside.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("nothing is loaded from outside") }

// guid names a schema by its content: white space and the order of members do not count.
func guid(text []byte) (string, error) {
	canonical := jsontext.Value(bytes.Clone(text))
	err := canonical.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false))
	if err != nil {
		return "", fmt.Errorf("canonical text of schema: %w", err)
	}
	sum := md5.Sum(canonical)
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:]), nil
}

// describe reads what the schema says about itself.
func (s *Schema) describe(root map[string]any) error {
	var err error
	if s.keys, err = readKeywords(root); err != nil {
		return err
	}
	s.Type = s.keys.evidence
	s.Title, s.Description = texts(root)
	s.fields, err = fields(root, s.Text)
	return err
}

func texts(node map[string]any) (title, description exchange.Text) {
	title.ZH, _ = node["title"].(string)
	title.EN, _ = node["x-title-en"].(string)
	description.ZH, _ = node["description"].(string)
	description.EN, _ = node["x-description-en"].(string)
	return title, description
}

// tryExamples makes sure that the examples are there, fit, and yield facts: a schema nobody tried is a guess.
func (s *Schema) tryExamples(root map[string]any) error {
	list, _ := root["examples"].([]any)
	if len(list) == 0 {
		return schemaProblem("YM-SCH-0130", "/examples", "没有示例", "there is no example", "在 examples 里放一份虚构的完整文档", "put one invented, complete document into examples")
	}
	for i, example := range list {
		at := fmt.Sprintf("/examples/%d", i)
		var invalid *Invalid
		if err := s.Validate(example); errors.As(err, &invalid) {
			f := invalid.Findings[0]
			return schemaProblem("YM-SCH-0131", at+f.Pointer, "示例不符合 Schema："+f.What.ZH, "the example does not fit the schema: "+f.What.EN, f.Mend.ZH, f.Mend.EN)
		}
		if _, err := s.Facts(example); err != nil {
			p := schemaProblem("YM-SCH-0132", at, "从示例得不出证照事实", "the example yields no facts", "按原因改正示例或者 x- 关键字", "mend the example or the x- keywords as the cause says")
			p.Err = err
			return p
		}
		text, err := json.Marshal(example)
		if err != nil {
			return fmt.Errorf("write example %d: %w", i, err)
		}
		s.examples = append(s.examples, text)
	}
	return nil
}
