package broker

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
)

// Spell writes answers as they are told over HTTP and as audit entries commit to them: the same answers are the same bytes.
//
// They are the bytes that json.Marshal gives. Every query pays for them, and by reflection they cost twice as much.
func Spell(answers []exchange.Answer) ([]byte, error) {
	s := speller{out: make([]byte, 0, 768*len(answers)+2)}
	s.list(len(answers), func(i int) { s.answer(&answers[i]) })
	return s.out, s.err
}

// Spell writes a conclusion as it is told over HTTP, in one line. Its answers, the greater part, are the very bytes that the entry commits to.
func (c *Conclusion) Spell() ([]byte, error) {
	told := c.told
	if told == nil {
		var err error
		if told, err = Spell(c.Answers); err != nil {
			return nil, err
		}
	}
	s := speller{out: make([]byte, 0, len(told)+1024)}
	s.text(`{"id":`, c.ID)
	s.time(`,"time":`, c.Time)
	s.text(`,"case":`, c.Case)
	s.text(`,"item":`, string(c.Item))
	s.both(`,"item_name":`, c.ItemName)
	s.text(`,"applicant":`, c.Applicant)
	s.receipt(&c.Receipt)
	s.raw(`,"answers":`)
	s.out = append(s.out, told...)
	s.raw("}\n")
	return s.out, s.err
}

// speller appends JSON; an error stays. What comes before a value is the name of its member with the signs around it.
type speller struct {
	out []byte
	err error
}

func (s *speller) raw(signs string) { s.out = append(s.out, signs...) }

func (s *speller) keep(out []byte, err error) {
	if s.out = out; err != nil {
		s.err = err
	}
}

func (s *speller) text(before, value string) {
	s.raw(before)
	s.keep(jsontext.AppendQuote(s.out, value))
}

// some writes a text that is left out where it is empty.
func (s *speller) some(before, value string) {
	if value != "" {
		s.text(before, value)
	}
}

func (s *speller) both(before string, t exchange.Text) {
	s.raw(before)
	s.text(`{"zh":`, t.ZH)
	s.text(`,"en":`, t.EN)
	s.raw("}")
}

func (s *speller) number(before string, n uint64) {
	s.raw(before)
	s.out = strconv.AppendUint(s.out, n, 10)
}

func (s *speller) time(before string, at time.Time) {
	s.raw(before)
	s.raw(`"`)
	s.out = at.AppendFormat(s.out, time.RFC3339Nano)
	s.raw(`"`)
}

// published writes on one line an object of what a keeper published, or nothing where it is empty.
func (s *speller) published(before string, value []byte) {
	whole, from := s.out, len(s.out)+len(before)
	s.raw(before)
	s.keep(jsontext.AppendFormat(s.out, value, jsontext.AllowDuplicateNames(true))) // no name stands twice: documents went through the gate
	if len(s.out) == from+len("{}") {
		s.out = whole
	}
}

// rare writes what few answers have.
func (s *speller) rare(before string, value any) {
	text, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowDuplicateNames(true))
	s.raw(before)
	s.keep(append(s.out, text...), err)
}

func (s *speller) list(n int, item func(int)) {
	s.raw("[")
	for i := range n {
		if i > 0 {
			s.raw(",")
		}
		item(i)
	}
	s.raw("]")
}

func (s *speller) answer(a *exchange.Answer) {
	s.text(`{"material":`, a.Material)
	s.both(`,"name":`, a.Name)
	s.both(`,"basis":`, a.Basis)
	s.text(`,"outcome":`, string(a.Outcome))
	s.some(`,"reason":`, string(a.Reason))
	if len(a.Evidence) > 0 {
		s.raw(`,"evidence":`)
		s.list(len(a.Evidence), func(i int) { s.evidence(&a.Evidence[i]) })
	}
	if a.Deferrable {
		s.raw(`,"deferrable":true`)
	}
	s.some(`,"assurance":`, string(a.Assurance))
	if len(a.Ask) > 0 {
		s.rare(`,"ask":`, a.Ask)
	}
	if len(a.Unstated) > 0 {
		s.rare(`,"unstated_facts":`, a.Unstated)
	}
	if a.Met != nil {
		s.raw(`,"met":`)
		s.out = strconv.AppendBool(s.out, *a.Met)
	}
	s.raw("}")
}

func (s *speller) evidence(e *exchange.Evidence) {
	s.text(`{"type":`, string(e.Type))
	s.some(`,"of":`, string(e.Of))
	s.text(`,"outcome":`, string(e.Outcome))
	s.some(`,"reason":`, string(e.Reason))
	s.text(`,"keeper":`, string(e.Keeper))
	if !e.AsOf.IsZero() {
		s.time(`,"as_of":`, e.AsOf)
	}
	s.some(`,"record":`, e.Record)
	if e.Version != 0 {
		s.number(`,"version":`, uint64(e.Version))
	}
	s.some(`,"valid_until":`, string(e.Until))
	if len(e.Fields) > 0 {
		s.published(`,"fields":`, e.Fields)
	}
	s.some(`,"assurance":`, string(e.Assurance))
	if len(e.Differences) > 0 {
		s.rare(`,"differences":`, e.Differences)
	}
	if e.Result != nil {
		s.rare(`,"result":`, e.Result)
	}
	s.raw("}")
}

func (s *speller) receipt(r *audit.Receipt) {
	s.text(`,"receipt":{"id":`, r.ID)
	s.time(`,"time":`, r.Time)
	s.text(`,"hash":`, r.Hash)
	s.number(`,"partition":`, uint64(r.Partition))
	s.number(`,"offset":`, uint64(r.Offset))
	s.some(`,"key":`, r.Key)
	s.some(`,"signature":`, r.Signature)
	if r.Size != 0 {
		s.number(`,"size":`, r.Size)
	}
	if r.Index != 0 {
		s.number(`,"index":`, r.Index)
	}
	s.some(`,"path":`, r.Path)
	s.raw("}")
}
