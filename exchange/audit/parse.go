package audit

import (
	"errors"

	"github.com/go-json-experiment/json"
)

// ErrNoEntry is what Parse yields for a message that is no entry of this log.
var ErrNoEntry = errors.New("message is no audit entry")

// Parse reads an entry as it lies in the topic. It refuses what Append never writes: another key than the entry's id, a time
// other than the id's, members that stand twice, more than an entry can hold. The errors repeat nothing of the message.
func Parse(key, value []byte) (Entry, error) {
	var e Entry
	if len(value) > MaxEntry || json.Unmarshal(value, &e) != nil || !e.written(string(key)) {
		return Entry{}, ErrNoEntry
	}
	return e, nil
}

// written says whether Append could have written the entry under the key.
func (e *Entry) written(key string) bool {
	at, valid := TimeOf(key)
	if !valid || e.ID != key || !e.Time.Equal(at) {
		return false
	}
	switch e.Kind {
	case Query, Rejection, Access, Act:
		return e.checkFields() == nil
	}
	return false
}
