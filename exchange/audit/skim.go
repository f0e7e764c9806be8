package audit

import (
	"math"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// EntryOf is the entry of a message, as Skim gives it. It is to be read only: others have the same.
func EntryOf(m *exchange.Message) (*Entry, error) {
	if e, read := m.Read.(*Entry); read {
		return e, nil
	}
	e, err := Skim(m.Key, m.Value)
	return &e, err
}

// Skim reads an entry as Parse does, and refuses what Parse refuses, but leaves its Inputs out. It is for whoever follows the topic: every
// node does so, for each query of the whole city. What the entry holds is one piece of memory: whoever keeps a part of it for long keeps
// a copy.
func Skim(key, value []byte) (Entry, error) {
	if len(value) > MaxEntry {
		return Entry{}, ErrNoEntry
	}
	e, plain := skim(value)
	if !plain {
		e, err := Parse(key, value)
		e.Inputs = exchange.Inputs{}
		return e, err
	}
	if !e.written(string(key)) {
		return Entry{}, ErrNoEntry
	}
	return e, nil
}

// skim reads an entry that is spelt just as encode spells it, which nearly all are: members in their order, no space, no escape. It
// says false of any other, whether that is an entry or not, and leaves it to a reader that knows all of JSON.
func skim(value []byte) (e Entry, plain bool) {
	s := scanner{all: string(value)}
	s.sign(`{"id":`)
	e.ID = s.text()
	e.Kind = Kind(s.member("kind"))
	s.sign(`,"time":`)
	e.Time = s.time()
	e.Department = exchange.Department(s.required("department"))
	e.Clerk = s.required("clerk")
	e.Case = s.required("case")
	e.Item = exchange.Item(s.required("item"))
	e.Subject = s.required("subject")
	e.Decision = Decision(s.required("decision"))
	e.Refusal = s.member("refusal")
	e.Near = s.member("near")
	e.Found = s.has(`,"found":true`)
	e.Nonce = s.member("nonce")
	e.Act = s.member("act")
	e.Target = s.member("target")
	e.Materials = s.materials()
	e.Mode = s.member("mode")
	e.On = exchange.Date(s.member("on"))
	e.Only = exchange.EvidenceType(s.member("only"))
	e.Stated = s.member("stated")
	e.Catalogue = s.required("catalogue")
	s.sign(`,"evaluated":`)
	e.Evaluated = s.time()
	e.Answers = s.member("answers")
	s.inputs()
	s.sign("}")
	return e, !s.lost && s.at == len(s.all)
}

// scanner reads one form of JSON from the front. Once something else was there it is lost, and whatever it reads means nothing.
type scanner struct {
	all  string
	at   int // what comes next
	lost bool
}

// has reads what must stand there if anything of the kind does.
func (s *scanner) has(sign string) bool {
	if !strings.HasPrefix(s.all[s.at:], sign) {
		return false
	}
	s.at += len(sign)
	return true
}

func (s *scanner) sign(sign string) {
	if !s.has(sign) {
		s.lost = true
	}
}

// text reads a text of printable ASCII without escapes.
func (s *scanner) text() string {
	s.sign(`"`)
	for i, from := s.at, s.at; i < len(s.all); i++ {
		switch c := s.all[i]; {
		case c == '"':
			s.at = i + 1
			return s.all[from:i]
		case c == '\\' || c < ' ' || c > '~':
			s.lost = true
			return ""
		}
	}
	s.lost = true
	return ""
}

// member reads a member that is left out where it is empty.
func (s *scanner) member(name string) string {
	const signs = len(`,"":`)
	rest := s.all[s.at:]
	if len(rest) < len(name)+signs || rest[:2] != `,"` || rest[2:2+len(name)] != name || rest[2+len(name):len(name)+signs] != `":` {
		return ""
	}
	s.at += len(name) + signs
	return s.text()
}

// required reads a member that always stands there.
func (s *scanner) required(name string) string {
	before := s.at
	text := s.member(name)
	s.lost = s.lost || s.at == before
	return text
}

// time reads a moment in UTC. The library of times takes more than that of JSON does: hours of one digit, commas.
func (s *scanner) time() (at time.Time) {
	const whole = "2006-01-02T15:04:05"
	text := s.text()
	if len(text) <= len(whole) || text[len(whole)-len(":04:05")] != ':' || text[len(whole)] == ',' || text[len(text)-1] != 'Z' {
		s.lost = true
		return at
	}
	if at.UnmarshalText([]byte(text)) != nil {
		s.lost = true
	}
	return at
}

// number reads a number of digits as strconv writes it.
func (s *scanner) number() (n uint64) {
	from := s.at
	for s.at < len(s.all) && s.all[s.at] >= '0' && s.all[s.at] <= '9' {
		n = n*10 + uint64(s.all[s.at]-'0')
		s.at++
	}
	const surely = len("9999999999999999999") // all of that many digits are below 2^64
	s.lost = s.lost || s.at == from || s.at > from+surely || s.at > from+1 && s.all[from] == '0'
	return n
}

// list reads what item reads, several times with commas between, up to the closing bracket.
func (s *scanner) list(item func()) {
	for first := true; !s.lost && !s.has("]"); first = false {
		if !first {
			s.sign(",")
		}
		item()
	}
}

func (s *scanner) materials() (all []Material) {
	if !s.has(`,"materials":[`) {
		return nil
	}
	all = make([]Material, 0, 8)
	s.list(func() {
		s.sign(`{"material":`)
		m := Material{Material: s.text(), Outcome: exchange.Outcome(s.required("outcome")), Reason: exchange.Reason(s.member("reason"))}
		if s.has(`,"evidence":[`) {
			s.list(func() { m.Evidence = append(m.Evidence, s.evidence()) })
			s.lost = s.lost || m.Evidence == nil // an empty list is left out
		}
		s.sign("}")
		all = append(all, m)
	})
	s.lost = s.lost || len(all) == 0
	return all
}

func (s *scanner) evidence() (e Evidence) {
	s.sign(`{"type":`)
	e.Type = exchange.EvidenceType(s.text())
	e.Of = exchange.Role(s.member("of"))
	e.Outcome = exchange.Outcome(s.required("outcome"))
	e.Reason = exchange.Reason(s.member("reason"))
	e.Record = s.member("record")
	if s.has(`,"version":`) {
		e.Version = exchange.Version(s.number())
	}
	s.sign("}")
	return e
}

// inputs reads over the inputs: topics, and of each its partitions, both in their order, so that none stands there twice.
func (s *scanner) inputs() {
	if !s.has(`,"inputs":{`) {
		return
	}
	before := ""
	for first := true; !s.lost && !s.has("}"); first = false {
		if !first {
			s.sign(",")
		}
		topic := s.text()
		s.lost = s.lost || !first && topic <= before
		before = topic
		s.sign(":{")
		s.partitions()
	}
}

func (s *scanner) partitions() {
	before := uint64(0)
	for first := true; !s.lost && !s.has("}"); first = false {
		if !first {
			s.sign(",")
		}
		s.sign(`"`)
		partition := s.number()
		s.lost = s.lost || !first && partition <= before
		before = partition
		s.sign(`":`)
		offset := s.number()
		s.lost = s.lost || partition > math.MaxInt || offset > math.MaxInt64
	}
}
