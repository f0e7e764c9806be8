package limits

// tally counts what was asked in a day. All that it counts only grows.
type tally struct {
	subjects   map[uint64]asked
	nears      map[uint64]int // subjects by neighbourhood
	neighbours int            // the most subjects of one neighbourhood
	crowd      int            // subjects that are not the first of their neighbourhood
	misses     int            // subjects of whom nothing is held
	hours      [24]use
	total      use
	outside    int // subjects that were answered outside office hours
}

// use is what was answered.
type use struct{ subjects, queries int }

// asked is what is known of a subject.
type asked struct {
	bits  uint32 // the hours in which there were answers, and the bits below
	first uint32 // a part of the first case's hash
}

const (
	anyHour uint32 = 1<<24 - 1
	walked  uint32 = 1 << 24 // counted in its neighbourhood
	missing uint32 = 1 << 25 // nothing is held
)

func newTally() tally { return tally{subjects: map[uint64]asked{}, nears: map[uint64]int{}} }

// with is what will be used with one more answer; closed are the hours, as bits, outside office hours.
func (t *tally) with(m *mark, closed uint32) (hour, total use, outside int) {
	hour, total, outside = t.hours[m.hour], t.total, t.outside
	before, now := t.subjects[m.subject].bits&anyHour, uint32(1)<<m.hour
	hour.queries++
	total.queries++
	if before == 0 {
		total.subjects++
	}
	if before&now == 0 {
		hour.subjects++
	}
	if now&closed != 0 && before&closed == 0 {
		outside++
	}
	return hour, total, outside
}

// add counts a mark, and says what was known of its subject before.
func (t *tally) add(m *mark, closed uint32) (before asked) {
	before = t.subjects[m.subject]
	now := before
	if m.near != 0 && before.bits&walked == 0 {
		now.bits |= walked
		t.walk(m.near)
	}
	if m.missed && before.bits&missing == 0 {
		now.bits |= missing
		t.misses++
	}
	if m.act == answered {
		t.hours[m.hour], t.total, t.outside = t.with(m, closed)
		if now.bits |= 1 << m.hour; before.bits&anyHour == 0 {
			now.first = uint32(m.matter)
		}
	}
	t.subjects[m.subject] = now
	return before
}

// walk counts one more subject of a neighbourhood.
func (t *tally) walk(near uint64) {
	n := t.nears[near] + 1
	t.nears[near] = n
	t.neighbours = max(t.neighbours, n)
	if n > 1 {
		t.crowd++
	}
}

// miss adds to a mark that was counted that nothing is held of its subject.
func (t *tally) miss(m *mark) {
	if of := t.subjects[m.subject]; of.bits&missing == 0 {
		of.bits |= missing
		t.subjects[m.subject] = of
		t.misses++
	}
}
