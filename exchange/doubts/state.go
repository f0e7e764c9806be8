package doubts

import (
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/journal"
)

// Status is how far a doubt is.
type Status string

// The statuses.
const (
	Raised    Status = "raised"    // 待核实
	Accepted  Status = "accepted"  // 属实，待更正
	Corrected Status = "corrected" // 已更正: accepted, and the index has a version that says something else
	Rejected  Status = "rejected"  // 不属实
	Withdrawn Status = "withdrawn" // 已撤回
)

// after says what becomes of a doubt by an act; what is not here cannot be done.
var after = map[Status]map[Act]Status{
	"":     {Raise: Raised},
	Raised: {Accept: Accepted, Reject: Rejected, Withdraw: Withdrawn},
}

// Text is the status as people read it.
func (s Status) Text() exchange.Text {
	return map[Status]exchange.Text{Raised: text("待核实", "raised"), Accepted: text("属实，待更正", "accepted, to be corrected"),
		Corrected: text("已更正", "corrected"), Rejected: text("不属实", "rejected"), Withdrawn: text("已撤回", "withdrawn")}[s]
}

// doubt is one as it follows from the topic.
type doubt struct {
	about
	id      string
	status  Status // never Corrected: that is the index's to say
	version int    // how many acts
	last    string // the entry that made the version
	raised  time.Time
	asker   string // department and staff code
	decided time.Time
	decider string
	reason  written // the asker's
	answer  written // of who decided
}

// state is the doubts as they follow from the entries folded so far.
type state map[string]*doubt

// fold takes one entry. An error says why it changes nothing.
func (s state) fold(e *entry) error {
	d := s[e.Doubt]
	if d == nil {
		d = &doubt{id: e.Doubt}
	}
	becomes, can := after[d.status][e.Act]
	switch {
	case d.last == e.ID:
		return journal.ErrRepeated
	case d.status == "" && e.Act != Raise:
		return noSuchDoubt()
	case d.version != e.Replaces:
		return outrun(d)
	case !can:
		return cannot(e.Act, d.status)
	case !e.says() && (e.Act == Raise || e.Act == Reject):
		return noReason()
	case e.Act == Raise && e.About == nil:
		return notRelied()
	}
	if e.Act == Raise {
		if other := s.standing(e.About); other != nil {
			return raisedAlready(other.id)
		}
	}
	d.take(e, becomes)
	s[d.id] = d
	return nil
}

// take writes an act down.
func (d *doubt) take(e *entry, becomes Status) {
	d.status, d.last = becomes, e.ID
	d.version++
	said := written{e.Sealed, e.Text, e.Doubt, e.ID}
	if e.Act == Raise {
		d.about, d.raised, d.asker, d.reason = *e.About, e.At, e.By, said
		return
	}
	d.decided, d.decider, d.answer = e.At, e.By, said
}

// standing finds a doubt of the same department about the same version that nobody has answered.
func (s state) standing(a *about) *doubt {
	for _, d := range s {
		if d.status == Raised && d.Department == a.Department && d.Evidence == a.Evidence && d.Record == a.Record && d.Version == a.Version {
			return d
		}
	}
	return nil
}
