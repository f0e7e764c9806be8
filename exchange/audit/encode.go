package audit

import (
	"fmt"

	"github.com/onedoor/yimen/exchange/spell"
)

// encode writes the entry in the one form that Skim reads quickly: members in their order, what is empty left out, the inputs last.
func (e *Entry) encode() ([]byte, error) {
	var w spell.Writer
	w.Room(3 << 10)
	w.Text(`{"id":`, e.ID)
	w.Some(`,"kind":`, string(e.Kind))
	w.Time(`,"time":`, e.Time)
	w.Text(`,"department":`, string(e.Department))
	w.Text(`,"clerk":`, e.Clerk)
	w.Text(`,"case":`, e.Case)
	w.Text(`,"item":`, string(e.Item))
	w.Text(`,"subject":`, e.Subject)
	w.Text(`,"decision":`, string(e.Decision))
	w.Some(`,"refusal":`, e.Refusal)
	w.Some(`,"near":`, e.Near)
	w.Flag(`,"found":`, e.Found)
	w.Some(`,"nonce":`, e.Nonce)
	w.Some(`,"act":`, e.Act)
	w.Some(`,"target":`, e.Target)
	if len(e.Materials) > 0 {
		w.List(`,"materials":`, len(e.Materials), func(i int) { e.Materials[i].encode(&w) })
	}
	w.Some(`,"mode":`, e.Mode)
	w.Some(`,"on":`, string(e.On))
	if len(e.Chosen) > 0 {
		w.Any(`,"chosen":`, e.Chosen)
	}
	w.Some(`,"only":`, string(e.Only))
	w.Some(`,"stated":`, e.Stated)
	if len(e.Parties) > 0 {
		w.Any(`,"parties":`, e.Parties)
	}
	w.Text(`,"catalogue":`, e.Catalogue)
	w.Time(`,"evaluated":`, e.Evaluated)
	w.Some(`,"answers":`, e.Answers)
	if !e.Inputs.IsZero() {
		w.Of(`,"inputs":`, &e.Inputs)
	}
	w.Raw("}")
	out, err := w.Done()
	if err != nil {
		return nil, fmt.Errorf("encode audit entry: %w", err)
	}
	return out, nil
}

func (m *Material) encode(w *spell.Writer) {
	w.Text(`{"material":`, m.Material)
	w.Text(`,"outcome":`, string(m.Outcome))
	w.Some(`,"reason":`, string(m.Reason))
	if len(m.Evidence) > 0 {
		w.List(`,"evidence":`, len(m.Evidence), func(i int) { m.Evidence[i].encode(w) })
	}
	w.Raw("}")
}

func (e *Evidence) encode(w *spell.Writer) {
	w.Text(`{"type":`, string(e.Type))
	w.Some(`,"of":`, string(e.Of))
	w.Text(`,"outcome":`, string(e.Outcome))
	w.Some(`,"reason":`, string(e.Reason))
	w.Some(`,"record":`, e.Record)
	w.Count(`,"version":`, uint64(e.Version))
	w.Raw("}")
}
