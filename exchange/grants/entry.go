package grants

import (
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/journal"
)

// Act is what is done to a grant.
type Act string

// The acts.
const (
	Request Act = "request" // 申请
	Approve Act = "approve" // 同意
	Refuse  Act = "refuse"  // 不同意
	Extend  Act = "extend"  // 延长答复: ten more working days, by the authority (art. 21)
	Suspend Act = "suspend" // 暂停
	Resume  Act = "resume"  // 恢复
	Revoke  Act = "revoke"  // 撤销
)

// kind is that of grants among the entries of the topic.
const kind = "grant"

// format changes with the meaning of any member; the old ones fold for ever.
const format = 1

// maxEntry bounds an entry in bytes.
const maxEntry = 32 << 10

// entry is one act as it stands on the topic.
type entry struct {
	Format   int               `json:"format"`
	Kind     string            `json:"kind"`
	ID       string            `json:"id"` // random, so that whoever appended it knows it again
	At       time.Time         `json:"at"`
	By       string            `json:"by"` // department and staff code
	Grant    string            `json:"grant"`
	Replaces int               `json:"replaces"` // the version of the grant that it was done to
	Act      Act               `json:"act"`
	Terms    *catalogue.Grant  `json:"terms,omitempty"` // Request
	Class    catalogue.Sharing `json:"class,omitempty"` // Request: the type's at that moment
	Reason   string            `json:"reason,omitempty"`
}

// parseEntry reads an entry strictly. Of another kind it gives nil: somebody else folds it.
func parseEntry(value []byte) (*entry, error) {
	e, err := journal.Read[entry](value, maxEntry, kind)
	if e == nil {
		return nil, err
	}
	if e.Format != format || e.ID == "" || e.Grant == "" || e.By == "" || e.At.IsZero() {
		return nil, fmt.Errorf("entry of format %d, or without id, grant, author or time", e.Format)
	}
	return e, nil
}

func (e *entry) message() (exchange.Message, error) {
	return journal.Message(catalogue.Topic, e.Grant, e.At, e)
}
