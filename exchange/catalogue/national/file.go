package national

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// written is the content of the catalogue's files, once the catalogue has been read with them.
func (r *reader) written(parts []fs.FS) (map[exchange.Item][]byte, error) {
	files, memory := map[exchange.Item][]byte{}, fstest.MapFS{}
	for _, i := range r.order {
		content, err := yaml.Marshal(document(i.Service))
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", i.Code, err)
		}
		files[i.Code], memory[fileOf(i.Code)] = content, &fstest.MapFile{Data: content}
	}
	if len(files) == 0 {
		return files, nil
	}
	_, err := catalogue.Load(append(slices.Clone(parts), memory)...)
	if err := r.placed(err); err != nil {
		return nil, err
	}
	return files, nil
}

func fileOf(code exchange.Item) string { return "items/" + string(code) + ".yaml" }

// placed puts what was found wrong with the files where it stands in the list.
func (r *reader) placed(err error) error {
	joined, several := err.(interface{ Unwrap() []error })
	if !several {
		return err
	}
	for _, one := range joined.Unwrap() {
		p, ok := one.(*exchange.Problem)
		at := slices.IndexFunc(r.order, func(i *item) bool { return ok && strings.HasPrefix(p.What.EN, fileOf(i.Code)+":") })
		if at < 0 {
			r.all = append(r.all, one)
			continue
		}
		_, zh, _ := strings.Cut(p.What.ZH, "：")
		_, en, _ := strings.Cut(p.What.EN, ": ")
		r.order[at].from.wrong("", text(zh, en), p.Mend)
	}
	return r.err()
}

// document is an item as catalogue.Load reads it.
func document(s catalogue.Service) yaml.MapSlice {
	applicant := string(s.Applicant)
	if applicant == "" {
		applicant = "any"
	}
	d := yaml.MapSlice{{Key: "item", Value: string(s.Code)}, {Key: "name", Value: words(s.Name)}, {Key: "department", Value: string(s.Department)}, {Key: "applicant", Value: applicant}}
	put := func(key string, value yaml.MapSlice) {
		if len(value) > 0 {
			d = append(d, yaml.MapItem{Key: key, Value: value})
		}
	}
	if n := s.National; n != nil {
		put("national", pairs("basic", n.Basic, "implementation", n.Implementation, "type", n.Type))
	}
	var limits yaml.MapSlice
	if days := s.Limits.Statutory; days != nil {
		limits = append(limits, yaml.MapItem{Key: "statutory", Value: *days})
	}
	if days := s.Limits.Promised; days != nil {
		limits = append(limits, yaml.MapItem{Key: "promised", Value: *days})
	}
	put("limits", limits)
	var fees, facts, materials []yaml.MapSlice
	for _, f := range s.Fees {
		fees = append(fees, yaml.MapSlice{{Key: "name", Value: words(f.Name)}, {Key: "yuan", Value: f.Yuan}, {Key: "basis", Value: words(f.Basis)}})
	}
	for _, f := range s.Facts {
		fact := yaml.MapSlice{{Key: "fact", Value: f.Code}, {Key: "name", Value: words(f.Name)}, {Key: "kind", Value: string(f.Kind)}}
		if len(f.Choices) > 0 {
			fact = append(fact, yaml.MapItem{Key: "choices", Value: f.Choices})
		}
		facts = append(facts, fact)
	}
	for _, m := range s.Materials {
		materials = append(materials, materialDocument(m))
	}
	if fees != nil {
		d = append(d, yaml.MapItem{Key: "fees", Value: fees})
	}
	if facts != nil {
		d = append(d, yaml.MapItem{Key: "facts", Value: facts})
	}
	return append(d, yaml.MapItem{Key: "materials", Value: materials})
}

func materialDocument(m catalogue.Material) yaml.MapSlice {
	needed := "required"
	if m.Optional {
		needed = "optional"
	}
	d := yaml.MapSlice{{Key: "material", Value: m.Code}, {Key: "name", Value: words(m.Name)}, {Key: "basis", Value: words(m.Basis)}, {Key: "necessity", Value: needed}}
	if m.Deferrable {
		d = append(d, yaml.MapItem{Key: "deferrable", Value: true})
	}
	d = append(d, pairs("if", m.If.String())...)
	if len(m.Alternatives) == 0 {
		return append(d, pairs("made_by", "applicant")...)
	}
	var sets [][]yaml.MapSlice
	for _, set := range m.Alternatives {
		var needs []yaml.MapSlice
		for _, n := range set {
			needs = append(needs, pairs("evidence", string(n.Evidence), "of", string(n.Of), "when", n.When.String()))
		}
		sets = append(sets, needs)
	}
	return append(d, yaml.MapItem{Key: "alternatives", Value: sets})
}

func words(t exchange.Text) yaml.MapSlice { return pairs("zh", t.ZH, "en", t.EN) }

// pairs are keys with their values, without those that are empty.
func pairs(keysAndValues ...string) yaml.MapSlice {
	var all yaml.MapSlice
	for i := 0; i < len(keysAndValues); i += 2 {
		if keysAndValues[i+1] != "" {
			all = append(all, yaml.MapItem{Key: keysAndValues[i], Value: keysAndValues[i+1]})
		}
	}
	return all
}
