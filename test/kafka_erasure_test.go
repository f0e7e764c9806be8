package test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/test/kafka"
)

const (
	forgottenCompany = "91430281000000019C"
	keptCompany      = "91430521185729294G"
)

// TestErasedBytesLeaveKafka: on topics where nothing else happens, the sealed bytes of who is erased, and of what was written of the
// record, leave the broker's files within kafka.erase_within, also where the node is restarted while Kafka rests. The record is older
// than that, so that its tombstone begins a new part of the topic and would stay there.
func TestErasedBytesLeaveKafka(t *testing.T) {
	if os.Getenv("YIMEN_TEST_KAFKA") == "" {
		t.Skip("skipped: needs a real Kafka; run ./test/run")
	}
	const bound = 20 * time.Second
	cluster := kafka.Start(t, kafka.Options{Properties: map[string]string{"log.cleaner.backoff.ms": "200", "log.segment.delete.delay.ms": "100"}})
	cfg := node.Config{Limits: limits.Unbounded(), Kafka: node.Kafka{Brokers: cluster.Addrs(), EraseWithin: bound, Partitions: 1}}
	p := (&place{t: t, dir: t.TempDir()}).start(cfg, demo.Catalogue())
	write(t, filepath.Join(p.dir, "licences.csv"), "企业名称,代码,注册日期\n湖南甲公司,"+forgottenCompany+",2016-05-06\n湖南乙公司,"+keptCompany+",2016-05-06\n")
	write(t, filepath.Join(p.dir, "manifest.yaml"), "adapter: scjg/licences\nevidence: business-licence\nsource: {kind: tabular, path: licences.csv, complete: true}\n"+
		"dialect: {encoding: utf-8, columns: [企业名称, 代码, 注册日期]}\nholders: {kind: org, divisions: [\"43\"]}\nmapping:\n  name: 企业名称\n  creditCode: {column: 代码, as: credit-code}\n  registeredOn: {column: 注册日期, as: date}\n")
	if got := p.publish(filepath.Join(p.dir, "manifest.yaml")); got.Published != 2 {
		t.Fatalf("%+v", got)
	}
	published := time.Now()
	gone, kept := p.sealedBytes(t, forgottenCompany), p.sealedBytes(t, keptCompany)
	text := p.sealedText(t, forgottenCompany)
	folders, err := filepath.Glob(filepath.Join(cluster.Dirs()[0], envelope.EvidenceTopic("business-licence")+"-*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no folders of the topic: %v", err)
	}
	onDisk := func(piece []byte) bool { return standsIn(t, folders, piece) }
	texts, err := filepath.Glob(filepath.Join(cluster.Dirs()[0], doubts.TextsTopic+"-*"))
	if err != nil || len(texts) == 0 {
		t.Fatalf("no folders of the topic of texts: %v", err)
	}
	if !onDisk(gone) || !onDisk(kept) || !standsIn(t, texts, text) {
		t.Fatal("what was published is not seen in the broker's files: the search would be in vain")
	}
	time.Sleep(time.Until(published.Add(bound + time.Second)))
	ordered := time.Now()
	if _, err := p.node.Erase(t.Context(), "xzsp/0017", node.EraseRequest{Kind: erasure.OfHolder, Number: forgottenCompany, Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	if a := answer(t, p.ask("food-licence-new", forgottenCompany), "business-licence"); a.Outcome != exchange.Unknown {
		t.Errorf("after the order: %s/%s", a.Outcome, a.Reason)
	}
	within(t, bound/2, "the first tombstone has come back", func() bool {
		owed, err := p.node.Index.Owed(t.Context(), time.Now())
		return err == nil && len(owed) == 0
	})
	p.close()
	p.start(cfg, demo.Catalogue())
	if !onDisk(gone) {
		t.Error("gone before Kafka's rest was over: that a second tombstone is needed was not tested")
	}
	within(t, bound-time.Since(ordered), "the bytes of who was erased have left the broker's files", func() bool { return !onDisk(gone) && !standsIn(t, texts, text) })
	t.Logf("gone after %v, of %v", time.Since(ordered).Round(100*time.Millisecond), bound)
	if a := answer(t, p.ask("food-licence-new", keptCompany), "business-licence"); a.Outcome != exchange.Held || !onDisk(kept) {
		t.Errorf("somebody else: %s/%s", a.Outcome, a.Reason)
	}
}

// sealedText are some bytes of what is written, sealed, of the record of a company.
func (p *place) sealedText(t *testing.T, company string) (piece []byte) {
	t.Helper()
	asked := p.ask("food-licence-new", company)
	record := answer(t, asked, "business-licence").Evidence[0].Record
	within(t, 10*time.Second, "the ledger has the answer", func() bool {
		_, err := p.node.Ledger.Entry(t.Context(), asked.Receipt.ID)
		return err == nil
	})
	who := doubts.Person{Department: "xzsp", Name: "xzsp/0017"}
	if _, err := p.node.Doubts.Raise(t.Context(), who, doubts.Raising{Receipt: asked.Receipt.ID, Record: record, Fields: []string{"name"}, Reason: "名称不符"}); err != nil {
		t.Fatal(err)
	}
	p.follow(doubts.TextsTopic, func(m *exchange.Message) { piece = bytes.Clone(m.Value[4:]) })
	if piece == nil {
		t.Fatal("the text is not on its topic")
	}
	return piece
}

// sealedBytes are some bytes of the one sealed record of a company, as they stand on the topic.
func (p *place) sealedBytes(t *testing.T, company string) (piece []byte) {
	t.Helper()
	a := answer(t, p.ask("food-licence-new", company), "business-licence")
	if a.Outcome != exchange.Held {
		t.Fatalf("%s/%s", a.Outcome, a.Reason)
	}
	var id exchange.RecordID
	if err := id.UnmarshalText([]byte(a.Evidence[0].Record)); err != nil {
		t.Fatal(err)
	}
	p.follow(envelope.EvidenceTopic("business-licence"), func(m *exchange.Message) {
		if bytes.HasPrefix(m.Key, id[:]) {
			end := len(m.Value)
			piece = bytes.Clone(m.Value[end-48 : end-16])
		}
	})
	if piece == nil {
		t.Fatal("the record is not on its topic")
	}
	return piece
}

// standsIn says whether the bytes stand in any file of the folders, in what is about to be deleted too.
func standsIn(t *testing.T, folders []string, piece []byte) bool {
	t.Helper()
	for _, folder := range folders {
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(folder, file.Name()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // the cleaner was faster
				t.Fatal(err)
			}
			if bytes.Contains(content, piece) {
				return true
			}
		}
	}
	return false
}
