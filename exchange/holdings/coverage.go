package holdings

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// speaker is an adapter speaking of a type.
type speaker struct {
	adapter  exchange.Adapter
	evidence exchange.EvidenceType
}

// statement is a coverage statement as it is kept. Heartbeats that repeat it with nothing but a newer Alive are one
// row with it: Coverage is the last of them, Since the Alive of the first.
type statement struct {
	Coverage exchange.Coverage `json:"coverage"`
	Since    time.Time         `json:"since"`
	First    position          `json:"first"`   // of the first heartbeat
	Last     position          `json:"last"`    // of the last
	Learned  time.Time         `json:"learned"` // when the first was folded
	Heard    time.Time         `json:"heard"`   // when the last was folded
}

func (s *statement) speaker() speaker { return speaker{s.Coverage.Adapter, s.Coverage.Type} }

// progress is how far the topics were folded that a speaker's statements rest on: partition → next offset.
type progress struct{ evidence, quarantine map[int]int64 }

// folded says whether everything the statement rests on was folded: the records, and the rows that could not become
// records, whose holders must be known before the statement may say of anybody that there is nothing.
func (s *statement) folded(p progress) bool {
	return past(s.Coverage.End, p.evidence) && past(s.Coverage.Rejected, p.quarantine)
}

// past says whether next has reached every end.
func past(ends, next map[int]int64) bool {
	for partition, end := range ends {
		if next[partition] < end {
			return false
		}
	}
	return true
}

// waitsLike says whether the statements count from the same moment on.
func (s *statement) waitsLike(other *statement) bool {
	return maps.Equal(s.Coverage.End, other.Coverage.End) && maps.Equal(s.Coverage.Rejected, other.Coverage.Rejected)
}

// repeats says whether the statement says nothing new but that the adapter is still alive.
func (s *statement) repeats(before *statement) bool {
	a, b := s.Coverage, before.Coverage
	return a.Holders.Kind == b.Holders.Kind && slices.Equal(a.Holders.Divisions, b.Holders.Divisions) &&
		a.CompleteUpTo.Equal(b.CompleteUpTo) && s.waitsLike(before) && a.Read == b.Read && a.Published == b.Published &&
		a.Quarantined == b.Quarantined && a.Unreadable == b.Unreadable && a.Tolerance == b.Tolerance
}

// after is the statement as it is kept when before was the newest so far.
func (s statement) after(before *statement) statement {
	if s.repeats(before) {
		s.Since, s.First, s.Learned = before.Since, before.First, before.Learned
	}
	return s
}

func readStatement(b []byte) (statement, error) {
	var s statement
	if err := decode(b, &s); err != nil {
		return statement{}, err
	}
	if s.Coverage.Alive.IsZero() || s.Since.IsZero() {
		return statement{}, errDamaged
	}
	return s, nil
}

// foldCoverage keeps the statements that are newer than what their adapters said before.
func (x *Index) foldCoverage(ctx context.Context, b *batch, msgs []exchange.Message) error {
	newest := map[speaker]statement{}
	for i := range msgs {
		m := &msgs[i]
		by, err := reading(x, m, func() (exchange.Adapter, error) { return x.opener.Statement(ctx, m) })
		if err != nil {
			reason, undecided := unopened(err)
			if undecided {
				return err
			}
			x.refuse(b, m, reason, err)
			continue
		}
		c, reason, cause := x.hear(b, m, by)
		if reason != "" {
			x.refuse(b, m, reason, cause)
			continue
		}
		now := x.now().UTC()
		st := statement{Coverage: c, Since: c.Alive, First: b.at(m), Last: b.at(m), Learned: now, Heard: now}
		who := st.speaker()
		before, ok := newest[who]
		if !ok {
			before, ok = x.latest(who)
		}
		if ok && !c.Alive.After(before.Coverage.Alive) {
			b.duplicates++
			b.place.Duplicates++
			continue
		}
		if ok {
			st = st.after(&before)
		} else {
			b.put(speakerKey(who), []byte{})
		}
		newest[who] = st
		b.statements = append(b.statements, st)
		b.put(coverageKey(who, st.Since.UnixMicro()), encode(st))
	}
	return x.store(ctx, b, msgs[len(msgs)-1].Offset+1)
}

// hear reads a heartbeat of the adapter that signed it, and says why it does not count, if it does not.
func (x *Index) hear(b *batch, m *exchange.Message, by exchange.Adapter) (exchange.Coverage, Reason, error) {
	c, err := parseCoverage(m.Value)
	switch {
	case err != nil:
		return c, malformedCoverage, err
	case string(m.Key) != string(c.Adapter):
		return c, malformedCoverage, nil
	case c.Adapter != by: // nobody speaks for another
		return c, notSigned, nil
	case c.Adapter.Department() != exchange.Department(b.of):
		return c, wrongTopic, nil
	case !x.keeps(c.Adapter.Department(), c.Type):
		return c, notKeeper, nil
	}
	return c, "", nil
}

// maxCoverage is the size of a statement of several thousand partitions and divisions.
const maxCoverage = 256 << 10

// parseCoverage reads a heartbeat's value: every field known and given once, every number possible.
func parseCoverage(value []byte) (c exchange.Coverage, err error) {
	if len(value) > maxCoverage {
		return c, errors.New("read coverage: too large")
	}
	if err := json.Unmarshal(value, &c, json.RejectUnknownMembers(true)); err != nil {
		return c, errors.New("read coverage: not the JSON of a statement") // the cause would quote the value
	}
	if !exchange.ValidAdapter(string(c.Adapter)) || !exchange.ValidName(string(c.Type)) {
		return c, errors.New("read coverage: no adapter or type")
	}
	switch c.Holders.Kind {
	case "", exchange.Person, exchange.Organisation:
	default:
		return c, errors.New("read coverage: unknown kind of holder")
	}
	if c.Alive.UnixMicro() <= 0 || c.Alive.Year() > 9999 {
		return c, errors.New("read coverage: no moment of being alive")
	}
	if min(c.Read, c.Published, c.Quarantined, c.Unreadable, c.Tolerance) < 0 {
		return c, errors.New("read coverage: negative count")
	}
	for _, ends := range []map[int]int64{c.End, c.Rejected} {
		for partition, end := range ends {
			if partition < 0 || end < 0 {
				return c, errors.New("read coverage: negative partition or offset")
			}
		}
	}
	return c, nil
}

// statements are a speaker's statements that may still count, from the newest that was folded past to the
// newest of all; oldest first.
type statements struct{ list []statement }

// keptStatements bounds the statements that wait for the index to fold past them. During a rebuild years of them
// wait; leaving out every second one only means to believe a statement a little later.
const keptStatements = 256

// add takes in a newer statement.
func (s *statements) add(st statement) {
	if n := len(s.list); n > 0 {
		last := &s.list[n-1]
		if !st.Coverage.Alive.After(last.Coverage.Alive) {
			return
		}
		// Of statements that wait for the same offsets only the newest can ever count.
		if st.waitsLike(last) {
			s.list[n-1] = st
			return
		}
	}
	s.list = append(s.list, st)
	if len(s.list) > keptStatements {
		s.thin()
	}
}

// thin leaves out every second statement but for the first and the last.
func (s *statements) thin() {
	kept := s.list[:1]
	for i := 2; i < len(s.list)-1; i += 2 {
		kept = append(kept, s.list[i])
	}
	s.list = append(kept, s.list[len(s.list)-1])
}

// source forgets what is older than the newest statement folded past, and gives the one that counts.
func (s *statements) source(p progress) exchange.Source {
	for i := len(s.list) - 1; i >= 0; i-- {
		if s.list[i].folded(p) {
			s.list = slices.Delete(s.list, 0, i)
			return exchange.Source{Coverage: s.list[0].Coverage, Folded: true}
		}
	}
	return exchange.Source{Coverage: s.list[len(s.list)-1].Coverage}
}

// latest is the newest statement of the speaker.
func (x *Index) latest(who speaker) (statement, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := x.speakers[who]
	if s == nil || len(s.list) == 0 {
		return statement{}, false
	}
	return s.list[len(s.list)-1], true
}

// state takes a stored statement into memory. mu is held.
func (x *Index) state(st statement) {
	who := st.speaker()
	if x.speakers[who] == nil {
		x.speakers[who] = &statements{}
	}
	x.speakers[who].add(st)
}

// publishSources says anew which statements of the type count. mu is held.
func (x *Index) publishSources(t exchange.EvidenceType) {
	var sources []exchange.Source
	for who, s := range x.speakers {
		if who.evidence == t && len(s.list) > 0 {
			sources = append(sources, s.source(x.progressOf(who)))
		}
	}
	slices.SortFunc(sources, func(a, b exchange.Source) int {
		if a.Adapter < b.Adapter {
			return -1
		}
		return 1
	})
	x.sources[t] = sources
}

// progressOf is how far the topics were folded that the speaker's statements rest on. mu is held, or nobody else knows the
// index yet.
func (x *Index) progressOf(s speaker) progress {
	return progress{x.next[evidenceTopic(s.evidence)], x.next[envelope.QuarantineTopic(s.adapter.Department())]}
}

// spokenOfBy lists the types that the department's adapters speak of. mu is held.
func (x *Index) spokenOfBy(d exchange.Department) []exchange.EvidenceType {
	var types []exchange.EvidenceType
	for who := range x.speakers {
		if who.adapter.Department() == d && !slices.Contains(types, who.evidence) {
			types = append(types, who.evidence)
		}
	}
	return types
}

func typesOf(all []statement) []exchange.EvidenceType {
	var types []exchange.EvidenceType
	for i := range all {
		if t := all[i].Coverage.Type; !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}
