package adapters

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func TestPendingMessageComesBackAsItWas(t *testing.T) {
	messages := map[string]exchange.Message{
		"record":    {Topic: "evidence.x", Route: []byte("r"), Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 300), Headers: []exchange.Header{{Name: "a", Value: []byte("1")}, {Name: "b", Value: []byte{}}}},
		"tombstone": {Topic: "quarantine.x", Key: []byte("k")},
		"empty":     {Topic: "t", Key: []byte{}, Value: []byte{}},
	}
	for name, m := range messages {
		t.Run(name, func(t *testing.T) {
			encoded := encodeMessage(&m)
			got, err := decodeMessage(encoded)
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("got %+v, %v", got, err)
			}
			for n := range encoded { // cut anywhere it must not come back as the message
				if cut, err := decodeMessage(encoded[:n]); err == nil && reflect.DeepEqual(cut, m) {
					t.Errorf("cut to %d bytes it reads the same", n)
				}
			}
		})
	}
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(encodeMessage(&exchange.Message{Topic: "t", Key: []byte("k"), Headers: []exchange.Header{{Name: "a", Value: []byte("1")}}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err != nil {
			return
		}
		again, err := decodeMessage(encodeMessage(&m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}
