package erasure

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/identity"
)

// Read takes an order from its message. It errs with envelope.ErrNotSigned where none of the exchange's keys signed it, and
// else says what makes no sense.
func Read(m *exchange.Message, keys ...ed25519.PublicKey) (Order, error) {
	if m.Topic != Topic || !signed(m, keys) {
		return Order{}, fmt.Errorf("read order to forget: %w", envelope.ErrNotSigned)
	}
	o, err := parse(m.Value)
	if err != nil {
		return Order{}, err
	}
	if string(m.Key) != o.ID {
		return Order{}, errors.New("read order to forget: its key is not its id")
	}
	return o, nil
}

func signed(m *exchange.Message, keys []ed25519.PublicKey) bool {
	for _, key := range keys {
		if len(key) == ed25519.PublicKeySize && envelope.VerifyOrder(key, m) == nil {
			return true
		}
	}
	return false
}

// Bounds of an order: below what a topic takes, above what any holder has.
const (
	maxOrder   = 900 << 10
	maxRecords = 8000
)

// parse reads an order strictly: every member known and given once.
func parse(value []byte) (Order, error) {
	if len(value) > maxOrder {
		return Order{}, errors.New("read order to forget: too large")
	}
	var w written
	if err := json.Unmarshal(value, &w, json.RejectUnknownMembers(true)); err != nil {
		return Order{}, errors.New("read order to forget: not the JSON of one") // the cause would quote it
	}
	if w.Format != format {
		return Order{}, fmt.Errorf("read order to forget: format %d, this program knows %d", w.Format, format)
	}
	if err := w.Check(); err != nil {
		return Order{}, fmt.Errorf("read order to forget: %w", err)
	}
	return w.Order, nil
}

// Check says what makes no sense. It repeats nothing of the order.
func (o *Order) Check() error {
	switch {
	case !isID(o.ID):
		return errors.New("its id is not 16 to 64 letters and digits")
	case o.At.UnixMicro() <= 0 || o.At.Year() > 9999:
		return errors.New("it has no time")
	case !plain(o.By, 64) || !plain(o.Basis, 200):
		return errors.New("it does not say who ordered it, or on what ground, in plain ASCII")
	case identity.ContainsCitizen(o.By) || identity.ContainsCitizen(o.Basis):
		return errors.New("it holds a citizen number, which would stay for ever")
	case len(o.Records) > maxRecords:
		return errors.New("it names too many records")
	}
	for _, r := range o.Records {
		if !exchange.ValidName(string(r.Type)) {
			return errors.New("it names a record without a type")
		}
	}
	return o.checkKind()
}

func (o *Order) checkKind() error {
	none := Token{}
	switch o.Kind {
	case OfRecord:
		if len(o.Records) != 1 || o.Holder != none || o.Lifts != "" {
			return errors.New("an order on a record names one record and nothing else")
		}
	case OfHolder:
		if o.Holder == none || o.Lifts != "" {
			return errors.New("an order on a holder names the holder's token")
		}
	case Lift:
		if !isID(o.Lifts) || o.Lifts == o.ID || o.Holder != none || len(o.Records) > 0 {
			return errors.New("a lift names another order and nothing else")
		}
	default:
		return errors.New("it is of no kind that is known")
	}
	return nil
}

func isID(s string) bool {
	if len(s) < 16 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func plain(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func malformed(err error) error {
	return &exchange.Problem{Code: "YM-ERA-0101", Kind: exchange.Invalid, Err: err,
		What: exchange.Text{ZH: "这条遗忘令不完整或有矛盾", EN: "this order to forget is incomplete or contradicts itself"},
		Mend: exchange.Text{ZH: "按原因改正后再下达", EN: "mend it as the cause says, and give it again"}}
}

// Equal says whether two orders are one: whoever was not answered appends the same again.
func (o *Order) Equal(other *Order) bool {
	return o.ID == other.ID && o.Kind == other.Kind && o.Holder == other.Holder && o.Lifts == other.Lifts &&
		o.At.Equal(other.At) && o.By == other.By && o.Basis == other.Basis && slices.Equal(o.Records, other.Records)
}
