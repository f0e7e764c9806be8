package certs

import (
	"testing"
	"time"
)

func FuzzKeyFile(f *testing.F) {
	f.Add(encodeKey("sealing", Key{Version: 1, Secret: make([]byte, SecretSize), Made: time.Unix(1e9, 0).UTC()}))
	f.Add([]byte("-----BEGIN YIMEN SECRET-----\n-----END YIMEN SECRET-----\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		key, err := decodeKey("sealing", 1, content)
		if err != nil {
			return
		}
		again, err := decodeKey("sealing", 1, encodeKey("sealing", key))
		if err != nil || string(again.Secret) != string(key.Secret) || len(key.Secret) != SecretSize || key.Version != 1 {
			t.Errorf("read %v again as %v, %v", key, again, err)
		}
	})
}

func FuzzRootFile(f *testing.F) {
	file, err := makeRoot("liling", time.Now(), zeros{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, content []byte) {
		if root, err := parseRoot("authority.pem", content, "liling"); err == nil && !root.certificate.IsCA {
			t.Error("a root that may not issue")
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}
