package registry

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/exchange"
)

// Run folds the proposals, keeps _schemas as it should be, and carries out retirements whose time has come, until ctx
// ends. A registry whose proposals are empty first takes over what stands in _schemas.
func (r *Registry) Run(ctx context.Context) error {
	if err := r.onePartition(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return r.follow(ctx, Proposals, r.position, r.take)
	})
	if r.reads {
		group.Go(func() error { return r.read(ctx) })
		return group.Wait()
	}
	group.Go(func() error {
		return r.follow(ctx, Mirror, r.mirror.position, r.see)
	})
	group.Go(func() error {
		if err := r.start(ctx); err != nil {
			return err
		}
		return r.mend(ctx)
	})
	group.Go(func() error { return r.retireInTime(ctx) })
	return group.Wait()
}

// onePartition refuses topics whose messages have no one order.
func (r *Registry) onePartition(ctx context.Context) error {
	topics := []string{Proposals, Mirror}
	if r.reads {
		topics = topics[:1]
	}
	for _, topic := range topics {
		ends, err := r.ends(ctx, topic)
		if err != nil {
			return err
		}
		if len(ends) != 1 {
			return &exchange.Problem{Code: "YM-REG-50010", Kind: exchange.Conflict,
				What: text("主题 "+topic+" 的分区数不是一", "the topic "+topic+" has more than one partition"),
				Why:  text(fmt.Sprintf("共 %d 个分区；改动须有唯一的次序", len(ends)), fmt.Sprintf("it has %d; changes need one order", len(ends))),
				Mend: text("以一个分区重建该主题", "create the topic anew with one partition")}
		}
	}
	return nil
}

// read opens a registry that changes nothing: once the past is folded.
func (r *Registry) read(ctx context.Context) error {
	ends, err := r.ends(ctx, Proposals)
	if err != nil {
		return err
	}
	if err := r.reach(ctx, ends[0]); err != nil {
		return err
	}
	r.openOnce.Do(func() { close(r.open) })
	return nil
}

// ends asks for the end of a topic until the bus answers.
func (r *Registry) ends(ctx context.Context, topic string) (map[int]int64, error) {
	for {
		ends, err := r.topics.EndOffsets(ctx, topic)
		if err == nil {
			return ends, nil
		}
		r.log.Warn("the bus does not answer", "topic", topic, "error", err)
		if sleep(ctx, r.patience.retry) != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// follow hands a topic over, and begins again where it was when the bus was away.
func (r *Registry) follow(ctx context.Context, topic string, position func() int64, handle func(context.Context, []exchange.Message) error) error {
	for {
		err := r.topics.Follow(ctx, topic, map[int]int64{0: position()}, handle)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.log.Warn("following stopped; beginning again", "topic", topic, "error", err)
		if sleep(ctx, r.patience.retry) != nil {
			return context.Cause(ctx)
		}
	}
}

// take folds messages of schemas.proposals.
func (r *Registry) take(_ context.Context, msgs []exchange.Message) error {
	type read struct {
		p   *proposal
		err error
	}
	reads := make([]read, len(msgs))
	for i := range msgs { // outside of the lock, being the greater part
		reads[i].p, reads[i].err = parseProposal(msgs[i].Key, msgs[i].Value)
	}
	var outcomes []outcome
	r.mu.Lock()
	for i, m := range msgs {
		if m.Offset < r.state.next {
			continue // a message can come twice
		}
		o := r.state.fold(m.Offset, reads[i].p, reads[i].err)
		outcomes = append(outcomes, o)
	}
	close(r.moved)
	r.moved = make(chan struct{})
	r.mu.Unlock()
	if len(msgs) > 0 {
		r.tellUseless(outcomes, msgs[len(msgs)-1].Offset)
	}
	now := time.Now()
	for _, o := range outcomes {
		r.metrics.proposals.WithLabelValues(o.kind).Inc()
		if o.kind != accepted {
			r.waiting.tell(o)
			continue
		}
		due := now.Add(r.patience.others)
		if r.waiting.tell(o) {
			due = now
		}
		r.mirror.want(o.touched, due)
	}
	return nil
}

// tellUseless tells of messages that should not be there: a line a kind, because there may be very many.
func (r *Registry) tellUseless(outcomes []outcome, last int64) {
	count := map[string]int{}
	for _, o := range outcomes {
		switch o.kind {
		case accepted, stale, repeated:
		default:
			count[o.kind]++
		}
	}
	for kind, n := range count {
		r.log.Error("messages on the proposals have no effect", "kind", kind, "messages", n, "up to offset", last)
	}
}

// start waits until the past is folded, takes over what stands in _schemas, and opens the registry for changes.
func (r *Registry) start(ctx context.Context) error {
	ends, err := r.ends(ctx, Proposals)
	if err != nil {
		return err
	}
	if err := r.reach(ctx, ends[0]); err != nil {
		return err
	}
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	if err := r.adopt(ctx); err != nil {
		return err
	}
	r.openOnce.Do(func() { close(r.open) })
	r.wantAll()
	return nil
}

// reach waits until everything before the offset is folded.
func (r *Registry) reach(ctx context.Context, end int64) error {
	return reach(ctx, end, func() (int64, <-chan struct{}) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return r.state.next, r.moved
	})
}

// reach waits until a follower is at the offset. where gives its place, and what is closed when it moves on.
func reach(ctx context.Context, end int64, where func() (next int64, moved <-chan struct{})) error {
	for {
		next, moved := where()
		if next >= end {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// opened waits until the registry may be changed.
func (r *Registry) opened(ctx context.Context) error {
	select {
	case <-r.open:
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience.answer)
	defer cancel()
	select {
	case <-r.open:
		return nil
	case <-ctx.Done():
		return notOpen(context.Cause(ctx))
	}
}

// Settled waits until everything that stood on the topic when it was called is folded.
func (r *Registry) Settled(ctx context.Context) error {
	if err := r.opened(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience.answer)
	defer cancel()
	ends, err := r.topics.EndOffsets(ctx, Proposals)
	if err != nil {
		return storeDown(err)
	}
	r.metrics.lag.Set(float64(max(0, ends[0]-r.position())))
	if err := r.reach(ctx, ends[0]); err != nil {
		return notOpen(err)
	}
	r.metrics.lag.Set(0)
	return nil
}

// retireInTime deletes subjects softly whose time has come. All nodes try; one of them is first.
func (r *Registry) retireInTime(ctx context.Context) error {
	if err := r.untilOpen(ctx); err != nil {
		return err
	}
	told := map[string]bool{}
	for {
		for _, name := range r.due() {
			_, err := r.deleteSubject(ctx, r.Retirement(name), name)
			if err != nil && !told[name] && ctx.Err() == nil {
				told[name] = true
				r.log.Warn("a subject whose time has come cannot be deleted", "subject", name, "error", err)
			}
		}
		if err := sleep(ctx, r.patience.retiring); err != nil {
			return err
		}
	}
}

func (r *Registry) untilOpen(ctx context.Context) error {
	select {
	case <-r.open:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// due are the subjects with versions whose retirement has come.
func (r *Registry) due() []string {
	now := r.clock()
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for name, sub := range r.state.subjects {
		if ends := sub.retirement; ends != nil && !now.Before(ends.From) && sub.latest(false) != nil {
			names = append(names, name)
		}
	}
	return names
}
