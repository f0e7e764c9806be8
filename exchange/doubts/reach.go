package doubts

import (
	"cmp"
	"context"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// Reach is who relied on what is in doubt, as far as somebody needs to know.
type Reach struct {
	Doubt string `json:"doubt"`
	// Before is the corrected version: answers that rested on versions before it are counted. Absent: there is none, and all are.
	Before exchange.Version `json:"before,omitzero"`
	// Departments counts answers and cases: of every department for the keeper and the authority, else of the own one.
	Departments []Count `json:"departments"`
	// Reliances are the answers themselves: the own ones, for supervisors those of the own department.
	Reliances []Reliance `json:"reliances"`
}

// Count is how many answers and cases of a department there are.
type Count struct {
	Department exchange.Department `json:"department"`
	Answers    int                 `json:"answers"`
	Cases      int                 `json:"cases"`
}

// Reach lists who relied on the doubted record before it was corrected. What each may see is what the duty asks for: the keeper must
// know how far the error went and whom to tell, not about whom it was; whoever took a case must look at it again, and the
// department's supervisors see that it is done.
func (b *Book) Reach(ctx context.Context, who Person, id string) (Reach, error) {
	d, err := b.seen(who, id)
	if err != nil {
		return Reach{}, err
	}
	now, err := b.now(ctx, &d)
	if err != nil {
		return Reach{}, err
	}
	all, err := b.cfg.Answers.Relied(ctx, d.Record)
	if err != nil {
		return Reach{}, err
	}
	reach := Reach{Doubt: id, Before: now.Newer, Reliances: []Reliance{}}
	counts, cases := map[exchange.Department]*Count{}, map[[2]string]bool{}
	for _, r := range all {
		own := r.Department == who.Department
		if r.Evidence != d.Evidence || now.Newer > 0 && r.Version >= now.Newer || !own && !b.answers(who, &d) && !who.Authority {
			continue
		}
		count := counts[r.Department]
		if count == nil {
			count = &Count{Department: r.Department}
			counts[r.Department] = count
		}
		count.Answers++
		if of := [2]string{string(r.Department), r.Case}; !cases[of] {
			cases[of] = true
			count.Cases++
		}
		if own && (who.Supervisor || string(r.Department)+"/"+r.Clerk == who.Name) {
			reach.Reliances = append(reach.Reliances, r)
		}
	}
	reach.Departments = sorted(counts)
	slices.SortFunc(reach.Reliances, func(a, b Reliance) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Receipt, b.Receipt)) })
	return reach, nil
}

func sorted(counts map[exchange.Department]*Count) []Count {
	all := make([]Count, 0, len(counts))
	for _, c := range counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Count) int { return cmp.Compare(a.Department, b.Department) })
	return all
}
