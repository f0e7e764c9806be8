// Package registry keeps the schemas of all subjects, in versions, in an order that every node agrees on.
//
// A change is judged by the node that received it, and put as a proposal onto the one partition of schemas.proposals,
// with the verdict and the heads it was judged against. Every node folds the proposals in their order: one whose heads
// have moved on is stale and without effect, and its sender judges again. Judging is never repeated by the fold, so a node
// with a newer program reads the past as it was. What the rest of the Kafka world reads, the topic _schemas in Confluent's
// record format, is derived from the fold.
package registry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/opinion"
)

// The topics.
const (
	Proposals = "schemas.proposals" // one partition, kept for ever
	Mirror    = "_schemas"          // one partition, compacted
)

// Topics is the bus, as far as a registry needs it.
type Topics interface {
	Append(ctx context.Context, topic string, msgs []exchange.Message) error
	Follow(ctx context.Context, topic string, from map[int]int64, handle func(context.Context, []exchange.Message) error) error
	EndOffsets(ctx context.Context, topic string) (map[int]int64, error)
}

// asker is the second validator.
type asker interface {
	Ask(ctx context.Context, question opinion.Question) (opinion.Opinion, error)
}

// Config says what a registry needs.
type Config struct {
	Topics Topics
	// Opinion is the second validator; nil: none is asked, and evidence types cannot be registered.
	Opinion interface {
		Ask(ctx context.Context, question opinion.Question) (opinion.Opinion, error)
	}
	// ReadOnly makes a registry that folds and changes nothing, not even _schemas: for adapters, which may only read.
	ReadOnly bool
	Clock    func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: silent
	Metrics  prometheus.Registerer
}

// Registry is the schemas of all subjects. It is safe for concurrent use.
type Registry struct {
	topics  Topics
	reads   bool // and changes nothing
	opinion asker
	clock   func() time.Time
	log     *slog.Logger
	metrics *metrics

	mu    sync.RWMutex // guards state; never held while judging or while waiting
	state *state
	moved chan struct{} // closed, and replaced, when state has moved on; guarded by mu

	waiting waiting
	turns   turns
	schemas cache
	rounds  rounds
	mirror  *mirror

	open     chan struct{} // closed when the past is folded and what stood in _schemas is taken over
	openOnce sync.Once

	evidence evidenceCache
	patience patience
}

// patience is how long things are waited for. Tests are less patient.
type patience struct {
	answer   time.Duration // for an acknowledgement, and for the own fold
	others   time.Duration // until _schemas is mended after another node's proposal
	retry    time.Duration // between attempts while the bus is down
	retiring time.Duration // between looks for retirements whose time has come
}

var patient = patience{answer: 30 * time.Second, others: 2 * time.Second, retry: 500 * time.Millisecond, retiring: time.Second}

// Entry is one version of a subject.
type Entry struct {
	Subject    string
	Version    int
	ID         int    // the same for the same content, whatever the subject
	GUID       string // of the content, as in message headers
	Text       []byte // without white space between tokens
	References []Reference
	Metadata   *Metadata
	Deleted    bool // softly: hidden, but readers of old messages still find it by its id
	By         string
	At         time.Time
	Deprecated *Deprecation // nil: in good standing
}

// Reference is another subject's version that a schema names in $ref.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Metadata is Confluent's: kept and given back, part of a schema's identity.
type Metadata struct {
	Tags       map[string][]string `json:"tags,omitempty"`
	Properties map[string]string   `json:"properties,omitempty"`
	Sensitive  []string            `json:"sensitive,omitempty"`
}

// Deprecation says that a version, or the whole subject (retirement), is not to be used any more.
type Deprecation struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Candidate is a schema somebody wants registered, looked up or tested.
type Candidate struct {
	Text       []byte
	References []Reference
	Metadata   *Metadata
	ID         int  // wanted id, in mode IMPORT only; 0: none
	Version    int  // wanted version, in mode IMPORT only; 0: none
	Normalize  bool // order and spelling of members do not count
}

// Registered is what came of a registration.
type Registered struct {
	Entry    Entry
	New      bool            // false: the subject had it already
	Warnings []exchange.Text // such as: the second validator disagrees
	Verdict  Judgement
}

// Judgement is the comparison of a candidate with the versions its level names.
type Judgement struct {
	Level      string        `json:"level"` // such as BACKWARD_TRANSITIVE
	Policy     compat.Policy `json:"policy"`
	Compatible bool          `json:"compatible"`
	Against    []Comparison  `json:"against"`
}

// Comparison is a candidate beside one version.
type Comparison struct {
	Version   int              `json:"version"`
	Direction string           `json:"direction"` // "backward": the candidate reads the version's documents; "forward": the reverse
	Findings  []compat.Finding `json:"findings"`
	Undecided bool             `json:"undecided,omitempty"`
}

// Level is a subject's compatibility, or the global one.
type Level struct {
	Compatibility string        // one of the seven; BACKWARD where nothing was ever set
	Policy        compat.Policy // STRICT where nothing was ever set
	Own           bool          // set for the subject itself
}

// Change is one accepted proposal, for people who ask who changed what and when.
type Change struct {
	Offset    int64      `json:"offset"`
	At        time.Time  `json:"at"`
	By        string     `json:"by"`
	Operation string     `json:"operation"` // such as "register", "set-level", "delete-version", "retire"
	Subject   string     `json:"subject"`
	Version   int        `json:"version,omitempty"`
	ID        int        `json:"id,omitempty"`
	Note      string     `json:"note,omitempty"` // the level, the mode, the reason
	Verdict   *Judgement `json:"verdict,omitempty"`
}

// Retirement says from when on a subject takes no new versions and its topic no new records.
type Retirement struct {
	From   time.Time `json:"from"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by"`
}

// New makes a registry; Run fills it.
func New(cfg Config) (*Registry, error) {
	if cfg.Topics == nil {
		return nil, errors.New("a registry needs topics")
	}
	r := &Registry{
		topics: cfg.Topics, reads: cfg.ReadOnly, opinion: cfg.Opinion, clock: cfg.Clock, log: cfg.Log,
		state: newState(), moved: make(chan struct{}), open: make(chan struct{}), mirror: newMirror(), patience: patient,
	}
	if r.clock == nil {
		r.clock = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	var err error
	r.metrics, err = newMetrics(cfg.Metrics, r)
	return r, err
}
