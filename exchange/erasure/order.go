// Package erasure says how the exchange orders that a record or a holder be forgotten.
//
// An Order is a message of the topic "erasures": signed by the exchange, in one partition, never cleaned up. Every node folds the
// topic to its end before it answers anything, so that what was ordered holds at once everywhere, also on a node that was
// away for years or that began from an old backup. What an order does to the index is said by the package holdings.
//
// Orders name holders by the index's tokens and records by their ids. They hold no number, no name and no payload, and stay
// for ever.
package erasure

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// Topic is where orders go.
const Topic = "erasures"

// Kind says what an order is about.
type Kind string

// The kinds of order.
const (
	OfRecord Kind = "record" // one record: every version, those to come too, for every holder
	OfHolder Kind = "holder" // everything of one holder: every record that names them, those to come too
	Lift     Kind = "lift"   // ends another order for what is published from then on; what was forgotten stays so
)

// Token stands for a holder in orders and in the index: a keyed hash.
type Token [16]byte

// MarshalText writes the token in hexadecimal.
func (t Token) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, t[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Token) UnmarshalText(text []byte) error {
	if len(text) != 2*len(t) {
		return fmt.Errorf("token of %d characters, want %d", len(text), 2*len(t))
	}
	_, err := hex.Decode(t[:], text)
	return err
}

// Record names a record. Its id counts only within its type.
type Record struct {
	Type exchange.EvidenceType `json:"type"`
	ID   exchange.RecordID     `json:"id"`
}

// Order says who ordered what to be forgotten, or not any more, and on what ground.
type Order struct {
	ID     string `json:"id"` // 16 to 64 letters and digits, such as a ULID; the message's key
	Kind   Kind   `json:"kind"`
	Holder Token  `json:"holder,omitzero"` // OfHolder
	// Records is the one record (OfRecord), or those that were the holder's alone when it was ordered (OfHolder).
	Records []Record  `json:"records,omitempty"`
	Lifts   string    `json:"lifts,omitempty"` // Lift: the order that it ends
	At      time.Time `json:"at"`
	By      string    `json:"by"`    // who ordered it, such as scjg/clerk/w3-017
	Basis   string    `json:"basis"` // the legal ground, as a code of ASCII, such as PIPL-47(1)(3)
}

// written is an order as it stands on the topic.
type written struct {
	Format int `json:"format"`
	Order
}

// format changes with the meaning of any member; the old ones fold for ever.
const format = 1

// Message is the order as it is appended, signed with the exchange's key for orders. The error says in words for people what is
// wrong with the order.
func (o Order) Message(key ed25519.PrivateKey) (exchange.Message, error) {
	if err := o.Check(); err != nil {
		return exchange.Message{}, malformed(err)
	}
	value, err := json.Marshal(written{Format: format, Order: o})
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write order to forget: %w", err)
	}
	m := exchange.Message{Topic: Topic, Key: []byte(o.ID), Value: value}
	envelope.SignOrder(key, &m)
	return m, nil
}
