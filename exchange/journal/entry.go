package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
)

// Read reads an entry of at most so many bytes strictly. Where the topic has several kinds, kind is the one to read: of another it gives nil,
// for somebody else folds that. It does not look at what the entry lacks.
func Read[E any](value []byte, most int, kind string) (*E, error) {
	if len(value) > most {
		return nil, fmt.Errorf("entry of %d bytes", len(value))
	}
	if kind != "" {
		var any struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(value, &any); err != nil {
			return nil, errUnreadable
		}
		if any.Kind != kind {
			return nil, nil
		}
	}
	var e E
	if err := json.Unmarshal(value, &e, json.RejectUnknownMembers(true)); err != nil {
		return nil, errUnreadable
	}
	return &e, nil
}

var errUnreadable = errors.New("entry is not readable") // without the cause, which may repeat what stands there

// Message is an entry as Add takes it. The key is what the entry is about.
func Message(topic, key string, at time.Time, entry any) (exchange.Message, error) {
	value, err := json.Marshal(entry)
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write entry: %w", err)
	}
	return exchange.Message{Topic: topic, Key: []byte(key), Time: at, Value: value}, nil
}
