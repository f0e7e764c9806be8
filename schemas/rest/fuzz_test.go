package rest

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzBody(f *testing.F) {
	for _, body := range []string{"", "{}", `{"schema":"{}","schemaType":"JSON","references":[{"name":"a","subject":"b","version":1}],"metadata":{"tags":{"a":["b"]}},"ruleSet":{"a":[1]}}`,
		`{"schema":{"a":1},"schemaType":"JSON"}`, `{"compatibility":"FULL","normalize":true}`, strings.Repeat("[", 100)} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var w wish
		if parse(body, &w) == nil {
			if c, err := w.candidate(); err == nil && (len(c.Text) == 0 || !utf8.Valid(c.Text) || c.ID < 0 || c.Version < 0) {
				t.Errorf("%q gives %+v", body, c)
			}
		}
		var l levelWish
		if parse(body, &l) == nil {
			if got, err := l.wanted(); err == nil && got.Compatibility == "" && got.Policy == "" {
				t.Errorf("%q sets nothing", body)
			}
		}
	})
}

func FuzzAddress(f *testing.F) {
	f.Add("/subjects/a%2Fb/versions/latest", "deleted=True&offset=1&limit=-1&subject=:.x:a")
	f.Add("/contexts/:.:/schemas/ids/1", "%zz&=&a;b")
	f.Add("//", "limit=99999999999999")
	f.Fuzz(func(t *testing.T, path, raw string) {
		q := queryOf(raw)
		q.flag("deleted", "verbose")
		if list, err := part(q, []int{1, 2, 3}); err == nil && len(list) > 3 {
			t.Errorf("%q gives %v", raw, list)
		}
		segments, err := segmentsOf(path)
		if err != nil {
			return
		}
		for _, r := range routes {
			if names, fits := match(r.pattern, segments); fits && len(names) != strings.Count(r.pattern, "*") {
				t.Errorf("%q gives %q by %s", path, names, r.pattern)
			}
		}
		for _, s := range segments {
			version(s)
			if name, err := plainSubject(s); err == nil && (name == "" || !utf8.ValidString(name)) {
				t.Errorf("%q is taken for a subject", s)
			}
		}
	})
}
