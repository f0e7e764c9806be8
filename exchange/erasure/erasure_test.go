package erasure

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

var (
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	key  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	pub  = key.Public().(ed25519.PublicKey)
)

const (
	id    = "01JDC5V7YK0000000000000000"
	other = "01JDC5V7YK0000000000000001"
)

func ofRecord() Order {
	return Order{ID: id, Kind: OfRecord, Records: []Record{{"business-licence", exchange.RecordID{9}}}, At: noon, By: "scjg/clerk/w3-017", Basis: "PIPL-47(1)(3)"}
}

func ofHolder() Order {
	o := ofRecord()
	o.Kind, o.Holder = OfHolder, Token{1, 2}
	o.Records = append(o.Records, Record{"food-licence", exchange.RecordID{8}})
	return o
}

func lift() Order {
	o := ofRecord()
	o.Kind, o.Records, o.Lifts = Lift, nil, other
	return o
}

func TestOrderComesBackAsItWent(t *testing.T) {
	alone := ofHolder()
	alone.Records = nil
	for name, o := range map[string]Order{"record": ofRecord(), "holder": ofHolder(), "holder without records": alone, "lift": lift()} {
		m, err := o.Message(key)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m.Topic != Topic || string(m.Key) != id {
			t.Errorf("%s: topic %s, key %s", name, m.Topic, m.Key)
		}
		for range 2 {
			got, err := Read(&m, ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey), pub)
			if err != nil || !got.Equal(&o) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			m.Time, m.Partition, m.Offset = noon, 0, 17 // what the topic adds
		}
	}
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	for name, change := range map[string]func(*Order){
		"no id":                  func(o *Order) { o.ID = "" },
		"short id":               func(o *Order) { o.ID = "1" },
		"hostile id":             func(o *Order) { o.ID = id + "\x00" },
		"no time":                func(o *Order) { o.At = time.Time{} },
		"nobody":                 func(o *Order) { o.By = "" },
		"a name":                 func(o *Order) { o.By = "张示例" },
		"no ground":              func(o *Order) { o.Basis = "" },
		"line breaks":            func(o *Order) { o.Basis = "a\nb" },
		"long ground":            func(o *Order) { o.Basis = strings.Repeat("x", 201) },
		"a number as the ground": func(o *Order) { o.Basis = "for 11010519491231002X" },
		"a number as who":        func(o *Order) { o.By = "a/11010519491231002X" },
		"no kind":                func(o *Order) { o.Kind = "" },
		"no record":              func(o *Order) { o.Records = nil },
		"two records":            func(o *Order) { o.Records = append(o.Records, o.Records[0]) },
		"no type":                func(o *Order) { o.Records[0].Type = "" },
		"hostile type":           func(o *Order) { o.Records[0].Type = "a\x00b" },
		"record with a holder":   func(o *Order) { o.Holder = Token{1} },
		"holder without one":     func(o *Order) { o.Kind = OfHolder },
		"too many records":       func(o *Order) { *o = ofHolder(); o.Records = make([]Record, maxRecords+1) },
		"lift of nothing":        func(o *Order) { *o = lift(); o.Lifts = "" },
		"lift of itself":         func(o *Order) { *o = lift(); o.Lifts = o.ID },
		"lift with a record":     func(o *Order) { *o = lift(); o.Records = ofRecord().Records },
		"lift with a holder":     func(o *Order) { *o = lift(); o.Holder = Token{1} },
	} {
		o := ofRecord()
		change(&o)
		_, err := o.Message(key)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Kind != exchange.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error()+p.In(exchange.ZH), "11010519491231002X") {
			t.Errorf("%s: the error tells the number", name)
		}
	}
}

// TestForgedOrders changes what was signed, and signs what was changed.
func TestForgedOrders(t *testing.T) {
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))
	for name, row := range map[string]struct {
		change func(*exchange.Message)
		signed bool // whether it is only the signature that is wrong
	}{
		"another topic":      {func(m *exchange.Message) { m.Topic = "identities" }, true},
		"another key":        {func(m *exchange.Message) { m.Key = []byte(other) }, true},
		"another value":      {func(m *exchange.Message) { m.Value = bytes.Replace(m.Value, []byte("09"), []byte("0a"), 1) }, true},
		"no signature":       {func(m *exchange.Message) { m.Headers = nil }, true},
		"a stranger's":       {func(m *exchange.Message) { m.Headers = nil; envelope.SignOrder(stranger, m) }, true},
		"a tombstone":        {func(m *exchange.Message) { m.Value = nil }, true},
		"key is not the id":  {func(m *exchange.Message) { m.Key = []byte(other); m.Headers = nil; envelope.SignOrder(key, m) }, false},
		"text after it":      {resigned("}", "}{}"), false},
		"unknown member":     {resigned(`"kind"`, `"more":1,"kind"`), false},
		"member twice":       {resigned(`"kind"`, `"kind":"lift","kind"`), false},
		"a format to come":   {resigned(`"format":1`, `"format":2`), false},
		"no format":          {resigned(`"format":1,`, ``), false},
		"a kind to come":     {resigned(`"record"`, `"city"`), false},
		"id of another size": {resigned(`"09`, `"0909`), false},
		"empty":              {func(m *exchange.Message) { m.Value, m.Headers = []byte{}, nil; envelope.SignOrder(key, m) }, false},
	} {
		m, err := ofRecord().Message(key)
		if err != nil {
			t.Fatal(err)
		}
		row.change(&m)
		_, err = Read(&m, pub)
		if err == nil || errors.Is(err, envelope.ErrNotSigned) != row.signed {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, _ := ofRecord().Message(key)
	if _, err := Read(&m); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := Read(&m, nil, ed25519.PublicKey{1}); !errors.Is(err, envelope.ErrNotSigned) {
		t.Errorf("with keys that are none: %v", err)
	}
}

func resigned(before, after string) func(*exchange.Message) {
	return func(m *exchange.Message) {
		m.Value = []byte(strings.Replace(string(m.Value), before, after, 1))
		m.Headers = nil
		envelope.SignOrder(key, m)
	}
}

func FuzzOrder(f *testing.F) {
	for _, o := range []Order{ofRecord(), ofHolder(), lift()} {
		m, err := o.Message(key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Value)
	}
	f.Add([]byte("null"))
	f.Add([]byte(`{"format":1,"id":"01JDC5V7YK0000000000000000","kind":"holder","holder":""}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		o, err := parse(value)
		if err != nil {
			return
		}
		m, err := o.Message(key)
		if err != nil {
			t.Fatalf("read %+v, which cannot be written: %v", o, err)
		}
		again, err := Read(&m, pub)
		if err != nil || !again.Equal(&o) {
			t.Errorf("read %+v, written and read again %+v, %v", o, again, err)
		}
	})
}
