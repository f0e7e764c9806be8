package vault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"
)

// reason is why Vault did not do what it was asked, as metrics and logs have it.
type reason string

const (
	sealed      reason = "sealed"      // or not initialised, or a standby without its active node
	limited     reason = "limited"     // 429
	slow        reason = "slow"        // no answer within the time it may take
	untrusted   reason = "untrusted"   // its certificate is not of the configured CA
	unreachable reason = "unreachable" // nobody there
	broken      reason = "broken"      // it answered that it has an internal error
	denied      reason = "denied"      // the token may not, or is no longer known
	refused     reason = "refused"     // it does not take what it was sent
	spoilt      reason = "spoilt"      // what it answered, or keeps, is not what it must be
	stolen      reason = "stolen"      // the wrapped secret-id was opened, or made, by somebody else
)

// away says whether the reason is about Vault itself, and may pass.
func (r reason) away() bool {
	switch r {
	case sealed, limited, slow, untrusted, unreachable, broken:
		return true
	}
	return false
}

// fault is a request that failed. It quotes what Vault says of it, never what was sent, and no token.
type fault struct {
	reason reason
	said   string
}

func (f *fault) Error() string {
	if f.said == "" {
		return string(f.reason)
	}
	return string(f.reason) + ": " + f.said
}

// faultOf sorts an error of the client. Errors that are no fault of Vault come back as they are.
func faultOf(err error) error {
	var known *fault
	if err == nil || errors.As(err, &known) || errors.Is(err, errGivenUp) {
		return err
	}
	var answer *api.ResponseError
	if errors.As(err, &answer) {
		return &fault{reason: reasonOf(answer.StatusCode), said: saidBy(answer)}
	}
	return &fault{reason: reasonOfWire(err), said: oneLine(err.Error())}
}

func reasonOf(status int) reason {
	switch {
	case status == http.StatusServiceUnavailable, status == 472, status == 473, status == 501:
		return sealed
	case status == http.StatusTooManyRequests:
		return limited
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return denied
	case status >= 500:
		return broken
	}
	return refused
}

func reasonOfWire(err error) reason {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var network net.Error
	switch {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verification):
		return untrusted
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return slow
	}
	return unreachable
}

// saidBy is Vault's own words on one line; a page of some proxy is not repeated.
func saidBy(answer *api.ResponseError) string {
	text := http.StatusText(answer.StatusCode)
	if !answer.RawError && len(answer.Errors) > 0 {
		text = strings.Join(answer.Errors, "; ")
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, oneLine(text))
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

// why is the reason of an error, "" where it is no fault of Vault.
func why(err error) reason {
	var f *fault
	if errors.As(err, &f) {
		return f.reason
	}
	return ""
}
