package bus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"

	"github.com/onedoor/yimen/exchange"
)

// stored is a batch of one message as a broker stores it at an offset; with a time, by which the broker stamped it.
func stored(offset int64, value string, stamp time.Time) []byte {
	batch := encode([]*exchange.Message{{Value: []byte(value)}})[4:]
	binary.BigEndian.PutUint64(batch, uint64(offset))
	if !stamp.IsZero() {
		batch[attributesAt+1] |= stampedByBroker
		binary.BigEndian.PutUint64(batch[maxTimeAt:], uint64(stamp.UnixMilli()))
	}
	binary.BigEndian.PutUint32(batch[checksumAt:], crc32.Checksum(batch[attributesAt:], crc32.MakeTable(crc32.Castagnoli)))
	return batch
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestBatches(t *testing.T) {
	noon := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	one, stamped := stored(7, "one", time.Time{}), stored(8, "two", noon)
	broken := stored(9, "three", time.Time{})
	broken[len(broken)-1] ^= 1
	old := stored(9, "three", time.Time{})
	old[magicAt] = 1
	backwards := stored(7, "one", time.Time{})
	binary.BigEndian.PutUint32(backwards[batchLengthAt:], 1<<31)
	for name, row := range map[string]struct {
		content []byte
		got     string
		fails   bool
	}{
		"nothing":                  {joined(), "", false},
		"two":                      {joined(one, stamped), "one,two,", false},
		"the last is cut off":      {joined(one, stamped[:len(stamped)-1]), "one,", false},
		"the last has half a head": {joined(one, stamped[:40]), "one,", false},
		"the last is broken":       {joined(one, broken), "one,", false},
		"the first is broken":      {joined(broken, one), "", true},
		"a format of before 2017":  {joined(old), "", true},
		"a length below zero":      {backwards, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := readBatches(row.content)
			if (err != nil) != row.fails {
				t.Fatal(err)
			}
			got := ""
			for i, b := range all {
				if len(b.messages) != 1 || b.messages[0].Offset != b.last || b.last != int64(7+i) {
					t.Fatalf("batch %d up to %d holds %v", i, b.last, b.messages)
				}
				value := b.messages[0].Value
				got += string(value) + ","
				if want := map[bool]time.Time{true: noon}[string(value) == "two"]; !b.appended.Equal(want) {
					t.Errorf("%s was appended at %v", value, b.appended)
				}
			}
			if got != row.got {
				t.Errorf("read %s, want %s", got, row.got)
			}
		})
	}
}

// The time that the broker gave counts, whatever the writer claims.
func TestBrokersTimeCounts(t *testing.T) {
	noon := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	stamped := holding(6, 5, 6)
	stamped.appended = noon
	f := &follower{place: place{"t", 0}, offset: 4}
	p := f.read(&fetched{batches: []storedBatch{holding(4, 4), stamped}})
	if len(p.msgs) != 3 {
		t.Fatalf("%v", p)
	}
	for i, want := range []time.Time{time.Unix(4, 0), noon, noon} {
		if !p.msgs[i].Time.Equal(want) {
			t.Errorf("message %d has the time %v, want %v", i, p.msgs[i].Time, want)
		}
	}
}

// conversation is a connection whose other side has said everything already.
type conversation struct {
	io.Reader
	io.Writer
}

// said is what a broker answers that has the batches.
func said(t testing.TB, version int16, batches ...[]byte) []byte {
	t.Helper()
	content := joined(batches...)
	var out, set bytes.Buffer
	some := func() protocol.RecordSet {
		return protocol.RecordSet{Version: 2, Records: protocol.NewRecordReader(protocol.Record{Value: protocol.NewBytes([]byte("x"))})}
	}
	placeholder := some() // kafka-go does not write an empty answer
	_, err := placeholder.WriteTo(&set)
	if err == nil {
		err = protocol.WriteResponse(&out, version, 1, &fetch.Response{Topics: []fetch.ResponseTopic{{Topic: "t",
			Partitions: []fetch.ResponsePartition{{HighWatermark: 9, RecordSet: some()}}}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	answer := out.Bytes()[:out.Len()-set.Len()]
	answer = append(binary.BigEndian.AppendUint32(answer, uint32(len(content))), content...)
	binary.BigEndian.PutUint32(answer, uint32(len(answer)-4))
	return answer
}

func TestFetchAnswer(t *testing.T) {
	for _, version := range []int16{4, 5, 6, 7, 8, 9, 10, 11} {
		request := &fetchRequest{version: version}
		got, err := request.RawExchange(conversation{bytes.NewReader(said(t, version, stored(7, "one", time.Time{}))), io.Discard})
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if answer := got.(*fetched); answer.end != 9 || len(answer.batches) != 1 || answer.batches[0].last != 7 {
			t.Errorf("version %d: %+v", version, answer)
		}
	}
	whole := said(t, 11, stored(7, "one", time.Time{}))
	refused := bytes.Clone(whole)
	refused[8+5] = byte(kafka.TopicAuthorizationFailed)
	other := bytes.Clone(whole)
	other[7] = 2
	for name, row := range map[string]struct {
		answer []byte
		want   error
	}{
		"cut off":              {whole[:len(whole)-3], io.ErrUnexpectedEOF},
		"cut off in the head":  {whole[:3], io.ErrUnexpectedEOF},
		"nothing":              {nil, io.EOF},
		"refused":              {refused, kafka.TopicAuthorizationFailed},
		"of another request":   {other, nil},
		"shorter than it says": {append([]byte{0, 0, 0, 10, 0, 0, 0, 1}, whole[8:14]...), nil},
		"endless":              {append([]byte{127}, whole[1:]...), nil},
	} {
		request := &fetchRequest{version: 11}
		if _, err := request.RawExchange(conversation{bytes.NewReader(row.answer), io.Discard}); err == nil || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}

func FuzzFetchAnswer(f *testing.F) {
	for _, version := range []int16{4, 7, 11} {
		f.Add(version, said(f, version))
		f.Add(version, said(f, version, stored(7, "one", time.Time{}), stored(8, "two", time.Unix(1e9, 0))))
	}
	f.Fuzz(func(t *testing.T, version int16, said []byte) {
		request := &fetchRequest{}
		request.Required(map[protocol.ApiKey]int16{protocol.Fetch: 4 + (version%8+8)%8})
		got, err := request.RawExchange(conversation{bytes.NewReader(said), io.Discard})
		if err != nil {
			return
		}
		f := &follower{place: place{"t", 0}}
		if p := f.read(got.(*fetched)); p.next < f.offset {
			t.Fatalf("goes back to %d", p.next)
		}
	})
}
