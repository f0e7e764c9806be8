package kafka_test

import (
	"context"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/test/kafka"
)

func TestTry(t *testing.T) {
	c := kafka.Start(t, kafka.Options{})
	b := connect(t, c)
	if err := b.Ensure(t.Context(), []bus.Topic{{Name: "a", Config: map[string]string{"message.timestamp.type": "LogAppendTime"}}}); err != nil {
		t.Fatal(err)
	}
	client := kafkago.Client{Addr: kafkago.TCP(c.Addrs()...)}
	for _, comp := range []kafkago.Compression{0, kafkago.Snappy} {
	_, err := client.Produce(t.Context(), &kafkago.ProduceRequest{Topic: "a", RequiredAcks: kafkago.RequireAll, Compression: comp,
		Records: kafkago.NewRecordReader(kafkago.Record{Time: time.Unix(1e9, 0), Value: kafkago.NewBytes([]byte("x"))})})
	t.Log(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	b.Follow(ctx, "a", nil, func(_ context.Context, m []exchange.Message) error {
		for i := range m {
			t.Log(m[i].Offset, m[i].Time)
			if m[i].Offset == 1 { stop() }
		}
		return nil
	})
}
