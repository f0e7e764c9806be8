package vault_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/certstest"
	authority "github.com/onedoor/yimen/certs/vault"
	"github.com/onedoor/yimen/test/vault"
)

// byAppRole is the configuration of a node that has been brought a secret-id.
func byAppRole(t *testing.T, s *vault.Server) authority.Config {
	t.Helper()
	return authority.Config{
		Address: s.Address(), CA: s.CA, Login: authority.Login{RoleID: s.RoleID(), SecretID: s.WrappedSecretID()},
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// byBrokerMachine is the configuration of a machine of Kafka's.
func byBrokerMachine(t *testing.T, s *vault.Server) authority.Config {
	t.Helper()
	certificate, key := s.MachineCertificate(vault.BrokerMachine)
	return authority.Config{Address: s.Address(), CA: s.CA, Login: authority.Login{Kind: "cert", Role: "yimen-broker", Cert: certificate, Key: key}}
}

func open(t *testing.T, config authority.Config) *authority.Authority {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, err := authority.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestContract(t *testing.T) {
	s := vault.Start(t)
	certstest.Test(t, func(t *testing.T) certstest.Place {
		s.Root().Delete("yimen-kv/metadata/secrets") // a Vault in which nothing was drawn
		return certstest.Place{Learns: 5 * time.Second, Open: func(t *testing.T) certs.Authority {
			config := byAppRole(t, s)
			config.Refresh = time.Second
			return open(t, config)
		}, OpenForBrokers: func(t *testing.T) certs.Authority { return open(t, byBrokerMachine(t, s)) }}
	})
}
