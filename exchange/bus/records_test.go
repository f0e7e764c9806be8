package bus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/onedoor/yimen/exchange"
)

// samples are messages with all that may be missing or empty.
func samples() []*exchange.Message {
	name := func(names ...string) (all []exchange.Header) {
		for _, n := range names {
			all = append(all, exchange.Header{Name: n, Value: []byte("of " + n)})
		}
		return all
	}
	return []*exchange.Message{
		{Key: []byte("k"), Value: bytes.Repeat([]byte("value "), 50), Headers: name("ce_id", "ce_type")},
		{Key: []byte("k"), Value: nil, Headers: name("ce_id", "ce_type")},
		{Key: nil, Value: []byte{}, Headers: name("ce_type", "ce_id", "more")},
		{Key: []byte{}, Value: []byte("no headers")},
		{Value: []byte("once more"), Headers: []exchange.Header{{Name: "ce_id", Value: nil}, {Name: "", Value: []byte{}}}},
	}
}

// batched is the messages as a broker has them at an offset.
func batched(t testing.TB, offset int64, way protocol.Attributes, msgs []*exchange.Message) []byte {
	t.Helper()
	var body bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: way, Records: &records{msgs: msgs}}
	if _, err := set.WriteTo(&body); err != nil {
		t.Fatal(err)
	}
	batch := body.Bytes()[4:]
	binary.BigEndian.PutUint64(batch, uint64(offset))
	return checked(batch)
}

func checked(batch []byte) []byte {
	binary.BigEndian.PutUint32(batch[checksumAt:], crc32.Checksum(batch[attributesAt:], castagnoli))
	return batch
}

// byKafkaGo reads a batch as the library does.
func byKafkaGo(batch []byte) (all []exchange.Message, err error) {
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(batch))), batch...))); err != nil {
		return nil, err
	}
	for {
		r, err := set.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		m := exchange.Message{Offset: r.Offset, Time: r.Time, Key: whole(r.Key), Value: whole(r.Value)}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, exchange.Header{Name: h.Key, Value: h.Value})
		}
		all = append(all, m)
	}
}

func whole(b kafka.Bytes) []byte {
	if b == nil {
		return nil
	}
	all, _ := protocol.ReadAll(b)
	return append([]byte{}, all...)
}

// TestRecordsAsKafkaGoReadsThem, in every way of compression.
func TestRecordsAsKafkaGoReadsThem(t *testing.T) {
	for _, way := range []protocol.Attributes{0, protocol.Gzip, protocol.Snappy, protocol.Lz4, protocol.Zstd} {
		batch := batched(t, 41, way, samples())
		got, err := readRecords(batch)
		if err != nil {
			t.Fatal(err)
		}
		want, err := byKafkaGo(batch)
		if err != nil || len(want) != len(samples()) {
			t.Fatalf("%d of %d, %v", len(want), len(samples()), err)
		}
		for i := range want {
			if !same(&got[i], &want[i]) {
				t.Errorf("%v: message %d is\n%+v, want\n%+v", way, i, got[i], want[i])
			}
		}
	}
}

func same(a, b *exchange.Message) bool {
	headers := len(a.Headers) == len(b.Headers)
	for i := range a.Headers {
		headers = headers && a.Headers[i].Name == b.Headers[i].Name && bytes.Equal(a.Headers[i].Value, b.Headers[i].Value)
	}
	return headers && a.Offset == b.Offset && a.Time.Equal(b.Time) && reflect.DeepEqual(a.Key, b.Key) && reflect.DeepEqual(a.Value, b.Value)
}

// TestMessagesShareNothing: who keeps a message keeps no batch, and who changes one changes no other.
func TestMessagesShareNothing(t *testing.T) {
	batch := batched(t, 0, 0, samples())
	got, err := readRecords(batch)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(got[0].Key, "beyond"...)
	clear(batch)
	if want := samples()[0]; !bytes.Equal(got[0].Value, want.Value) || got[0].Headers[1].Name != "ce_type" {
		t.Errorf("%+v", got[0])
	}
}

// FuzzRecords: whatever stands in a batch is refused or read, and what is read kafka-go reads the same.
func FuzzRecords(f *testing.F) {
	f.Add(batched(f, 3, 0, samples()))
	f.Add(batched(f, 3, protocol.Snappy, samples()))
	f.Add(stored(7, "one", time.Unix(5, 0)))
	f.Fuzz(func(t *testing.T, batch []byte) {
		if len(batch) < batchHead {
			return
		}
		binary.BigEndian.PutUint32(batch[batchLengthAt:], uint32(len(batch)-batchLengthAt-4))
		batch[magicAt] = 2
		got, err := readRecords(checked(batch))
		if err != nil || len(got) == 0 {
			return
		}
		want, err := byKafkaGo(batch)
		if err != nil || len(want) != len(got) {
			return // it takes batches with less in them than they say, and others with more
		}
		for i := range got {
			if !bytes.Equal(got[i].Value, want[i].Value) || !bytes.Equal(got[i].Key, want[i].Key) || got[i].Offset != want[i].Offset {
				t.Errorf("message %d is %+v, kafka-go reads %+v", i, got[i], want[i])
			}
		}
	})
}
