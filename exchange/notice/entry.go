package notice

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
)

// SubscriptionsTopic has what departments subscribed to, and what became of each delivery.
const SubscriptionsTopic = "subscriptions"

// act is what an entry of the topic says.
type act string

// The acts.
const (
	subscribe act = "subscribe"
	end       act = "end"
	delivered act = "delivered"
	givenUp   act = "given_up"
)

// entryFormat changes with the meaning of any member; the old ones fold for ever.
const entryFormat = 1

// maxEntry bounds an entry in bytes.
const maxEntry = 4 << 10

// entry is one entry of the topic. The exchange signs it.
type entry struct {
	Format       int                 `json:"format"`
	Act          act                 `json:"act"`
	Subscription string              `json:"subscription"`
	At           time.Time           `json:"at"`
	By           string              `json:"by,omitempty"`         // who subscribed or ended it: department and staff code
	Department   exchange.Department `json:"department,omitempty"` // subscribe
	Case         string              `json:"case,omitempty"`       // subscribe; none: all of the department's
	URL          string              `json:"url,omitempty"`        // subscribe; none: the topic alone
	PerMinute    int                 `json:"per_minute,omitempty"` // subscribe: what the receiver takes at most; 0: all
	Event        string              `json:"event,omitempty"`      // delivered, given_up
	Why          string              `json:"why,omitempty"`        // given_up, end
}

// parseEntry reads an entry strictly.
func parseEntry(value []byte) (*entry, error) {
	var e entry
	if len(value) > maxEntry || json.Unmarshal(value, &e, json.RejectUnknownMembers(true)) != nil {
		return nil, fmt.Errorf("entry is not readable")
	}
	sound := e.Format == entryFormat && e.Subscription != "" && !e.At.IsZero()
	switch e.Act {
	case subscribe:
		sound = sound && exchange.ValidName(string(e.Department)) && e.PerMinute >= 0
	case delivered, givenUp:
		sound = sound && len(e.Event) == 2*idSize
	case end:
	default:
		sound = false
	}
	if !sound {
		return nil, fmt.Errorf("entry of format %d lacks what its act needs", e.Format)
	}
	return &e, nil
}

func (e *entry) message() (exchange.Message, error) {
	value, err := json.Marshal(e)
	if err != nil {
		return exchange.Message{}, fmt.Errorf("write entry of a subscription: %w", err)
	}
	return exchange.Message{Topic: SubscriptionsTopic, Key: []byte(e.Subscription), Time: e.At, Value: value}, nil
}
