// Package rest serves a registry over HTTP as Confluent's registry does, so that stock Kafka clients use it unmodified, and
// calls it.
//
// Beside Confluent's paths there are Yimen's own: a dry run of a registration, the history of a subject, what a change would break,
// deprecation and retirement.
package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/onedoor/yimen/schemas/registry"
)

// Config is what the service is made of.
type Config struct {
	Registry *registry.Registry
	// Writer says who sends a request that changes something; its error, an *exchange.Problem, refuses the request.
	// Reading is open to everybody: schemas hold no personal data.
	Writer func(*http.Request) (by string, err error)
	// Impact says what a schema would break: it calls progress now and then with how many stored records it has looked
	// at, of how many, and gives a value for JSON. Only writers may ask. nil: not served.
	Impact func(ctx context.Context, subject string, schema []byte, progress func(done, of int64)) (json.RawMessage, error)
	Log    *slog.Logger // nil: silent
}

// New is the service as a handler, for the root of a path prefix that the caller strips.
func New(cfg Config) http.Handler { panic("to be written") }
