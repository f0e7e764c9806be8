package holdings

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// History gives the turns of a record that the index has, the oldest first: a version that repeats the one before it is none. Of what was
// ordered to be forgotten nothing shows, and a record of which nothing is left has no turns.
//
// History errs with a Problem of kind Unavailable until the orders to forget are folded.
func (x *Index) History(ctx context.Context, t exchange.EvidenceType, id exchange.RecordID) ([]exchange.Turn, error) {
	if err := x.mayAnswer(); err != nil {
		return nil, err
	}
	turns, err := x.history(ctx, record{Type: t, ID: id})
	if errors.Is(err, errDamaged) {
		err = damaged(err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the history of a record: %w", err)
	}
	return turns, nil
}

func (x *Index) history(ctx context.Context, r record) ([]exchange.Turn, error) {
	traces, err := x.traces(ctx, r)
	if err != nil {
		return nil, err
	}
	left := func(t trace) bool { return len(t.everyone()) > 0 }
	if !slices.ContainsFunc(slices.Collect(maps.Values(traces)), left) {
		return nil, nil // all whom it named are forgotten
	}
	var turns []exchange.Turn
	var before *trace
	for _, number := range slices.Sorted(maps.Keys(traces)) {
		t := traces[number]
		if before != nil && before.state == t.state && before.content == t.content {
			continue
		}
		v, shown, err := x.says(ctx, r, number, &t)
		if err != nil {
			return nil, err
		}
		if before = &t; shown {
			turns = append(turns, exchange.Turn{Version: number, Status: v.status, From: v.from, Until: v.until, Logged: v.logged})
		}
	}
	return turns, nil
}

// says gives what a version says, as one of the holders whom it names sees it; false: they are all forgotten.
func (x *Index) says(ctx context.Context, r record, number exchange.Version, t *trace) (v version, shown bool, err error) {
	if t.state == withdrawn {
		return *t.withdrawal, true, nil
	}
	if len(t.holders) == 0 {
		return v, false, nil
	}
	key := viewKey(t.holders[0], r, number)
	err = x.engine.Get(ctx, [][]byte{key}, func(_ int, sealed []byte) error {
		plain, err := x.unseal(ctx, nil, key, sealed)
		if err == nil {
			v, err = readVersion(plain, &x.names)
		}
		shown = err == nil && v.state != others
		return err
	})
	return v, shown, err
}
