package exchange

import (
	"fmt"
	"time"
)

// Status is what the keeper says of a record.
type Status string

// The states of a record. Withdrawn means that the keeper no longer lists it at all.
const (
	Valid      Status = "valid"
	Suspended  Status = "suspended"
	Revoked    Status = "revoked"
	Superseded Status = "superseded"
	Withdrawn  Status = "withdrawn"
)

// Record is one version of one certificate (证照记录), opened.
type Record struct {
	Type    EvidenceType
	ID      RecordID
	Version Version
	Keeper  Department
	Adapter Adapter
	Schema  string    // the id of the schema that describes Payload
	Status  Status    // derived from Payload by the schema, except Withdrawn
	From    Date      // first day of validity; empty: since ever
	Until   Date      // last day of validity; empty: without end
	AsOf    time.Time // when the keeper last confirmed it
	Holders []Holder
	Payload []byte // the JSON document; empty when withdrawn. Never log it.
}

// ValidOn says whether the day lies in the record's validity, both ends included.
func (r *Record) ValidOn(day Date) bool {
	return (r.From == "" || r.From <= day) && (r.Until == "" || day <= r.Until)
}

// Turn is a version of a record that says something else than the one before it, without what it says of whom.
type Turn struct {
	Version Version
	Status  Status
	From    Date
	Until   Date
	Logged  time.Time // when its message was written to the topic
}

// Date is a day in China, written 2006-01-02, so that dates compare as strings. Empty means unbounded.
type Date string

// China is UTC+8: the time in which validity, working days and dates on paper are meant.
var China = time.FixedZone("UTC+8", 8*60*60)

// DateOf is the day in China at the moment t.
func DateOf(t time.Time) Date { return Date(t.In(China).Format(time.DateOnly)) }

// ParseDate reads 2006-01-02 and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("date not of the form 2006-01-02 or no such day")
	}
	return Date(s), nil
}
