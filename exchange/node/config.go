package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
	"github.com/onedoor/yimen/exchange"
)

// Config is everything that can be set about a node. Unknown keys are refused; what is left out has the default named here.
type Config struct {
	// Data is the directory for keys, index, audit and the embedded Kafka. Required.
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
	// Callers is the file of those who may ask. Required by serve.
	Callers string `yaml:"callers"`
	// CacheMiB is the memory the index may use for caching. Default 128.
	CacheMiB int `yaml:"cache_mib"`
}

// TLS names PEM files.
type TLS struct {
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
	if c.CacheMiB == 0 {
		c.CacheMiB = 128
	}
	return c
}

func (c Config) check() error {
	var why []error
	if c.Data == "" {
		why = append(why, errors.New("data is missing"))
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		why = append(why, errors.New("tls needs both cert and key"))
	}
	if c.Kafka.Partitions < 1 || c.Kafka.Replicas < 1 {
		why = append(why, errors.New("kafka.partitions and kafka.replicas are at least 1"))
	}
	if len(why) == 0 {
		return nil
	}
	return configProblem("", errors.Join(why...))
}

// LoadConfig reads a YAML file. Relative paths in it are meant from its directory.
func LoadConfig(path string) (Config, error) {
	var c Config
	content, err := os.ReadFile(path)
	if err != nil {
		return c, configProblem(path, fmt.Errorf("the file cannot be read"))
	}
	if err := yaml.UnmarshalWithOptions(content, &c, yaml.Strict()); err != nil {
		return c, configProblem(path, err)
	}
	base := filepath.Dir(path)
	for _, p := range []*string{&c.Data, &c.TLS.Cert, &c.TLS.Key, &c.Callers} {
		*p = from(base, *p)
	}
	for _, list := range [][]string{c.Catalogue, c.Schemas} {
		for i := range list {
			list[i] = from(base, list[i])
		}
	}
	return c, c.withDefaults().check()
}

func from(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

func configProblem(path string, err error) error {
	return &exchange.Problem{Code: "YM-CFG-0101", Kind: exchange.Invalid, Err: err,
		What: exchange.Text{ZH: "配置不可用 " + path, EN: "the configuration cannot be used " + path},
		Mend: exchange.Text{ZH: "按提示改正；所有设置见 yimen help config", EN: "mend it as said; `yimen help config` lists all settings"}}
}
