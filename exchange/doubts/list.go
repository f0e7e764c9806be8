package doubts

import (
	"context"
	"crypto/cipher"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/workdays"
)

// Standing is a doubt as it stands, and as far as somebody may see it.
type Standing struct {
	ID         string                `json:"id"`
	Status     Status                `json:"status"`
	Version    int                   `json:"version"`    // how many acts
	Department exchange.Department   `json:"department"` // who doubts
	Keeper     exchange.Department   `json:"keeper"`
	Evidence   exchange.EvidenceType `json:"evidence"`
	Record     string                `json:"record"`
	Doubted    exchange.Version      `json:"doubted"`            // the record's version that the answer rested on
	Newer      exchange.Version      `json:"newer,omitzero"`     // the record's version from which on the keeper says something else
	Published  time.Time             `json:"published,omitzero"` // when that version came
	Forgotten  bool                  `json:"forgotten,omitzero"` // nothing of the record may be told any more
	Fields     []string              `json:"fields"`
	Receipt    string                `json:"receipt,omitempty"` // of the answer; for the department that doubts
	Reason     string                `json:"reason,omitempty"`  // for the two departments
	Answer     string                `json:"answer,omitempty"`  // for the two departments
	Raised     time.Time             `json:"raised"`
	Asker      string                `json:"asker"` // department and staff code
	Decided    time.Time             `json:"decided,omitzero"`
	Decider    string                `json:"decider,omitempty"`
	Clock      *workdays.Clock       `json:"clock,omitempty"` // the time limit that runs
}

// toSettle is the time to verify, correct and answer, in working days (art. 26).
const toSettle = 10

// sees says whether a person may know of a doubt: the department that raised it, the keeper's head of sharing, the authority.
func (b *Book) sees(who Person, d *doubt) bool { return who.Authority || b.party(who, d) }

// party says whether the person is on one of the two sides, which see what was written.
func (b *Book) party(who Person, d *doubt) bool {
	return who.Department == d.Department || b.answers(who, d)
}

// answers says whether the person answers for the record's type.
func (b *Book) answers(who Person, d *doubt) bool {
	keeper, _ := b.cfg.Keeper(d.Evidence)
	return who.Sharing && who.Department == keeper
}

// seen is a doubt that the person may know of.
func (b *Book) seen(who Person, id string) (doubt, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if d := b.state[id]; d != nil && b.sees(who, d) {
		return *d, nil
	}
	return doubt{}, noSuchDoubt()
}

// known are the doubts a person may know of: those of the own department and, for its head of sharing, those about what it keeps; the
// authority knows of all.
func (b *Book) known(who Person) []doubt {
	return slices.DeleteFunc(b.all(), func(d doubt) bool { return !b.sees(who, &d) })
}

// show gives doubts as the person may see them; the authority does not see what was written.
func (b *Book) show(ctx context.Context, who Person, all []doubt) ([]Standing, error) {
	seal, err := b.sealer(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]Standing, len(all))
	for i := range all {
		if shown[i], err = b.shown(ctx, who, &all[i], seal); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// all are copies of the doubts there are: the index is not asked while they are held.
func (b *Book) all() []doubt {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]doubt, 0, len(b.state))
	for _, d := range b.state {
		all = append(all, *d)
	}
	return all
}

// Urgency puts what is overdue first (0), then what waits (1).
func (s *Standing) Urgency() int {
	switch {
	case s.Clock != nil && s.Clock.Overdue:
		return 0
	case s.Clock != nil:
		return 1
	}
	return 2
}

// now is how a doubt stands, with what the index says of its record.
func (b *Book) now(ctx context.Context, d *doubt) (Standing, error) {
	keeper, _ := b.cfg.Keeper(d.Evidence)
	s := Standing{ID: d.id, Status: d.status, Version: d.version, Department: d.Department, Keeper: keeper, Evidence: d.Evidence, Record: d.Record.String(),
		Doubted: d.Version, Fields: d.Fields, Raised: d.raised, Asker: d.asker, Decided: d.decided, Decider: d.decider}
	turns, err := b.cfg.Index.History(ctx, d.Evidence, d.Record)
	if err != nil {
		return s, err
	}
	s.Forgotten = len(turns) == 0
	if i := slices.IndexFunc(turns, func(t exchange.Turn) bool { return t.Version > d.Version && !t.Logged.Before(d.raised) }); i >= 0 {
		s.Newer, s.Published = turns[i].Version, turns[i].Logged
	}
	if s.Status == Accepted && s.Newer > 0 {
		s.Status = Corrected
	}
	if !s.Forgotten && (s.Status == Raised || s.Status == Accepted) { // of what is forgotten nothing is left to correct
		s.Clock = clock(d, b.today())
	}
	return s, nil
}

// shown is a doubt as the person may see it.
func (b *Book) shown(ctx context.Context, who Person, d *doubt, seal cipher.AEAD) (Standing, error) {
	s, err := b.now(ctx, d)
	if err != nil {
		return s, err
	}
	if who.Department == d.Department {
		s.Receipt = d.Receipt
	}
	if s.Forgotten || !b.party(who, d) {
		return s, nil
	}
	if s.Reason, err = b.read(ctx, d.reason, seal); err != nil {
		return s, err
	}
	s.Answer, err = b.read(ctx, d.answer, seal)
	return s, err
}

func clock(d *doubt, today exchange.Date) *workdays.Clock {
	return workdays.Run(26, exchange.DateOf(d.raised), toSettle, today)
}
