package compat

import (
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// text finds strings for a branch.
func (s *search) text(b *branch, g *goal) result {
	w := &dictionary{least: 0, most: nothing}
	var formats, refused []string
	for _, l := range b.pos {
		n := l.n.s
		if n.MinLength != nil {
			w.least = max(w.least, *n.MinLength)
		}
		if n.MaxLength != nil {
			w.most = min(w.most, *n.MaxLength)
		}
		if n.Pattern != nil {
			w.in = append(w.in, n.Pattern)
		}
		if n.Format != nil {
			formats = append(formats, n.Format.Name)
		}
	}
	for _, a := range b.atoms {
		if a.kind != atKeyword {
			continue
		}
		switch a.name {
		case "minLength":
			w.most = min(w.most, *a.n.s.MinLength-1)
		case "maxLength":
			w.least = max(w.least, *a.n.s.MaxLength+1)
		case "pattern":
			w.out = append(w.out, a.n.s.Pattern)
		case "format":
			refused = append(refused, a.n.s.Format.Name)
		}
	}
	if g.name != nil {
		w.in, w.out = append(w.in, g.name.in...), append(w.out, g.name.out...)
	}
	if w.least > w.most || clash(formats, refused) || clash(patternTexts(w.in), patternTexts(w.out)) {
		return isClosed
	}
	return s.words(b, g, w, append(formats, refused...))
}

func (s *search) words(b *branch, g *goal, w *dictionary, formats []string) result {
	if len(formats) > 0 {
		if r := s.tryPool(b, g, samplesOf(formats, w.least), false); r.status == sat {
			return r
		}
	}
	avoid := 0
	if g.name != nil {
		avoid = len(g.name.not)
	}
	for _, a := range b.atoms {
		if a.kind == atKeyword && a.name == "enum" {
			avoid += len(a.n.s.Enum.Values)
		}
		avoid += b2i(a.kind == atKeyword && a.name == "const")
	}
	pool, all := s.language(w, 8+min(avoid, 400), avoid > 0)
	return s.tryPool(b, g, pool, all)
}

func clash(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

func patternTexts(list []jsonschema.Regexp) []string {
	var texts []string
	for _, re := range list {
		texts = append(texts, re.String())
	}
	return texts
}

// samples are strings of the formats; some of each are short, so that they also refute others.
var samples = map[string][]string{
	"date":                  {"2020-01-01", "1999-12-31", "2024-02-29", "2000-06-15", "2010-10-10"},
	"date-time":             {"2020-01-01T00:00:00Z", "1999-12-31T23:59:59+08:00", "2024-02-29T12:00:00Z", "2010-10-10T10:10:10Z"},
	"time":                  {"00:00:00Z", "12:30:00+08:00", "23:59:59Z", "01:02:03Z"},
	"email":                 {"a@example.com", "b@example.org", "c@example.net", "d@example.com"},
	"idn-email":             {"a@example.com", "b@example.org", "c@example.net", "d@example.com"},
	"hostname":              {"example.com", "example.org", "a.example", "b.example"},
	"idn-hostname":          {"example.com", "example.org", "a.example", "b.example"},
	"ipv4":                  {"192.0.2.1", "192.0.2.2", "198.51.100.3", "203.0.113.4"},
	"ipv6":                  {"2001:db8::1", "2001:db8::2", "::1", "2001:db8::4"},
	"uri":                   {"https://example.com/", "urn:a:b", "https://example.org/a", "mailto:a@example.com"},
	"iri":                   {"https://example.com/", "urn:a:b", "https://example.org/a", "mailto:a@example.com"},
	"uri-reference":         {"/a", "b", "https://example.com/", "#c"},
	"iri-reference":         {"/a", "b", "https://example.com/", "#c"},
	"uri-template":          {"/a/{b}", "/c", "/{d}", "e"},
	"uuid":                  {"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003", "00000000-0000-4000-8000-000000000004"},
	"json-pointer":          {"", "/a", "/b", "/c/d"},
	"relative-json-pointer": {"0", "1/a", "2#", "0/b"},
	"regex":                 {"a", "^b$", "c*", "[0-9]+"},
	"duration":              {"P1D", "PT1H", "P1Y", "P2W"},
	"period":                {"2020-01-01T00:00:00Z/P1D", "2020-01-01T00:00:00Z/2020-01-02T00:00:00Z"},
	"semver":                {"1.0.0", "0.1.0", "2.3.4-rc.1", "1.2.3"},
	// Made-up numbers with right check digits.
	"cn-citizen-number": {"11010519491231002X", "440524188001010014"},
	"cn-credit-code":    {"91350100M000100Y43"},
	"cn-holder-number":  {"11010519491231002X", "91350100M000100Y43"},
	"cn-division":       {"110105", "350100", "110000", "440524"},
}

// strangers are strings of hardly any format.
var strangers = []string{"?", "", " ", "%", "0", "{", "a b", "\\", "(", "\u4e2d"}

// samplesOf are strings of the formats and strings that are of none, of some length at least.
func samplesOf(formats []string, least int) []any {
	var pool []any
	for _, name := range formats {
		for _, text := range samples[name] {
			pool = append(pool, text)
		}
	}
	for _, text := range strangers {
		pool = append(pool, text)
		if n := least - len(text); n > 0 && n < 10_000 {
			pool = append(pool, text+strings.Repeat("?", n))
		}
	}
	return pool
}
