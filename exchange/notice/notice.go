// Package notice tells cases that a record they relied on is not any more what it was.
//
// A department subscribes one of its cases, or all, to a webhook or to its topic notices.<department>. Whenever a record has a turn (it is
// revoked, suspended, superseded, withdrawn, corrected, reinstated, or erased), an Office finds the answers that relied on an earlier
// version, and makes an event for each that belongs to a subscribed case: a CloudEvent on the topic, from where it goes to the webhooks.
//
// Events are made at least once and have ids that follow from the answer and the turn alone: whatever crashes and however many nodes
// there are, the same news has the same id. A node looks whether the topic has an event before it appends it, and whether an outcome is
// known before it delivers; a node with a Standby waits with both, so that it does only what the others have left undone. After a start,
// and after an append of which it does not know what became, it first reads to its end what stands on the topic by then.
//
// An event names the case, the record's id, its versions and statuses; no field of the record, no number and no name. Of an answer whose
// mode hid the record (verify, predicates) it names the case, the answer and what has become of the record alone.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/reliance"
)

// Kind is what has become of a record.
type Kind string

// The kinds.
const (
	Revoked    Kind = "revoked"
	Suspended  Kind = "suspended"
	Superseded Kind = "superseded"
	Withdrawn  Kind = "withdrawn"  // the keeper no longer lists it
	Expired    Kind = "expired"    // a correction says that it had ended before
	Reinstated Kind = "reinstated" // it is valid again
	Corrected  Kind = "corrected"  // it is valid as before and says something else
	Erased     Kind = "erased"     // by an order to forget
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{Revoked, Suspended, Superseded, Withdrawn, Expired, Reinstated, Corrected, Erased}
}

// EventType is the type of events of the kind.
func (k Kind) EventType() string { return typePrefix + string(k) }

// State is a version of a record and what its keeper said in it; an erased record has neither.
type State struct {
	Version exchange.Version `json:"version,omitzero"`
	Status  exchange.Status  `json:"status,omitzero"`
}

// News is the data of an event: which answer relied on what, and what the record is now. The last four are missing where the answer did
// not tell the record.
type News struct {
	Department exchange.Department   `json:"department"`
	Case       string                `json:"case"`
	Entry      string                `json:"entry"` // of the audit log: the answer's receipt
	Record     exchange.RecordID     `json:"record,omitzero"`
	Type       exchange.EvidenceType `json:"evidence_type,omitzero"`
	Relied     State                 `json:"relied,omitzero"` // what the answer relied on
	Now        State                 `json:"now,omitzero"`
}

// Event is a CloudEvent in structured mode.
type Event struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject"` // the case
	Time        time.Time `json:"time"`    // when the turn was written to its topic
	Content     string    `json:"datacontenttype"`
	Data        News      `json:"data"`
}

// typePrefix begins the types of events.
const typePrefix = "city.yimen.record."

// event is the event of a turn for an answer.
func event(city string, r *reliance.Reliance, kind Kind, was State, now State, at time.Time) Event {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%s", r.Entry, r.Type, r.Record, now.Version, kind))
	data := News{Department: r.Department, Case: r.Case, Entry: r.Entry}
	if r.Mode == "" {
		data.Record, data.Type, data.Relied, data.Now = r.Record, r.Type, was, now
	}
	return Event{SpecVersion: "1.0", ID: hex.EncodeToString(sum[:16]), Source: "urn:yimen:" + city, Type: kind.EventType(), Subject: r.Case,
		Time: at.UTC(), Content: "application/json", Data: data}
}

// kind is the last part of the type.
func (e *Event) kind() string { return strings.TrimPrefix(e.Type, typePrefix) }

// message is the event in binary mode, as CloudEvents' Kafka binding has it.
func (e *Event) message() (exchange.Message, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write a notice: %w", err)
	}
	m := exchange.Message{Topic: envelope.NoticesTopic(e.Data.Department), Key: []byte(e.Subject), Value: data}
	for _, h := range [...][2]string{{"ce_specversion", e.SpecVersion}, {"ce_id", e.ID}, {"ce_source", e.Source}, {"ce_type", e.Type}, {"ce_subject", e.Subject},
		{"ce_time", e.Time.Format(time.RFC3339Nano)}, {"content-type", e.Content}} {
		m.Headers = append(m.Headers, exchange.Header{Name: h[0], Value: []byte(h[1])})
	}
	return m, nil
}

// readEvent is the way back from message. It refuses what message never makes.
func readEvent(m *exchange.Message) (Event, error) {
	e := Event{SpecVersion: m.Header("ce_specversion"), ID: m.Header("ce_id"), Source: m.Header("ce_source"), Type: m.Header("ce_type"), Subject: m.Header("ce_subject"),
		Content: m.Header("content-type")}
	var err error
	if e.Time, err = time.Parse(time.RFC3339Nano, m.Header("ce_time")); err != nil {
		return Event{}, fmt.Errorf("read a notice: no time")
	}
	if json.Unmarshal(m.Value, &e.Data, json.RejectUnknownMembers(true)) != nil {
		return Event{}, fmt.Errorf("read a notice: its data is not readable")
	}
	raw, err := hex.DecodeString(e.ID)
	if err != nil || len(raw) != idSize || hex.EncodeToString(raw) != e.ID || !strings.HasPrefix(e.Type, typePrefix) || e.Subject != e.Data.Case || envelope.NoticesTopic(e.Data.Department) != m.Topic {
		return Event{}, fmt.Errorf("read a notice: it is none of this exchange's")
	}
	return e, nil
}

const idSize = 16 // bytes of an event's id

// kindOf is what a turn is, after the one before it.
func kindOf(before exchange.Status, t *exchange.Turn) Kind {
	switch t.Status {
	case exchange.Revoked:
		return Revoked
	case exchange.Suspended:
		return Suspended
	case exchange.Superseded:
		return Superseded
	case exchange.Withdrawn:
		return Withdrawn
	}
	switch {
	case t.Until != "" && t.Until < exchange.DateOf(t.Logged):
		return Expired
	case before != "" && before != exchange.Valid:
		return Reinstated
	}
	return Corrected
}

// Holdings tell how a record went; package holdings has them.
type Holdings interface {
	History(context.Context, exchange.EvidenceType, exchange.RecordID) ([]exchange.Turn, error)
}

// Reliances tell who relied on a record; package reliance has them.
type Reliances interface {
	Relied(context.Context, exchange.RecordID) ([]reliance.Reliance, error)
	Known(context.Context, []exchange.RecordID) ([]exchange.RecordID, error)
	OfCase(ctx context.Context, d exchange.Department, matter string) ([]exchange.RecordID, error)
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
