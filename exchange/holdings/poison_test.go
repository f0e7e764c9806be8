package holdings_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/schemas"
)

// TestPoisonStopsNoPartition: a message whose reading panics is refused and named, what stands behind it is folded, also within one
// batch, and nothing of what the panic held is told.
func TestPoisonStopsNoPartition(t *testing.T) {
	secret := citizen(7)
	for name, poison := range map[string]func(w *world, offset int64){
		"being opened": func(w *world, offset int64) {
			w.index.Without(func(m *exchange.Message) (envelope.Opened, error) {
				if m.Offset == offset {
					panic("cannot read " + secret)
				}
				return w.opener.Record(t.Context(), m)
			}, func(o *envelope.Opened) (schemas.Facts, error) {
				return schemas.Facts{Status: exchange.Valid, Holders: []exchange.Holder{holder(company(int(o.Version)))}}, nil
			})
		},
		"being understood": func(w *world, offset int64) {
			w.index.Without(func(m *exchange.Message) (envelope.Opened, error) { return w.opener.Record(t.Context(), m) },
				func(o *envelope.Opened) (schemas.Facts, error) {
					if o.Version == exchange.Version(offset+1) {
						panic(secret) // as a library might, with what it was given
					}
					return schemas.Facts{Status: exchange.Valid, Holders: []exchange.Holder{holder(company(int(o.Version)))}}, nil
				})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var msgs []exchange.Message
			for n := 1; n <= 3; n++ {
				msgs = append(msgs, w.seal(statement{of: licence, natural: company(n), version: n, holders: []string{company(n)}, name: "x"}))
			}
			poison(w, 1)
			if err := w.index.Fold(t.Context(), w.append(msgs...)); err != nil {
				t.Fatal(err)
			}
			for n, want := range map[int]bool{1: true, 2: false, 3: true} {
				if got := w.records(company(n)) != ""; got != want {
					t.Errorf("the record %d is found: %v", n, got)
				}
			}
			refused, err := w.index.Refused(t.Context())
			if err != nil || len(refused) != 1 || refused[0].Reason != "crashed" || refused[0].Offset != 1 || w.index.Counts().Refused["crashed"] != 1 {
				t.Errorf("refused are %+v, %v", refused, err)
			}
			said := w.log.String()
			if !strings.Contains(said, "reading a message panicked") || !strings.Contains(said, "poison_test.go:") || strings.Contains(said, secret) {
				t.Errorf("the log says %s", said)
			}
		})
	}
}

// TestPoisonedSchema panics for real: a schema that says nothing is asked for facts.
func TestPoisonedSchema(t *testing.T) {
	w := newWorld(t)
	config := w.config()
	known := config.Schema
	config.Schema = func(ctx context.Context, id string) (*schemas.Schema, error) {
		s, err := known(ctx, id)
		if err == nil && s != nil && s.Type == licence {
			return &schemas.Schema{Type: licence}, nil
		}
		return s, err
	}
	var err error
	if w.index, err = holdings.New(config); err != nil {
		t.Fatal(err)
	}
	w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "x"}, wed(1, citizen(1)))
	if counts := fmt.Sprint(w.index.Counts().Refused); counts != "map[crashed:1]" || w.records(citizen(1)) == "" {
		t.Errorf("refused %s; the record behind it is found as %q", counts, w.records(citizen(1)))
	}
}
