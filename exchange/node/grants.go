package node

import (
	"context"
	"net/http"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/grants"
)

// grant begins to fold the grants. What was done before the start counts before the first question.
func (n *Node) grant(ctx context.Context) (err error) {
	n.Grants, err = grants.New(grants.Config{Catalogue: n.Catalogue, Topics: n.Bus, Keys: n.orders(), Fields: n.fields, Audit: n.act,
		Shares: func(t exchange.EvidenceType) bool { return len(n.Index.Speakers(t)) > 0 },
		Clock:  n.around.Clock, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.goes("fold grants", n.Grants.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	return n.Grants.Settled(ctx)
}

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
