package vault

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// Config says where Vault is and how to log in. Unknown keys are refused where it is read; what is left out has the default
// named here, which is what deploy/vault/setup.sh sets up.
type Config struct {
	// Address of Vault, such as https://vault.example.gov.cn:8200. Required; plain http is refused.
	Address string `yaml:"address"`
	// CA is the PEM file of the certificates that Vault's own must chain to. Required: the system's are not used.
	CA string `yaml:"ca"`
	// PKI is the mount that certifies, with a role for each of adapter, service, clerk and node. Default yimen-pki.
	PKI string `yaml:"pki"`
	// Transit is the mount that wraps secrets. Default yimen-transit.
	Transit string `yaml:"transit"`
	// Key is the transit key that wraps them. Default yimen.
	Key string `yaml:"key"`
	// KV is the mount, of version 2, that keeps the wrapped secrets, in its document "secrets". Default yimen-kv.
	KV string `yaml:"kv"`
	// Login says how to log in. Required.
	Login Login `yaml:"login"`
	// Hold is how long unwrapped secrets may serve without Vault, at most 1h. Default 15m.
	Hold time.Duration `yaml:"hold"`
	// Refresh is how often Vault is asked while it answers: for what others have rotated, and to begin Hold anew. Default
	// 30s; at most half of Hold.
	Refresh time.Duration `yaml:"refresh"`
	// Timeout is how long Vault may take for one answer before it counts as away. Default 500ms.
	Timeout time.Duration `yaml:"timeout"`

	Log     *slog.Logger          `yaml:"-"` // nil: silent
	Metrics prometheus.Registerer `yaml:"-"` // nil: counted but not shown
	Clock   func() time.Time      `yaml:"-"` // nil: time.Now
	Random  io.Reader             `yaml:"-"` // what secrets are drawn from; nil: the system's
}

// Login is how the node shows Vault who it is: by AppRole, or by a certificate of its machine. Secrets are named by files,
// which nobody else may read.
type Login struct {
	// Kind is approle or cert. Default approle.
	Kind string `yaml:"kind"`
	// Mount of the auth method. Default: the kind.
	Mount string `yaml:"mount"`
	// Role to log in to. Default yimen-node.
	Role string `yaml:"role"`
	// RoleID of the AppRole.
	RoleID string `yaml:"role_id"`
	// SecretID is the file with a wrapping token, by which the secret-id of the AppRole is fetched once. The file is then
	// removed, so each start needs a new one; deploy/vault/README.md says how it is brought.
	SecretID string `yaml:"secret_id"`
	// Cert and Key are the PEM files of the machine's certificate. They are read again for each connection.
	Cert string `yaml:"cert"`
	Key  string `yaml:"cert_key"`
}

// The kinds of login.
const (
	kindAppRole = "approle"
	kindCert    = "cert"
)

func (c Config) withDefaults() Config {
	fill := func(value *string, standard string) {
		if *value == "" {
			*value = standard
		}
	}
	last := func(value *time.Duration, standard time.Duration) {
		if *value == 0 {
			*value = standard
		}
	}
	fill(&c.PKI, "yimen-pki")
	fill(&c.Transit, "yimen-transit")
	fill(&c.Key, "yimen")
	fill(&c.KV, "yimen-kv")
	fill(&c.Login.Kind, kindAppRole)
	fill(&c.Login.Mount, c.Login.Kind)
	fill(&c.Login.Role, "yimen-node")
	last(&c.Hold, 15*time.Minute)
	last(&c.Refresh, min(30*time.Second, c.Hold/2))
	last(&c.Timeout, 500*time.Millisecond)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return c
}

// Check says what is wrong with the settings, as a Problem that names the key; nil for sound ones. It reads no file.
func (c Config) Check() error {
	c = c.withDefaults()
	address, err := url.Parse(c.Address)
	switch {
	case c.Address == "":
		return badSetting("address", "没有写明 Vault 的地址", "Vault's address is missing")
	case err != nil || address.Scheme != "https" || address.Host == "" || strings.Trim(address.Path, "/") != "" || address.User != nil || address.RawQuery != "":
		return badSetting("address", "须写成 https://主机:端口", "it must be https://host:port")
	case c.CA == "":
		return badSetting("ca", "没有写明 Vault 证书的 CA 文件", "the file of the CA of Vault's certificate is missing")
	case c.Hold < 0 || c.Hold > certs.Seasoning:
		return badSetting("hold", "须为正，且不超过 1h：与 Vault 断开更久的节点会不认识已启用的新密钥", "it must be positive and at most 1h: a node that is without Vault for longer would not know keys that are in use by then")
	case c.Refresh < 0 || c.Refresh > c.Hold/2:
		return badSetting("refresh", "须为正，且不超过 hold 的一半", "it must be positive and at most half of hold")
	case c.Timeout < 0:
		return badSetting("timeout", "时长为负", "it is negative")
	}
	return c.Login.check()
}

func (l Login) check() error {
	switch l.Kind {
	case kindAppRole:
		if l.RoleID == "" || l.SecretID == "" || l.Cert != "" || l.Key != "" {
			return badSetting("login", "approle 须有 role_id 和 secret_id 文件，且没有 cert", "approle needs role_id and the file secret_id, and no cert")
		}
	case kindCert:
		if l.Cert == "" || l.Key == "" || l.RoleID != "" || l.SecretID != "" {
			return badSetting("login", "cert 须有 cert 和 cert_key 文件，且没有 role_id、secret_id", "cert needs the files cert and cert_key, and no role_id or secret_id")
		}
	default:
		return badSetting("login.kind", "须为 approle 或 cert", "it must be approle or cert")
	}
	return nil
}

func badSetting(key, zh, en string) error {
	return &exchange.Problem{Code: "YM-VLT-0101", Kind: exchange.Invalid,
		What: exchange.Text{ZH: fmt.Sprintf("Vault 的设置 %s 不可用", key), EN: fmt.Sprintf("the setting %s of Vault cannot be used", key)},
		Why:  exchange.Text{ZH: zh, EN: en},
		Mend: exchange.Text{ZH: "改正配置文件中 vault 一节", EN: "mend the section vault of the configuration"}}
}
