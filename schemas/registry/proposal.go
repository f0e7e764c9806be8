package registry

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/schemas/compat"
)

// The operations.
const (
	opRegister      = "register"
	opSetLevel      = "set-level"
	opDeleteLevel   = "delete-level"
	opSetMode       = "set-mode"
	opDeleteMode    = "delete-mode"
	opDeleteVersion = "delete-version"
	opDeleteSubject = "delete-subject"
	opDeprecate     = "deprecate"
	opRetire        = "retire"
	opAdopt         = "adopt"
)

const (
	proposalFormat = 1
	maxProposal    = 800 << 10 // bytes of a proposal's message; what is derived from it is not longer
	globalScope    = ""        // the subject of settings for all
	never          = int64(-1) // the head of a scope that nothing has touched
)

// proposal is one message of schemas.proposals, whose key is the subject.
type proposal struct {
	Format    int              `json:"v"`
	Operation string           `json:"operation"`
	Nonce     string           `json:"nonce"` // random; the same when a lost message is sent again
	Subject   string           `json:"subject"`
	By        string           `json:"by"`
	At        time.Time        `json:"at"` // by the sender's clock; for people, not for the order
	Heads     map[string]int64 `json:"heads"`

	Text       string      `json:"schema,omitempty"`
	References []Reference `json:"references,omitempty"`
	Metadata   *Metadata   `json:"metadata,omitempty"`
	ID         int         `json:"id,omitzero"`      // wanted; 0: the fold gives one
	Version    int         `json:"version,omitzero"` // register: wanted, 0: the fold gives one; deprecate: 0 for all

	Compatibility string        `json:"compatibility,omitempty"`
	Policy        compat.Policy `json:"policy,omitempty"`
	Mode          string        `json:"mode,omitempty"`
	Permanent     bool          `json:"permanent,omitzero"`
	Reason        string        `json:"reason,omitempty"`
	From          time.Time     `json:"from,omitzero"`

	Verdict jsontext.Value `json:"verdict,omitempty"` // a Judgement; shown, and never read by the fold
	Adopted *adopted       `json:"adopted,omitempty"`
}

// adopted says which record of _schemas an adopt proposal takes over. The records are a chain: each names the one before.
type adopted struct {
	After   int64  `json:"after"`            // offset in _schemas of the record taken over before, -1: none
	Offset  int64  `json:"offset"`           // its own
	Kind    string `json:"kind"`             // of adoptSchema and so on
	Deleted bool   `json:"deleted,omitzero"` // a schema deleted softly
	Plain   string `json:"plain,omitempty"`  // guid of the content without white space, where the text has some
}

// What an adopt proposal takes over.
const (
	adoptSchema = "schema"
	adoptLevel  = "level"
	adoptMode   = "mode"
	adoptID     = "id"  // of a schema that cannot be taken over: the id is not given again
	adoptEnd    = "end" // nothing more comes
)

// nonceLength is that of a nonce in hexadecimal.
const nonceLength = 32

// bytes are the message's value.
func (p *proposal) bytes() ([]byte, error) { return json.Marshal(p, json.Deterministic(true)) }

// The kinds of messages that are no proposal of ours.
var (
	errForeign   = errors.New("no proposal")
	errNewer     = errors.New("a proposal of a newer format")
	errMalformed = errors.New("a malformed proposal")
)

// parseProposal reads a message of schemas.proposals. Whether it is one depends on its bytes alone.
func parseProposal(key, value []byte) (*proposal, error) {
	var head struct {
		Format int `json:"v"`
	}
	switch err := json.Unmarshal(value, &head); {
	case err != nil || head.Format < 1:
		return nil, errForeign
	case head.Format > proposalFormat:
		return nil, fmt.Errorf("%w: %d", errNewer, head.Format)
	}
	p := new(proposal)
	if err := json.Unmarshal(value, p, json.RejectUnknownMembers(true)); err != nil {
		return nil, errMalformed
	}
	if string(key) != p.Subject || len(p.Nonce) != nonceLength || !p.sound() {
		return nil, errMalformed
	}
	return p, nil
}

// sound says whether the operation has what it needs.
func (p *proposal) sound() bool {
	if !inRange(p.ID) || !inRange(p.Version) || !p.soundReferences() {
		return false
	}
	if p.Operation == opAdopt {
		return p.soundAdoption()
	}
	if _, own := p.Heads[p.Subject]; !own || p.Adopted != nil {
		return false
	}
	forAll := p.Subject == globalScope
	switch p.Operation {
	case opRegister:
		return !forAll && p.Text != ""
	case opSetLevel:
		return soundLevel(p.Compatibility, p.Policy)
	case opSetMode:
		return modes[p.Mode]
	case opDeleteLevel, opDeleteMode:
		return true
	case opDeleteVersion:
		return !forAll && p.Version > 0
	case opDeleteSubject, opDeprecate, opRetire:
		return !forAll
	}
	return false
}

// soundReferences: what is referred to is among the heads, so that it cannot be deleted meanwhile.
func (p *proposal) soundReferences() bool {
	for _, r := range p.References {
		if !inRange(r.Version) || r.Version == 0 || r.Subject == "" {
			return false
		}
		if _, named := p.Heads[r.Subject]; !named && p.Operation == opRegister {
			return false
		}
	}
	return true
}

func (p *proposal) soundAdoption() bool {
	a := p.Adopted
	if a == nil || a.After < never || a.Offset <= a.After {
		return false
	}
	switch a.Kind {
	case adoptSchema:
		return p.Subject != "" && p.Text != "" && p.ID > 0 && p.Version > 0
	case adoptLevel:
		return soundLevel(p.Compatibility, p.Policy)
	case adoptMode:
		return modes[p.Mode]
	case adoptID:
		return p.ID > 0
	case adoptEnd:
		return p.Subject == globalScope
	}
	return false
}

func inRange(n int) bool { return n >= 0 && n <= math.MaxInt32 }

// The seven levels and the five modes.
var (
	levels = map[string]bool{"NONE": true, "BACKWARD": true, "BACKWARD_TRANSITIVE": true, "FORWARD": true, "FORWARD_TRANSITIVE": true, "FULL": true, "FULL_TRANSITIVE": true}
	modes  = map[string]bool{modeReadWrite: true, modeReadOnly: true, modeReadOnlyOverride: true, modeImport: true, modeForward: true}
)

// The modes.
const (
	modeReadWrite        = "READWRITE"
	modeReadOnly         = "READONLY"
	modeReadOnlyOverride = "READONLY_OVERRIDE"
	modeImport           = "IMPORT"
	modeForward          = "FORWARD"
)

func soundLevel(level string, policy compat.Policy) bool {
	return (level != "" || policy != "") && (level == "" || levels[level]) &&
		(policy == "" || policy == compat.Strict || policy == compat.Lenient)
}

// judgement is the verdict for people to read; nil where there is none, or it is of another program's form.
func (p *proposal) judgement() *Judgement {
	if len(p.Verdict) == 0 {
		return nil
	}
	j := new(Judgement)
	if err := json.Unmarshal(p.Verdict, j); err != nil {
		return nil
	}
	return j
}

// note says in a word what an operation did.
func (p *proposal) note() string {
	switch p.Operation {
	case opSetLevel:
		return joined(p.Compatibility, string(p.Policy))
	case opSetMode:
		return p.Mode
	case opDeleteVersion, opDeleteSubject:
		if p.Permanent {
			return "permanent"
		}
	case opDeprecate:
		return p.Reason
	case opRetire:
		if !p.From.IsZero() {
			return joined(p.From.Format(time.RFC3339), p.Reason)
		}
	case opAdopt:
		return joined(p.Adopted.Kind, joined(joined(p.Compatibility, string(p.Policy)), p.Mode))
	}
	return ""
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// printable keeps what people write short and readable.
func printable(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}
