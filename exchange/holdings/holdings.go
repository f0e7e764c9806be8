// Package holdings is the index of records by holder, folded from the topics.
//
// Fold takes the messages of the topics evidence.<type>, quarantine.<department>, coverage.<department> and erasures, one
// partition's batch at a time, opens them, checks that they come from the keeper of the type, and stores rows together
// with the offset they reach. Find answers from those rows what government holds of one holder. The topics are the truth:
// an index that is lost, or whose keys have changed, is deleted and folded again.
//
// What Find says is a function of the set of record versions and of the orders to forget, not of the order in which they
// arrived: messages may come twice, in batches cut anywhere, and from partitions in any order. Lifts of orders are the one
// exception: what is published after one must be folded after it, as it is on a node that follows the orders first. One message
// that cannot be used never stops its partition: it is counted and kept in a list by its position and reason.
//
// All that Find needs of a holder lies side by side, so that one look at the engine answers a query; see dossier.go. What an order
// to forget takes is said in forget.go, and how long an index keeps silent until it has obeyed in obey.go.
//
// An engine sees no holder's number, no payload and no plain hash: holders are tokens (HMAC under Keys.Token), versions
// are sealed (AES-256-GCM under a key derived from Keys.Seal).
package holdings

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/custody"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas"
)

// Config says what an index needs. All but Orders, Log, Metrics and Now is required.
type Config struct {
	Engine Engine // stays its opener's: close it after the last call
	Opener *envelope.Opener
	// Schema finds the schema that a record names, nil where there is none: the record is then refused until the index
	// is built anew. An error means that it cannot be said yet, and stops the folding.
	Schema func(ctx context.Context, id string) (*schemas.Schema, error)
	// Keeper is the one department that may publish a type. It is asked when a message is folded: a record that
	// was refused stays so until the index is built anew.
	Keeper func(exchange.EvidenceType) (exchange.Department, bool)
	// Orders gives the keys that sign orders to forget, as they are now: it is asked for each. An index that has it answers nothing
	// until it has obeyed: see ErasuresUpTo. Nil: every order is refused.
	Orders  func(context.Context) ([]ed25519.PublicKey, error)
	Keys    func(context.Context) (Keys, error) // asked by New, and after each Forget
	Rest    time.Duration                       // max.compaction.lag.ms of the topics: how long Kafka leaves a part as it is; 0: they are not compacted
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time // when something was folded or refused; nil: time.Now
}

// Keys are the two that an index is kept under, 32 bytes each: another pair than before does not open it.
type Keys struct {
	Token []byte // holders are found under it
	Seal  []byte // versions are sealed under it
}

func (k Keys) check() error {
	switch {
	case len(k.Token) != keySize, len(k.Seal) != keySize:
		return misconfigured("标记密钥和封存密钥必须各为 32 字节", "token key and seal key must have 32 bytes each")
	case string(k.Token) == string(k.Seal):
		return misconfigured("标记密钥和封存密钥不得相同", "token key and seal key must not be the same")
	}
	return nil
}

// Index is the index of records by holder. It is safe for concurrent use.
type Index struct {
	engine   Engine
	secrets  *custody.Held[secrets]
	rest     time.Duration
	fresh    *fresh // nil where the index had rows when it was opened
	describe func(context.Context, *envelope.Opened) (schemas.Facts, Reason, error)
	opener   *envelope.Opener
	open     func(context.Context, *exchange.Message) (envelope.Opened, error) // the opener's; tests measure without it
	keeper   func(exchange.EvidenceType) (exchange.Department, bool)
	log      *slog.Logger
	meters   meters
	now      func() time.Time
	names    names

	orderKeys func(context.Context) ([]ed25519.PublicKey, error)
	// obeying is held for writing while an order to forget is carried out, and for reading from when a batch looks at the
	// orders until it is stored.
	obeying sync.RWMutex
	claims  claims

	// folding has a lock for each partition: who folds it holds it until the rows are stored.
	folding sync.Map // placeName → *sync.Mutex

	// mu guards what follows. It describes rows that are stored: Find reads it first and the rows after, so that
	// it never believes something folded that it then does not find.
	mu       sync.RWMutex
	places   map[string]map[int]place
	next     map[string]map[int]int64 // topic → partition → offset; the inner maps are replaced, never changed
	speakers map[speaker]*statements
	sources  map[exchange.EvidenceType][]exchange.Source // replaced, never changed
	orders   orders                                      // changed by who holds obeying for writing too
	// backdrops are replaced whenever something was stored.
	backdrops *backdrops
	// closed says that nothing may be told until the orders are folded up to upTo, if that was told yet.
	closed, told bool
	upTo         int64
	opened       chan struct{} // closed when it may
}

// New opens the index that the engine holds, an empty one where it holds none.
func New(c Config) (*Index, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	x := &Index{
		engine:   c.Engine,
		opener:   c.Opener,
		rest:     c.Rest,
		open:     c.Opener.Record,
		describe: describe(c.Schema),
		keeper:   c.Keeper,
		log:      c.Log,
		now:      c.Now,
		places:   map[string]map[int]place{},
		next:     map[string]map[int]int64{},
		speakers: map[speaker]*statements{},
		sources:  map[exchange.EvidenceType][]exchange.Source{},

		orderKeys: c.Orders,
		orders:    newOrders(),
		backdrops: &backdrops{},
		closed:    c.Orders != nil,
		opened:    make(chan struct{}),
	}
	x.claims.freed.L = &x.claims.mu
	if !x.closed {
		close(x.opened)
	}
	if x.log == nil {
		x.log = slog.Default()
	}
	if x.now == nil {
		x.now = time.Now
	}
	if err := x.begin(c); err != nil {
		if errors.Is(err, errDamaged) {
			err = damaged(err)
		}
		return nil, err
	}
	return x, nil
}

func (x *Index) begin(c Config) (err error) {
	ctx := context.Background()
	x.secrets = custody.Of(func(ctx context.Context) (*secrets, error) {
		keys, err := c.Keys(ctx)
		if err == nil {
			err = keys.check()
		}
		if err != nil {
			return nil, err
		}
		return unlock(ctx, c.Engine, keys)
	})
	if _, err = x.secrets.Get(ctx); err != nil {
		return err
	}
	if err = x.load(ctx); err != nil {
		return err
	}
	if len(x.places) == 0 {
		x.fresh = newFresh()
	}
	x.meters, err = newMeters(c.Metrics)
	return err
}

func (c *Config) check() error {
	if c.Engine == nil || c.Opener == nil || c.Schema == nil || c.Keeper == nil || c.Keys == nil {
		return misconfigured("缺少引擎、启封器、模式、数源部门或密钥", "engine, opener, schemas, keepers or keys are missing")
	}
	return nil
}

// Forget drops all keys from memory, its opener's too, for the moment when the authority closes. They are asked for again when needed;
// until they can be had, nothing is found or folded.
func (x *Index) Forget() {
	x.secrets.Forget()
	x.opener.Forget()
}

// Next gives, for each partition of the topic that was ever folded, the offset of the next message to fold.
func (x *Index) Next(_ context.Context, topic string) (map[int]int64, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if next := x.next[topic]; next != nil {
		return maps.Clone(next), nil
	}
	return map[int]int64{}, nil
}

// Counts is how much was folded since the index was begun, over all restarts.
type Counts struct {
	Records    map[exchange.EvidenceType]int64 // record versions held, withdrawals included
	Refused    map[Reason]int64
	Duplicates int64
}

// Counts sums up what was folded so far.
func (x *Index) Counts() Counts {
	c := Counts{Records: map[exchange.EvidenceType]int64{}, Refused: map[Reason]int64{}}
	x.mu.RLock()
	defer x.mu.RUnlock()
	for topic, partitions := range x.places {
		family, name := cutTopic(topic)
		for _, p := range partitions {
			if family == topicEvidence {
				c.Records[exchange.EvidenceType(name)] += p.Records
			}
			for reason, n := range p.Refused {
				c.Refused[reason] += n
			}
			c.Duplicates += p.Duplicates
		}
	}
	return c
}
