package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/node"
)

// certifying is how a machine of the exchange's own gets its certificate.
type certifying struct {
	config, dir, kafka string
	hosts              []string
	life               time.Duration
	now, byExitCode    bool
}

func (s *session) certifyVerb() verb {
	var how certifying
	return verb{
		use:   "certify NAME",
		short: both("签发、续期平台自己的机器的证书：Kafka 代理、节点", "issue and renew certificates of the exchange's own machines: Kafka's brokers, nodes"),
		long: both(`由配置中的证书机构（本地文件或 Vault）直接签发，因此在 Kafka 和平台启动之前就能用。NAME 如 broker/kafka1、node/main。
部门的机器不用这个命令，用 yimen identity invite 和 yimen enroll。
私钥在本机生成，和证书链同在一个文件 identity.key（权限 600），正是 Kafka 的 PEM 密钥库；根证书在 roots.crt。以 root 运行时，文件归目录的所有者。
再次运行：到有效期三分之二、主机名改变或加 --now 时续期，否则不做任何事。给出 --kafka 时，让代理不停机重读证书，并核实每个 TLS 监听器已出示新证书；代理出示的不是文件中的证书时也会重读。
代理的证书最长 90 天，其他 72 小时。Kafka 4.1 的控制器之间互连时一直出示启动时读到的证书：续期后须在旧证书到期之前逐台重启代理，命令会说明期限。`,
			`The authority of the configuration (files or Vault) issues it, so that it is there before Kafka and the exchange run. NAME is such as broker/kafka1 or node/main.
Machines of departments do not use this but yimen identity invite and yimen enroll.
The private key is drawn on this machine and stands with the chain in one file, identity.key (mode 600), which is what Kafka calls a PEM key store; the roots are in roots.crt. Run by root, the files belong to the folder's owner.
Run again it renews at two thirds of the life, for other hosts, or with --now, and else does nothing. With --kafka the broker reads the certificate anew while it runs, and every TLS listener is seen to show the new one; so it is where the broker shows another one than the file's.
A broker's certificate lives 90 days at most, others 72 hours. Controllers of Kafka 4.1 call each other with the certificate read at their start: after a renewal restart one broker at a time before the old one ends; the command says when that is.`),
		example: "yimen certify broker/kafka1 --config /etc/yimen/yimen.yaml --host 10.0.0.11 --dir /etc/kafka/tls\nyimen certify broker/kafka1 --config /etc/yimen/yimen.yaml --dir /etc/kafka/tls --kafka 10.0.0.11:9093\nyimen certify node/main --config /etc/yimen/yimen.yaml --dir /etc/yimen/kafka",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			s.configFlag(f, &how.config)
			f.StringVar(&how.dir, "dir", "", s.t("放证书的目录 `DIR`，每台机器一个", "the folder `DIR` of the certificate, one for each machine"))
			f.StringArrayVar(&how.hosts, "host", nil, s.t("别人连接它所用的主机名或地址 `HOST`，可多次；续期时默认不变", "a name or address `HOST` by which others call it, may be repeated; as before when renewing"))
			f.StringVar(&how.kafka, "kafka", "", s.t("让这个地址 `ADDR` 上的代理重读证书，同其 advertised.listeners", "have the broker at `ADDR`, as in its advertised.listeners, read the certificate anew"))
			f.DurationVar(&how.life, "life", 0, s.t("有效期 `DURATION`，默认为最长", "how long it lives `DURATION`, by default as long as may be"))
			f.BoolVar(&how.now, "now", false, s.t("现在就续期", "renew it now"))
			f.BoolVar(&how.byExitCode, "exit-code", false, s.t("没有签发也没有重读时以 9 退出", "exit with 9 where nothing was issued and nothing read anew"))
			required(f, "config", "dir")
		},
		run: func(ctx context.Context, args []string) error { return s.certify(ctx, args[0], how) },
	}
}

func (s *session) certify(ctx context.Context, name string, how certifying) (err error) {
	if how.dir, err = filepath.Abs(how.dir); err != nil { // Kafka is told where it is
		return err
	}
	cfg, err := node.LoadConfig(how.config)
	if err != nil {
		return err
	}
	authority, city, made, err := node.Authority(ctx, cfg, node.Surroundings{Log: s.logger(false), Clock: s.now})
	if err != nil {
		return err
	}
	defer authority.Close()
	if made {
		s.say("新建了证书机构：%s；若本市已有，数据目录写错了，删去它再试\n", "A new authority was made: %s; if the city has one already the data directory is wrong: remove this one and try again\n", certs.FingerprintOf(authority.Roots()[0].Raw))
	}
	who, err := ownMachine(city, name)
	if err != nil {
		return err
	}
	o := &office{authority: authority, who: who, how: how, at: certs.CredentialConfig{Dir: how.dir, Name: "identity", Clock: s.now, Log: s.logger(false)}}
	if err := o.certified(ctx); err != nil {
		return err
	}
	if err := errors.Join(handOver(o.at), o.reload(ctx)); err != nil {
		return err
	}
	if err := s.certifiedPage(o); err != nil {
		return err
	}
	if how.byExitCode && !o.issued && !o.reloaded {
		return exitUnchanged
	}
	return nil
}

// ownMachine is the identity of a broker or a node.
func ownMachine(city, name string) (certs.Identity, error) {
	who, err := certs.ParsePrincipal(city, name)
	if err == nil && (who.Role == certs.Broker || who.Role == certs.Node) {
		return who, nil
	}
	return who, &usageError{&exchange.Problem{Code: "YM-CLI-0815", Kind: exchange.Invalid,
		What: both("这不是 Kafka 代理或节点的名称："+shown(name), "this is the name of no broker and no node: "+shown(name)),
		Why:  both("写成 broker/名称 或 node/名称", "it is broker/NAME or node/NAME"),
		Mend: both("例如 yimen certify broker/kafka1 …；部门的机器用 yimen identity invite 和 yimen enroll", "such as yimen certify broker/kafka1 …; machines of departments use yimen identity invite and yimen enroll")}}
}

// office issues the certificate of one machine, and notes what it did.
type office struct {
	authority certs.Authority
	who       certs.Identity
	how       certifying
	at        certs.CredentialConfig

	credential *certs.Credential
	before     *x509.Certificate // nil: there was none, or it was not renewed
	issued     bool
	reloaded   bool
}

// certified sees that there is a certificate which is not due yet.
func (o *office) certified(ctx context.Context) error {
	there, err := o.there()
	if err != nil {
		return err
	}
	if there != nil {
		if who, err := certs.IdentityOf(there); err != nil || who != o.who {
			return anothersPlace(o.how.dir, who, o.who)
		}
		if len(o.how.hosts) == 0 {
			o.how.hosts = hostsOf(there)
		}
		if !o.how.now && sameHosts(o.how.hosts, hostsOf(there)) && o.at.Clock().Before(certs.DueOf(there)) {
			o.credential, err = certs.OpenCredential(o.at)
			return err
		}
		o.before = there
	}
	if o.who.Role == certs.Broker && len(o.how.hosts) == 0 {
		return &usageError{&exchange.Problem{Code: "YM-CLI-0816", Kind: exchange.Invalid,
			What: both("没有写代理的主机名", "the broker's host is missing"),
			Why:  both("连接它的人要核对证书里的主机名", "whoever connects to it compares the host with the certificate"),
			Mend: both("--host 写 advertised.listeners 中的主机名或地址，以及其他代理用的地址", "give --host with the name or address of advertised.listeners, and those that other brokers use")}}
	}
	return o.issue(ctx)
}

// there is the certificate in the folder, in time or not; nil where there is none.
func (o *office) there() (*x509.Certificate, error) {
	file, _ := o.at.Files()
	pair, err := tls.LoadX509KeyPair(file, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &exchange.Problem{Code: "YM-CLI-0818", Kind: exchange.Invalid, Err: err,
			What: both("证书文件不可用："+file, "the certificate's file cannot be used: "+file),
			Mend: both("移开这个文件再运行，会签发新的", "move the file away and run it again: a new one is issued")}
	}
	return pair.Leaf, nil
}

// issue draws a key and has the authority certify it. What was there stays whole until the new pair is durable.
func (o *office) issue(ctx context.Context) error {
	key, request, err := certs.NewServerRequest(rand.Reader, o.who.Principal())
	if err != nil {
		return err
	}
	made, err := o.authority.Issue(ctx, certs.Order{Request: request, Identity: o.who, Hosts: o.how.hosts, Life: o.how.life})
	if err != nil {
		return err
	}
	papers := certs.Papers{Chain: made.Chain, Suite: envelope.Standard}
	for _, root := range o.authority.Roots() {
		papers.Roots = append(papers.Roots, root.Raw)
	}
	o.credential, err = certs.SaveCredential(o.at, key, papers)
	o.issued = err == nil
	return err
}

func anothersPlace(dir string, is, wanted certs.Identity) error {
	return &exchange.Problem{Code: "YM-CLI-0817", Kind: exchange.Conflict,
		What: both("目录里是另一台机器的证书："+dir, "the folder holds another machine's certificate: "+dir),
		Why:  both("它属于 "+is.Principal()+"，要签发的是 "+wanted.Principal(), "it is "+is.Principal()+"'s, and "+wanted.Principal()+" is asked for"),
		Mend: both("用 --dir 指明各自的目录", "name a folder of its own with --dir")}
}

// hostsOf are the names and addresses in a certificate.
func hostsOf(leaf *x509.Certificate) []string {
	hosts := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}

func sameHosts(a, b []string) bool {
	canonical := func(hosts []string) (all []string) {
		for _, host := range hosts {
			if ip := net.ParseIP(host); ip != nil {
				host = ip.String()
			}
			all = append(all, host)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	return slices.Equal(canonical(a), canonical(b))
}

// reloadPatience bounds how long a broker may take to show its new certificate.
const reloadPatience = 30 * time.Second

// reload has the broker show what stands in the file, unless it does.
func (o *office) reload(ctx context.Context) error {
	if o.how.kafka == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reloadPatience)
	defer cancel()
	if o.shows(ctx, o.how.kafka) == nil {
		return nil
	}
	b, err := bus.Connect(bus.Config{Brokers: []string{o.how.kafka}, ClientID: "yimen-certify", TLS: o.credential.TLS(), Log: o.at.Log})
	if err != nil {
		return err
	}
	defer b.Close()
	key, _ := o.at.Files()
	if err := b.ReloadKeyStore(ctx, o.how.kafka, key, o.shows); err != nil {
		return err
	}
	o.reloaded = true
	return nil
}

// shows errs where a listener does not show the certificate of the file.
func (o *office) shows(ctx context.Context, address string) error {
	config := o.credential.TLS()
	config.InsecureSkipVerify = true // below it is compared with the one certificate that it must be, whose key TLS has proved
	dialer := tls.Dialer{Config: config}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("look at the certificate of %s: %w", address, err)
	}
	defer conn.Close()
	if seen := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]; !seen.Equal(o.credential.Leaf()) {
		return fmt.Errorf("%s shows the certificate that ends at %s", address, strings.TrimSuffix(seen.NotAfter.UTC().Format(time.RFC3339), "Z"))
	}
	return nil
}

// handOver gives the certificate's files to the folder's owner, where this process may: Kafka runs as another user than whoever
// may read the authority's keys.
func handOver(at certs.CredentialConfig) error {
	owner, err := os.Stat(at.Dir)
	for _, file := range at.Written() {
		if err == nil {
			err = likeOwner(file, owner)
		}
	}
	return err
}
