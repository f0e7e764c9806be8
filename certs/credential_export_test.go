package certs

import (
	"context"
	"crypto"
)

// SaveSome writes only the first steps of a save, as a crash would leave them. It says how many there are.
func SaveSome(cfg CredentialConfig, key crypto.Signer, papers Papers, first int) (all int, err error) {
	c := &Credential{cfg: cfg.withDefaults()}
	p, err := pairOf(key, papers)
	if err != nil {
		return 0, err
	}
	steps := c.steps(p)
	for _, step := range steps[:min(first, len(steps))] {
		if err := step(); err != nil {
			return len(steps), err
		}
	}
	return len(steps), nil
}

// ParseKeyFile is what OpenCredential makes of a key file.
func ParseKeyFile(content []byte) (crypto.Signer, [][]byte, error) { return parseKeyFile(content) }

// RenewOnce is one attempt of Keep.
func RenewOnce(ctx context.Context, c *Credential, renew Renewer) error { return c.renew(ctx, renew) }
