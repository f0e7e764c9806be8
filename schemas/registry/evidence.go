package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
	"github.com/onedoor/yimen/schemas/opinion"
)

// mostDocuments is how many documents both validators are asked about.
const mostDocuments = 60

// consult has an evidence schema judged by what such schemas must be, and asks the second validator about it: an evidence
// schema waits for the answer, another one goes on meanwhile. It is asked once for a registration.
func (r *Registry) consult(ctx context.Context, reg *registration, schema *gate.Schema, references []gate.Reference) error {
	if reg.schema == schema {
		return nil
	}
	t := EvidenceType(reg.subject)
	if t == "" {
		reg.schema = schema
		if r.opinion != nil && schema.Draft != draft2020 {
			reg.opinion = make(chan second, 1)
			go func(to chan<- second) { to <- r.warn(ctx, reg.subject, schema, references) }(reg.opinion)
		}
		return nil
	}
	examples, err := r.checkEvidence(t, reg.candidate, schema)
	if err != nil {
		return err
	}
	if r.opinion == nil {
		return noOpinion(nil)
	}
	disagreement, err := r.ask(ctx, schema, references, examples)
	if err != nil {
		return noOpinion(err)
	}
	if disagreement != (exchange.Text{}) {
		return badSchema(&exchange.Problem{Code: "YM-REG-0101", Kind: exchange.Invalid,
			What: text("第二校验器意见不同", "the second validator disagrees"), Why: disagreement,
			Mend: text("改用两个校验器都支持的写法，例如去掉少见的关键字", "write it in a way that both validators know, such as without rare keywords")})
	}
	reg.schema = schema
	return nil
}

const draft2020 = 2020

// checkEvidence says whether the candidate is an evidence schema of the type, and gives its examples.
func (r *Registry) checkEvidence(t exchange.EvidenceType, c Candidate, schema *gate.Schema) ([][]byte, error) {
	if len(c.References) > 0 || c.Metadata != nil {
		return nil, badSchema(&exchange.Problem{Code: "YM-REG-0102", Kind: exchange.Invalid,
			What: text("证照 Schema 不能有引用或元数据", "an evidence schema has no references and no metadata"),
			Mend: text("把被引用的部分写入 definitions，说明写入 x- 关键字", "write what is referred to into definitions, and remarks into x- keywords")})
	}
	s, err := schemas.Parse(schema.Text)
	if err != nil {
		return nil, badSchema(err)
	}
	if s.Type != t {
		return nil, badSchema(&exchange.Problem{Code: "YM-REG-0103", Kind: exchange.Invalid,
			What: text("x-evidence-type 与 subject 不符", "x-evidence-type is not that of the subject"),
			Why:  text("Schema 写的是 "+string(s.Type)+"，subject 是 "+string(t), "the schema says "+string(s.Type)+", the subject "+string(t)),
			Mend: text("改正其一；subject 为 "+EvidenceSubject(s.Type), "correct one of them; the subject is "+EvidenceSubject(s.Type))})
	}
	return s.Examples(), nil
}

// warn asks the second validator about a schema that is no evidence schema.
func (r *Registry) warn(ctx context.Context, subject string, schema *gate.Schema, references []gate.Reference) second {
	disagreement, err := r.ask(ctx, schema, references, examples(schema.Root))
	switch {
	case err != nil:
		disagreement = text("没有给出意见", "it gave no opinion")
		r.log.Warn("the second validator gives no opinion on a schema", "subject", subject, "error", err)
	case disagreement == (exchange.Text{}):
		return second{}
	default:
		r.log.Warn("the second validator disagrees on a schema", "subject", subject, "why", disagreement.EN)
	}
	return second{warnings: []exchange.Text{text("第二校验器："+disagreement.ZH, "second validator: "+disagreement.EN)}}
}

// examples are the documents that a schema gives as such.
func examples(root any) [][]byte {
	object, _ := root.(map[string]any)
	list, _ := object["examples"].([]any)
	var documents [][]byte
	for _, e := range list {
		if b, err := json.Marshal(e); err == nil {
			documents = append(documents, b)
		}
	}
	return documents
}

// ask compares the second validator's opinion with ours, on the schema, its examples and documents near them. The text says
// where they differ; it is empty where they do not.
func (r *Registry) ask(ctx context.Context, schema *gate.Schema, references []gate.Reference, examples [][]byte) (exchange.Text, error) {
	documents, ours := variants(schema, examples)
	portable, err := schema.Portable() // it compiles patterns as they stand
	if err != nil {
		return exchange.Text{}, err
	}
	q := opinion.Question{Schema: portable, Documents: documents, References: map[string][]byte{}}
	for _, ref := range references {
		if q.References[ref.Name], err = ref.Portable(); err != nil {
			return exchange.Text{}, err
		}
	}
	o, err := r.opinion.Ask(ctx, q)
	if err != nil {
		return exchange.Text{}, err
	}
	if !o.Accepted {
		return text("不接受此 Schema："+o.Why, "it does not accept the schema: "+o.Why), nil
	}
	for i, valid := range o.Valid {
		if i < len(ours) && valid != ours[i] {
			return text("对示例或由示例生成的文档判断不同", "it judges an example, or a document made from one, otherwise"), nil
		}
	}
	return exchange.Text{}, nil
}

// variants are the examples and documents near them, and what the validator of every day says of each.
func variants(schema *gate.Schema, examples [][]byte) (documents [][]byte, valid []bool) {
	add := func(b []byte) any {
		document, err := gate.Decode(b)
		if err != nil {
			return nil
		}
		documents, valid = append(documents, b), append(valid, schema.Validate(document) == nil)
		return document
	}
	for _, e := range examples {
		document := add(e)
		for _, v := range opinion.Variants(document, mostDocuments/max(1, len(examples))) {
			var b bytes.Buffer
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(v); err == nil {
				add(bytes.TrimSpace(b.Bytes()))
			}
		}
	}
	return documents, valid
}

// evidenceCache is the set of evidence schemas as of a count of changes.
type evidenceCache struct {
	mu     sync.Mutex
	kinds  int64
	set    *schemas.Set
	parsed map[string]*schemas.Schema // by guid; nil: no evidence schema
}

// Evidence is the set of evidence schemas: of every version of every subject evidence.<type>-value, deleted ones
// included, the newest version that is not deleted as the type's own.
func (r *Registry) Evidence() *schemas.Set {
	r.evidence.mu.Lock()
	defer r.evidence.mu.Unlock()
	gone, live, kinds := r.evidenceEntries()
	if r.evidence.set != nil && r.evidence.kinds == kinds {
		return r.evidence.set
	}
	var list []*schemas.Schema
	for _, e := range append(gone, live...) {
		if s := r.parsedEvidence(e); s != nil {
			list = append(list, s)
		}
	}
	r.evidence.set, r.evidence.kinds = (&schemas.Set{}).With(list...), kinds
	return r.evidence.set
}

// evidenceEntries lists the deleted versions and the others; none where nothing has changed.
func (r *Registry) evidenceEntries() (gone, live []Entry, kinds int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.evidence.set != nil && r.evidence.kinds == r.state.kinds {
		return nil, nil, r.state.kinds
	}
	for name, sub := range r.state.subjects {
		if EvidenceType(name) == "" {
			continue
		}
		for _, v := range sub.versions {
			if v.Deleted {
				gone = append(gone, v.Entry)
			} else {
				live = append(live, v.Entry)
			}
		}
	}
	return gone, live, r.state.kinds
}

func (r *Registry) parsedEvidence(e Entry) *schemas.Schema {
	if s, known := r.evidence.parsed[e.GUID]; known {
		return s
	}
	s, err := schemas.Parse(e.Text)
	if err != nil || s.Type != EvidenceType(e.Subject) {
		r.log.Warn("a version that was taken over is no evidence schema", "subject", e.Subject, "version", e.Version, "error", err)
		s = nil
	}
	if r.evidence.parsed == nil {
		r.evidence.parsed = map[string]*schemas.Schema{}
	}
	r.evidence.parsed[e.GUID] = s
	return s
}
