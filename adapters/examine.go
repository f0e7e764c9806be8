package adapters

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

// finding is what the examination of one row found: a payload that may be published, or faults.
type finding struct {
	row     Row
	payload []byte
	digest  exchange.Digest
	id      exchange.RecordID
	named   bool // the row's natural number could be read, so id is the record's
	holders []exchange.Holder
	// readable says that every holder of the row could be read, so that answers for all of them can say "unknown".
	readable bool
	faults   []mapping.Fault
}

// chunkRows is how many rows one worker examines at a time.
const chunkRows = 256

type chunk struct {
	findings []finding
	done     chan struct{}
}

// examineAll examines every row of the source after the place, on all processors, and hands the findings on in the source's
// order.
func (r *Runner) examineAll(ctx context.Context, from Place, take func(*finding) error) (Reading, error) {
	var end Reading
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan *chunk)
	order := make(chan *chunk, 2*runtime.GOMAXPROCS(0))
	group.Go(func() (err error) {
		defer close(work)
		defer close(order)
		end, err = r.chop(ctx, from, func(c *chunk) error {
			return errors.Join(send(ctx, order, c), send(ctx, work, c))
		})
		return err
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for c := range work {
				for i := range c.findings {
					r.examine(&c.findings[i])
				}
				close(c.done)
			}
			return nil
		})
	}
	group.Go(func() error { return inOrder(ctx, order, take) })
	err := group.Wait() // before end is read: the order of a return's operands is not promised
	return end, err
}

// chop cuts the source's rows into chunks.
func (r *Runner) chop(ctx context.Context, from Place, hand func(*chunk) error) (Reading, error) {
	current := &chunk{done: make(chan struct{})}
	end, err := r.cfg.Source.Read(ctx, from, func(row Row) error {
		row.Values, row.Place = slices.Clone(row.Values), slices.Clone(row.Place)
		current.findings = append(current.findings, finding{row: row})
		if len(current.findings) < chunkRows {
			return nil
		}
		full := current
		current = &chunk{done: make(chan struct{})}
		return hand(full)
	})
	if err != nil || len(current.findings) == 0 {
		return end, err
	}
	return end, hand(current)
}

func send(ctx context.Context, to chan<- *chunk, c *chunk) error {
	select {
	case to <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func inOrder(ctx context.Context, order <-chan *chunk, take func(*finding) error) error {
	for c := range order {
		select {
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		for i := range c.findings {
			if err := take(&c.findings[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// examine maps a row and checks what came of it. It is pure: the same row gives the same finding.
func (r *Runner) examine(f *finding) {
	if f.row.Damage != nil {
		f.faults = []mapping.Fault{{Code: f.row.Damage.Code, What: f.row.Damage.What, Mend: f.row.Damage.Mend}}
	}
	document, faults := r.mapping.Apply(f.row.Columns, f.row.Values)
	f.faults = append(f.faults, distinct(faults)...)
	r.identify(f, document)
	if len(f.faults) == 0 {
		if err := r.validate(f, document); err != nil {
			f.faults = append(f.faults, r.faultsOf(err)...)
		}
	}
	if len(f.faults) > 0 {
		f.row.Values = bounded(f.row.Values)
	}
}

// distinct leaves out a fault that stands already: one column may fill several properties.
func distinct(faults []mapping.Fault) []mapping.Fault {
	var kept []mapping.Fault
	for _, f := range faults {
		same := func(k mapping.Fault) bool { return k.Code == f.Code && k.Column == f.Column && k.What == f.What }
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, f)
		}
	}
	return kept
}

// identify reads whose row it is and of which record, as far as a faulty row tells.
func (r *Runner) identify(f *finding, document map[string]any) {
	who := r.cfg.Schema.Identify(document)
	f.holders, f.readable = who.Holders, who.Whole
	if who.Natural != "" {
		f.id, f.named = r.names.RecordID(r.cfg.Manifest.Evidence, who.Natural), true
	}
}

// maxPayload bounds a document in bytes, well below what a message of Kafka may hold.
const maxPayload = 512 << 10

// numbers writes a number as it was read: no digit is lost.
var numbers = json.MarshalToFunc(func(to *jsontext.Encoder, n stdjson.Number) error {
	return to.WriteValue(jsontext.Value(n))
})

func (r *Runner) validate(f *finding, document map[string]any) error {
	payload, err := json.Marshal(document, json.Deterministic(true), json.WithMarshalers(numbers))
	if err != nil {
		return &exchange.Problem{Code: "YM-DOC-0100", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "映射结果无法写成 JSON", EN: "what the mapping made cannot be written as JSON"},
			Mend: exchange.Text{ZH: "检查该行的字符编码", EN: "check the row's encoding"}}
	}
	if len(payload) > maxPayload {
		return &exchange.Problem{Code: "YM-ADP-0203", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "该行超过 512 KiB，无法发布", EN: "the row is larger than 512 KiB and cannot be published"},
			Mend: exchange.Text{ZH: "扫描件、照片等大内容不要放进数据列", EN: "keep scans, photographs and the like out of the columns"}}
	}
	gated, err := gate.Decode(payload)
	if err != nil {
		return err
	}
	if err := r.cfg.Schema.Validate(gated); err != nil {
		return err
	}
	if _, err := r.cfg.Schema.Facts(gated); err != nil {
		return err
	}
	f.payload, f.digest = payload, r.names.Digest(payload)
	return nil
}

// faultsOf turns what gate and schema found into faults of the source's columns.
func (r *Runner) faultsOf(err error) []mapping.Fault {
	var invalid *schemas.Invalid
	if errors.As(err, &invalid) {
		faults := make([]mapping.Fault, 0, len(invalid.Findings))
		for _, found := range invalid.Findings {
			faults = append(faults, mapping.Fault{Target: found.Pointer, Column: r.mapping.Column(found.Pointer),
				Code: "YM-DOC-0201", What: found.What, Mend: found.Mend})
		}
		return faults
	}
	var p *exchange.Problem
	if errors.As(err, &p) {
		return []mapping.Fault{{Code: p.Code, What: p.What, Mend: p.Mend}}
	}
	return []mapping.Fault{fault("YM-ADP-0202", exchange.Text{ZH: "该行无法检查", EN: "the row cannot be checked"},
		exchange.Text{ZH: "请把行号告知交换平台管理员", EN: "tell the exchange's administrator the line number"})}
}

// fault makes one of this package's own complaints about a row.
func fault(code string, what, mend exchange.Text) mapping.Fault {
	return mapping.Fault{Code: code, What: what, Mend: mend}
}

// tally groups faults by code, with where the first of each stands.
type tally struct {
	codes []string
	of    map[string]*tallied
}

type tallied struct {
	count, line int64
	fault       mapping.Fault
}

func (t *tally) add(line int, f mapping.Fault) {
	if t.of == nil {
		t.of = map[string]*tallied{}
	}
	if t.of[f.Code] == nil {
		t.codes = append(t.codes, f.Code)
		t.of[f.Code] = &tallied{line: int64(line), fault: f}
	}
	t.of[f.Code].count++
}

func (t *tally) summary() exchange.Text {
	var all []exchange.Text
	for _, code := range t.codes {
		x := t.of[code]
		all = append(all, exchange.Text{ZH: fmt.Sprintf("%d× %s %s（如第 %d 行 %s）", x.count, code, x.fault.What.ZH, x.line, x.fault.Column),
			EN: fmt.Sprintf("%d× %s %s (such as line %d %s)", x.count, code, x.fault.What.EN, x.line, x.fault.Column)})
	}
	return exchange.Listed(all...)
}
