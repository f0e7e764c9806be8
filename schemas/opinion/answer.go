package opinion

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/xeipuuv/gojsonschema"
)

// verdict is the first value of an answer. Where the schema is accepted, a boolean for each document follows.
type verdict struct {
	Accepted bool   `json:"accepted"`
	Why      string `json:"why,omitempty"`
	Refused  string `json:"refused,omitempty"` // the question cannot be answered: one of the two below
}

// answered stands behind each answer.
const answered = "answered"

// The bounds of the child's memory, in bytes. Together with the program itself it stays below 256 MiB.
const (
	heapBound  = 192 << 20
	stackBound = 32 << 20 // a schema within the gate's depth needs far less
)

const (
	refusedDraft = "draft"
	refusedText  = "text"
)

// AnswerIfAsked answers and ends the process where it was started with Verb, and returns at once where not. It stands first
// in every program that asks, test programs included.
func AnswerIfAsked() {
	if len(os.Args) != 2 || os.Args[1] != Verb {
		return
	}
	if Answer(os.Stdin, os.Stdout) != nil {
		os.Exit(1) // nobody reads why
	}
	os.Exit(0)
}

// Answer is the child process: it reads questions until there are no more, and writes the verdicts as they come. It bounds
// the memory and the time of the process it runs in, so nothing else can run there.
func Answer(in io.Reader, out io.Writer) error {
	if err := confine(); err != nil {
		return fmt.Errorf("bound the process: %w", err)
	}
	addFormats()
	return answerAll(in, out)
}

func answerAll(in io.Reader, out io.Writer) error {
	bounded := &io.LimitedReader{R: in}
	questions := json.NewDecoder(bounded)
	questions.DisallowUnknownFields()
	write := json.NewEncoder(out).Encode // unbuffered, so that the reader sees which document was too much
	for {
		bounded.N = 2 * mostAsked
		q, err := readQuestion(questions)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = answer(q, write)
		}
		if err == nil {
			err = write(answered)
		}
		if err != nil {
			return err
		}
	}
}

func answer(q Question, write func(any) error) error {
	root, err := decode(q.Schema)
	if err != nil {
		return write(verdict{Refused: refusedText})
	}
	meta := dialect(root)
	if meta == "" {
		return write(verdict{Refused: refusedDraft})
	}
	references := make(map[string]any, len(q.References))
	for name, text := range q.References {
		if references[name], err = decode(text); err != nil {
			return write(verdict{Refused: refusedText})
		}
		if dialect(references[name]) == "" {
			return write(verdict{Refused: refusedDraft})
		}
	}
	documents := make([]any, len(q.Documents))
	for i, text := range q.Documents {
		if documents[i], err = decode(text); err != nil {
			return write(verdict{Refused: refusedText})
		}
	}
	schema, err := compile(root, meta, references)
	if err != nil {
		return write(verdict{Why: shorten(err.Error())})
	}
	if err := write(verdict{Accepted: true}); err != nil {
		return err
	}
	for _, doc := range documents {
		result, err := schema.Validate(gojsonschema.NewRawLoader(doc))
		if err != nil {
			return errors.New("a document could not be judged")
		}
		if err := write(result.Valid()); err != nil {
			return err
		}
	}
	return nil
}

// readQuestion reads the next question; io.EOF: there is none.
func readQuestion(d *json.Decoder) (Question, error) {
	var q Question
	switch err := d.Decode(&q); {
	case errors.Is(err, io.EOF):
		return q, io.EOF
	case err != nil:
		return Question{}, errors.New("the question is not one")
	case q.size() > mostAsked:
		return Question{}, errors.New("the question is too large")
	}
	return q, nil
}

// decode reads one JSON value; numbers keep their digits.
func decode(text []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text follows the value")
	}
	return v, nil
}

const draft07 = "http://json-schema.org/draft-07/schema"

// dialect names the metaschema of a schema, that of draft-07 where it does not say, and writes the name into the schema as
// the validator spells it; "": one that it does not know.
func dialect(root any) string {
	m, _ := root.(map[string]any)
	uri, named := m["$schema"]
	if !named {
		return draft07
	}
	s, _ := uri.(string)
	meta := metaschema(s)
	m["$schema"] = meta
	return meta
}

// metaschema is the address of one of the metaschemas that are part of the library, whether written with
// http or https; "": none of them.
func metaschema(uri string) string {
	uri = strings.TrimSuffix(uri, "#")
	if rest, ok := strings.CutPrefix(uri, "https://"); ok {
		uri = "http://" + rest
	}
	switch uri {
	case draft07, "http://json-schema.org/draft-06/schema", "http://json-schema.org/draft-04/schema":
		return uri
	}
	return ""
}

// compile checks a schema and what it refers to against the metaschema and reads them. Nothing is loaded from outside.
func compile(root any, meta string, references map[string]any) (*gojsonschema.Schema, error) {
	if err := fits(root, meta); err != nil {
		return nil, err
	}
	l := gojsonschema.NewSchemaLoader()
	l.Draft = gojsonschema.Draft7
	address := addresses(references)
	for name, schema := range references {
		if err := fits(schema, dialect(schema)); err != nil {
			return nil, err
		}
		redirect(schema, address)
		if err := l.AddSchema(address[name], sealed{gojsonschema.NewRawLoader(schema)}); err != nil {
			return nil, err
		}
	}
	redirect(root, address)
	return l.Compile(sealed{gojsonschema.NewRawLoader(root)})
}

// fits validates a schema by the validator's own metaschema. SchemaLoader.Validate would do it too, but would then load
// references from the network.
func fits(schema any, meta string) error {
	m, err := gojsonschema.NewSchema(gojsonschema.NewReferenceLoader(meta)) // part of the library
	if err != nil {
		return err
	}
	result, err := m.Validate(gojsonschema.NewRawLoader(schema))
	if err != nil {
		return err
	}
	var all []string
	for _, e := range result.Errors() {
		all = append(all, e.String())
	}
	if len(all) > 0 {
		return errors.New(strings.Join(all, "; "))
	}
	return nil
}

// addresses gives every referenced schema an absolute address, so that no $id changes what a name means.
func addresses(references map[string]any) map[string]string {
	list := make(map[string]string, len(references))
	for name := range references {
		list[name] = fmt.Sprintf("http://reference.invalid/%d", len(list))
	}
	return list
}

// redirect puts the addresses into $ref for the names.
func redirect(node any, address map[string]string) {
	switch node := node.(type) {
	case []any:
		for _, v := range node {
			redirect(v, address)
		}
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok {
			name, fragment, pointed := strings.Cut(ref, "#")
			if to := address[name]; to != "" && pointed {
				node["$ref"] = to + "#" + fragment
			} else if to != "" {
				node["$ref"] = to
			}
		}
		for key, v := range node {
			if key != "const" && key != "enum" {
				redirect(v, address)
			}
		}
	}
}

// sealed is a loader whose schema can load nothing but the library's own metaschemas.
type sealed struct{ gojsonschema.JSONLoader }

// LoaderFactory makes the loaders of what the schema refers to.
func (sealed) LoaderFactory() gojsonschema.JSONLoaderFactory { return nothing{} }

type nothing struct{}

// New is a loader of a metaschema, or one that fails.
func (nothing) New(source string) gojsonschema.JSONLoader {
	if source, _, _ = strings.Cut(source, "#"); metaschema(source) == source && source != "" {
		return gojsonschema.NewReferenceLoader(source)
	}
	return refusal{sealed{gojsonschema.NewRawLoader(nil)}}
}

type refusal struct{ sealed }

// LoadJSON fails.
func (refusal) LoadJSON() (any, error) { return nil, errors.New("nothing is loaded from outside") }

// shorten cuts what the validator says of a schema.
func shorten(s string) string {
	const most = 1000
	s = strings.ToValidUTF8(strings.TrimSpace(s), "?")
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
