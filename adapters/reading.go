package adapters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/trace"
)

// batchRows and batchMessages bound one batch: large enough that its one fsync and its round trip to Kafka do not count,
// small enough that a crash repeats little.
const (
	batchRows     = 8192
	batchMessages = 2000
)

// Run reads the source once: every row is mapped, checked and compared with what stands published; what is new is stored as pending,
// appended, and released after the acknowledgement, and only then the source's place is saved. A row that cannot be
// published goes to quarantine and the reading goes on, within the manifest's bounds. At the end it states the coverage.
func (r *Runner) Run(ctx context.Context) (Result, error) {
	ctx, span := r.traced(ctx)
	result, err := r.run(ctx)
	describe(span, result)
	trace.End(span, err)
	return result, err
}

func (r *Runner) run(ctx context.Context) (Result, error) {
	started := r.cfg.Clock()
	if err := r.resend(ctx); err != nil { // left by a reading whose append failed
		return Result{}, err
	}
	reading := &reading{r: r, started: started}
	defer reading.close()
	end, err := reading.all(ctx)
	if err != nil {
		return reading.result, err
	}
	result, err := reading.finish(ctx, end)
	if err != nil {
		return result, err
	}
	r.metrics.count(result)
	r.metrics.quarantined.Set(float64(result.Quarantined))
	r.metrics.success.Set(float64(r.cfg.Clock().Unix()))
	return result, errors.Join(r.snapshot(), r.Heartbeat(ctx))
}

// reading is one pass over the source.
type reading struct {
	r       *Runner
	started time.Time
	result  Result
	seen    bits   // ordinals of the records whose row was seen
	rows    rowSet // in quarantine by this reading
	before  rowSet // in quarantine before it, and not released by it
	faults  tally
	newly   int64 // rows without a readable record id that were not in quarantine before this reading

	w        *write
	sealing  *envelope.Batch
	evidence []exchange.Message
	rejected []exchange.Message
	place    Place
	inBatch  int
	flying   *flight
	steps    steps // of the batch that is gathered
}

// rowSet is a set of rows. Tolerance bounds how many there are.
type rowSet map[[16]byte]struct{}

func (s rowSet) has(row [16]byte) bool {
	_, in := s[row]
	return in
}

// close gives up what was not sent, and waits for what is on its way.
func (g *reading) close() {
	if g.w != nil {
		g.w.discard()
		g.steps.end(nil)
	}
	if g.flying != nil {
		g.flying.steps.end(<-g.flying.landed) // whatever came of it, it is pending and will be sent again
	}
}

// all reads the source to its end, batch by batch.
func (g *reading) all(ctx context.Context) (Reading, error) {
	g.rows, g.before = rowSet{}, rowSet{}
	err := g.r.state.scan(prefixQuarantine, func(key, _ []byte) error {
		g.before[[16]byte(key)] = struct{}{}
		return nil
	})
	if err != nil {
		return Reading{}, err
	}
	from := g.r.state.meta.Place
	if g.r.state.meta.Meaning != g.r.meaning || g.affirms(g.r.state.meta.Affirmed) {
		from = nil
	}
	end, err := g.r.examineAll(ctx, from, func(f *finding) error { return g.take(ctx, f) })
	if err != nil {
		return end, err
	}
	if end.Unchanged {
		g.result = g.r.state.meta.Last
		g.result.Skipped = true
		return end, nil
	}
	return end, g.checkBounds(true)
}

// take puts one row where it belongs and closes the batch when it is full.
func (g *reading) take(ctx context.Context, f *finding) error {
	g.begin(ctx)
	g.result.Read++
	g.inBatch++
	if f.row.Place != nil {
		g.place = slices.Clone(f.row.Place)
	}
	var err error
	if len(f.faults) == 0 {
		err = g.publish(f)
	} else {
		err = g.reject(f)
	}
	if err != nil || (g.inBatch < batchRows && len(g.evidence)+len(g.rejected) < batchMessages) {
		return err
	}
	return g.flush(ctx)
}

func (g *reading) begin(ctx context.Context) {
	if g.w == nil {
		g.w = g.r.state.write()
		g.steps = gathering(ctx)
	}
	if g.sealing == nil {
		g.sealing = g.r.sealer.Batch()
	}
}

// publish makes a sound row a new version of its record, unless that content stands published already.
func (g *reading) publish(f *finding) error {
	old, exists, err := g.w.known(f.id)
	if err != nil {
		return err
	}
	if exists && g.seen.has(old.Ordinal) && old.Digest != f.digest {
		f.faults = append(f.faults, fault("YM-ADP-0201",
			exchange.Text{ZH: "同一证照在本次读取中出现两行，内容不同", EN: "the same certificate stands in two rows with different content"},
			exchange.Text{ZH: "请在数据源中只保留正确的一行", EN: "keep only the right row in the source"}))
		return g.reject(f)
	}
	if err := g.resolve(f.id); err != nil {
		return err
	}
	if exists && old.Digest == f.digest && !old.Withdrawn && !g.affirms(published(old.Version)) {
		g.seen.set(old.Ordinal)
		g.result.Unchanged++
		return g.notMissed(f.id, old)
	}
	return g.version(f.id, old, exists, content{f.digest, f.payload, f.row.AsOf})
}

// affirmAfter is how long an unchanged record of a source that is never complete stands without being said again. Nothing else
// moves the moment up to which such a record is vouched for; a complete source does it for all with its coverage.
const affirmAfter = 24 * time.Hour

// published is when a version was made, as its number tells; later, where a clock was set back.
func published(v exchange.Version) time.Time { return time.UnixMicro(int64(v)) }

// affirms says whether what was said at that moment is to be said again.
func (g *reading) affirms(said time.Time) bool {
	return !g.r.cfg.Manifest.Source.Complete && g.started.Sub(said) > affirmAfter
}

// content is what a version of a record says; no payload withdraws the record.
type content struct {
	digest  exchange.Digest
	payload []byte
	asOf    time.Time // zero: now
}

// notMissed forgets that a record's row was gone once.
func (g *reading) notMissed(id exchange.RecordID, k known) error {
	if !k.Missed {
		return nil
	}
	k.Missed = false
	_, err := g.w.publish(id, k, false)
	return err
}

// version seals the next version of a record and notes it.
func (g *reading) version(id exchange.RecordID, old known, exists bool, c content) error {
	next := known{Digest: c.digest, Ordinal: old.Ordinal, Withdrawn: c.payload == nil,
		Version: max(old.Version+1, exchange.Version(g.started.UnixMicro()))}
	if c.asOf.IsZero() {
		c.asOf = g.started
	}
	next, err := g.w.publish(id, next, !exists)
	if err != nil {
		return fmt.Errorf("note new version: %w", err)
	}
	g.seen.set(next.Ordinal)
	message, err := g.sealing.Record(envelope.Draft{Type: g.r.cfg.Manifest.Evidence, ID: id, Version: next.Version,
		Schema: g.r.cfg.Schema.ID, Withdrawn: next.Withdrawn, Payload: c.payload, Digest: c.digest, At: c.asOf})
	if err != nil {
		return err
	}
	g.evidence = append(g.evidence, message)
	if next.Withdrawn {
		g.result.Withdrawn++
	} else {
		g.result.Published++
	}
	return nil
}

// resolve takes a record's row out of quarantine, if it was there: the row is sound now.
func (g *reading) resolve(row [16]byte) error {
	if !g.before.has(row) || g.rows.has(row) { // in the latter case another row of the record is in quarantine in this reading
		return nil
	}
	delete(g.before, row)
	g.rejected = append(g.rejected, g.sealing.Resolution(row, g.started))
	return g.w.unquarantine(row)
}

// reject puts a row into quarantine: for the department sealed in the state, for the exchange on the quarantine topic.
func (g *reading) reject(f *finding) error {
	row := [16]byte(f.id)
	if !f.named {
		row = g.r.names.RowID(g.r.cfg.Manifest.Evidence, f.row.Values)
	}
	g.result.Quarantined++
	g.faults.add(f.row.Line, f.faults[0])
	if !f.readable {
		g.result.Unreadable++
	}
	if f.named {
		if old, exists, err := g.w.known(f.id); err != nil {
			return err
		} else if exists {
			g.seen.set(old.Ordinal) // its row is here, only not readable: no reason to withdraw it
		}
	}
	if g.rows.has(row) { // a second row of the record: whose it is must be known as well
		row = g.r.names.RowID(g.r.cfg.Manifest.Evidence, f.row.Values)
	}
	said, err := g.said(row, f.row.Values)
	if err != nil {
		return err
	}
	if !f.named && !g.before.has(row) && !g.rows.has(row) {
		g.newly++
	}
	g.rows[row] = struct{}{}
	if said {
		return g.w.quarantine(g.r.safe, g.entry(row, f))
	}
	message, err := g.sealing.Rejection(envelope.Rejection{Adapter: g.r.cfg.Manifest.Adapter, Type: g.r.cfg.Manifest.Evidence,
		Row: row, Line: f.row.Line, Code: f.faults[0].Code, Holders: f.holders,
		Columns: f.row.Columns, Values: f.row.Values, At: g.started})
	if err != nil {
		return err
	}
	g.rejected = append(g.rejected, message)
	return g.w.quarantine(g.r.safe, g.entry(row, f))
}

// said says whether the exchange knows of the row with just these values. If not, it must be told whom they name.
func (g *reading) said(row [16]byte, values []string) (bool, error) {
	if g.rows.has(row) {
		return true, nil // in this reading, and its id follows from its values
	}
	if !g.before.has(row) || g.r.state.meta.Meaning != g.r.meaning {
		return false, nil
	}
	sealed, err := g.r.state.quarantined(row)
	if err != nil {
		return false, err
	}
	before, err := g.r.safe.unlock(row, sealed)
	return err == nil && slices.Equal(before.Values, values), err
}

func (g *reading) entry(row [16]byte, f *finding) *Quarantined {
	return &Quarantined{Row: row, Line: f.row.Line, Faults: f.faults, Columns: f.row.Columns, Values: f.row.Values,
		HolderRead: f.readable, Since: g.started}
}

// flush sends the batch on its way: pending on disk, appended, acknowledged, released with the source's place.
func (g *reading) flush(ctx context.Context) error {
	if err := g.checkBounds(false); err != nil {
		return err
	}
	if err := g.send(ctx); err != nil {
		return err
	}
	if g.r.cfg.Progress != nil {
		g.r.cfg.Progress(Progress{Adapter: g.r.cfg.Manifest.Adapter, Result: g.result})
	}
	return ctx.Err()
}

// send stores the batch as pending and starts to append it. One batch is on its way while the next is prepared: it waits for the
// batch before, so that their order is kept and little is pending at a time.
func (g *reading) send(ctx context.Context) error {
	if g.w == nil {
		return nil
	}
	ctx = g.steps.gathered(ctx)
	if err := g.sign(ctx); err != nil {
		return err
	}
	w, batch := g.w, flight{messages: [][]exchange.Message{g.evidence, g.rejected}, place: g.place, landed: make(chan error, 1), steps: g.steps}
	g.w, g.sealing, g.evidence, g.rejected, g.inBatch = nil, nil, nil, nil, 0
	defer w.discard()
	err := g.depart(ctx, w, &batch)
	if err != nil {
		batch.steps.end(err)
	}
	return err
}

// sign signs the batch, and marks its messages as of its span.
func (g *reading) sign(ctx context.Context) error {
	_, span := trace.Step(ctx, "sign")
	err := g.sealing.Sign(g.evidence, g.rejected)
	trace.End(span, err)
	trace.Mark(ctx, g.evidence)
	trace.Mark(ctx, g.rejected)
	return err
}

// depart stores the batch and sends it on its way, once the one before has landed.
func (g *reading) depart(ctx context.Context, w *write, batch *flight) error {
	sends := false
	for _, messages := range batch.messages {
		for i := range messages {
			if err := w.pend(&messages[i]); err != nil {
				return err
			}
			sends = true
		}
	}
	batch.last = g.r.state.meta.Sequence
	if sends && batch.place == nil {
		g.r.state.meta.Place = nil // until this reading is over, nothing may pass for unchanged
	}
	_, span := trace.Step(ctx, "store")
	err := w.commit(sends)
	trace.End(span, err)
	if err != nil {
		return err
	}
	if err := g.land(); err != nil {
		return err
	}
	g.flying = batch
	go func() { batch.landed <- g.r.append(ctx, batch.messages...) }()
	return nil
}

// flight is a batch on its way to Kafka.
type flight struct {
	messages [][]exchange.Message // each of one topic
	last     uint64               // sequence of its last pending message
	place    Place                // of the source, after its rows
	landed   chan error           // what came of the append
	steps    steps
}

// land waits until the batch on its way is acknowledged, then releases it and moves the source's place.
func (g *reading) land() error {
	batch := g.flying
	if batch == nil {
		return nil
	}
	g.flying = nil
	err := <-batch.landed
	batch.steps.end(err)
	if err != nil {
		return err
	}
	g.r.acknowledged(batch.messages...)
	after := g.r.state.write()
	defer after.discard()
	if batch.place != nil {
		g.r.state.meta.Place = batch.place
	}
	return errors.Join(after.release(batch.last), after.commit(false))
}
