package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"log/slog"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/tabular"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/node"
)

// The second row of the design's table: CSV file → mapped, checked, sealed, acked, visible. And the third: index rebuild.
const (
	ingested                   = exchange.EvidenceType("business-licence")
	firstOfIngest, aimOfIngest = 0.2, 0.5
)

func measureIngest(ctx context.Context, b *bench) error {
	if err := checkJars(b.jars); err != nil {
		return fmt.Errorf("ingest is measured on Apache Kafka: %w", err)
	}
	b.report.Machine["kafka"], b.report.Machine["java"] = kafkaVersion(b.jars), javaVersion()
	id, err := newIdentity(b.dir)
	if err != nil {
		return err
	}
	manifest, err := b.export()
	if err != nil {
		return err
	}
	s := &section{What: fmt.Sprintf("GB18030 CSV file of %s rows → mapped, checked, sealed, acked (acks=all), visible; Apache Kafka, %d partitions",
		thousands(float64(b.rows)), b.partitions)}
	b.report.Sections = append(b.report.Sections, s)
	if err := b.measureVisible(ctx, s, id, manifest); err != nil {
		return err
	}
	return b.measureParts(ctx, s, id, manifest)
}

// export writes the file as the made-up city's market supervision does, with the dirt that such files have.
func (b *bench) export() (*adapters.Manifest, error) {
	b.say("writing a CSV file of %s rows", thousands(float64(b.rows)))
	dir := filepath.Join(b.dir, "city")
	city := demo.New(demo.Config{Seed: 1, People: 1000, Companies: b.rows, Now: time.Now()})
	if err := city.Write(dir, nil); err != nil {
		return nil, fmt.Errorf("write city: %w", err)
	}
	return adapters.LoadManifest(filepath.Join(dir, "scjg", string(ingested)+".yaml"))
}

// measureVisible measures the whole way, with the index folding at the same time, and the peer on the same Kafka.
func (b *bench) measureVisible(ctx context.Context, s *section, id identityFiles, m *adapters.Manifest) (err error) {
	k, err := startKafka(ctx, b.jars, filepath.Join(b.dir, "kafka-ingest"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.stop()) }()
	b.say("Kafka's ProducerPerformance")
	peer, err := k.produce(ctx, max(b.rows, 500_000), b.partitions)
	if err != nil {
		return err
	}
	data := filepath.Join(b.dir, "ingest")
	n, err := b.startNode(ctx, id, data, k.addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(), os.RemoveAll(data)) }()
	signer, err := enrol(ctx, n, m.Adapter)
	if err != nil {
		return err
	}
	b.say("ours: file to index")
	var result adapters.Result
	var acked, visible time.Duration
	spent, err := b.profiled("ingest", func() (err error) {
		began := time.Now()
		if result, err = b.readOnce(ctx, n, n.Bus, m, signer); err != nil {
			return err
		}
		acked = time.Since(began)
		err = n.Settled(ctx)
		visible = time.Since(began)
		return err
	})
	if err != nil {
		return fmt.Errorf("measure ingest: %w", err)
	}
	if got := n.Index.Counts(); got.Records[ingested] != result.Published {
		return fmt.Errorf("measure ingest: %d records published, %d in the index", result.Published, got.Records[ingested])
	}
	ours := s.add(figure{Name: "Yimen, file to index", Rate: rate(result.Read, visible), Count: result.Read, cost: spent.each(result.Read),
		Note: fmt.Sprintf("%d rows in quarantine", result.Quarantined)})
	s.add(figure{Name: "  of that until acknowledged", Rate: rate(result.Read, acked), Count: result.Read})
	s.add(peer)
	s.against(ours, peer, firstOfIngest, aimOfIngest)
	return nil
}

func rate(count int64, took time.Duration) float64 { return float64(count) / took.Seconds() }

// readOnce runs the adapter over the file once, from nothing.
func (b *bench) readOnce(ctx context.Context, n *node.Node, to adapters.Bus, m *adapters.Manifest, signer envelope.Signer) (result adapters.Result, err error) {
	source, err := tabular.New(m, time.Now)
	if err != nil {
		return result, err
	}
	schema, ok := n.Registry.Evidence().ByType(ingested)
	if !ok {
		return result, fmt.Errorf("there is no schema of %s", ingested)
	}
	public, err := n.PublicKey(ctx, envelope.Standard)
	if err != nil {
		return result, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	state, err := os.MkdirTemp(b.dir, "adapter-")
	if err != nil {
		return result, fmt.Errorf("make adapter's directory: %w", err)
	}
	defer os.RemoveAll(state)
	runner, err := adapters.Open(ctx, adapters.Config{Manifest: m, Source: source, Schema: schema, DepartmentKey: key, ExchangePublicKey: public, Signer: signer,
		StateDir: state, Bus: to, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, runner.Close()) }()
	return runner.Run(ctx)
}

// measureParts takes the way apart, on a Kafka of its own: publishing while nobody folds, reading alone, folding into an empty index.
func (b *bench) measureParts(ctx context.Context, s *section, id identityFiles, m *adapters.Manifest) (err error) {
	k, err := startKafka(ctx, b.jars, filepath.Join(b.dir, "kafka-parts"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.stop()) }()
	data := filepath.Join(b.dir, "parts")
	defer os.RemoveAll(data)
	n, err := b.startNode(ctx, id, data, k.addr) // makes keys and topics
	if err != nil {
		return err
	}
	signer, err := enrol(ctx, n, m.Adapter) // while there is a node to write the roll
	if err != nil {
		return errors.Join(err, n.Close())
	}
	if err := errors.Join(n.Close(), os.RemoveAll(filepath.Join(data, "index"))); err != nil {
		return err
	}
	alone, err := bus.Connect(bus.Config{Brokers: []string{k.addr}, ClientID: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, alone.Close()) }()
	if err := b.measurePublish(ctx, s, n, alone, m, signer); err != nil {
		return err
	}
	peer, count, err := b.measureFollow(ctx, alone)
	if err != nil {
		return err
	}
	return b.measureRebuild(ctx, s, id, data, k.addr, peer, count)
}

func (b *bench) measurePublish(ctx context.Context, s *section, n *node.Node, alone *bus.Bus, m *adapters.Manifest, signer envelope.Signer) error {
	b.say("ours: file to Kafka, nobody folding")
	var result adapters.Result
	began := time.Now()
	spent, err := b.profiled("publish", func() (err error) {
		result, err = b.readOnce(ctx, n, alone, m, signer)
		return err
	})
	if err != nil {
		return fmt.Errorf("measure publishing: %w", err)
	}
	ours := s.add(figure{Name: "Yimen, file to Kafka alone", Rate: rate(result.Read, time.Since(began)), Count: result.Read, cost: spent.each(result.Read)})
	for _, f := range s.Figures {
		if f.Name == producerName {
			s.against(ours, f, 0, 0)
		}
	}
	return nil
}

// measureFollow reads the topic without doing anything: what the rebuild has over it is ours.
func (b *bench) measureFollow(ctx context.Context, alone *bus.Bus) (figure, int64, error) {
	topic := envelope.EvidenceTopic(ingested)
	ends, err := alone.EndOffsets(ctx, topic)
	if err != nil {
		return figure{}, 0, err
	}
	var all int64
	for _, end := range ends {
		all += end
	}
	b.say("reading %s messages without folding them", thousands(float64(all)))
	until, stop := context.WithCancel(ctx)
	defer stop()
	arrived := make(chan int)
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		done <- alone.Follow(until, topic, nil, func(ctx context.Context, msgs []exchange.Message) error {
			select {
			case arrived <- len(msgs):
			case <-ctx.Done():
			}
			return nil
		})
	}()
	for left := all; left > 0; {
		select {
		case n := <-arrived:
			left -= int64(n)
		case err := <-done:
			return figure{}, 0, fmt.Errorf("read %s: ended early: %w", topic, err)
		}
	}
	took := time.Since(began)
	stop()
	<-done
	return figure{Name: "bus.Follow alone (kafka-go)", Rate: rate(all, took), Count: all}, all, nil
}

func (b *bench) measureRebuild(ctx context.Context, s *section, id identityFiles, data, addr string, peer figure, count int64) (err error) {
	b.say("ours: index from nothing")
	var n *node.Node
	began := time.Now()
	spent, err := b.profiled("rebuild", func() (err error) {
		if n, err = b.startNode(ctx, id, data, addr); err != nil {
			return err
		}
		return n.Settled(ctx)
	})
	took := time.Since(began)
	if n != nil {
		defer func() { err = errors.Join(err, n.Close()) }()
	}
	if err != nil {
		return fmt.Errorf("measure rebuild: %w", err)
	}
	ours := s.add(figure{Name: "Yimen, index rebuild", Rate: rate(count, took), Count: count, cost: spent.each(count), Note: "first ≥ 100,000, aim ≥ 300,000"})
	s.add(peer)
	s.against(ours, peer, 0, 0)
	return nil
}
