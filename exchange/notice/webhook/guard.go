package webhook

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/onedoor/yimen/exchange/identity"
)

const maxAddress = 512 // characters

// Check says whether an address may be named at all, by its form. Whether it may be dialled shows when it is. It errs with a Problem
// that repeats nothing of the address.
func (s *Sender) Check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, len(address) > maxAddress, u.Host == "", u.Hostname() == "", u.Opaque != "":
		return badAddress()
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return noSecrets() // it is shown, and stands on a topic
	case identity.MentionsCitizen(address):
		return noSecrets()
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && local(u.Hostname()):
		return nil
	}
	return notSafe()
}

// local says whether a host's name is this machine's.
func local(host string) bool {
	at, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && at.IsLoopback()
}

// errForbidden means that an address leads to a network that is not allowed.
var errForbidden = errors.New("the address leads to a network that webhooks.allow does not name")

// dialer connects to allowed networks only. Control runs on each address that a name resolved to, just before it is dialled.
func (s *Sender) dialer() *net.Dialer {
	return &net.Dialer{Timeout: patience / 2, KeepAlive: time.Minute, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !s.allows(at.Addr()) {
			return errForbidden
		}
		return nil
	}}
}

func (s *Sender) allows(at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	return slices.ContainsFunc(s.cfg.Allow, func(net netip.Prefix) bool { return net.Contains(at) })
}

// bare is the cause of an error of the client without the address, which stands in it.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	var timeout net.Error
	switch {
	case errors.Is(err, errForbidden):
		return errForbidden
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("it did not answer in time")
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return errors.New("its name is not known")
	}
	return err
}
