package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/onedoor/yimen/exchange"
)

// documentPath is the one document of the KV mount: a change of one secret is a change of it, so that who was first is said
// by one number.
const documentPath = "secrets"

// document is what the KV store keeps of all secrets: nothing that can be read without the transit engine.
type document struct {
	Rings map[string][]wrapped `json:"rings"`
}

// wrapped is one version of a secret as Vault's transit engine wrapped it.
type wrapped struct {
	Version    int       `json:"version"`
	Made       time.Time `json:"made"`
	Ciphertext string    `json:"ciphertext"`
}

// fetch reads the document, and the number by which a change of it must name it: 0 where there is none yet.
func (a *Authority) fetch(ctx context.Context, limit time.Duration) (document, int, error) {
	found, err := within(ctx, limit, func(ctx context.Context) (*api.KVSecret, error) {
		found, err := a.client.KVv2(a.config.KV).Get(ctx, documentPath)
		if errors.Is(err, api.ErrSecretNotFound) {
			return nil, nil
		}
		return found, err
	})
	if err != nil {
		return document{}, 0, fmt.Errorf("read the secrets' document: %w", err)
	}
	doc, number := document{Rings: map[string][]wrapped{}}, 0
	if found != nil {
		if found.Data == nil { // what it was can be brought back; a new one would lose that
			return document{}, 0, &fault{reason: spoilt, said: "the secrets' document was deleted"}
		}
		if doc, err = parseDocument(found.Data); err != nil {
			return document{}, 0, err
		}
		number = found.VersionMetadata.Version
	}
	return doc, number, a.complete(doc)
}

// parseDocument reads what put wrote: every ring's versions count from 1.
func parseDocument(data map[string]any) (document, error) {
	spoil := func(what string) (document, error) {
		return document{}, &fault{reason: spoilt, said: "the secrets' document: " + what}
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return spoil("it is no JSON")
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return spoil("it is not of the form that it must have")
	}
	for name, ring := range doc.Rings {
		if !exchange.ValidName(name) || len(ring) == 0 {
			return spoil("it names a secret that cannot be")
		}
		for i, version := range ring {
			if version.Version != i+1 || version.Ciphertext == "" {
				return spoil("versions of " + name + " are missing")
			}
		}
	}
	if doc.Rings == nil {
		doc.Rings = map[string][]wrapped{}
	}
	return doc, nil
}

// put writes the document if it is still what fetch read, and says whether it was.
func (a *Authority) put(ctx context.Context, limit time.Duration, doc document, number int) (bool, error) {
	written, err := within(ctx, limit, func(ctx context.Context) (bool, error) {
		_, err := a.client.KVv2(a.config.KV).Put(ctx, documentPath, map[string]any{"rings": doc.Rings}, api.WithCheckAndSet(number))
		if overtaken(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return false, fmt.Errorf("write the secrets' document: %w", err)
	}
	return written, nil
}

// overtaken says whether Vault refused a change because somebody else was first.
func overtaken(err error) bool {
	var answer *api.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest && strings.Contains(strings.Join(answer.Errors, " "), "check-and-set")
}
