package node

import (
	"context"
	"net/http"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/journal"
)

// grant begins to fold the topic of the catalogue. What was done before the start counts before the first question.
func (n *Node) grant(ctx context.Context) error {
	n.current.Store(n.Catalogue)
	j, err := journal.New(journal.Config{Topic: catalogue.Topic, Topics: n.Bus, Keys: n.orders(), Log: n.around.Log, Metrics: n.Metrics,
		Moved: func(next int64) { n.current.Store(n.Grants.On(n.Catalogue, next)) }})
	if err != nil {
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

// Current is the catalogue as queries see it: with what was decided since it was read.
func (n *Node) Current() *catalogue.Catalogue { return n.current.Load() }

// fields are the names that a grant may give of a type.
func (n *Node) fields(t exchange.EvidenceType) []string {
	schema, known := n.Registry.Evidence().ByType(t)
	if !known {
		return nil
	}
	var names []string
	for _, f := range schema.Fields() {
		if name := f.Pointer[1:]; !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

// granting is who asks for or decides on grants.
func (n *Node) granting(r *http.Request) (grants.Person, error) {
	caller, err := n.door.Caller(r)
	return grants.Person{Department: caller.Department, Name: caller.Name(), Sharing: caller.May(door.Grants), Admin: caller.May(door.Admin)}, err
}
