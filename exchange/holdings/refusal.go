package holdings

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Reason says why a message was not taken into the index.
type Reason string

// The reasons. They name the first rule that a message breaks.
const (
	notSigned          Reason = "not_signed"          // not by whom it names: altered, moved, of a stranger, or of a certificate not good at the time
	notOpened          Reason = "not_opened"          // damaged, or sealed for somebody else
	sentAgain          Reason = "sent_again"          // it frees a row of which its adapter has said something newer
	wrongTopic         Reason = "wrong_topic"         // its topic is another type's or department's
	notKeeper          Reason = "not_keeper"          // its department does not keep the type
	unknownSchema      Reason = "unknown_schema"      // no such schema, or one of another type
	unreadableFacts    Reason = "unreadable_facts"    // the schema finds no holder, status or dates in it
	conflictingContent Reason = "conflicting_content" // this version is there already and says something else
	malformedCoverage  Reason = "malformed_coverage"  // a statement that cannot be read or makes no sense
	malformedOrder     Reason = "malformed_order"     // an order to forget that cannot be read or makes no sense
	unknownOrder       Reason = "unknown_order"       // a lift of an order that was not given before
	crashed            Reason = "crashed"             // reading it panicked: a fault of this program, whose log says where
	erased             Reason = "erased"              // it must be forgotten: no fault of the message, and nothing is missing for it
)

// unopened is why a message was not opened; undecided, that this cannot be said yet.
func unopened(err error) (reason Reason, undecided bool) {
	switch {
	case errors.Is(err, envelope.ErrUndecided), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "", true
	case errors.Is(err, envelope.ErrNotSigned):
		return notSigned, false
	case errors.Is(err, errCrashed):
		return crashed, false
	}
	return notOpened, false
}

// Refusal is one message that was not taken into the index.
type Refusal struct {
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Reason    Reason    `json:"reason"`
	Code      string    `json:"code,omitempty"` // of the problem behind the reason, where it has one
	Time      time.Time `json:"time"`           // when it was refused
}

// keptRefusals is how many refusals of one partition are kept; newer ones take the place of the oldest.
const keptRefusals = 200

// refusal is one that is about to be stored.
type refusal struct {
	reason Reason
	code   string
	offset int64
}

// refuse counts the message and keeps its position. Of cause only the code is kept: its text is for whoever
// holds the message.
func (x *Index) refuse(b *batch, m *exchange.Message, reason Reason, cause error) {
	r := refusal{reason: reason, offset: m.Offset}
	var problem *exchange.Problem
	if errors.As(cause, &problem) {
		r.code = problem.Code
	}
	if len(b.refused) == 0 {
		b.place.Refused = maps.Clone(b.place.Refused) // readers hold the former one
		if b.place.Refused == nil {
			b.place.Refused = map[Reason]int64{}
		}
	}
	var before int64
	for _, n := range b.place.Refused {
		before += n
	}
	b.place.Refused[reason]++
	b.refused = append(b.refused, r)
	b.put(refusalKey(b.topic, b.partition, uint16(before%keptRefusals)), encode(Refusal{
		Topic: b.topic, Partition: b.partition, Offset: m.Offset, Reason: reason, Code: r.code, Time: x.now().UTC()}))
}

// Refused lists the latest messages that were not taken into the index, by topic and partition.
func (x *Index) Refused(ctx context.Context) ([]Refusal, error) {
	var all []Refusal
	err := x.scan(ctx, []byte{familyRefusal}, func(_, value []byte) error {
		r, err := readRefusal(value)
		if err != nil {
			return damaged(err)
		}
		all = append(all, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list refused messages: %w", err)
	}
	return all, nil
}

func readRefusal(b []byte) (Refusal, error) {
	var r Refusal
	err := decode(b, &r)
	return r, err
}

// report counts and logs what a stored batch refused: one line for each reason, so that a poisoned
// partition does not drown the log.
func (x *Index) report(b *batch) {
	type span struct {
		first, last int64
		count       int
		code        string
	}
	spans := map[Reason]span{}
	for _, r := range b.refused {
		s, seen := spans[r.reason]
		if !seen {
			s.first, s.code = r.offset, r.code
		}
		s.last = r.offset
		s.count++
		spans[r.reason] = s
	}
	for reason, s := range spans {
		x.meters.refused.WithLabelValues(string(reason)).Add(float64(s.count))
		x.log.Warn("messages refused", slog.String("topic", b.topic), slog.Int("partition", b.partition),
			slog.String("reason", string(reason)), slog.String("code", s.code), slog.Int("count", s.count),
			slog.Int64("first_offset", s.first), slog.Int64("last_offset", s.last))
	}
}

// meters are the counts of this process; Counts has those of the index.
type meters struct {
	folded     *prometheus.CounterVec
	refused    *prometheus.CounterVec
	duplicates prometheus.Counter
}

// newMeters registers the meters, where there is a registry.
func newMeters(to prometheus.Registerer) (meters, error) {
	m := meters{
		folded: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_index_records_folded_total",
			Help: "Record versions taken into the index."}, []string{"type"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_index_refused_total",
			Help: "Messages that were not taken into the index."}, []string{"reason"}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{Name: "yimen_index_duplicates_total",
			Help: "Messages that the index had already."}),
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.folded, m.refused, m.duplicates} {
		if err := to.Register(c); err != nil {
			return meters{}, fmt.Errorf("register index metrics: %w", err)
		}
	}
	return m, nil
}
