package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/node"
)

// The first row of the design's table: audited query over HTTPS. Its first figure, 10,000 per second, is told of a machine on which the bare
// handler reaches 80,000; ratios of one run hold on any machine.
const (
	firstOfPostgres, aimOfPostgres = 0, 3
	firstOfHandler, aimOfHandler   = 10_000.0 / 80_000, 0.3
)

func measureQuery(ctx context.Context, b *bench) error {
	id, err := newIdentity(b.dir)
	if err != nil {
		return err
	}
	s := &section{What: fmt.Sprintf("audited query over HTTPS, 6 materials (5 held), %s records, %d clients", thousands(float64(b.records)), b.clients)}
	b.report.Sections = append(b.report.Sections, s)
	alone, audited, err := b.measurePostgres(ctx, s)
	if err != nil {
		return err
	}
	before, err := b.measureBare(ctx, id, "before")
	if err != nil {
		return err
	}
	ours, err := b.measureOurs(ctx, id, nil)
	if err != nil {
		return err
	}
	between, err := b.measureBare(ctx, id, "between")
	if err != nil {
		return err
	}
	onKafka, err := b.measureOnKafka(ctx, s, id)
	if err != nil {
		return err
	}
	var after figure
	if onKafka.Rate > 0 {
		if after, err = b.measureBare(ctx, id, "after"); err != nil {
			return err
		}
	}
	for _, f := range []figure{ours, onKafka, before, between, after, alone, audited} {
		if f.Rate > 0 {
			s.add(f)
		}
	}
	s.against(ours, middle(before, between), firstOfHandler, aimOfHandler)
	s.against(onKafka, middle(between, after), firstOfHandler, aimOfHandler)
	for _, f := range []figure{ours, onKafka} {
		s.against(f, audited, firstOfPostgres, aimOfPostgres)
		s.against(f, alone, 0, 0)
	}
	return nil
}

// measureBare measures the bare handler, several times in a run: a virtual machine is faster and slower from one minute to the next, by more
// than what is to be seen here. Nothing where ours is measured alone.
func (b *bench) measureBare(ctx context.Context, id identityFiles, when string) (figure, error) {
	if b.alone {
		return figure{}, nil
	}
	b.say("bare Go HTTPS handler")
	f, err := measureHandler(ctx, b, id)
	f.Note = when
	return f, err
}

// middle is what a peer does at the time between two of its figures.
func middle(a, b figure) figure {
	a.Rate = (a.Rate + b.Rate) / 2
	return a
}

// measurePostgres gives the peer's figures, nothing where there is no PostgreSQL or ours is measured alone.
func (b *bench) measurePostgres(ctx context.Context, s *section) (alone, audited figure, err error) {
	if b.alone {
		return alone, audited, nil
	}
	bin, missing := findPostgres()
	if missing != nil {
		s.Skipped = append(s.Skipped, missing.Error())
		return alone, audited, nil
	}
	b.say("PostgreSQL: filling %s rows", thousands(float64(b.records)))
	p, err := startPostgres(ctx, bin, b.dir)
	if err != nil {
		return alone, audited, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if b.report.Machine["postgresql"], err = p.sql(ctx, "SHOW server_version"); err != nil {
		return alone, audited, err
	}
	holders := b.records / holdersShare
	if err := p.fill(ctx, b.records, holders); err != nil {
		return alone, audited, err
	}
	b.say("PostgreSQL: pgbench")
	if alone, err = p.measure(ctx, "select", selectScript, holders, b.clients, b.warm, b.measure); err != nil {
		return alone, audited, err
	}
	entry := strings.Repeat("0123456789", 40) // 400 bytes, as an entry of ours in short
	audited, err = p.measure(ctx, "audit", fmt.Sprintf(auditScript, entry), holders, b.clients, b.warm, b.measure)
	alone.Name, audited.Name = "PostgreSQL, select", "PostgreSQL, select + durable audit row"
	return alone, audited, err
}

func (b *bench) measureOnKafka(ctx context.Context, s *section, id identityFiles) (f figure, err error) {
	if err := checkJars(b.jars); err != nil {
		s.Skipped = append(s.Skipped, "on Apache Kafka: "+err.Error())
		return f, nil
	}
	b.report.Machine["kafka"], b.report.Machine["java"] = kafkaVersion(b.jars), javaVersion()
	k, err := startKafka(ctx, b.jars, filepath.Join(b.dir, "kafka-query"))
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, k.stop()) }()
	return b.measureOurs(ctx, id, k)
}

// measureOurs fills an index through the topics of a Kafka and asks it; nil: on the embedded broker.
func (b *bench) measureOurs(ctx context.Context, id identityFiles, k *apacheKafka) (f figure, err error) {
	name, on, brokers := "query-embedded", "embedded broker", []string(nil)
	if k != nil {
		name, on, brokers = "query-kafka", "Apache Kafka", []string{k.addr}
	}
	data := filepath.Join(b.dir, name)
	n, err := b.startNode(ctx, id, data, brokers...)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, n.Close(), os.RemoveAll(data)) }()
	b.say("ours on %s: publishing %s records", on, thousands(float64(b.records)))
	began := time.Now()
	count, err := publish(ctx, n, b.records/holdersShare)
	if err != nil {
		return f, err
	}
	published := time.Since(began)
	if err := n.Settled(ctx); err != nil {
		return f, err
	}
	b.say("ours on %s: %s records published in %s, in the index after %s", on, thousands(float64(count)), published.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if err := rest(ctx); err != nil {
		return f, err
	}
	b.say("ours on %s: the index is in order; asking", on)
	theirs, requests := k.cpuTime(), auditRequests(n)
	out, spent, err := b.askOurs(ctx, n, id, name)
	if err != nil {
		return f, fmt.Errorf("measure queries on %s: %w", on, err)
	}
	f = out.figure
	f.Name, f.cost = "Yimen on "+on, spent.each(out.All)
	f.Note = fmt.Sprintf("answers of %d bytes, %.1f audit entries in a request", out.Bytes/max(1, out.Count), float64(out.All)/float64(max(1, auditRequests(n)-requests)))
	if k != nil {
		f.Note += ", Kafka's own CPU each " + short(cost{CPU: k.cpuTime() - theirs}.each(out.All).CPU)
	}
	return f, nil
}

// auditRequests is how many requests have taken entries to the audit topic.
func auditRequests(n *node.Node) (count uint64) {
	families, _ := n.Metrics.Gather()
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "yimen_bus_append_request_seconds" && m.GetLabel()[0].GetValue() == audit.Topic {
				count += m.GetHistogram().GetSampleCount()
			}
		}
	}
	return count
}

// rest waits until this process has nothing more to do with what was published, a minute at most: the index puts it in order when
// no more comes in. The peer has vacuumed and written its checkpoint before it is measured.
func rest(ctx context.Context) error {
	const look, quiet = time.Second, 3
	for seconds, idle := 0, 0; seconds < 60 && idle < quiet; seconds++ {
		before := cpuTime()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(look):
		}
		if idle++; cpuTime()-before > look/10 {
			idle = 0
		}
	}
	return nil
}

// askOurs measures, and sees to it that every answer has its entry in the audit log.
func (b *bench) askOurs(ctx context.Context, n *node.Node, id identityFiles, name string) (out outcome, spent cost, err error) {
	before, err := entries(ctx, n)
	if err != nil {
		return out, spent, err
	}
	spent, err = b.profiled(name, func() (err error) {
		out, err = drive(ctx, b.assignment(strings.TrimPrefix(n.URL(), "https://"), id, true))
		return err
	})
	if err != nil {
		return out, spent, err
	}
	after, err := entries(ctx, n)
	if err == nil && after-before < out.All { // more there can be: what was sent twice stands twice
		err = fmt.Errorf("%d answers but %d entries in the audit log", out.All, after-before)
	}
	return out, spent, err
}

func entries(ctx context.Context, n *node.Node) (count int64, err error) {
	ends, err := n.Bus.EndOffsets(ctx, audit.Topic)
	for _, end := range ends {
		count += end
	}
	return count, err
}
