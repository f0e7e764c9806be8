package items

import (
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
)

// Act is what is done to an item.
type Act string

// The acts.
const (
	Draft    Act = "draft"    // 起草: a new item, or the next edition of one
	Review   Act = "review"   // 审核通过, by another person than who drafted
	Return   Act = "return"   // 退回
	Publish  Act = "publish"  // 公布, from a day on
	Withdraw Act = "withdraw" // 废止, from a day on
)

// kind is that of items among the entries of the topic.
const kind = "item"

// format changes with the meaning of any member; the old ones fold for ever.
const format = 1

// maxEntry bounds an entry in bytes.
const maxEntry = 128 << 10

// maxSource bounds what an item is written in, in bytes.
const maxSource = 32 << 10

// entry is one act as it stands on the topic.
type entry struct {
	Format   int           `json:"format"`
	Kind     string        `json:"kind"`
	ID       string        `json:"id"` // random, so that whoever appended it knows it again
	At       time.Time     `json:"at"`
	By       string        `json:"by"` // department and staff code
	Item     exchange.Item `json:"item"`
	Replaces int           `json:"replaces"` // the version of the item that it was done to
	Act      Act           `json:"act"`
	Source   string        `json:"source,omitempty"` // Draft: the item as a file items/*.yaml has it
	From     exchange.Date `json:"from,omitempty"`   // Publish, Withdraw
	Reason   string        `json:"reason,omitempty"` // Return, Withdraw
}

// parseEntry reads an entry strictly. Of another kind it gives nil: somebody else folds it.
func parseEntry(value []byte) (*entry, error) {
	e, err := journal.Read[entry](value, maxEntry, kind)
	if e == nil {
		return nil, err
	}
	if e.Format != format || e.ID == "" || e.Item == "" || e.By == "" || e.At.IsZero() {
		return nil, fmt.Errorf("entry of format %d, or without id, item, author or time", e.Format)
	}
	return e, nil
}

func (e *entry) message() (exchange.Message, error) {
	return journal.Message(catalogue.Topic, string(e.Item), e.At, e)
}
