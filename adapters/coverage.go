package adapters

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/onedoor/yimen/exchange"
)

// coverage is the statement of this moment.
func (r *Runner) coverage() exchange.Coverage {
	m, state := r.cfg.Manifest, &r.state.meta
	return exchange.Coverage{
		Adapter: m.Adapter, Type: m.Evidence, Holders: m.Holders,
		Alive: r.cfg.Clock().UTC(), CompleteUpTo: state.UpTo, End: maps.Clone(state.End), Rejected: maps.Clone(state.Rejected),
		Read: state.Last.Read, Published: state.Last.Records,
		Quarantined: state.Last.Quarantined, Unreadable: state.Last.Unreadable,
		Tolerance: m.Tolerance.Unreadable, Key: r.sealer.KeyName(),
	}
}

func (r *Runner) coverageMessage() (exchange.Message, error) {
	value, err := json.Marshal(r.coverage())
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write coverage of %s: %w", r.cfg.Manifest.Adapter, err)
	}
	return exchange.Message{Key: []byte(r.cfg.Manifest.Adapter), Value: value,
		Headers: []exchange.Header{{Name: "content-type", Value: []byte("application/json")}}}, nil
}
