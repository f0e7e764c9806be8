package vault_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/exchange"
)

func TestCheck(t *testing.T) {
	appRole := vault.Login{RoleID: "r", SecretID: "/run/yimen/secret-id"}
	good := vault.Config{Address: "https://vault.example.gov.cn:8200", CA: "/etc/yimen/vault-ca.pem", Login: appRole}
	if err := good.Check(); err != nil {
		t.Errorf("a sound configuration: %v", err)
	}
	byCert := good
	byCert.Login = vault.Login{Kind: "cert", Cert: "c.pem", Key: "c.key"}
	if err := byCert.Check(); err != nil {
		t.Errorf("a sound configuration: %v", err)
	}
	for key, change := range map[string]func(*vault.Config){
		"address":    func(c *vault.Config) { c.Address = "" },
		"address ":   func(c *vault.Config) { c.Address = "http://vault.example.gov.cn:8200" },
		"address  ":  func(c *vault.Config) { c.Address = "https://user:secret@vault.example.gov.cn" },
		"ca":         func(c *vault.Config) { c.CA = "" },
		"hold":       func(c *vault.Config) { c.Hold = -time.Minute },
		"refresh":    func(c *vault.Config) { c.Refresh = time.Hour },
		"timeout":    func(c *vault.Config) { c.Timeout = -1 },
		"login":      func(c *vault.Config) { c.Login.SecretID = "" },
		"login ":     func(c *vault.Config) { c.Login.Kind = "cert" },
		"login.kind": func(c *vault.Config) { c.Login.Kind = "password" },
	} {
		config := good
		change(&config)
		err := config.Check()
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Kind != exchange.Invalid || !strings.Contains(p.What.EN, " "+strings.TrimSpace(key)+" ") || p.Why.ZH == "" {
			t.Errorf("%s: %v", key, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("a secret is told: %v", err)
		}
		if _, err := vault.Open(t.Context(), config); exchange.KindOf(err) != exchange.Invalid {
			t.Errorf("opened with a wrong %s: %v", key, err)
		}
	}
}

// The settings as a node's configuration has them.
func TestSettings(t *testing.T) {
	const text = `
address: https://vault.example.gov.cn:8200
ca: /etc/yimen/vault-ca.pem
pki: yimen-pki
transit: yimen-transit
key: yimen
kv: yimen-kv
hold: 15m
refresh: 30s
timeout: 500ms
login:
  kind: approle
  mount: approle
  role: yimen-node
  role_id: 0e4b8f6a
  secret_id: /run/yimen/secret-id
`
	var config vault.Config
	if err := yaml.UnmarshalWithOptions([]byte(text), &config, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if err := config.Check(); err != nil || config.Hold != 15*time.Minute || config.Login.SecretID != "/run/yimen/secret-id" {
		t.Errorf("%+v, %v", config, err)
	}
}
