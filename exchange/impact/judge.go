package impact

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

// held is a record with the place of its message.
type held struct {
	exchange.Record
	partition int
	offset    int64
}

// batchRecords go to a worker at once.
const batchRecords = 256

// judge looks at every record of the type.
func judge(ctx context.Context, q *Question, changed facts) (*tally, error) {
	of, err := q.Holdings.Count(ctx, q.New.Type)
	if err != nil {
		return nil, err
	}
	workers := q.workers()
	batches := make(chan []held, workers)
	progress := &progress{of: of, tell: q.Progress}
	tallies := make([]*tally, workers)
	var working sync.WaitGroup
	for i := range tallies {
		tallies[i] = newTally()
		j := judgement{q: q, changed: changed, tally: tallies[i]}
		working.Go(func() {
			for batch := range batches {
				for k := range batch {
					j.record(&batch[k])
				}
				progress.add(len(batch))
			}
		})
	}
	err = deal(ctx, q, batches)
	close(batches)
	working.Wait()
	if err != nil {
		return nil, err
	}
	progress.finish()
	for _, other := range tallies[1:] {
		tallies[0].merge(other)
	}
	return tallies[0], nil
}

// deal reads the records and hands them out.
func deal(ctx context.Context, q *Question, to chan<- []held) error {
	batch := make([]held, 0, batchRecords)
	send := func() bool {
		select {
		case to <- batch:
			batch = make([]held, 0, batchRecords)
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := q.Holdings.Each(ctx, q.New.Type, func(r exchange.Record, partition int, offset int64) bool {
		batch = append(batch, held{r, partition, offset})
		return len(batch) < batchRecords || send()
	})
	if err == nil && len(batch) > 0 && ctx.Err() == nil {
		send()
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// progress adds up what the workers have done.
type progress struct {
	mu   sync.Mutex
	done int64
	of   int64
	tell func(done, of int64)
}

func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += int64(n)
	if p.tell != nil {
		p.tell(p.done, max(p.done, p.of))
	}
}

// finish tells the true number: withdrawn records are counted before and not yielded.
func (p *progress) finish() {
	if p.tell != nil {
		p.tell(p.done, p.done)
	}
}

// judgement is what one worker works with.
type judgement struct {
	q       *Question
	changed facts
	tally   *tally
}

// record asks whether the new schema takes the record, and whether it reads the same from it.
func (j *judgement) record(r *held) {
	j.tally.checked++
	count := j.tally.adapter(r.Adapter)
	count.records++
	doc, err := gate.Decode(r.Payload)
	if err == nil {
		j.compare(r, doc)
		if err = j.q.New.Validate(doc); err == nil {
			err = j.facts(r, doc)
		}
	}
	if err == nil {
		return
	}
	j.tally.refused++
	count.refused++
	if j.q.Old != nil && j.q.Old.Validate(doc) != nil {
		j.tally.refusedBefore++
	}
	j.tally.refuse(r, err)
}

// facts reads what the exchange needs of a document that fits, and compares it with what it has.
func (j *judgement) facts(r *held, doc any) error {
	now, err := j.q.New.Facts(doc)
	if err != nil {
		return err
	}
	if now.Status != r.Status {
		j.tally.change(statusChanges, r)
	}
	if now.From != r.From || now.Until != r.Until {
		j.tally.change(validityChanges, r)
	}
	return nil
}

// compare asks both schemas whose the document is and which certificate it describes. Where the old one does not read it,
// because the record is of a still older one, it counts as changed: nobody can say that it is not.
func (j *judgement) compare(r *held, doc any) {
	if !j.changed.natural && !j.changed.holders {
		return
	}
	before, after := j.q.Old.Identify(doc), j.q.New.Identify(doc)
	if j.changed.natural && (before.Natural == "" || before.Natural != after.Natural) {
		j.tally.change(identityChanges, r)
	}
	if j.changed.holders && (!before.Whole || !sameHolders(before.Holders, after.Holders)) {
		j.tally.change(holderChanges, r)
	}
}

func sameHolders(a, b []exchange.Holder) bool {
	if len(a) != len(b) {
		return false
	}
	for _, h := range a {
		if !slices.Contains(b, h) {
			return false
		}
	}
	return true
}

// reasonsOf are the reasons why a document is refused, each once.
func reasonsOf(err error) []Reason {
	var invalid *schemas.Invalid
	if errors.As(err, &invalid) {
		var all []Reason
		for _, f := range invalid.Findings {
			all = append(all, Reason{Pointer: pattern(f.Pointer), Rule: f.Keyword, What: f.What, Mend: f.Mend})
		}
		return all
	}
	var p *exchange.Problem
	if errors.As(err, &p) { // the gate or the facts; both tell no value
		return []Reason{{Rule: p.Code, What: p.What, Why: p.Why, Mend: p.Mend}}
	}
	return []Reason{{Rule: "unreadable", What: text("文档无法按新 Schema 校验", "the document cannot be judged by the new schema"),
		Mend: text("查看日志，并报告这个程序错误", "look into the log, and report this mistake of the program")}}
}

// pattern is a pointer with * for each index of an array, so that equal mistakes are one reason.
func pattern(pointer string) string {
	steps := strings.Split(pointer, "/")
	for i, step := range steps {
		if _, err := strconv.Atoi(step); err == nil {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, "/")
}
