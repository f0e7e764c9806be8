// Package audit keeps the record of who looked at whose data, and why.
//
// A Log appends entries to the topic "audit" and returns a receipt once an entry is durable; whoever answers
// a query does so after that, never before. An Entry says who asked for which case and what the answer rested
// on. It holds no number, no name and no payload: the person asked about is a token that only the audit key
// can make, so that "who looked at my data" can be answered and nobody else can find anyone in the log.
package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/custody"
	"github.com/onedoor/yimen/exchange/trace"
)

// Topic is where entries go. It is never compacted.
const Topic = "audit"

// MaxEntry is the most bytes of an entry: a leaf of the transparency log, which holds it with its place and id, has at most 65,535.
const MaxEntry = 64<<10 - 256

// minKey is the least length of the audit key in bytes: that of the hash it keys.
const minKey = sha256.Size

// Appender makes messages durable. It returns nil only if every replica that must has every message, and then
// has set Partition and Offset of each. It is safe for concurrent use.
type Appender interface {
	Append(ctx context.Context, topic string, msgs []exchange.Message) error
}

// Config is what a Log is made of.
type Config struct {
	Appender Appender
	Keys     func(context.Context) (Keys, error) // asked by New, and after each Forget
	Clock    func() time.Time                    // nil: time.Now
	Random   io.Reader                           // for entry ids; nil: crypto/rand
	Recent   *Recent                             // where entries are kept until they come back; nil: nowhere
	Metrics  prometheus.Registerer               // nil: none
}

// Keys are those of a Log.
type Keys struct {
	Token []byte // the audit key, at least 32 bytes; another than the index has
	// Signature signs receipts, so that each proves at once that the exchange gave it. Nil: receipts are not signed.
	Signature ed25519.PrivateKey
}

// Log appends entries. It is safe for concurrent use.
type Log struct {
	appender Appender
	keys     *custody.Held[keys]
	clock    func() time.Time
	recent   *Recent
	failures prometheus.Counter

	mu     sync.Mutex // guards random, which need not be safe for concurrent use
	random io.Reader
}

// New checks the configuration.
func New(cfg Config) (*Log, error) {
	if cfg.Appender == nil {
		return nil, errors.New("audit log without an appender")
	}
	if cfg.Keys == nil {
		return nil, errors.New("audit log without keys")
	}
	l := &Log{appender: cfg.Appender, clock: cfg.Clock, random: cfg.Random, recent: cfg.Recent}
	l.keys = custody.Of(func(ctx context.Context) (*keys, error) {
		given, err := cfg.Keys(ctx)
		if err != nil {
			return nil, err
		}
		return keysOf(given)
	})
	if _, err := l.keys.Get(context.Background()); err != nil {
		return nil, err
	}
	if l.clock == nil {
		l.clock = time.Now
	}
	if l.random == nil {
		l.random = rand.Reader
	}
	l.failures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "yimen_audit_append_failures_total",
		Help: "Queries that got no answer because their audit entry could not be made durable.",
	})
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(l.failures); err != nil {
			return nil, fmt.Errorf("register audit metrics: %w", err)
		}
	}
	return l, nil
}

// keys are what follows from Keys.
type keys struct {
	macs   sync.Pool // of hash.Hash, keyed; making one costs more than using it
	signer signer
}

func keysOf(given Keys) (*keys, error) {
	if len(given.Token) < minKey {
		return nil, fmt.Errorf("audit key of %d bytes, at least %d", len(given.Token), minKey)
	}
	key := append([]byte(nil), given.Token...)
	k := &keys{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
	if given.Signature == nil {
		return k, nil
	}
	if len(given.Signature) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("audit signature key of %d bytes, want %d", len(given.Signature), ed25519.PrivateKeySize)
	}
	k.signer = signer{key: given.Signature, name: KeyName(given.Signature.Public().(ed25519.PublicKey))}
	return k, nil
}

// Forget drops the keys from memory, for the moment when the authority closes. They are asked for again when needed; until they can
// be had, nothing is appended.
func (l *Log) Forget() { l.keys.Forget() }

// Token stands for a holder in the log. The same holder has the same token under the same key.
func (l *Log) Token(ctx context.Context, h exchange.Holder) (string, error) {
	k, err := l.keys.Get(ctx)
	if err != nil {
		return "", err
	}
	return k.token(h), nil
}

func (k *keys) token(h exchange.Holder) string {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	said := append(make([]byte, 0, 64), h.Kind...)
	said = append(said, 0) // so that no kind and number run together into another's
	mac.Write(append(said, h.Number...))
	return hex.EncodeToString(mac.Sum(said[:0]))
}

// Commitment is what an entry keeps of something said that may not stand in the log: a MAC under the audit key of the entry's id, what
// it is of, and the bytes. Nothing can be guessed from it without the key, and two entries cannot be told to say the same; whoever has
// the bytes can have it proved by the exchange that they are the entry's.
func (l *Log) Commitment(ctx context.Context, id, of string, said []byte) (string, error) {
	k, err := l.keys.Get(ctx)
	if err != nil {
		return "", err
	}
	return k.commitment(id, of, said), nil
}

func (k *keys) commitment(id, of string, said []byte) string {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	fmt.Fprintf(mac, "%s of\x00%s\x00", of, id) // no kind of holder is spelt so
	mac.Write(said)
	return hex.EncodeToString(mac.Sum(nil))
}

// What the commitments in Entry.Stated and Entry.Answers are of.
const (
	OfStated  = "stated"
	OfAnswers = "answers"
)

// Stamp gives the entry its id and time, its subject and parties their tokens and neighbourhoods, and commits it to what was stated.
func (l *Log) Stamp(ctx context.Context, e *Entry) error {
	k, err := l.keys.Get(ctx)
	if err != nil {
		return err
	}
	e.Time = l.clock().UTC().Truncate(time.Millisecond)
	if e.Holder.Number != "" {
		e.Subject = k.token(e.Holder)
		e.Near = k.near(e.Holder, e.Time)
	}
	e.Parties = k.named(e.Parties, e.Time)
	if e.ID, err = l.newID(e.Time); err == nil && len(e.Stating) > 0 {
		e.Stated = k.commitment(e.ID, OfStated, e.Stating)
	}
	return err
}

// named gives parties their tokens and neighbourhoods.
func (k *keys) named(parties map[exchange.Role]Party, at time.Time) map[exchange.Role]Party {
	if len(parties) == 0 {
		return nil
	}
	named := make(map[exchange.Role]Party, len(parties)) // the caller keeps theirs
	for role, p := range parties {
		if p.Holder.Number != "" { // else the caller knows the token alone
			p.Subject, p.Near = k.token(p.Holder), k.near(p.Holder, at)
		}
		named[role] = p
	}
	return named
}

// neighbourhood is how many characters at the front two neighbouring numbers share: division and birthday of a citizen number,
// all but the last three of a credit code.
var neighbourhood = map[exchange.HolderKind]int{exchange.Person: 14, exchange.Organisation: 15}

func (k *keys) near(h exchange.Holder, at time.Time) string {
	n := min(neighbourhood[h.Kind], len(h.Number))
	return k.token(exchange.Holder{Kind: "near " + h.Kind, Number: string(exchange.DateOf(at)) + h.Number[:n]})[:16]
}

// Append returns once the entry is durable. An entry that was not stamped is stamped first. On an error the entry may
// or may not be in the log, so what it tells of must not happen.
func (l *Log) Append(ctx context.Context, e Entry) (Receipt, error) {
	if err := e.check(); err != nil {
		return Receipt{}, err
	}
	ctx, span := trace.Step(ctx, "append audit entry")
	receipt, err := l.append(ctx, &e)
	trace.End(span, err)
	if err != nil {
		l.failures.Inc()
		return Receipt{}, &exchange.Problem{
			Code: "YM-QRY-0301", Kind: exchange.Unavailable,
			What: exchange.Text{ZH: "审计记录没有写成，因此不给结论", EN: "the audit entry could not be written, so there is no answer"},
			Why:  exchange.Text{ZH: "审计主题没有在时限内确认", EN: "the audit topic did not confirm it in time"},
			Mend: exchange.Text{ZH: "稍后重试；若持续，检查 Kafka 是否可用、主题 audit 是否有足够的同步副本",
				EN: "retry later; if it persists, check that Kafka is up and the topic audit has enough in-sync replicas"},
			Err: err,
		}
	}
	return receipt, nil
}

func (l *Log) append(ctx context.Context, e *Entry) (Receipt, error) {
	k, err := l.keys.Get(ctx) // first: what is in the log must have a receipt
	if err != nil {
		return Receipt{}, err
	}
	if e.ID == "" {
		if err := l.Stamp(ctx, e); err != nil {
			return Receipt{}, err
		}
	}
	if e.Told != nil {
		e.Answers = k.commitment(e.ID, OfAnswers, e.Told)
	}
	value, err := e.encode()
	if err != nil {
		return Receipt{}, err
	}
	if len(value) > MaxEntry {
		return Receipt{}, fmt.Errorf("audit entry of %d bytes, at most %d", len(value), MaxEntry)
	}
	msgs := []exchange.Message{{
		Topic: Topic, Time: e.Time, Key: []byte(e.ID), Value: value,
		Headers: []exchange.Header{{Name: "content-type", Value: []byte("application/json")}},
	}}
	trace.Mark(ctx, msgs)
	if l.recent != nil { // before: it may be back sooner than Append
		l.recent.add(e, value)
	}
	if err := l.appender.Append(ctx, Topic, msgs); err != nil {
		if l.recent != nil {
			l.recent.forget(e.ID)
		}
		return Receipt{}, fmt.Errorf("append audit entry: %w", err)
	}
	sum := sha256.Sum256(value)
	receipt := Receipt{ID: e.ID, Time: e.Time, Hash: hex.EncodeToString(sum[:]), Partition: msgs[0].Partition, Offset: msgs[0].Offset}
	k.signer.sign(&receipt)
	return receipt, nil
}
