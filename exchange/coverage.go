package exchange

import (
	"strings"
	"time"
)

// Scope says for which holders a source speaks.
type Scope struct {
	Kind HolderKind `json:"kind,omitempty" yaml:"kind"` // empty: both kinds
	// Divisions are prefixes of division codes (行政区划代码) as they stand in credit codes and citizen
	// numbers, such as "43" or "430281". Empty: everywhere. A citizen number names the place of first
	// registration, not of residence, so a source of persons seldom has a reason to set it.
	Divisions []string `json:"divisions,omitempty" yaml:"divisions"`
}

// Includes says whether the scope covers the holder.
func (s Scope) Includes(h Holder) bool {
	if s.Kind != "" && s.Kind != h.Kind {
		return false
	}
	if len(s.Divisions) == 0 {
		return true
	}
	division := h.Number
	if h.Kind == Organisation && len(division) > 2 {
		division = division[2:]
	}
	for _, prefix := range s.Divisions {
		if strings.HasPrefix(division, prefix) {
			return true
		}
	}
	return false
}

// Coverage (覆盖声明) is an adapter's statement of how complete its data is: for which holders and up to
// what moment. It is the value of the topic coverage.<department>, sent as a heartbeat.
// Being alive is not being complete: only CompleteUpTo lets an answer say "not held".
type Coverage struct {
	Adapter      Adapter       `json:"adapter"`
	Type         EvidenceType  `json:"type"`
	Holders      Scope         `json:"holders"`
	Alive        time.Time     `json:"alive"`
	CompleteUpTo time.Time     `json:"complete_up_to,omitzero"` // zero: never complete so far
	End          map[int]int64 `json:"end,omitempty"`           // evidence topic: partition → offset after the last record the statement rests on
	// Rejected is the same for the department's quarantine topic: a row that was rejected before this statement must be
	// known before the statement may say of its holder that there is nothing.
	Rejected    map[int]int64 `json:"rejected,omitempty"`
	Read        int64         `json:"read"`        // rows of the last complete reading
	Published   int64         `json:"published"`   // records that stand published
	Quarantined int64         `json:"quarantined"` // rows in quarantine, unreadable ones included
	Unreadable  int64         `json:"unreadable"`  // rows in quarantine whose holder could not be read
	// Key names the department's key without telling it: under another key every record would get another id.
	Key       string `json:"key,omitempty"`
	Tolerance int64  `json:"tolerance"` // unreadable rows the department declares bearable
}

// Complete says whether the statement claims completeness at all: it names a moment, and no more rows
// are unreadable than the department declared bearable.
func (c *Coverage) Complete() bool {
	return !c.CompleteUpTo.IsZero() && c.Unreadable <= c.Tolerance
}
