package limits

import "github.com/onedoor/yimen/exchange"

// clerk is who asks: a person at a window, or a department's system.
type clerk struct {
	department *department
	code       string
	times      int   // for how many it speaks
	lifted     int64 // nothing up to this moment counts
	open       [openDays]*page
	closed     [monthDays]tallied // days that no entry can come for any more, by their number
	suspended  suspensions
	alarmed    map[Rule]int // the day of the last alarm
}

// tallied is what remains of a day.
type tallied struct {
	day                              int
	subjects, misses, guesses, looks int32
}

// department is what its clerks come to together.
type department struct {
	name      exchange.Department
	lifted    int64
	clerks    map[string]*clerk
	open      [openDays]*sheet
	suspended suspensions
	alarmed   map[Rule]int
}

// sheet is what a department asked in one day.
type sheet struct {
	day      int
	speaking int // for how many clerks it was asked
	tally
	matters map[uint64]int // answers by case
}

func (s *sheet) count(m *mark) {
	s.add(m, 0)
	if m.act == answered {
		s.matters[m.matter]++
	}
}

// page is a day of the clerk, nil where nothing was asked.
func (c *clerk) page(day int) *page {
	if p := c.open[day%openDays]; p != nil && p.day == day {
		return p
	}
	return nil
}

func (d *department) sheet(day int) *sheet {
	if s := d.open[day%openDays]; s != nil && s.day == day {
		return s
	}
	return nil
}

// figures are what the rules compare with their bars.
type figures struct {
	neighbours, crowd, misses, missesWeek, repeats, pressing, forbidden, guesses, week, month, looks int
}

// figures of one day alone.
func (p *page) figures() figures {
	return figures{neighbours: p.neighbours, crowd: p.crowd, misses: p.misses, repeats: p.repeats, pressing: p.pressed, forbidden: p.forbidden}
}

// figures of a day, with the sums up to it.
func (c *clerk) figures(p *page) figures {
	f := p.figures()
	sum := func(t tallied) {
		ago := p.day - t.day
		if ago >= 0 && ago < weekDays {
			f.week += int(t.subjects)
			f.missesWeek += int(t.misses)
			f.guesses += int(t.guesses)
			f.looks += int(t.looks)
		}
		if ago >= 0 && ago < monthDays {
			f.month += int(t.subjects)
		}
	}
	for i := range c.closed {
		sum(c.closed[i])
	}
	for _, q := range c.open {
		if q != nil {
			sum(q.tallied())
		}
	}
	return f
}

// certain is the clerk without what is merely reserved: what follows from it follows from the topic alone.
func (c *clerk) certain() *clerk {
	sure := *c
	for i, p := range c.open {
		if p != nil {
			sure.open[i] = p.recounted(c.lifted, true)
		}
	}
	return &sure
}

// forgive takes the closed days before a moment away.
func (c *clerk) forgive(until int64) {
	for i := range c.closed {
		if c.closed[i].day <= dayOf(until) {
			c.closed[i] = tallied{}
		}
	}
}

// broken are the rules that figures of who speaks for so many break.
func (b *Bars) broken(f figures, times int) (rules []Rule) {
	for _, check := range [...]struct {
		rule      Rule
		have, bar int
	}{
		{neighbours, f.neighbours, b.Neighbours}, {crowd, f.crowd, b.Crowd}, {misses, f.misses, b.Misses}, {missesWeek, f.missesWeek, b.MissesWeek},
		{repeats, f.repeats, b.Repeats}, {pressing, f.pressing, b.Pressing}, {forbiddenItems, f.forbidden, b.Forbidden},
		{guesses, f.guesses, b.Guesses},
		{week, f.week, b.Week}, {month, f.month, b.Month}, {lookupsWeek, f.looks, b.LookupsWeek},
	} {
		if reached(check.have, check.bar*times) {
			rules = append(rules, check.rule)
		}
	}
	return rules
}

func reached(n, bar int) bool { return bar > 0 && n >= bar }

// close turns the days before one into what remains of them.
func (c *clerk) close(before int) {
	for i, p := range c.open {
		if p == nil || p.day >= before {
			continue
		}
		if p.reserved > 0 {
			p = p.recounted(c.lifted, true)
		}
		c.closed[p.day%monthDays] = p.tallied()
		c.open[i] = nil
	}
}

// idle says whether nothing of the clerk matters any more on a day.
func (c *clerk) idle(today int) bool {
	for _, p := range c.open {
		if p != nil {
			return false
		}
	}
	for i := range c.closed {
		if t := &c.closed[i]; t.subjects+t.guesses+t.looks > 0 && today-t.day <= monthDays {
			return false
		}
	}
	return len(c.suspended) == 0
}

func (d *department) close(before int) {
	for name, c := range d.clerks {
		if c.close(before); c.idle(before) {
			delete(d.clerks, name)
		}
	}
	for i, s := range d.open {
		if s != nil && s.day < before {
			d.open[i] = nil
		}
	}
}

// recounted is the sheet with what counts of its clerks' marks.
func (d *department) recounted(s *sheet, after int64, sure bool) *sheet {
	fresh := newSheet(s.day)
	fresh.speaking = s.speaking
	for _, c := range d.clerks {
		p := c.page(s.day)
		if p == nil {
			continue
		}
		for i := range p.marks {
			if m := &p.marks[i]; m.counts(after, sure) {
				fresh.count(m)
			}
		}
	}
	return fresh
}

func newSheet(day int) *sheet {
	return &sheet{day: day, tally: newTally(), matters: map[uint64]int{}}
}
