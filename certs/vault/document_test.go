package vault_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/vault"
)

// A document that has lost or changed what is held is not taken: secrets in memory go on serving, and somebody is told.
func TestSpoiltDocumentIsNotTaken(t *testing.T) {
	ring := func(kv map[string]any, name string) []any { return kv["rings"].(map[string]any)[name].([]any) }
	cases := map[string]func(f *fake){
		"deleted":        func(f *fake) { f.kv = nil; f.number++ },
		"a ring lost":    func(f *fake) { delete(f.kv["rings"].(map[string]any), "sealing") },
		"a version lost": func(f *fake) { f.kv["rings"].(map[string]any)["sealing"] = ring(f.kv, "sealing")[:1] },
		"first one lost": func(f *fake) { f.kv["rings"].(map[string]any)["sealing"] = ring(f.kv, "sealing")[1:] },
		"another's secret": func(f *fake) {
			ring(f.kv, "sealing")[0].(map[string]any)["ciphertext"] = ring(f.kv, "index")[0].(map[string]any)["ciphertext"]
		},
		"no document": func(f *fake) { f.kv, f.number = nil, 0 },
		"nonsense":    func(f *fake) { f.kv = map[string]any{"rings": 7} },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			a := f.open(t, f.config(t))
			for _, name := range []string{"sealing", "index"} {
				if _, err := a.Ring(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.Rotate(t.Context(), "sealing"); err != nil {
				t.Fatal(err)
			}
			f.set(func() { spoil(f) })
			became(t, a, certs.Degraded)
			if keys, err := a.Ring(t.Context(), "sealing"); err != nil || len(keys) != 2 {
				t.Errorf("the ring is %v, %v", keys, err)
			}
			if name == "no document" { // a Vault that has kept nothing yet: nobody can tell
				return
			}
			if b, err := vault.Open(t.Context(), f.config(t)); err == nil {
				defer b.Close()
				if keys, err := b.Ring(t.Context(), "sealing"); err == nil && name != "a ring lost" && name != "a version lost" {
					t.Errorf("another node takes %v", keys)
				}
			}
		})
	}
}

// Rotating would make a loss last: what is to be added to is looked at first.
func TestSpoiltDocumentIsNotAddedTo(t *testing.T) {
	f := newFake(t)
	config := f.config(t)
	config.Refresh = time.Minute // rotating finds it, nobody else
	a := f.open(t, config)
	for range 3 {
		if _, err := a.Rotate(t.Context(), "sealing"); err != nil {
			t.Fatal(err)
		}
	}
	f.set(func() {
		rings := f.kv["rings"].(map[string]any)
		rings["sealing"] = rings["sealing"].([]any)[:1]
		f.said = nil
	})
	if key, err := a.Rotate(t.Context(), "sealing"); !strings.Contains(errorText(err), "YM-VLT-0105") {
		t.Errorf("rotated to %v, %v", key, err)
	}
	if keys, err := a.Ring(t.Context(), "index"); !strings.Contains(errorText(err), "YM-VLT-0105") {
		t.Errorf("drawn: %v, %v", keys, err)
	}
	f.set(func() {
		if f.number != 3 {
			t.Error("the document was changed")
		}
	})
	if keys, err := a.Ring(t.Context(), "sealing"); err != nil || len(keys) != 3 {
		t.Errorf("the ring is %v, %v", keys, err)
	}
}

// Secrets that come back unwrapped as something else than before are not taken either.
func TestChangedSecretIsNotTaken(t *testing.T) {
	f := newFake(t)
	a := f.open(t, f.config(t))
	before, err := a.Ring(t.Context(), "sealing")
	if err != nil {
		t.Fatal(err)
	}
	f.set(func() {
		f.spoil = func(path string, answer map[string]any) map[string]any {
			if strings.Contains(path, "/decrypt/") {
				return data(map[string]any{"batch_results": []map[string]any{{"plaintext": make([]byte, certs.SecretSize)}}})
			}
			return answer
		}
	})
	became(t, a, certs.Degraded)
	if keys, err := a.Ring(t.Context(), "sealing"); err != nil || !bytes.Equal(keys[0].Secret, before[0].Secret) {
		t.Errorf("the ring is another, %v", err)
	}
}
