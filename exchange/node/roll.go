package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/envelope"
)

// identify starts the roll of identities, and enters the node itself onto it.
func (n *Node) identify(ctx context.Context) error {
	var err error
	n.Roll, err = roll.New(roll.Config{City: n.cfg.City, Topics: n.clock, Authority: n.Authority, Suite: n.suite, Clock: n.around.Clock, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.goes("fold identities", n.Roll.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	if err := n.Roll.Settled(ctx); err != nil {
		return err
	}
	return n.certify(ctx)
}

// certify gets the node's own certificate, anew at each start, and has it renewed in time. Its key is only in memory.
func (n *Node) certify(ctx context.Context) error {
	key, request, err := certs.NewServerRequest(rand.Reader, "")
	if err != nil {
		return err
	}
	papers, err := n.papers(ctx, request)
	if err != nil {
		return err
	}
	n.own, err = certs.HoldCredential(certs.CredentialConfig{Clock: n.around.Clock, Log: n.around.Log}, key, papers)
	if err != nil {
		return err
	}
	n.goes("renew the node's certificate", func(ctx context.Context) error {
		if err := n.own.Keep(ctx, n.papers); ctx.Err() == nil {
			return err
		}
		return nil
	})
	return nil
}

func (n *Node) papers(ctx context.Context, request []byte) (certs.Papers, error) {
	made, err := n.Roll.NodeCertificate(ctx, n.cfg.Name, n.hosts(), request)
	if err != nil {
		return certs.Papers{}, err
	}
	return n.papersOf(made, envelope.Standard), nil
}

// hosts are the names by which the node can be called.
func (n *Node) hosts() []string {
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, n.cfg.Hosts...)
	if host, _, _ := net.SplitHostPort(n.cfg.Departments); host != "" && !net.ParseIP(host).IsUnspecified() {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// departmentsTLS is how departments are served: the node shows its certificate with the root behind it, which machines that enrol
// compare with their letter, and whoever shows a certificate of the city's is known by it.
func (n *Node) departmentsTLS() *tls.Config {
	pool := x509.NewCertPool()
	for _, root := range n.Authority.Roots() {
		pool.AddCert(root)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Time: n.around.Clock,
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			shown, err := n.own.Certificate()
			if err != nil {
				return nil, err
			}
			for _, root := range n.Authority.Roots() {
				shown.Certificate = append(slices.Clip(shown.Certificate), root.Raw)
			}
			return shown, nil
		},
	}
}

// enrolment is joining, renewing and the administration of identities.
func (n *Node) enrolment() []contract.Operation {
	return enrol.Operations(enrol.Config{City: n.cfg.City, Roll: n.Roll, Authority: n.Authority, Suite: n.suite, Admin: n.door.With(door.Admin),
		Act: n.act, Exchange: n.About})
}

// Fingerprint is that of the root, for letters of access.
func (n *Node) Fingerprint() certs.Fingerprint {
	return certs.FingerprintOf(n.Authority.Roots()[0].Raw)
}

// About is what machines that sign by the suite are told with their certificate.
func (n *Node) About(ctx context.Context, suite envelope.Suite) (enrol.Exchange, error) {
	key, err := n.PublicKey(ctx, suite)
	return enrol.Exchange{SealingKey: key, Kafka: n.brokers, KafkaTLS: n.cfg.Kafka.TLS != KafkaTLS{}}, err
}

// Enrol gives an identity of this very machine its certificate, without the way over HTTP: for a city in one process. A
// credential that is there and still good is taken up again.
func (n *Node) Enrol(ctx context.Context, who certs.Identity, at certs.CredentialConfig) (*certs.Credential, error) {
	at.Clock, at.Log = n.around.Clock, n.around.Log
	if known, err := certs.OpenCredential(at); err == nil && n.Roll.Admits(known.Leaf()) == nil {
		return known, nil
	}
	who.City = n.cfg.City
	key, request, err := certs.NewRequest(envelope.National, rand.Reader, who.Principal())
	if err != nil {
		return nil, err
	}
	token, _, err := n.Roll.Invite(ctx, who, time.Hour, "yimen")
	if err != nil {
		return nil, err
	}
	made, err := n.Roll.Enrol(ctx, token, request)
	if err != nil {
		return nil, err
	}
	papers, err := n.machinePapers(ctx, made)
	if err != nil {
		return nil, err
	}
	return certs.SaveCredential(at, key, papers)
}

// Renew gives a machine of this process its next certificate; see certs.Renewer.
func (n *Node) Renew(current func() *x509.Certificate) certs.Renewer {
	return func(ctx context.Context, request []byte) (certs.Papers, error) {
		made, err := n.Roll.Renew(ctx, current(), request)
		if err != nil {
			return certs.Papers{}, err
		}
		return n.machinePapers(ctx, made)
	}
}

// machinePapers are the papers of a machine that signs as the roll has it.
func (n *Node) machinePapers(ctx context.Context, made certs.Issued) (certs.Papers, error) {
	signs, _, err := n.Roll.Signatory(ctx, envelope.SignerID(certs.FingerprintOf(made.Certificate.Raw)))
	return n.papersOf(made, signs.Suite), err
}

func (n *Node) papersOf(made certs.Issued, suite envelope.Suite) certs.Papers {
	papers := certs.Papers{Chain: made.Chain, Suite: suite}
	for _, root := range n.Authority.Roots() {
		papers.Roots = append(papers.Roots, root.Raw)
	}
	return papers
}

var (
	_ envelope.Directory = (*roll.Roll)(nil)
	_ door.Roll          = (*roll.Roll)(nil)
)
