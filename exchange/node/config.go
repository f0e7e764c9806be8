package node

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Config is everything that can be set about a node. Unknown keys are refused; what is left out has the default named here.
type Config struct {
	// Data is the directory for keys, index and the embedded Kafka. Required.
	Data string `yaml:"data"`
	// HTTP is the address to serve at; port 0 picks a free one. Default 127.0.0.1:7080.
	HTTP string `yaml:"http"`
	// TLS names the certificate and key to serve HTTPS with; empty serves plain HTTP, for the same machine only.
	TLS TLS `yaml:"tls"`
	// Kafka says where the records travel.
	Kafka Kafka `yaml:"kafka"`
	// Catalogue lists directories of departments, evidence types, items and grants, merged over the built-in ones.
	Catalogue []string `yaml:"catalogue"`
	// Schemas lists directories of evidence schemas, besides the built-in ones.
	Schemas []string `yaml:"schemas"`
	// Callers is the file of those who may ask. Required.
	Callers string `yaml:"callers"`
	// CacheMiB is the memory the index may use for caching. Default 128.
	CacheMiB int `yaml:"cache_mib"`
}

// TLS names PEM files.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
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
}

// The defaults.
const (
	DefaultHTTP  = "127.0.0.1:7080"
	DefaultKafka = "127.0.0.1:7092"
)

func (c Config) withDefaults() Config {
	if c.HTTP == "" {
		c.HTTP = DefaultHTTP
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
	refuse(c.CacheMiB < 0, "cache_mib", text("cache_mib 为负", "cache_mib is negative"), text("写 MiB 数，例如 128", "write a number of MiB, such as 128"))
	return found
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
