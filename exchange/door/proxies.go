package door

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of the city's own reverse proxies. What they say of whom they forward for is dropped; from
// anybody else it is refused.
type Proxies []netip.Prefix

// vouching are headers by which a proxy vouches for who is calling. Nothing here believes them, and who sends one hopes that
// something does.
var vouching = []string{
	"X-Client-Cert", "X-Client-Verify", "X-Client-Dn", "X-Client-Subject", "Client-Cert", "Client-Cert-Chain", "X-Forwarded-Client-Cert", "X-Forwarded-User",
	"X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Remote-User", "Remote-User", "X-User", "X-Auth-User",
	"X-Authenticated-User", "X-Department", "X-Clerk", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
}

// vouchingFamilies are the beginnings of more such headers.
var vouchingFamilies = []string{"X-Ssl-", "Ssl-Client-", "X-Yimen-", "X-Tls-", "X-Spiffe-"}

// forwarding are headers by which a proxy tells for whom it asks. They are ordinary behind a proxy and forged elsewhere.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Forwarded-Prefix", "X-Real-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Cf-Connecting-Ip"}

func (p Proxies) check(r *http.Request) error {
	trusted := p.include(r.RemoteAddr)
	for name := range r.Header {
		// "_" passes for "-" in some servers behind a proxy, so it does here.
		name := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
		vouches := slices.Contains(vouching, name) ||
			slices.ContainsFunc(vouchingFamilies, func(family string) bool { return strings.HasPrefix(name, family) })
		if vouches || !trusted && slices.Contains(forwarding, name) {
			return forged(name)
		}
	}
	return nil
}

func (p Proxies) include(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(p, func(net netip.Prefix) bool { return net.Contains(at.Addr().Unmap()) })
}
