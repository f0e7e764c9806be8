package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/limits"
)

// Config is everything that can be set about a node. Unknown keys are refused; what is left out has the default named here.
type Config struct {
	// Data is the directory for keys, index and the embedded Kafka. Required.
	Data string `yaml:"data"`
	// HTTP is the address to serve at; port 0 picks a free one. Default 127.0.0.1:7080.
	HTTP string `yaml:"http"`
	// TLS names the certificate and key to serve HTTPS with; empty serves plain HTTP, for the same machine only.
	TLS TLS `yaml:"tls"`
	// City is the trust domain of all identities: another city's certificates are strangers here. Default yimen.
	City string `yaml:"city"`
	// Crypto is the suite of algorithms by which adapters that enrol sign and seal: standard (Ed25519, SHA-256, AES-256-GCM, X25519) or
	// national (SM2, SM3, SM4). Adapters learn it as they enrol for the first time, and keep to it; every node reads both. The same on
	// all nodes. Default standard.
	Crypto string `yaml:"crypto"`
	// Name is this node's, among the nodes of the city. Default main.
	Name string `yaml:"name"`
	// Departments is the address for departments: HTTPS under the city's own authority, where callers show their certificates and
	// machines enrol. Port 0 picks a free one. Default 127.0.0.1:7443.
	Departments string `yaml:"departments"`
	// Hosts are the names and addresses by which departments reach this node, for its certificate, besides those of this
	// machine's loopback and the host of Departments.
	Hosts []string `yaml:"hosts"`
	// Login is the service by which people log in. Empty: only certificates and tokens of the callers file count.
	Login door.OpenID `yaml:"login"`
	// Proxies are addresses or networks of the city's own reverse proxies.
	Proxies []string `yaml:"proxies"`
	// Audit says how the audit log is kept.
	Audit Audit `yaml:"audit"`
	// Limits bound what one clerk, department or case may ask.
	Limits limits.Rules `yaml:"limits"`
	// Vault keeps the exchange's secrets and signs certificates. Without an address both are done with files in Data.
	Vault vault.Config `yaml:"vault"`
	// Traces says where the spans of traces go.
	Traces Traces `yaml:"traces"`
	// Kafka says where the records travel.
	Kafka Kafka `yaml:"kafka"`
	// Catalogue lists directories of departments, evidence types, items and grants, merged over the built-in ones.
	Catalogue []string `yaml:"catalogue"`
	// Schemas lists directories of evidence schemas, besides the built-in ones.
	Schemas []string `yaml:"schemas"`
	// Callers is the file of those who may ask. Required.
	Callers string `yaml:"callers"`
	// Webhooks says where notices may be sent.
	Webhooks Webhooks `yaml:"webhooks"`
	// HelpPhone is the number that the clerk's page names for help.
	HelpPhone string `yaml:"help_phone"`
	// CacheMiB is the memory the index may use for caching. Default 128.
	CacheMiB int `yaml:"cache_mib"`
}

// TLS names PEM files.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Webhooks says where notices may be sent, and how long.
type Webhooks struct {
	// Allow lists addresses or networks, such as 10.20.0.0/16, to which departments may have notices sent: no other is dialled, whatever
	// a name resolves to. Names do not count, since they lead wherever somebody else says. Empty: there are no webhooks.
	Allow []string `yaml:"allow"`
	// CA is a file of roots (PEM) in which receivers' certificates end, besides those that this machine trusts.
	CA string `yaml:"ca"`
	// GiveUp is how long a delivery is tried. Default 72h.
	GiveUp time.Duration `yaml:"give_up"`
	// Standby is how long this node leaves notices to the city's other nodes before it does itself what is left undone. Default 0: it
	// does all at once, which is right for one node; write it on all nodes but one.
	Standby time.Duration `yaml:"standby"`
}

// Audit says how the audit log is kept.
type Audit struct {
	// Witness is the address of a witness, and WitnessKey its verifier key. Empty: nobody outside vouches for the log.
	Witness    string `yaml:"witness"`
	WitnessKey string `yaml:"witness_key"`
	// StaleAfter is how long answers go on while entries wait for a checkpoint to be published. Default 4h.
	StaleAfter time.Duration `yaml:"stale_after"`
	// Delays are how long a holder is not told of queries for an item, where the law says so, by the item's code.
	Delays map[exchange.Item]time.Duration `yaml:"delays"`
}

// KafkaTLS names PEM files. Certificate and key are read again for each new connection: to renew them needs no restart.
type KafkaTLS struct {
	// CA holds the city's root, in which the brokers' certificates end.
	CA string `yaml:"ca"`
	// Cert and Key are what the node shows to the brokers.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Kafka is the cluster to use, or the embedded one.
type Kafka struct {
	// Brokers of a real cluster. Empty: the embedded broker.
	Brokers []string `yaml:"brokers"`
	// Listen is the embedded broker's address; port 0 picks a free one. Default 127.0.0.1:7092.
	Listen string `yaml:"listen"`
	// Partitions of each evidence topic, when this node creates it. Default 4.
	Partitions int `yaml:"partitions"`
	// Replicas of each topic, when this node creates it. Default 1, which is right for one broker only; with three
	// brokers set 3, and two of them must then have each record before it counts.
	Replicas int `yaml:"replicas"`
	// Wait is how long a start waits for the brokers. Default 1m.
	Wait time.Duration `yaml:"wait"`
	// TLS is how the node and a real cluster know each other; empty speaks plain text.
	TLS KafkaTLS `yaml:"tls"`
	// EraseWithin bounds how long the bytes of what was erased stay on the topics of a real Kafka, while a node runs and the brokers'
	// cleaner is not behind by half of it. Default 24h.
	EraseWithin time.Duration `yaml:"erase_within"`
	// Pending is how long a signed batch may wait until Kafka has it, as after a crash of the adapter; what is older is refused.
	// Below 0: for ever, and clocks are not compared. Default 336h.
	Pending time.Duration `yaml:"pending"`
}

// The defaults.
const (
	DefaultHTTP        = "127.0.0.1:7080"
	DefaultDepartments = "127.0.0.1:7443"
	DefaultKafka       = "127.0.0.1:7092"
	DefaultCity        = "yimen"
	defaultName        = "main"
)

func (c Config) withDefaults() Config {
	if c.HTTP == "" {
		c.HTTP = DefaultHTTP
	}
	if c.Departments == "" {
		c.Departments = DefaultDepartments
	}
	if c.City == "" {
		c.City = DefaultCity
	}
	if c.Crypto == "" {
		c.Crypto = "standard"
	}
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.Kafka.Listen == "" {
		c.Kafka.Listen = DefaultKafka
	}
	if c.Kafka.Partitions == 0 {
		c.Kafka.Partitions = 4
	}
	if c.Kafka.Replicas == 0 {
		c.Kafka.Replicas = 1
	}
	if c.Kafka.Wait == 0 {
		c.Kafka.Wait = time.Minute
	}
	if c.Kafka.EraseWithin == 0 {
		c.Kafka.EraseWithin = 24 * time.Hour
	}
	if c.CacheMiB == 0 {
		c.CacheMiB = 128
	}
	return c
}

// finding is one thing that is wrong with a configuration, at a key such as "kafka.listen".
type finding struct {
	key        string
	what, mend exchange.Text
}

// check finds all that is wrong. Defaults are filled in.
func (c Config) check() (found []finding) {
	refuse := func(wrong bool, key string, what, mend exchange.Text) {
		if wrong {
			found = append(found, finding{key, what, mend})
		}
	}
	refuse(c.Data == "", "data", text("缺少 data", "data is missing"), text("写明数据目录，例如 data: /var/lib/yimen", "name the directory of the data, such as data: /var/lib/yimen"))
	refuse(c.Callers == "", "callers", text("缺少 callers", "callers is missing"), text("写明调用方文件，例如 callers: callers.yaml", "name the file of those who may ask, such as callers: callers.yaml"))
	refuse((c.TLS.Cert == "") != (c.TLS.Key == ""), "tls", text("tls 须同时有 cert 和 key", "tls needs both cert and key"), text("补上另一个", "add the other one"))
	address := text("写成 主机:端口，例如 ", "write host:port, such as ")
	refuse(!isAddress(c.HTTP), "http", text("http 不是可用的地址", "http is no address"), both(address, DefaultHTTP))
	refuse(isAddress(c.HTTP) && !isLocal(c.HTTP) && c.TLS.Cert == "", "http", text("没有 tls 时 http 只能是本机地址", "without tls, http must be an address of this machine only"),
		text("号码和令牌不得明文过网：配置 tls，或改用 127.0.0.1", "numbers and tokens must not cross a network in plain: set tls, or use 127.0.0.1"))
	refuse(!isAddress(c.Departments), "departments", text("departments 不是可用的地址", "departments is no address"), both(address, DefaultDepartments))
	name := text("用小写字母、数字和 -，字母开头，例如 ", "use small letters, digits and hyphens, a letter first, such as ")
	refuse(!exchange.ValidName(c.City), "city", text("city 的写法不对", "city is not well formed"), both(name, "liling"))
	refuse(!exchange.ValidName(c.Name), "name", text("name 的写法不对", "name is not well formed"), both(name, "node-1"))
	if _, err := c.suite(); err != nil {
		refuse(true, "crypto", text("crypto 既不是 standard 也不是 national", "crypto is neither standard nor national"), text("写 standard（国际算法）或 national（国密）", "write standard, or national for SM2, SM3 and SM4"))
	}
	if _, err := prefixes(c.Webhooks.Allow); err != nil {
		refuse(true, "webhooks.allow", text("webhooks.allow 有一项不是地址或网段", "an item of webhooks.allow is neither an address nor a network"), text("例如 10.20.0.0/16；写地址，不写域名", "such as 10.20.0.0/16; addresses, not names"))
	}
	refuse(c.Webhooks.GiveUp < 0, "webhooks.give_up", text("webhooks.give_up 为负", "webhooks.give_up is negative"), text("写时长，例如 72h", "write a time span, such as 72h"))
	refuse(c.Webhooks.Standby < 0, "webhooks.standby", text("webhooks.standby 为负", "webhooks.standby is negative"), text("写时长，例如 10m", "write a time span, such as 10m"))
	if _, err := c.proxies(); err != nil {
		refuse(true, "proxies", text("proxies 有一项不是地址或网段", "an item of proxies is neither an address nor a network"), text("例如 10.0.0.8 或 10.0.0.0/24", "such as 10.0.0.8 or 10.0.0.0/24"))
	}
	refuse((c.Audit.Witness == "") != (c.Audit.WitnessKey == ""), "audit.witness", text("audit.witness 与 audit.witness_key 须同时写明", "audit.witness and audit.witness_key go together"),
		text("witness_key 是 yimen witness 启动时显示的那一行", "witness_key is the line that yimen witness shows when it starts"))
	refuse(c.Audit.StaleAfter < 0, "audit.stale_after", text("audit.stale_after 为负", "audit.stale_after is negative"), text("写时长，例如 4h", "write a time span, such as 4h"))
	refuse((c.Login.Issuer == "") != (c.Login.Audience == ""), "login", text("login 须同时有 issuer 和 audience", "login needs both issuer and audience"), text("补上另一个", "add the other one"))
	if v := c.Vault; v.Address != "" || v.CA != "" || v.Login != (vault.Login{}) { // else there is no such section
		if p := (*exchange.Problem)(nil); errors.As(v.Check(), &p) {
			refuse(true, "vault", p.Why, p.Mend)
		}
	}
	found = append(found, c.Traces.check()...)
	for i, broker := range c.Kafka.Brokers {
		refuse(!isAddress(broker), "kafka.brokers", text(fmt.Sprintf("kafka.brokers 第 %d 项不是可用的地址", i+1), fmt.Sprintf("item %d of kafka.brokers is no address", i+1)), both(address, "kafka1.example.gov.cn:9093"))
	}
	embedded := len(c.Kafka.Brokers) == 0
	refuse(embedded && !isAddress(c.Kafka.Listen), "kafka.listen", text("kafka.listen 不是可用的地址", "kafka.listen is no address"), both(address, DefaultKafka))
	t := c.Kafka.TLS
	refuse(embedded && t != KafkaTLS{}, "kafka.tls", text("内嵌 Kafka 只在本机，不用 TLS", "the embedded Kafka is on this machine only and speaks no TLS"),
		text("去掉 kafka.tls，或用 kafka.brokers 接真实集群", "leave kafka.tls out, or name a real cluster in kafka.brokers"))
	refuse((t.Cert == "") != (t.Key == ""), "kafka.tls", text("kafka.tls 须同时有 cert 和 key", "kafka.tls needs both cert and key"), text("补上另一个", "add the other one"))
	refuse(t.Cert != "" && t.CA == "", "kafka.tls", text("kafka.tls 缺少 ca", "kafka.tls lacks ca"), text("写明本市根证书的文件", "name the file of the city's root certificate"))
	refuse(c.Kafka.Partitions < 1, "kafka.partitions", text("kafka.partitions 小于 1", "kafka.partitions is less than 1"), text("写 1 或更大", "write 1 or more"))
	refuse(c.Kafka.Replicas < 1, "kafka.replicas", text("kafka.replicas 小于 1", "kafka.replicas is less than 1"), text("写 1 或更大", "write 1 or more"))
	refuse(embedded && c.Kafka.Replicas > 1, "kafka.replicas", text("内嵌 Kafka 只有一个代理，不能有多个副本", "the embedded Kafka is one broker and cannot have replicas"),
		text("去掉 kafka.replicas，或用 kafka.brokers 接真实集群", "leave kafka.replicas out, or name a real cluster in kafka.brokers"))
	refuse(c.Kafka.Wait < 0, "kafka.wait", text("kafka.wait 为负", "kafka.wait is negative"), text("写时长，例如 1m", "write a time span, such as 1m"))
	refuse(c.Kafka.EraseWithin < time.Second, "kafka.erase_within", text("kafka.erase_within 小于 1s", "kafka.erase_within is less than 1s"), text("写时长，例如 24h", "write a time span, such as 24h"))
	refuse(c.CacheMiB < 0, "cache_mib", text("cache_mib 为负", "cache_mib is negative"), text("写 MiB 数，例如 128", "write a number of MiB, such as 128"))
	return found
}

// suite is Crypto as package envelope has it.
func (c Config) suite() (s envelope.Suite, err error) {
	err = s.UnmarshalText([]byte(c.Crypto))
	return s, err
}

// proxies are the configured ones.
func (c Config) proxies() (door.Proxies, error) { return prefixes(c.Proxies) }

// prefixes reads networks; a single address is a network of its own.
func prefixes(written []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, s := range written {
		if at, err := netip.ParseAddr(s); err == nil {
			all = append(all, netip.PrefixFrom(at.Unmap(), at.Unmap().BitLen()))
			continue
		}
		net, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, err
		}
		all = append(all, net.Masked())
	}
	return all, nil
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}

// isLocal says whether only this machine reaches the address.
func isLocal(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// problems makes one error of all findings; at says where a key stands.
func problems(found []finding, at func(key string) string) error {
	var all []error
	for _, f := range found {
		place := at(f.key)
		all = append(all, &exchange.Problem{Code: "YM-CFG-0101", Kind: exchange.Invalid, Mend: f.mend,
			What: exchange.Text{ZH: place + "：" + f.what.ZH, EN: place + ": " + f.what.EN}})
	}
	return errors.Join(all...)
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// both is the text with the same end in both languages.
func both(t exchange.Text, end string) exchange.Text { return text(t.ZH+end, t.EN+end) }
