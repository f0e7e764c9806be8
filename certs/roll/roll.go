// Package roll is the roll of a city's identities: who was invited, which certificates were issued, who was revoked.
//
// It is folded from the topic "identities", so that every node has the same roll, a restart changes nothing, and a revocation works
// everywhere within the time an entry needs to be read. Every entry is signed by the exchange; what is not is counted and
// passed over. Of two entries that cannot both be (one invitation used twice) the first on the topic counts, and an entry that
// comes again, by a lost acknowledgement or an enemy's hand, counts once.
//
// A department enrols with a one-time token (Invite, Enrol), renews by the certificate it has (Renew), and is refused at once
// after Revoke. Admits and AdmitsIdentity answer from memory: they are asked with every request.
package roll

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Topic is where the roll is kept. It has one partition and is never cleaned.
const Topic = "identities"

// Topics are Kafka as the roll needs it; see package bus.
type Topics interface {
	Append(ctx context.Context, topic string, messages []exchange.Message) error
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// Config is what a Roll is made of. City, Topics and Authority are required.
type Config struct {
	City      string
	Topics    Topics
	Authority certs.Authority
	Suite     envelope.Suite   // by which adapters that enrol sign; zero: Standard
	Clock     func() time.Time // nil: time.Now
	Random    io.Reader        // for tokens; nil: crypto/rand
	Log       *slog.Logger     // nil: silent
	Metrics   prometheus.Registerer
}

// Roll is the roll of identities. It is safe for concurrent use.
type Roll struct {
	cfg     Config
	orders  Orders
	guesses *rate.Limiter // wrong tokens
	refused *prometheus.CounterVec

	mu      sync.RWMutex // guards all below
	state   state
	changed chan struct{} // closed, and replaced, whenever something was folded
	absent  map[envelope.SignerID]bool
	told    map[string]error // why entries that this node waits for changed nothing, by their ids
}

// Wrong tokens are answered slowly: nobody types them this often, and 256 bits are not guessed.
const (
	guessesPerSecond = 1
	guessesAtOnce    = 20
)

// New makes an empty roll; Run fills it.
func New(cfg Config) (*Roll, error) {
	if cfg.City == "" || cfg.Topics == nil || cfg.Authority == nil {
		return nil, errors.New("roll of identities needs a city, topics and an authority")
	}
	if cfg.Suite == 0 {
		cfg.Suite = envelope.Standard
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
	r := &Roll{cfg: cfg, orders: Orders{cfg.Authority, cfg.Clock}, guesses: rate.NewLimiter(guessesPerSecond, guessesAtOnce), state: newState(cfg.City), changed: make(chan struct{}),
		absent: map[envelope.SignerID]bool{}, told: map[string]error{}}
	r.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yimen_identities_refused_total",
		Help: "Entries of the roll of identities that were passed over."}, []string{"reason"})
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(r.refused); err != nil {
			return nil, fmt.Errorf("register metrics of the roll: %w", err)
		}
	}
	return r, nil
}

// Changed gives a channel that is closed when the roll changes next.
func (r *Roll) Changed() <-chan struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.changed
}
