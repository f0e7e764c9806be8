package vault

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/onedoor/yimen/certs"
)

func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"rings":{"sealing":[{"version":1,"made":"2026-01-01T00:00:00Z","ciphertext":"vault:v1:x"}]}}`))
	f.Add([]byte(`{"rings":{"sealing":[]}}`))
	f.Add([]byte(`{"rings":{"../x":[{"version":2}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var data map[string]any
		if json.Unmarshal(raw, &data) != nil {
			return
		}
		doc, err := parseDocument(data)
		if err != nil {
			if why(err) != spoilt {
				t.Errorf("%v", err)
			}
			return
		}
		for name, ring := range doc.Rings {
			for i, version := range ring {
				if version.Version != i+1 || version.Ciphertext == "" {
					t.Errorf("%s has at %d %v", name, i, version)
				}
			}
		}
	})
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte(`{"batch_results":[{"plaintext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`))
	f.Add([]byte(`{"batch_results":[{"error":"no"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var data map[string]any
		if json.Unmarshal(raw, &data) != nil {
			return
		}
		secrets, err := parsePlain(data, 1)
		if err == nil && (len(secrets) != 1 || len(secrets[0]) != certs.SecretSize) || err != nil && why(err) != spoilt {
			t.Errorf("%d secrets, %v", len(secrets), err)
		}
	})
}

func FuzzChain(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "")
	f.Fuzz(func(t *testing.T, first, above string) {
		chain, err := parseChain(first, []any{above})
		if err == nil && len(chain) != 2 || err != nil && why(err) != spoilt {
			t.Errorf("%d certificates, %v", len(chain), err)
		}
	})
}

func TestReasonsThatPass(t *testing.T) {
	for _, r := range []reason{sealed, limited, slow, untrusted, unreachable, broken} {
		if !r.away() {
			t.Errorf("%s is not about Vault", r)
		}
	}
	for _, err := range []error{nil, errGivenUp, errors.New("x"), &fault{reason: denied}, &fault{reason: spoilt}, &fault{reason: stolen}} {
		if why(err).away() {
			t.Errorf("%v is about Vault", err)
		}
	}
}
