package catalogue

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/condition"
)

// alternatives reads a list of sets of needs.
func (l *loader) alternatives(f *file, n ast.Node) []Alternative {
	var all []Alternative
	for _, s := range f.list(n) {
		var set Alternative
		for _, need := range f.list(s) {
			if need := l.need(f, need); need.Evidence != "" && !slices.ContainsFunc(set, need.same) {
				set = append(set, need)
			}
		}
		if sequence, ok := s.(*ast.SequenceNode); ok && len(sequence.Values) == 0 {
			f.emptyAlternatives(s)
		}
		all = append(all, set)
	}
	if n != nil && len(all) == 0 {
		f.emptyAlternatives(n)
	}
	return all
}

// need reads an evidence type, alone or with whose it is and what it must be like.
func (l *loader) need(f *file, n ast.Node) Need {
	if _, detailed := n.(ast.MapNode); !detailed {
		return Need{Evidence: known(f, n, evidenceType, l.catalogue.evidence)}
	}
	found := f.fields(n, "evidence", "of?", "when?")
	of := exchange.Role(f.choice(found["of"], string(exchange.Self), string(exchange.Spouse), string(exchange.Representative), string(exchange.Agent)))
	if of == exchange.Self {
		of = ""
	}
	return Need{Evidence: known(f, found["evidence"], evidenceType, l.catalogue.evidence), Of: of, When: f.condition(found["when"])}
}

// same says whether two needs ask for the same.
func (n Need) same(other Need) bool {
	return n.Evidence == other.Evidence && n.Of == other.Of && n.When.String() == other.When.String()
}

// emptyAlternatives: an empty set would be met by nothing at all, that is always.
func (f *file) emptyAlternatives(at ast.Node) {
	f.report("YM-CAT-0205", at, text("没有写任何证照类型", "no evidence type is named"),
		text("写成如 [[property-title], [property-registration]]", "write it like [[property-title], [property-registration]]"))
}

// condition reads an expression; a missing one always holds.
func (f *file) condition(n ast.Node) condition.Condition {
	word := f.word(n)
	if word == "" {
		return condition.Condition{}
	}
	c, err := condition.Parse(word)
	if p, ok := err.(*exchange.Problem); ok {
		f.report(p.Code, n, p.What, p.Mend)
	}
	return c
}

func (f *file) facts(n ast.Node) []Fact {
	var all []Fact
	codes := map[string]string{}
	for _, n := range f.list(n) {
		found := f.fields(n, "fact", "name", "kind", "choices?")
		fact := Fact{
			Code: f.name(found["fact"]),
			Name: f.text(found["name"]),
			Kind: FactKind(f.choice(found["kind"], string(Flag), string(Words), string(Number), string(Day), string(Choice))),
		}
		for _, choice := range f.list(found["choices"]) {
			fact.Choices = append(fact.Choices, f.word(choice))
		}
		if fact.Kind != "" && (fact.Kind == Choice) != (len(fact.Choices) > 1) {
			f.report("YM-CAT-0207", n, text("只有 kind: choice 的事实写 choices，且不少于两个", "choices, two or more, stand with kind: choice and with no other"),
				text("补上或删去 choices", "add choices, or remove them"))
		}
		if fact.Code != "" && f.fresh(fact.Code, found["fact"], codes) {
			all = append(all, fact)
		}
	}
	return all
}

// checkFacts finds conditions on facts that nobody would be asked for.
func (f *file) checkFacts(at ast.Node, s Service) {
	var declared []string
	for _, fact := range s.Facts {
		declared = append(declared, fact.Code)
	}
	for _, c := range s.Conditions() {
		for _, name := range c.Facts() {
			if !slices.Contains(declared, name) {
				f.report("YM-CAT-0208", at, text("条件 "+c.String()+" 用到没有声明的事实 "+name, "the condition "+c.String()+" speaks of the fact "+name+", which is not declared"),
					suggestion(name, declared))
			}
		}
	}
}

// Conditions are all conditions of the item, in its order.
func (s Service) Conditions() []condition.Condition {
	var all []condition.Condition
	add := func(c condition.Condition) {
		if !c.IsZero() {
			all = append(all, c)
		}
	}
	for _, m := range s.Materials {
		add(m.If)
		for _, set := range m.Alternatives {
			for _, need := range set {
				add(need.When)
			}
		}
	}
	return all
}

// Only is the item with no more of each material than that type of the applicant's own evidence, each under the conditions it has;
// false where the item asks for none.
func (s Service) Only(t exchange.EvidenceType) (Service, bool) {
	all := s.Materials
	s.Materials = nil
	for _, m := range all {
		var narrowed []Alternative
		for _, need := range slices.Concat(m.Alternatives...) {
			if need.Evidence == t && need.Of == "" {
				narrowed = append(narrowed, Alternative{need})
			}
		}
		if m.Alternatives = narrowed; len(narrowed) > 0 {
			s.Materials = append(s.Materials, m)
		}
	}
	return s, len(s.Materials) > 0
}
