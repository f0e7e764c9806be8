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
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
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

// Config says what a registry needs.
type Config struct {
	Topics Topics
	// Opinion is the second validator; nil: none is asked, and evidence types cannot be registered.
	Opinion interface {
		Ask(ctx context.Context, question opinion.Question) (opinion.Opinion, error)
	}
	Clock   func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: silent
	Metrics prometheus.Registerer
}

// Registry is the schemas of all subjects. It is safe for concurrent use.
type Registry struct {
}

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
func New(cfg Config) (*Registry, error) { panic("to be written") }

// Run folds the proposals, keeps _schemas as it should be, and carries out retirements whose time has come, until ctx
// ends. A registry whose proposals are empty first takes over what stands in _schemas.
func (r *Registry) Run(ctx context.Context) error { panic("to be written") }

// Settled waits until everything that stood on the topic when it was called is folded.
func (r *Registry) Settled(ctx context.Context) error { panic("to be written") }

// Evidence is the set of evidence schemas: of every version of every subject evidence.<type>-value, deleted ones
// included, the newest version that is not deleted as the type's own.
func (r *Registry) Evidence() *schemas.Set { panic("to be written") }

// Subjects lists those that begin with prefix, sorted. Those with deleted versions only are told where deleted is set, and
// alone where only is set.
func (r *Registry) Subjects(prefix string, deleted, only bool) []string { panic("to be written") }

// Versions lists a subject's versions in order. Problems here and below have codes YM-REG-nnnnn, where nnnnn is
// Confluent's error code.
func (r *Registry) Versions(subject string, deleted bool) ([]Entry, error) { panic("to be written") }

// Version is one version; 0 is the latest.
func (r *Registry) Version(subject string, version int, deleted bool) (Entry, error) {
	panic("to be written")
}

// ByID is the first entry with the id, deleted ones included. An id this node does not know makes it catch up once.
func (r *Registry) ByID(ctx context.Context, id int) (Entry, error) { panic("to be written") }

// ByGUID is the first entry with the guid.
func (r *Registry) ByGUID(ctx context.Context, guid string) (Entry, error) { panic("to be written") }

// Uses lists the entries with the id, in every subject.
func (r *Registry) Uses(id int, deleted bool) ([]Entry, error) { panic("to be written") }

// ReferencedBy lists the ids of the schemas that refer to a version.
func (r *Registry) ReferencedBy(subject string, version int) ([]int, error) { panic("to be written") }

// MaxID is the highest id given so far, 0 where none was.
func (r *Registry) MaxID() int { panic("to be written") }

// Lookup finds the version of the subject that is the candidate.
func (r *Registry) Lookup(ctx context.Context, subject string, c Candidate, deleted bool) (Entry, error) {
	panic("to be written")
}

// Register adds a candidate to a subject, or finds that it has it. dry judges and changes nothing: Version and ID are what
// they would be. An incompatible candidate is a Problem YM-REG-409 that wraps an *Incompatible.
func (r *Registry) Register(ctx context.Context, by, subject string, c Candidate, dry bool) (Registered, error) {
	panic("to be written")
}

// Incompatible is the error of a candidate that may not follow the versions there are.
type Incompatible struct {
	Judgement Judgement
}

// Error names the first finding.
func (e *Incompatible) Error() string { panic("to be written") }

// Test compares a candidate with one version (0: the latest), or with those its level names (version -1), as a registration would.
func (r *Registry) Test(ctx context.Context, subject string, version int, c Candidate) (Judgement, error) {
	panic("to be written")
}

// DeleteVersion deletes a version softly, or for good where it was deleted softly before.
func (r *Registry) DeleteVersion(ctx context.Context, by, subject string, version int, permanent bool) error {
	panic("to be written")
}

// DeleteSubject deletes all versions in the same way and lists them.
func (r *Registry) DeleteSubject(ctx context.Context, by, subject string, permanent bool) ([]int, error) {
	panic("to be written")
}

// Level is the compatibility of a subject; of the empty subject, the global one. Where the subject has none of its own it
// is the global one, with Own false.
func (r *Registry) Level(subject string) Level { panic("to be written") }

// SetLevel sets it; empty fields stay as they are.
func (r *Registry) SetLevel(ctx context.Context, by, subject string, l Level) error {
	panic("to be written")
}

// DeleteLevel removes a subject's own, or resets the global one, and gives the old one.
func (r *Registry) DeleteLevel(ctx context.Context, by, subject string) (Level, error) {
	panic("to be written")
}

// Mode is READWRITE, READONLY, READONLY_OVERRIDE, IMPORT or FORWARD; own says that the subject has one of its own.
func (r *Registry) Mode(subject string) (mode string, own bool) { panic("to be written") }

// SetMode sets it. IMPORT needs an empty subject, or force.
func (r *Registry) SetMode(ctx context.Context, by, subject, mode string, force bool) error {
	panic("to be written")
}

// DeleteMode removes a subject's own and gives the old one.
func (r *Registry) DeleteMode(ctx context.Context, by, subject string) (string, error) {
	panic("to be written")
}

// Deprecate marks a version (0: all there are) with a reason; an empty reason takes the mark away.
func (r *Registry) Deprecate(ctx context.Context, by, subject string, version int, reason string) error {
	panic("to be written")
}

// Retire announces the end of a subject: from then on it is deleted softly. The zero time takes the announcement back.
func (r *Registry) Retire(ctx context.Context, by, subject string, from time.Time, reason string) error {
	panic("to be written")
}

// Retirement is what was announced for a subject; nil: nothing.
func (r *Registry) Retirement(subject string) *Retirement { panic("to be written") }

// History lists the accepted changes of a subject, or of all where it is empty, oldest first.
func (r *Registry) History(subject string) []Change { panic("to be written") }
