package broker

import (
	"context"
	"errors"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

// slow are holdings that answer when they are let.
type slow struct {
	*fakeHoldings
	asked, answer chan struct{}
}

func (s slow) Find(ctx context.Context, holder exchange.Holder, types []exchange.EvidenceType) (exchange.Found, error) {
	s.asked <- struct{}{}
	<-s.answer
	return exchange.Found{}, nil
}

// TestOneTooManyIsToldAtOnce: nobody is looked up for it, and no entry is left; those in hand are answered, and their places free.
func TestOneTooManyIsToldAtOnce(t *testing.T) {
	s := newStage(t)
	held := slow{s.holdings, make(chan struct{}), make(chan struct{})}
	cfg := s.cfg
	cfg.Holdings, cfg.AtOnce, cfg.Metrics = held, 2, nil
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	for range 2 {
		go func() {
			_, err := b.Query(context.Background(), query())
			ended <- err
		}()
		<-held.asked
	}
	_, err = b.Query(t.Context(), query())
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Code != "YM-QRY-0305" || p.Kind != exchange.Unavailable {
		t.Errorf("one too many: %v", err)
	}
	if len(s.topic.msgs) != 0 {
		t.Errorf("%d entries were left", len(s.topic.msgs))
	}
	close(held.answer)
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("one in hand: %v", err)
		}
	}
	go func() { <-held.asked }()
	if _, err := b.Query(t.Context(), query()); err != nil || len(s.topic.msgs) != 3 {
		t.Errorf("once there is a place again: %v, %d entries", err, len(s.topic.msgs))
	}
}
