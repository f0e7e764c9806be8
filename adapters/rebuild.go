package adapters

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// rebuild makes a lost state again from what the adapter has published: which version and which content of each record,
// and which rows are in quarantine. For a new adapter that is nothing.
func (r *Runner) rebuild(ctx context.Context) error {
	if err := r.rebuilding(true); err != nil {
		return err
	}
	department := r.cfg.Manifest.Adapter.Department()
	if err := r.replay(ctx, envelope.CoverageTopic(department), r.sameKey); err != nil {
		return err
	}
	evidence := envelope.EvidenceTopic(r.cfg.Manifest.Evidence)
	if err := r.replay(ctx, evidence, r.recall); err != nil {
		return err
	}
	if err := r.replay(ctx, envelope.QuarantineTopic(department), r.recallRow); err != nil {
		return err
	}
	r.state.meta.Key = r.names.KeyName()
	return r.rebuilding(false)
}

// rebuilding notes, for good, that a rebuild has begun or is over.
func (r *Runner) rebuilding(now bool) error {
	r.state.meta.Rebuilding = now
	w := r.state.write()
	defer w.discard()
	return w.commit(true)
}

// replay hands over everything that stands in a topic now, in batches that are committed with the state.
func (r *Runner) replay(ctx context.Context, topic string, take func(*write, *exchange.Message) error) error {
	left, err := r.cfg.Bus.EndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	first, err := r.cfg.Bus.FirstOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for partition, end := range left {
		if end <= first[partition] { // nothing stands there, or no longer
			delete(left, partition)
		}
	}
	if len(left) == 0 {
		return nil
	}
	batches := make(chan []exchange.Message)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	followed := make(chan error, 1)
	go func() {
		defer close(followed)
		followed <- r.cfg.Bus.Follow(ctx, topic, nil, func(ctx context.Context, messages []exchange.Message) error {
			select { // partitions arrive side by side; the state takes one batch at a time
			case batches <- messages:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	err = r.takeAll(batches, followed, left, take)
	stop()
	for range followed { // until it has ended
	}
	return err
}

func (r *Runner) takeAll(batches <-chan []exchange.Message, followed <-chan error, left map[int]int64, take func(*write, *exchange.Message) error) error {
	for len(left) > 0 {
		select {
		case err := <-followed:
			return fmt.Errorf("follow own topic: %w", err)
		case messages := <-batches:
			if err := r.takeBatch(messages, take); err != nil {
				return err
			}
			last := messages[len(messages)-1]
			if end, waiting := left[last.Partition]; waiting && last.Offset+1 >= end {
				delete(left, last.Partition)
			}
		}
	}
	return nil
}

func (r *Runner) takeBatch(messages []exchange.Message, take func(*write, *exchange.Message) error) error {
	w := r.state.write()
	defer w.discard()
	for i := range messages {
		if err := take(w, &messages[i]); err != nil {
			return err
		}
	}
	return w.commit(false)
}

// sameKey refuses to go on under another department key than the adapter has published with: every record would be published
// once more under another id, and all that stand would be withdrawn.
func (r *Runner) sameKey(_ *write, m *exchange.Message) error {
	var said exchange.Coverage
	if string(m.Key) != string(r.cfg.Manifest.Adapter) || json.Unmarshal(m.Value, &said) != nil || said.Key == "" || said.Key == r.names.KeyName() {
		return nil
	}
	return r.anotherKey()
}

// keptKey refuses the same where the state was not lost.
func (r *Runner) keptKey() error {
	switch before, name := r.state.meta.Key, r.names.KeyName(); {
	case before != "" && before != name:
		return r.anotherKey()
	case !r.state.fresh():
		r.state.meta.Key = name
	}
	return nil
}

func (r *Runner) anotherKey() error {
	return &exchange.Problem{Code: "YM-ADP-0104", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "本适配器以前用另一把部门密钥发布：" + string(r.cfg.Manifest.Adapter), EN: "this adapter has published under another department key: " + string(r.cfg.Manifest.Adapter)},
		Why: exchange.Text{ZH: "换了密钥或密码算法，所有记录都会换编号：现有的会全部被撤回并重新发布",
			EN: "under another key, or another suite of algorithms, every record gets another id: all that stand would be withdrawn and published anew"},
		Mend: exchange.Text{ZH: "用 --data 指定原来的数据目录，或把其中 keys 下的部门密钥复制过来", EN: "name the former data directory with --data, or copy the department's key from its keys folder"}}
}

// recall notes a record version found in the evidence topic, if it is this adapter's.
func (r *Runner) recall(w *write, m *exchange.Message) error {
	adapter, digest, withdrawn, err := envelope.Published(m)
	if err != nil || adapter != r.cfg.Manifest.Adapter || len(m.Key) != 24 {
		return nil // another's, or not a record: not this adapter's to judge
	}
	r.state.meta.End.include(m)
	id, version := exchange.RecordID(m.Key[:16]), exchange.Version(binary.BigEndian.Uint64(m.Key[16:]))
	old, exists, err := w.known(id)
	if err != nil || exists && old.Version >= version {
		return err
	}
	_, err = w.publish(id, known{Version: version, Digest: digest, Ordinal: old.Ordinal, Withdrawn: withdrawn}, !exists)
	return err
}

// recallRow notes a row found in the quarantine topic. Its content is sealed to the exchange; the next reading gives it again.
func (r *Runner) recallRow(w *write, m *exchange.Message) error {
	if len(m.Key) != 16 {
		return nil
	}
	row := [16]byte(m.Key)
	r.state.meta.Rejected.include(m) // other adapters' rows too: waiting for them does no harm
	if m.Value == nil {
		return w.unquarantine(row)
	}
	if adapter, err := envelope.Author(m); err != nil || adapter != r.cfg.Manifest.Adapter {
		return nil
	}
	return w.quarantineUnknown(row)
}
