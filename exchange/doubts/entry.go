package doubts

import (
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/journal"
)

// Act is what is done about a doubt.
type Act string

// The acts.
const (
	Raise    Act = "raise"    // 提出
	Accept   Act = "accept"   // 属实: the keeper corrects it
	Reject   Act = "reject"   // 不属实, with the reason
	Withdraw Act = "withdraw" // 撤回, by the department that raised it
)

// The formats. Each changes with the meaning of any member; the old ones fold for ever.
const (
	sealedInside = 1 // what was written stands in the entry
	format       = 2 // it stands on the TextsTopic
)

// maxEntry bounds an entry in bytes.
const maxEntry = 32 << 10

// entry is one act as it stands on the topic.
type entry struct {
	Format   int       `json:"format"`
	ID       string    `json:"id"` // random
	At       time.Time `json:"at"`
	By       string    `json:"by"` // department and staff code
	Doubt    string    `json:"doubt"`
	Replaces int       `json:"replaces"` // the version of the doubt that it was done to
	Act      Act       `json:"act"`
	About    *about    `json:"about,omitempty"`  // Raise
	Text     []byte    `json:"text,omitempty"`   // the SHA-256 of what was written, as it stands sealed on the TextsTopic
	Sealed   []byte    `json:"sealed,omitempty"` // sealedInside: what was written, sealed to the doubt and this entry
}

// about is what a doubt is about.
type about struct {
	Department exchange.Department   `json:"department"` // who doubts
	Receipt    string                `json:"receipt"`
	Evidence   exchange.EvidenceType `json:"evidence"`
	Record     exchange.RecordID     `json:"record"`
	Version    exchange.Version      `json:"version"`
	Fields     []string              `json:"fields"`
}

// parseEntry reads an entry strictly.
func parseEntry(value []byte) (*entry, error) {
	e, err := journal.Read[entry](value, maxEntry, "")
	if err != nil {
		return nil, err
	}
	known := e.Format == format && e.Sealed == nil || e.Format == sealedInside && e.Text == nil
	if !known || e.ID == "" || e.Doubt == "" || e.By == "" || e.At.IsZero() || (e.About == nil) != (e.Act != Raise) {
		return nil, fmt.Errorf("entry of format %d, or without id, doubt, author, time or what it is about", e.Format)
	}
	return e, nil
}

// says whether something was written.
func (e *entry) says() bool { return e.Text != nil || e.Sealed != nil }

func (e *entry) message() (exchange.Message, error) { return journal.Message(Topic, e.Doubt, e.At, e) }
