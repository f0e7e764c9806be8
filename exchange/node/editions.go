package node

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/items"
	"github.com/onedoor/yimen/exchange/journal"
)

// edition is the catalogue as queries see it, until the day on which an item is another.
type edition struct {
	*catalogue.Catalogue
	next  int64         // how far its topic is folded
	turns exchange.Date // "": no such day is known
}

// editions begins to fold the topic of the catalogue. What was done before the start counts before the first question.
func (n *Node) editions(ctx context.Context) error {
	n.current.Store(&edition{Catalogue: n.Catalogue})
	j, err := journal.New(journal.Config{Topic: catalogue.Topic, Topics: n.Bus, Keys: n.orders(), Moved: n.moved, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	if n.Items, err = items.New(items.Config{City: n.Catalogue, Journal: j, Audit: n.act, Clock: n.around.Clock}); err != nil {
		return err
	}
	n.Grants, err = grants.New(grants.Config{City: n.Catalogue, Current: n.Current, Journal: j, Fields: n.fields, Audit: n.act,
		Shares: func(t exchange.EvidenceType) bool { return len(n.Index.Speakers(t)) > 0 }, Clock: n.around.Clock})
	if err != nil {
		return err
	}
	n.goes("fold the catalogue's topic", j.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	return j.Settled(ctx)
}

// moved is called between two entries: nothing is folded meanwhile.
func (n *Node) moved(next int64) {
	c, turns := n.Items.On(n.Catalogue, n.today())
	n.current.Store(&edition{n.Grants.On(c, next), next, turns})
}

// Current is the catalogue as queries see it: with what was decided since it was read.
func (n *Node) Current() *catalogue.Catalogue {
	if c, err := n.currentAt(n.around.Clock()); err == nil {
		return c
	}
	return n.current.Load().Catalogue // the node ends
}

// currentAt is Current at a moment, which must not be before that of an earlier call by more than queries take: an edition that was turned is
// not turned back.
func (n *Node) currentAt(at time.Time) (*catalogue.Catalogue, error) {
	for {
		now := n.current.Load()
		if now.turns == "" || exchange.DateOf(at) < now.turns {
			return now.Catalogue, nil
		}
		if err := n.turn(exchange.DateOf(at)); err != nil {
			return nil, err
		}
	}
}

// turn puts the edition of a day in the place of the one before: one caller does, and the others wait for it.
func (n *Node) turn(day exchange.Date) error {
	n.turning.Lock()
	defer n.turning.Unlock()
	now := n.current.Load()
	if now.turns == "" || day < now.turns {
		return nil
	}
	turned, err := n.asOf(n.life, n.Catalogue, now.next, day)
	if err == nil {
		n.current.CompareAndSwap(now, turned) // else something was folded meanwhile, and that is newer
	}
	return err
}

// asOf is a catalogue with what was decided up to an offset, on a day.
func (n *Node) asOf(ctx context.Context, c *catalogue.Catalogue, next int64, day exchange.Date) (*edition, error) {
	on, turns, err := n.Items.AsOf(ctx, c, next, day)
	if err != nil {
		return nil, err
	}
	on, err = n.Grants.AsOf(ctx, on, next)
	return &edition{on, next, turns}, err
}

func (n *Node) today() exchange.Date { return exchange.DateOf(n.around.Clock()) }

// epoch changes with the catalogue and with every order to forget.
func (n *Node) epoch() (string, error) {
	return fmt.Sprint(n.Current().UpTo(), " ", n.Index.Ordered()), n.mayAnswer()
}

// editing is who drafts or decides on items.
func (n *Node) editing(r *http.Request) (items.Person, error) {
	caller, err := n.door.Caller(r)
	return items.Person{Department: caller.Department, Name: caller.Name(), Items: caller.May(door.Items), Admin: caller.May(door.Admin)}, err
}

// catalogues is where versions of the catalogue are kept.
func (n *Node) catalogues() string { return filepath.Join(n.cfg.Data, cataloguesDir) }

// recall is a catalogue of then.
func (n *Node) recall(ctx context.Context, version string, next int64, at time.Time) (*catalogue.Catalogue, error) {
	c, err := catalogue.Recall(n.catalogues(), version)
	if err != nil || next == 0 {
		return c, err
	}
	then, err := n.asOf(ctx, c, next, exchange.DateOf(at))
	if err != nil {
		return nil, err
	}
	return then.Catalogue, nil
}
