package doubts

import (
	"context"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

const (
	eraseEvery = time.Second // how often it is asked what must go
	eraseAgain = time.Minute // what has not come back by then is appended once more
	// unnamedFor is how long a text may stand there without an act that names it: its writer crashed, or another act was first.
	unnamedFor = time.Hour
)

// Run follows what people wrote, and erases it where its record is ordered to be forgotten, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- b.texts.run(ctx) }()
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	said := map[string]time.Time{}
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			if err := b.erase(ctx, said); err != nil && ctx.Err() == nil {
				b.cfg.Log.Warn("bytes of what was erased are not freed yet", "topic", TextsTopic, "error", err)
			}
		}
	}
}

// erase appends the tombstones that are owed; said is when each was appended last.
func (b *Book) erase(ctx context.Context, said map[string]time.Time) error {
	owed, unnamed := b.owed()
	if unnamed { // that no act names it must be certain
		within, cancel := context.WithTimeout(ctx, textsPatience)
		defer cancel()
		if err := b.cfg.Journal.Settled(within); err != nil {
			return err
		}
		owed, _ = b.owed()
	}
	if len(owed) == 0 {
		clear(said)
		return nil
	}
	now := b.cfg.Clock()
	owed = slices.DeleteFunc(owed, func(m exchange.Message) bool {
		before, was := said[string(m.Key)]
		return was && now.Sub(before) < min(eraseAgain, b.cfg.Rest)
	})
	if len(owed) == 0 {
		return nil
	}
	if err := b.cfg.Topics.Append(ctx, TextsTopic, owed); err != nil {
		return err
	}
	for _, m := range owed {
		said[string(m.Key)] = now
	}
	return nil
}

// owed are the tombstones that the topic lacks, and whether one is of a text that no act names.
func (b *Book) owed() (tombstones []exchange.Message, unnamed bool) {
	tombstones = b.texts.owed(func(doubt, entry string, came time.Time) bool {
		of, named := b.names(doubt, entry)
		if named {
			return b.cfg.Forgotten(of.Evidence, of.Record)
		}
		old := b.cfg.Clock().Sub(came) > unnamedFor
		unnamed = unnamed || old
		return old
	})
	return tombstones, unnamed
}

// names is what the doubt is about of which an act says that the text is its own.
func (b *Book) names(doubt, entry string) (about, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	d := b.state[doubt]
	if d == nil || d.reason.entry != entry && d.answer.entry != entry {
		return about{}, false
	}
	return d.about, true
}
