package node

import (
	"net/http"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/grants"
)

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
