package adapters

import (
	"context"
	"errors"
	"time"

	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas"
)

// Report says what would become of a source's rows.
type Report struct {
	Read      int64    `json:"read"`
	Sound     int64    `json:"sound"`
	Faulty    int64    `json:"faulty"`
	Kinds     []Kind   `json:"kinds"`               // of faults, in the order of their first line
	Documents []string `json:"documents,omitempty"` // the first sound rows as they would be published; personal data
}

// Kind is one kind of fault with how often it occurs.
type Kind struct {
	Fault mapping.Fault `json:"fault"`
	Count int64         `json:"count"`
	Lines []int         `json:"lines"` // of the first few
}

// fewLines is how many lines of one kind of fault a report names.
const fewLines = 5

// errEnough ends a check that was to read so many rows only.
var errEnough = errors.New("enough rows read")

// Check reads a source and examines its rows, at most so many where most is above 0, and gives the first documents.
// It publishes nothing, needs no key and leaves no state.
func Check(ctx context.Context, m *Manifest, source Source, schema *schemas.Schema, most int64, documents int) (Report, error) {
	report := Report{Kinds: []Kind{}}
	rules, err := mapping.Compile(m.Mapping, m.Absent)
	if err != nil {
		return report, err
	}
	names, err := envelope.NewNames(envelope.Standard, make([]byte, 32)) // nobody sees them
	if err != nil {
		return report, err
	}
	r := &Runner{cfg: Config{Manifest: m, Source: source, Schema: schema, Clock: time.Now}, mapping: rules, names: names}
	_, err = r.examineAll(ctx, nil, func(f *finding) error {
		report.add(f, documents)
		if most > 0 && report.Read >= most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return report, err
}

func (r *Report) add(f *finding, documents int) {
	r.Read++
	if len(f.faults) == 0 {
		r.Sound++
		if len(r.Documents) < documents {
			r.Documents = append(r.Documents, string(f.payload))
		}
		return
	}
	r.Faulty++
	for _, fault := range f.faults {
		r.count(f.row.Line, fault)
	}
}

func (r *Report) count(line int, f mapping.Fault) {
	for i := range r.Kinds {
		if k := &r.Kinds[i]; k.Fault.Code == f.Code && k.Fault.Column == f.Column {
			k.Count++
			if len(k.Lines) < fewLines {
				k.Lines = append(k.Lines, line)
			}
			return
		}
	}
	r.Kinds = append(r.Kinds, Kind{Fault: f, Count: 1, Lines: []int{line}})
}
