package envelope_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// A batch as adapters make them: a thousand records of 600 bytes.
const (
	benchRecords = 1000
	benchPayload = 600
)

func benchBatch(b testing.TB, s *envelope.Sealer) (*envelope.Batch, []exchange.Message) {
	batch := s.Batch()
	d := draft()
	d.Payload = bytes.Repeat([]byte("x"), benchPayload)
	d.Digest = s.Digest(d.Payload)
	messages := make([]exchange.Message, 0, benchRecords)
	for i := range benchRecords {
		d.Version = exchange.Version(i)
		m, err := batch.Record(d)
		if err != nil {
			b.Fatal(err)
		}
		m.Time = written
		messages = append(messages, m)
	}
	return batch, messages
}

func perRecord(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRecords, "ns/record")
}

// BenchmarkPublish measures an adapter's side of a record: sealing, and signing on top.
func BenchmarkPublish(b *testing.B) {
	for name, suite := range suites {
		c := newCity(b, suite)
		b.Run(name+"/seal", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				benchBatch(b, c.sealer)
			}
			perRecord(b)
		})
		b.Run(name+"/seal and sign", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				batch, messages := benchBatch(b, c.sealer)
				c.sign(batch, messages)
			}
			perRecord(b)
		})
	}
}

// BenchmarkOpen measures the exchange's side: verifying and opening, and against it what opening alone has to do.
func BenchmarkOpen(b *testing.B) {
	for name, suite := range suites {
		c := newCity(b, suite)
		batch, messages := benchBatch(b, c.sealer)
		c.sign(batch, messages)
		b.Run(name+"/verify and open", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o := c.Opener() // unwraps the batch's key, and checks its signature, once
				for i := range messages {
					if _, err := o.Record(b.Context(), &messages[i]); err != nil {
						b.Fatal(err)
					}
				}
			}
			perRecord(b)
		})
	}
	b.Run("AES-256-GCM alone", func(b *testing.B) {
		block, _ := aes.NewCipher(key)
		aead, _ := cipher.NewGCM(block)
		plain, bound, nonce := make([]byte, benchPayload), make([]byte, 300), make([]byte, 12)
		sealed := aead.Seal(nil, nonce, plain, bound)
		for b.Loop() {
			for i := range benchRecords {
				binary.BigEndian.PutUint64(bound, uint64(i)) // so that nothing is left out
				aead.Open(nil, nonce, sealed, bound)
			}
		}
		perRecord(b)
	})
}
