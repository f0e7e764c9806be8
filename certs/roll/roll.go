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
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/journal"
)

// Topic is where the roll is kept. It has one partition and is never cleaned.
const Topic = "identities"

// Config is what a Roll is made of. City, Topics and Authority are required.
type Config struct {
	City      string
	Topics    journal.Topics
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
	journal *journal.Journal

	mu     sync.RWMutex // guards all below
	state  state
	absent map[envelope.SignerID]bool
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
	orders := Orders{cfg.Authority, cfg.Clock}
	j, err := journal.New(journal.Config{Topic: Topic, Topics: cfg.Topics, Keys: orders, Log: cfg.Log, Metrics: cfg.Metrics})
	if err != nil {
		return nil, err
	}
	r := &Roll{cfg: cfg, orders: orders, guesses: rate.NewLimiter(guessesPerSecond, guessesAtOnce), journal: j, state: newState(cfg.City), absent: map[envelope.SignerID]bool{}}
	j.Keep(book{r})
	return r, nil
}
