package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/node"
)

// serverName is what the servers' certificate says.
const serverName = "bench.example"

// identityFiles are the certificate that our server and the bare handler both show, and the token that callers send.
type identityFiles struct {
	cert, key, callers string
	root               []byte // the certificate, which signs itself
	token              string
}

func newIdentity(dir string) (identityFiles, error) {
	id := identityFiles{cert: filepath.Join(dir, "server.crt"), key: filepath.Join(dir, "server.key"), callers: filepath.Join(dir, "callers.yaml"), token: rand.Text()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return id, fmt.Errorf("make certificate: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return id, fmt.Errorf("make certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return id, fmt.Errorf("make certificate: %w", err)
	}
	id.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	callers := "- {department: xzsp, clerk: \"0017\", schemas: true, token_sha256: \"" + door.TokenHash(id.token) + "\"}\n"
	return id, errors.Join(
		os.WriteFile(id.cert, id.root, 0o600),
		os.WriteFile(id.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
		os.WriteFile(id.callers, []byte(callers), 0o600))
}

// plain is the same identity without a certificate: the server then speaks plain HTTP, as the registry's peer does.
func (id identityFiles) plain() identityFiles {
	id.cert, id.key, id.root = "", "", nil
	return id
}

// startNode starts an exchange as `yimen serve` does; no brokers: with the embedded one.
func (b *bench) startNode(ctx context.Context, id identityFiles, data string, brokers ...string) (*node.Node, error) {
	n, err := node.Start(ctx, node.Config{Data: data, HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0", Limits: limits.Unbounded(), TLS: node.TLS{Cert: id.cert, Key: id.key}, Callers: id.callers, CacheMiB: b.cacheMiB,
		Kafka: node.Kafka{Brokers: brokers, Listen: "127.0.0.1:0", Partitions: b.partitions}},
		node.Surroundings{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Clock: time.Now, Catalogue: []fs.FS{benchCatalogue()}})
	if err != nil {
		return nil, fmt.Errorf("start exchange: %w", err)
	}
	return n, nil
}

func (b *bench) assignment(addr string, id identityFiles, checked bool) assignment {
	return assignment{Addr: addr, Root: id.root, Path: "/v1/queries", Token: id.token, Holders: b.records / holdersShare, Clients: b.clients,
		Warm: b.warm, Measure: b.measure, Checked: checked}
}
