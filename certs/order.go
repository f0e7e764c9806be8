package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Backdate is how far before its issue a certificate begins, for clocks that are a little slow.
const Backdate = time.Minute

// hostName is a DNS name as an order may have it: lower case, no wildcard.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// Draft is the certificate that the order asks for, if it were issued now: all but serial number, issuer and signature.
// It errs with a Problem of the kind Invalid where the order or its request is not sound.
func (o Order) Draft(now time.Time) (*x509.Certificate, error) {
	if err := o.Identity.Check(); err != nil {
		return nil, refused(exchange.Text{ZH: "身份格式不对", EN: "the identity is not well formed"})
	}
	key, err := o.key()
	if err != nil {
		return nil, err
	}
	from := now.Add(-Backdate).UTC().Truncate(time.Second)
	draft := &x509.Certificate{
		PublicKey:             key,
		Subject:               pkix.Name{CommonName: o.Identity.Principal(), Organization: []string{o.Identity.City}},
		URIs:                  []*url.URL{o.Identity.URI()},
		NotBefore:             from,
		NotAfter:              from.Add(o.life()),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if o.Identity.Role.serves() {
		draft.ExtKeyUsage = append(draft.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return draft, o.name(draft)
}

// life is how long the certificate lives, from a little before its issue on.
func (o Order) life() time.Duration {
	if longest := o.Identity.Role.longest(); o.Life <= 0 || o.Life > longest-Backdate {
		return longest
	}
	return o.Life + Backdate
}

// key is the request's public key. That its signature holds proves that the requester has the private half.
func (o Order) key() (crypto.PublicKey, error) {
	request, err := x509.ParseCertificateRequest(o.Request)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return nil, refused(exchange.Text{ZH: "请求不是有效的 PKCS #10，或其签名与公钥不符", EN: "it is no sound PKCS #10, or its signature is not by its key"})
	}
	switch key := request.PublicKey.(type) {
	case ed25519.PublicKey:
		return key, nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return key, nil
		}
	}
	return nil, refused(exchange.Text{ZH: "公钥既不是 Ed25519 也不是 ECDSA P-256", EN: "its key is neither Ed25519 nor ECDSA P-256"})
}

// name gives the draft the order's hosts.
func (o Order) name(draft *x509.Certificate) error {
	if len(o.Hosts) > 0 && !o.Identity.Role.serves() {
		return refused(exchange.Text{ZH: "只有节点和 Kafka 代理的证书可以写主机名", EN: "only the certificate of a node or a broker may name hosts"})
	}
	for i, host := range o.Hosts {
		ip := net.ParseIP(host)
		switch {
		case ip != nil:
			draft.IPAddresses = append(draft.IPAddresses, ip)
		case len(host) <= 253 && hostName.MatchString(host):
			draft.DNSNames = append(draft.DNSNames, host)
		default:
			return refused(exchange.Text{ZH: fmt.Sprintf("第 %d 个主机名不可用", i+1), EN: fmt.Sprintf("host %d is neither a name nor an address", i+1)})
		}
	}
	return nil
}

// Fulfilled says whether the certificate is what the draft asks for, in all that the draft says. It may end earlier, never
// later.
func Fulfilled(draft, certificate *x509.Certificate) error {
	key, ok := draft.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	who, err := IdentityOf(draft)
	switch {
	case err != nil:
		return err
	case !ok || !key.Equal(certificate.PublicKey):
		return errors.New("certificate is for another key")
	case certificate.IsCA:
		return errors.New("certificate may issue others")
	case certificate.Subject.String() != draft.Subject.String():
		return errors.New("certificate has another subject")
	case !slices.Equal(names(draft), names(certificate)):
		return errors.New("certificate has other alternative names")
	case !sameUse(draft, certificate):
		return errors.New("certificate is for another use")
	case certificate.NotAfter.Sub(certificate.NotBefore) > who.Role.longest(), certificate.NotAfter.After(draft.NotAfter.Add(Backdate)):
		return errors.New("certificate lives longer than it was ordered for")
	}
	return nil
}

// names are all alternative names, sorted.
func names(certificate *x509.Certificate) []string {
	var all []string
	for _, uri := range certificate.URIs {
		all = append(all, "uri "+uri.String())
	}
	for _, name := range certificate.DNSNames {
		all = append(all, "dns "+name)
	}
	for _, ip := range certificate.IPAddresses {
		all = append(all, "ip "+ip.String())
	}
	for _, address := range certificate.EmailAddresses {
		all = append(all, "email "+address)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func sameUse(a, b *x509.Certificate) bool {
	uses := func(c *x509.Certificate) []x509.ExtKeyUsage { return slices.Sorted(slices.Values(c.ExtKeyUsage)) }
	return a.KeyUsage == b.KeyUsage && slices.Equal(uses(a), uses(b)) && len(b.UnknownExtKeyUsage) == 0
}

// refused is why no certificate is issued. The cause of the parser is not told: it may quote what the request holds.
func refused(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-KEY-0103", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "不能签发证书：请求不符合要求", EN: "no certificate is issued: the request is not as it must be"},
		Why:  why,
		Mend: exchange.Text{ZH: "用 yimen 重新登记，由它生成密钥和请求", EN: "enrol again with yimen, which makes the key and the request"}}
}
