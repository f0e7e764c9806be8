// Package roll keeps the roll of identities: who was invited, which certificates were issued, and what was revoked.
//
// All of it stands on one topic of one partition that is never cleaned. Every entry is signed by the exchange, every node folds
// them in their order, and the first in the topic wins: an invitation used on two nodes at once ends with one certificate, and
// one issued after its holder was revoked is void. A node hands a certificate out only after it has seen its own entry win.
// What is revoked stays so: a restored identity is invited anew, and the certificates it had do not come back. So what the
// roll says of a signature made long ago never changes, and nodes that fold it at other times agree.
package roll

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// Topic holds the roll: one partition, kept for ever.
const Topic = "identities"

// Topics is the bus, as far as a roll needs it.
type Topics interface {
	Append(ctx context.Context, topic string, msgs []exchange.Message) error
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// Config says what a roll needs.
type Config struct {
	Topics    Topics
	Authority certs.Authority
	City      string           // the trust domain of all identities
	Clock     func() time.Time // nil: time.Now
	Random    io.Reader        // nil: crypto/rand
	Log       *slog.Logger     // nil: silent
	Metrics   prometheus.Registerer
}

// Roll is the roll of identities. It is safe for concurrent use.
type Roll struct {
	cfg     Config
	metrics *metrics
	waiting waiting
	tries   *rate.Limiter // of wrong tokens, in the time of Clock

	mu      sync.RWMutex // guards all below; never held while waiting
	state   *state
	open    bool          // the past is folded
	moved   chan struct{} // closed, and replaced, when state has moved on
	revised chan struct{} // closed, and replaced, when something was revoked or restored

	patience patience
}

// patience is how long things are waited for. Tests are less patient.
type patience struct {
	answer time.Duration // for an acknowledgement, and for the own fold
	retry  time.Duration // between attempts while the bus is down
}

var patient = patience{answer: 30 * time.Second, retry: 500 * time.Millisecond}

// Wrong tokens in a row that are looked at, and how soon one more is. Nobody guesses 32 bytes; this bounds the noise.
const (
	wrongTokens     = 30
	wrongTokenEvery = time.Second
)

// New makes a roll; Run fills it.
func New(cfg Config) (*Roll, error) {
	if cfg.Topics == nil || cfg.Authority == nil || !exchange.ValidName(cfg.City) {
		return nil, errors.New("a roll needs topics, an authority and a city")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := &Roll{cfg: cfg, state: newState(), moved: make(chan struct{}), revised: make(chan struct{}),
		tries: rate.NewLimiter(rate.Every(wrongTokenEvery), wrongTokens), patience: patient}
	var err error
	r.metrics, err = newMetrics(cfg.Metrics, r)
	return r, err
}
