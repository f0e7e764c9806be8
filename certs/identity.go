package certs

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Role is what the holder of a certificate does.
type Role string

// The roles, as they stand in an identity's address.
const (
	Adapter Role = "adapter" // publishes a department's data
	Service Role = "service" // a department's own system, which asks
	Clerk   Role = "clerk"   // a person at a window, known by the staff code
	Node    Role = "node"    // a part of the exchange itself; belongs to no department
	Broker  Role = "broker"  // one of the city's Kafka; belongs to no department
)

// serves says whether others call who has the role, which belongs to the city then and to no department.
func (r Role) serves() bool { return r == Node || r == Broker }

// Identity is who holds a certificate: spiffe://<city>/dept/<code>/<role>/<name>, or spiffe://<city>/node/<name> and
// spiffe://<city>/broker/<name>.
type Identity struct {
	City       string // the trust domain, such as "liling"
	Department exchange.Department
	Role       Role
	Name       string
}

const scheme = "spiffe"

// staffCode is what the last part of a clerk's address may be; other roles have valid names.
var staffCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Check says what is wrong with an identity, nil for a sound one.
func (i Identity) Check() error {
	named := exchange.ValidName(i.Name)
	if i.Role == Clerk {
		named = staffCode.MatchString(i.Name)
	}
	belongs := exchange.ValidName(string(i.Department))
	if i.Role.serves() {
		belongs = i.Department == ""
	}
	known := i.Role == Adapter || i.Role == Service || i.Role == Clerk || i.Role.serves()
	if !exchange.ValidName(i.City) || !known || !belongs || !named {
		return fmt.Errorf("identity is not of the form spiffe://city/dept/code/role/name")
	}
	return nil
}

// String is the identity's address (URI).
func (i Identity) String() string {
	if i.Role.serves() {
		return fmt.Sprintf("%s://%s/%s/%s", scheme, i.City, i.Role, i.Name)
	}
	return fmt.Sprintf("%s://%s/dept/%s/%s/%s", scheme, i.City, i.Department, i.Role, i.Name)
}

// Principal is the identity as Kafka knows it, the certificate's common name: "scjg/adapter/licences", "node/main", "broker/kafka1".
func (i Identity) Principal() string {
	_, path, _ := strings.Cut(strings.TrimPrefix(i.String(), scheme+"://"), "/")
	return strings.TrimPrefix(path, "dept/")
}

// Adapter is the adapter that the identity is, "" where it is none.
func (i Identity) Adapter() exchange.Adapter {
	if i.Role != Adapter {
		return ""
	}
	return exchange.Adapter(string(i.Department) + "/" + i.Name)
}

// ParseIdentity reads what String wrote, and nothing else: no user, port, query, escape or second spelling.
func ParseIdentity(address string) (Identity, error) {
	rest, ok := strings.CutPrefix(address, scheme+"://")
	parts := strings.Split(rest, "/")
	var i Identity
	switch {
	case ok && len(parts) == 3 && Role(parts[1]).serves():
		i = Identity{City: parts[0], Role: Role(parts[1]), Name: parts[2]}
	case ok && len(parts) == 5 && parts[1] == "dept":
		i = Identity{City: parts[0], Department: exchange.Department(parts[2]), Role: Role(parts[3]), Name: parts[4]}
	default:
		return Identity{}, fmt.Errorf("identity is not of the form spiffe://city/dept/code/role/name")
	}
	if i.Role.serves() && parts[1] == "dept" {
		return Identity{}, fmt.Errorf("a node or broker belongs to no department")
	}
	return i, i.Check()
}

// IdentityOf is whom a certificate names: it must have exactly one URI, and that an identity's. It says nothing of whether
// the certificate is to be trusted: verify its chain first.
func IdentityOf(certificate *x509.Certificate) (Identity, error) {
	if len(certificate.URIs) != 1 {
		return Identity{}, fmt.Errorf("certificate with %d URIs, want one", len(certificate.URIs))
	}
	return ParseIdentity(certificate.URIs[0].String())
}

// URI is the identity's address as a certificate carries it.
func (i Identity) URI() *url.URL {
	path := strings.TrimPrefix(i.String(), scheme+"://"+i.City)
	return &url.URL{Scheme: scheme, Host: i.City, Path: path}
}
