package registry

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/onedoor/yimen/schemas/gate"
)

func TestGUID(t *testing.T) {
	uuid := func(content string) string {
		s := fmt.Sprintf("%x", md5.Sum([]byte(content)))
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	}
	s, err := gate.Admit([]byte(` {"type": "string"} `))
	must(t, err)
	refs := []Reference{{"n", "s", 258}}
	meta := &Metadata{Tags: map[string][]string{"b": {"2", "1", "2"}, "a": nil}, Properties: map[string]string{"y": "z", "x": "w"}, Sensitive: []string{"q", "p"}}
	for _, row := range []struct{ got, want string }{
		{contentGUID(s.Text, nil, nil), s.ID()},
		{contentGUID([]byte("{}"), nil, nil), uuid("{}")},
		{contentGUID([]byte("{}"), refs, nil), uuid("{}ns\x00\x00\x01\x02")},
		{contentGUID([]byte("{}"), nil, &Metadata{}), uuid("{}\x01")},
		{contentGUID([]byte("{}"), refs, meta), uuid("{}ns\x00\x00\x01\x02\x01ab12xwyzpq")},
	} {
		if row.got != row.want {
			t.Errorf("guid %s, want %s", row.got, row.want)
		}
	}
}

func TestRecordBytes(t *testing.T) {
	s := newState()
	s.add(&version{Entry: Entry{Subject: "a\"值", Version: 2, ID: 7, GUID: contentGUID([]byte("{}"), nil, nil), Text: []byte("{}"), References: []Reference{{"n", "s", 1}}}})
	s.made("").level, s.made("x").mode = "FULL", "READONLY"
	for _, row := range []struct {
		key        recordKey
		name, want string
	}{
		{schemaKey("a\"值", 2), `{"keytype":"SCHEMA","subject":"a\"值","version":2,"magic":1}`,
			`{"subject":"a\"值","version":2,"id":7,"md5":"mZFLkyvTelC5g8XnyQrpOw==","schemaType":"JSON","references":[{"name":"n","subject":"s","version":1}],"schema":"{}","deleted":false}`},
		{levelKey(""), `{"keytype":"CONFIG","magic":0}`, `{"compatibilityLevel":"FULL"}`},
		{modeKey("x"), `{"keytype":"MODE","subject":"x","magic":0}`, `{"subject":"x","mode":"READONLY"}`},
		{modeKey("y"), `{"keytype":"MODE","subject":"y","magic":0}`, ``},
	} {
		if got := string(row.key.bytes()); got != row.name {
			t.Errorf("key %s, want %s", got, row.name)
		}
		if got := string(s.value(row.key)); got != row.want {
			t.Errorf("value %s, want %s", got, row.want)
		}
		if back, err := parseKey(row.key.bytes()); err != nil || back != row.key {
			t.Errorf("%v read as %v, %v", row.key, back, err)
		}
	}
}

// message is a proposal as it stands on the topic.
func message(t testing.TB, p proposal) (key, value []byte) {
	t.Helper()
	p.Format = proposalFormat
	if p.Nonce == "" {
		p.Nonce = newNonce()
	}
	value, err := p.bytes()
	must(t, err)
	return []byte(p.Subject), value
}

func TestFoldRefuses(t *testing.T) {
	good := proposal{Operation: opRegister, Subject: "a", Heads: map[string]int64{"a": never, "": never}, Text: "{}", Nonce: strings.Repeat("0", nonceLength)}
	changed := func(change func(*proposal)) proposal {
		p := good
		change(&p)
		return p
	}
	_, text := message(t, good)
	s := newState()
	offset := int64(0)
	fold := func(key, value []byte) string {
		before := offset
		offset++
		p, err := parseProposal(key, value)
		return s.fold(before, p, err).kind
	}
	for _, row := range []struct {
		what  string
		key   string
		value []byte
		want  string
	}{
		{"nothing", "a", nil, foreign},
		{"no JSON", "a", []byte("x"), foreign},
		{"another's JSON", "a", []byte(`{"x":1}`), foreign},
		{"a member twice", "a", bytes.Replace(text, []byte(`"v":1`), []byte(`"v":1,"v":1`), 1), foreign},
		{"a newer format", "a", bytes.Replace(text, []byte(`"v":1`), []byte(`"v":2,"new":{}`), 1), newer},
		{"an unknown member", "a", bytes.Replace(text, []byte(`"v":1`), []byte(`"v":1,"new":{}`), 1), malformed},
		{"another key", "b", text, malformed},
		{"trailing bytes", "a", append(bytes.Clone(text), '{'), foreign},
		{"accepted", "a", text, accepted},
		{"again", "a", text, repeated},
	} {
		if got := fold([]byte(row.key), row.value); got != row.want {
			t.Errorf("%s: %s, want %s", row.what, got, row.want)
		}
	}
	at := offset - 2
	now := map[string]int64{"a": at, "": never}
	for _, row := range []struct {
		what string
		p    proposal
		want string
	}{
		{"stale", changed(func(p *proposal) { p.Text, p.Nonce = "true", "" }), stale},
		{"without its own head", changed(func(p *proposal) { p.Heads, p.Nonce = map[string]int64{"": never}, "" }), malformed},
		{"no text", changed(func(p *proposal) { p.Text = "" }), malformed},
		{"short nonce", changed(func(p *proposal) { p.Nonce = "1" }), malformed},
		{"unknown operation", changed(func(p *proposal) { p.Operation = "explode" }), malformed},
		{"reference without its head", changed(func(p *proposal) { p.References = []Reference{{"n", "b", 1}} }), malformed},
		{"negative id", changed(func(p *proposal) { p.ID = -1 }), malformed},
		{"bad level", proposal{Operation: opSetLevel, Subject: "a", Heads: now, Compatibility: "x"}, malformed},
		{"bad mode", proposal{Operation: opSetMode, Subject: "a", Heads: now, Mode: "x"}, malformed},
		{"taken version", proposal{Operation: opRegister, Subject: "a", Heads: now, Text: "true", Version: 1}, refused},
		{"taken id", proposal{Operation: opRegister, Subject: "a", Heads: now, Text: "true", ID: 1, Version: 2}, refused},
		{"delete what is not there", proposal{Operation: opDeleteVersion, Subject: "a", Heads: now, Version: 9}, refused},
		{"delete at once for good", proposal{Operation: opDeleteVersion, Subject: "a", Heads: now, Version: 1, Permanent: true}, refused},
		{"delete a subject at once for good", proposal{Operation: opDeleteSubject, Subject: "a", Heads: now, Permanent: true}, refused},
		{"deprecate what is not there", proposal{Operation: opDeprecate, Subject: "a", Heads: now, Version: 9}, refused},
		{"adopt when all is said", proposal{Operation: opAdopt, Subject: "a", Adopted: &adopted{After: never, Kind: adoptID}, ID: 4}, stale},
		{"adopt without a record", proposal{Operation: opAdopt, Subject: "a"}, malformed},
		{"mode", proposal{Operation: opSetMode, Subject: "a", Heads: now, Mode: "IMPORT"}, accepted},
	} {
		if got := fold(message(t, row.p)); got != row.want {
			t.Errorf("%s: %s, want %s", row.what, got, row.want)
		}
	}
	if len(s.history) != 2 || s.maxID != 1 || len(s.nonces) != 2 {
		t.Errorf("%d changes, highest id %d", len(s.history), s.maxID)
	}
}

// model is a registry without heads, written another way: what was accepted, in order.
type model struct {
	versions map[string]map[int]string // subject → number → content
	deleted  map[string]map[int]bool
	next     map[string]int
	ids      map[string]int
	highest  int
}

// TestModel has random changes, each judged against the current heads, fold as a simple model says.
func TestModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		s := newState()
		m := model{map[string]map[int]string{}, map[string]map[int]bool{}, map[string]int{}, map[string]int{}, 0}
		for offset := range int64(200) {
			name, number := fmt.Sprint("s", random.IntN(3)), 1+random.IntN(6)
			p := proposal{Subject: name, Heads: map[string]int64{name: s.head(name)}}
			var want bool
			if random.IntN(3) > 0 {
				p.Operation, p.Text = opRegister, fmt.Sprint(random.IntN(12))
				want = m.register(name, p.Text)
			} else {
				p.Operation, p.Version, p.Permanent = opDeleteVersion, number, random.IntN(2) == 0
				want = m.delete(name, number, p.Permanent)
			}
			key, value := message(t, p)
			read, err := parseProposal(key, value)
			if got := s.fold(offset, read, err); (got.kind == accepted) != want {
				t.Fatalf("offset %d: %s, and the model says %v", offset, got.kind, want)
			}
		}
		m.compare(t, s)
	}
}

func (m *model) register(name, content string) bool {
	if m.versions[name] == nil {
		m.versions[name], m.deleted[name] = map[int]string{}, map[int]bool{}
	}
	m.next[name]++
	m.versions[name][m.next[name]] = content
	if m.ids[content] == 0 {
		m.highest++
		m.ids[content] = m.highest
	}
	return true
}

func (m *model) delete(name string, number int, permanent bool) bool {
	if _, there := m.versions[name][number]; !there || m.deleted[name][number] != permanent {
		return false
	}
	if m.deleted[name][number] = true; permanent {
		delete(m.versions[name], number)
		delete(m.deleted[name], number)
	}
	return true
}

func (m *model) compare(t *testing.T, s *state) {
	t.Helper()
	count := 0
	for name, versions := range m.versions {
		for number, content := range versions {
			count++
			v := s.of(name).version(number)
			if v == nil || string(v.Text) != content || v.ID != m.ids[content] || v.Deleted != m.deleted[name][number] {
				t.Fatalf("%s/%d is %+v, the model says %s, id %d", name, number, v, content, m.ids[content])
			}
		}
	}
	for _, sub := range s.subjects {
		count -= len(sub.versions)
	}
	if count != 0 {
		t.Fatalf("%d versions too few", count)
	}
}

func FuzzProposal(f *testing.F) {
	for _, p := range []proposal{
		{Operation: opRegister, Subject: "a", Heads: map[string]int64{"a": never, "b": 3}, Text: "{}", References: []Reference{{"n", "b", 1}}},
		{Operation: opDeleteSubject, Subject: "a", Heads: map[string]int64{"a": never}},
		{Operation: opAdopt, Subject: "a", Text: "{}", ID: 3, Version: 2, Adopted: &adopted{After: never, Kind: adoptSchema}},
	} {
		key, value := message(f, p)
		f.Add(key, value)
	}
	f.Add([]byte("a"), []byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if !utf8.Valid(key) {
			if p, _ := parseProposal(key, value); p != nil {
				t.Fatal("a subject that is not UTF-8")
			}
			return
		}
		s := newState()
		register := proposal{Operation: opRegister, Subject: string(key), Heads: map[string]int64{string(key): never}, Text: "{}", Nonce: newNonce()}
		s.fold(0, &register, nil)
		p, err := parseProposal(key, value)
		if (p == nil) == (err == nil) {
			t.Fatal("neither a proposal nor an error")
		}
		if o := s.fold(1, p, err); o.kind == "" || s.next != 2 {
			t.Fatal("the fold stopped")
		}
		for k := range s.derived {
			if back, err := parseKey(k.bytes()); err == nil && back != k {
				t.Fatalf("%v read as %v", k, back)
			}
		}
	})
}

func FuzzRecord(f *testing.F) {
	for _, m := range confluent() {
		f.Add(m.Key, m.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		k, err := parseKey(key)
		if err != nil {
			return
		}
		again := canonical(k, canonical(k, value))
		if once := canonical(k, value); !bytes.Equal(once, again) {
			t.Fatalf("%s is not settled: %s", once, again)
		}
	})
}
