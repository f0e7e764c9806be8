package adapters

import (
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
		Tolerance: m.Tolerance.Unreadable, Key: r.names.KeyName(),
	}
}

// statement is the coverage as it goes onto its topic, signed.
func (r *Runner) statement() ([]exchange.Message, error) {
	batch := r.sealer.Batch()
	message, err := batch.Statement(r.coverage())
	if err != nil {
		return nil, err
	}
	messages := []exchange.Message{message}
	return messages, batch.Sign(messages)
}
