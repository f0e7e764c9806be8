package vault

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/onedoor/yimen/certs"
)

// bound is what a wrapped secret is bound to, so that none can be put in another's place.
func bound(name string, version int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "yimen secret %s %d", name, version))
}

// draw draws a version of a secret and has it wrapped.
func (a *Authority) draw(ctx context.Context, name string, version int) (wrapped, error) {
	secret := make([]byte, certs.SecretSize)
	defer clear(secret)
	if _, err := io.ReadFull(a.config.Random, secret); err != nil {
		return wrapped{}, fmt.Errorf("draw secret %s: %w", name, err)
	}
	answer, err := a.write(ctx, longest, a.config.Transit+"/encrypt/"+a.config.Key, map[string]any{
		"plaintext": base64.StdEncoding.EncodeToString(secret), "associated_data": bound(name, version),
	})
	if err != nil {
		return wrapped{}, fmt.Errorf("wrap secret %s: %w", name, err)
	}
	made := wrapped{Version: version, Made: a.clock().UTC().Truncate(time.Second)}
	if answer != nil {
		made.Ciphertext, _ = answer.Data["ciphertext"].(string)
	}
	if made.Ciphertext == "" {
		return wrapped{}, &fault{reason: spoilt, said: "the answer to wrapping holds no ciphertext"}
	}
	return made, nil
}

// unwrap has all versions of all rings unwrapped by one request.
func (a *Authority) unwrap(ctx context.Context, limit time.Duration, rings map[string][]wrapped) (map[string][]certs.Key, error) {
	names := slices.Sorted(maps.Keys(rings))
	var batch []map[string]string
	for _, name := range names {
		for _, version := range rings[name] {
			batch = append(batch, map[string]string{"ciphertext": version.Ciphertext, "associated_data": bound(name, version.Version)})
		}
	}
	if len(batch) == 0 {
		return nil, nil
	}
	answer, err := a.write(ctx, limit, a.config.Transit+"/decrypt/"+a.config.Key, map[string]any{"batch_input": batch})
	if err != nil {
		return nil, fmt.Errorf("unwrap secrets: %w", err)
	}
	var data map[string]any
	if answer != nil {
		data = answer.Data
	}
	secrets, err := parsePlain(data, len(batch))
	if err != nil {
		return nil, err
	}
	keys := make(map[string][]certs.Key, len(names))
	for _, name := range names {
		for _, version := range rings[name] {
			keys[name] = append(keys[name], certs.Key{Version: version.Version, Secret: secrets[0], Made: version.Made})
			secrets = secrets[1:]
		}
	}
	return keys, nil
}

// parsePlain reads the secrets of the answer to a batch.
func parsePlain(data map[string]any, count int) ([][]byte, error) {
	raw, err := json.Marshal(data["batch_results"])
	var results []struct {
		Plaintext []byte `json:"plaintext"`
		Error     string `json:"error"`
	}
	if err != nil || json.Unmarshal(raw, &results) != nil || len(results) != count {
		return nil, &fault{reason: spoilt, said: "the answer to unwrapping is not what it must be"}
	}
	var secrets [][]byte
	for _, result := range results {
		if result.Error != "" || len(result.Plaintext) != certs.SecretSize {
			return nil, &fault{reason: spoilt, said: "a secret cannot be unwrapped: " + oneLine(result.Error)}
		}
		secrets = append(secrets, result.Plaintext)
	}
	return secrets, nil
}
