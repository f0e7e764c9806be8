package limits

// act is what a query came to, as far as limits are concerned.
type act uint8

const (
	nothing   act = iota // refused as replayed or while suspended: it counts nowhere, so that who is suspended harms nobody else
	answered             // answered, or admitted and about to be
	pressed              // refused because a budget was spent
	forbidden            // refused for want of permission
	looked               // asked the log who looked at the subject's data
	guessed              // a replay that was asked for with what the entry does not have
)

// mark is one query, replay or look, as far as limits are concerned. What stands for texts are hashes of this process's own.
type mark struct {
	at      int64  // milliseconds since 1970
	id      uint64 // of the entry
	subject uint64
	near    uint64 // the subject's neighbourhood; 0: none
	matter  uint64 // the department's case
	item    *Exception
	hour    uint8 // in China
	act     act
	look    bool // into the log, whatever came of it
	missed  bool // nothing is held of the subject, for certain
	folded  bool // it came off the topic; else it is reserved
}

// counts says whether a mark counts after a moment; sure: whatever becomes of what is merely reserved.
func (m *mark) counts(after int64, sure bool) bool { return m.at > after && (m.folded || !sure) }

// page is what a clerk asked in one day.
type page struct {
	day      int
	closed   uint32           // the hours, as bits, outside office hours
	speaks   bool             // whether its department's sheet has counted the clerk among those who asked
	marks    []mark           // all of the day, in the order they came
	at       map[uint64]int32 // where in marks an entry stands
	reserved int              // how many marks have not come off the topic
	record
}

// record counts the marks of a page that count. All that it counts only grows.
type record struct {
	tally
	items     map[*Exception]*tally // what was answered for items that are bounded by themselves
	pairs     map[uint64]struct{}   // subjects in cases, but for each subject's first case
	again     map[uint64]int        // by subject: queries that had no new case
	repeats   int                   // the most of again
	pressed   int
	forbidden int
	guessed   int
	looks     tally // of looks alone
}

func newPage(day int, closed uint32) *page {
	return &page{day: day, closed: closed, at: map[uint64]int32{}, record: record{tally: newTally()}}
}

// find is the mark of an entry, nil where there is none.
func (p *page) find(id uint64) *mark {
	if i, ok := p.at[id]; ok {
		return &p.marks[i]
	}
	return nil
}

// keep keeps a mark, without counting it.
func (p *page) keep(m mark) {
	p.at[m.id] = int32(len(p.marks))
	p.marks = append(p.marks, m)
	if !m.folded {
		p.reserved++
	}
}

func (r *record) count(m *mark, closed uint32) {
	before := r.add(m, closed)
	switch m.act {
	case answered:
		if m.item != nil {
			r.of(m.item).add(m, closed)
		}
		if before.bits&anyHour != 0 {
			r.repeat(m, before)
		}
	case pressed:
		r.pressed++
	case forbidden:
		r.forbidden++
	case guessed:
		r.guessed++
	case looked:
		r.look(m, closed)
	}
}

// look counts a look in the tally of looks, where it is what an answer is in others. Neighbours are counted among all that the clerk did:
// whoever walks numbers walks them by whichever way.
func (r *record) look(m *mark, closed uint32) {
	if r.looks.subjects == nil {
		r.looks = newTally()
	}
	own := *m
	own.act, own.near = answered, 0
	r.looks.add(&own, closed)
}

// tallied is what remains of the page when its day is closed.
func (p *page) tallied() tallied {
	return tallied{p.day, int32(p.total.subjects), int32(p.misses), int32(p.guessed), int32(p.looks.total.subjects)}
}

// repeat counts another answer about a subject.
func (r *record) repeat(m *mark, before asked) {
	if r.pairs == nil {
		r.pairs, r.again = map[uint64]struct{}{}, map[uint64]int{}
	}
	if pair := both(m.subject, m.matter); before.first != uint32(m.matter) {
		if _, known := r.pairs[pair]; !known {
			r.pairs[pair] = struct{}{}
			return
		}
	}
	r.again[m.subject]++
	r.repeats = max(r.repeats, r.again[m.subject])
}

// of is what was answered for an item.
func (r *record) of(item *Exception) *tally {
	if r.items == nil {
		r.items = map[*Exception]*tally{}
	}
	if r.items[item] == nil {
		t := newTally()
		r.items[item] = &t
	}
	return r.items[item]
}

// recounted is the page with what came after a moment only and, where sure is set, without what is merely reserved.
func (p *page) recounted(after int64, sure bool) *page {
	fresh := *p
	fresh.record = record{tally: newTally()}
	for i := range p.marks {
		if m := &p.marks[i]; m.counts(after, sure) {
			fresh.count(m, p.closed)
		}
	}
	return &fresh
}

// last is when the last of the page was asked.
func (p *page) last() (at int64) {
	for i := range p.marks {
		at = max(at, p.marks[i].at)
	}
	return at
}
