package certs

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// ParsePrincipal reads what Principal writes, and what people write for short: "scjg/licences" is the adapter
// scjg/adapter/licences. A full address is taken too, where it is of the city. "node/1" is always a node, "broker/kafka1" always a broker.
func ParsePrincipal(city, name string) (Identity, error) {
	if strings.HasPrefix(name, scheme+":") {
		i, err := ParseIdentity(name)
		if err == nil && i.City != city {
			return Identity{}, fmt.Errorf("identity is of another city")
		}
		return i, err
	}
	parts := strings.Split(name, "/")
	var i Identity
	switch {
	case len(parts) == 2 && Role(parts[0]).serves():
		i = Identity{City: city, Role: Role(parts[0]), Name: parts[1]}
	case len(parts) == 2:
		i = Identity{City: city, Department: exchange.Department(parts[0]), Role: Adapter, Name: parts[1]}
	case len(parts) == 3 && !Role(parts[1]).serves():
		i = Identity{City: city, Department: exchange.Department(parts[0]), Role: Role(parts[1]), Name: parts[2]}
	default:
		return Identity{}, fmt.Errorf("identity is not of the form department/role/name")
	}
	return i, i.Check()
}
