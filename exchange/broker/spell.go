package broker

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/spell"
)

// Spell writes answers as they are told over HTTP and as audit entries commit to them: the same answers are the same bytes, those that
// json.Marshal gives.
func Spell(answers []exchange.Answer) ([]byte, error) {
	var w spell.Writer
	w.Room(768*len(answers) + 2)
	w.List("", len(answers), func(i int) { spellAnswer(&w, &answers[i]) })
	return w.Done()
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
	var w spell.Writer
	w.Room(len(told) + 1024)
	w.Text(`{"id":`, c.ID)
	w.Time(`,"time":`, c.Time)
	w.Text(`,"case":`, c.Case)
	w.Text(`,"item":`, string(c.Item))
	spellText(&w, `,"item_name":`, c.ItemName)
	w.Text(`,"applicant":`, c.Applicant)
	spellReceipt(&w, &c.Receipt)
	w.Raw(`,"answers":`)
	w.Bytes(told)
	w.Raw("}\n")
	return w.Done()
}

func spellText(w *spell.Writer, before string, t exchange.Text) {
	w.Raw(before)
	w.Text(`{"zh":`, t.ZH)
	w.Text(`,"en":`, t.EN)
	w.Raw("}")
}

func spellAnswer(w *spell.Writer, a *exchange.Answer) {
	w.Text(`{"material":`, a.Material)
	spellText(w, `,"name":`, a.Name)
	spellText(w, `,"basis":`, a.Basis)
	w.Text(`,"outcome":`, string(a.Outcome))
	w.Some(`,"reason":`, string(a.Reason))
	if len(a.Evidence) > 0 {
		w.List(`,"evidence":`, len(a.Evidence), func(i int) { spellEvidence(w, &a.Evidence[i]) })
	}
	w.Flag(`,"deferrable":`, a.Deferrable)
	w.Some(`,"assurance":`, string(a.Assurance))
	if len(a.Ask) > 0 {
		w.Any(`,"ask":`, a.Ask)
	}
	if len(a.Unstated) > 0 {
		w.Any(`,"unstated_facts":`, a.Unstated)
	}
	if a.Met != nil {
		w.Any(`,"met":`, *a.Met)
	}
	w.Raw("}")
}

func spellEvidence(w *spell.Writer, e *exchange.Evidence) {
	w.Text(`{"type":`, string(e.Type))
	w.Some(`,"of":`, string(e.Of))
	w.Text(`,"outcome":`, string(e.Outcome))
	w.Some(`,"reason":`, string(e.Reason))
	w.Text(`,"keeper":`, string(e.Keeper))
	if !e.AsOf.IsZero() {
		w.Time(`,"as_of":`, e.AsOf)
	}
	w.Some(`,"record":`, e.Record)
	w.Count(`,"version":`, uint64(e.Version))
	w.Some(`,"valid_until":`, string(e.Until))
	w.Object(`,"fields":`, e.Fields) // no name stands twice in it: documents went through the gate
	w.Some(`,"assurance":`, string(e.Assurance))
	if len(e.Differences) > 0 {
		w.Any(`,"differences":`, e.Differences)
	}
	if e.Result != nil {
		w.Any(`,"result":`, e.Result)
	}
	w.Raw("}")
}

func spellReceipt(w *spell.Writer, r *audit.Receipt) {
	w.Text(`,"receipt":{"id":`, r.ID)
	w.Time(`,"time":`, r.Time)
	w.Text(`,"hash":`, r.Hash)
	w.Number(`,"partition":`, int64(r.Partition))
	w.Number(`,"offset":`, r.Offset)
	w.Some(`,"key":`, r.Key)
	w.Some(`,"signature":`, r.Signature)
	w.Count(`,"size":`, r.Size)
	w.Count(`,"index":`, r.Index)
	w.Some(`,"path":`, r.Path)
	w.Raw("}")
}
