package holdings_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas"
)

const (
	benchPartitions = 4
	benchBatch      = 500
)

// plain makes a world open and describe nothing: a message's value is its payload, its key says whose it is.
func plain(w *world) {
	w.index.Without(func(m *exchange.Message) (envelope.Opened, error) {
		o := envelope.Opened{Adapter: "scjg/licences", Draft: envelope.Draft{Type: exchange.EvidenceType(strings.TrimPrefix(m.Topic, "evidence.")), ID: exchange.RecordID(m.Key[:16]),
			Version: exchange.Version(binary.BigEndian.Uint64(m.Key[16:])), Schema: "00000000-0000-0000-0000-000000000001", Payload: m.Value, At: noon}}
		copy(o.Digest[:], m.Key)
		return o, nil
	}, func(o *envelope.Opened) (schemas.Facts, error) {
		return schemas.Facts{Status: exchange.Valid, Until: "2053-05-17", Holders: []exchange.Holder{plainHolder(binary.BigEndian.Uint64(o.ID[8:]))}}, nil
	})
}

func plainHolder(n uint64) exchange.Holder {
	return exchange.Holder{Kind: exchange.Organisation, Number: fmt.Sprintf("91%016d", n)}
}

// plainMessages are records of their own, named by a counter, with payloads of 500 bytes.
func plainMessages(partition int, from int64, n int) []exchange.Message {
	payload := []byte(strings.Repeat("瓷", 500/3))
	msgs := make([]exchange.Message, n)
	for i := range msgs {
		number := uint64(from+int64(i))*benchPartitions + uint64(partition)
		key := binary.BigEndian.AppendUint64(nil, number*0x9E3779B97F4A7C15)
		key = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(key, number), 1)
		msgs[i] = exchange.Message{Topic: "evidence.business-licence", Partition: partition, Offset: from + int64(i), Key: key, Value: payload, Time: noon}
	}
	return msgs
}

// foldPlain folds n new records over all partitions, from offset from of each.
func foldPlain(tb testing.TB, w *world, from int64, n int) {
	var folding sync.WaitGroup
	for partition := range benchPartitions {
		folding.Go(func() {
			for done := 0; done < n/benchPartitions; done += benchBatch {
				if err := w.index.Fold(context.Background(), plainMessages(partition, from+int64(done), benchBatch)); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	folding.Wait()
}

// BenchmarkFoldPlain measures the index and its engine, without opening and describing.
func BenchmarkFoldPlain(b *testing.B) {
	w := newWorldWith(b, 0)
	plain(w)
	const each = 20_000
	from, before := int64(0), busy()
	for b.Loop() {
		foldPlain(b, w, from, each)
		from += each / benchPartitions
	}
	b.ReportMetric(float64((busy()-before).Microseconds())/float64(b.N)/each, "cpu-µs/record")
	b.ReportMetric(float64(b.N)*each/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkFold measures everything: opening sealed messages, reading facts, storing.
func BenchmarkFold(b *testing.B) {
	w := newWorldWith(b, 0)
	const each = 4_000
	schema, _ := w.schemas.ByType(licence)
	sealer := w.sealer("scjg/licences")
	number, from, spent := 0, int64(0), time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		partitions := make([][]exchange.Message, benchPartitions)
		for p := range partitions {
			batch := sealer.Batch()
			for i := range each / benchPartitions {
				number++
				doc := []byte(fmt.Sprintf(`{"creditCode":%q,"name":"醴陵市示例瓷业有限公司","companyType":"有限责任公司（自然人投资或控股）","legalRepresentative":"张示例",`+
					`"capital":{"amount":"5000000","currency":"CNY"},"registeredOn":"2003-05-18","scope":"日用陶瓷制品制造；日用陶瓷制品销售；货物进出口。",`+
					`"province":"湖南","city":"株洲","validFrom":"2003-05-18","validUntil":"2053-05-17","issuingAuthority":"醴陵市市场监督管理局","status":"存续"}`, company(number)))
				m, err := batch.Record(envelope.Draft{Type: licence, ID: sealer.RecordID(licence, company(number)), Version: 1, Schema: schema.ID, Payload: doc, At: noon})
				if err != nil {
					b.Fatal(err)
				}
				m.Partition, m.Offset = p, from+int64(i)
				partitions[p] = append(partitions[p], m)
			}
			if err := batch.Sign(partitions[p]); err != nil {
				b.Fatal(err)
			}
		}
		from += each / benchPartitions
		spent -= busy()
		b.StartTimer()
		var folding sync.WaitGroup
		for _, msgs := range partitions {
			folding.Go(func() {
				for i := 0; i < len(msgs); i += benchBatch {
					if err := w.index.Fold(context.Background(), msgs[i:i+benchBatch]); err != nil {
						b.Error(err)
					}
				}
			})
		}
		folding.Wait()
		spent += busy()
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N)/each, "cpu-µs/record")
	b.ReportMetric(float64(b.N)*each/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkFoldNext measures the second versions of records that are there, without opening and describing.
func BenchmarkFoldNext(b *testing.B) {
	w := newWorldWith(b, 0)
	plain(w)
	const records = 400_000
	foldPlain(b, w, 0, records)
	before := busy()
	version := uint64(1)
	for b.Loop() {
		version++
		var folding sync.WaitGroup
		for partition := range benchPartitions {
			folding.Go(func() {
				for done := 0; done < records/benchPartitions; done += benchBatch {
					msgs := plainMessages(partition, int64(done), benchBatch)
					for i := range msgs {
						msgs[i].Offset += int64(version-1) * records / benchPartitions
						binary.BigEndian.PutUint64(msgs[i].Key[16:], version)
					}
					if err := w.index.Fold(context.Background(), msgs); err != nil {
						b.Error(err)
					}
				}
			})
		}
		folding.Wait()
	}
	b.ReportMetric(float64((busy()-before).Microseconds())/float64(b.N)/records, "cpu-µs/record")
	b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "records/s")
}

// six are the types that DESIGN.md's query asks for.
var six = []exchange.EvidenceType{licence, food, "hygiene-licence", "property-title", "tax-clearance", "health-certificate"}

// foldSix folds a record of each of the six types for each of n holders, type after type as departments begin to publish, and
// says what the sources are.
func foldSix(b *testing.B, w *world, n int) {
	for _, t := range six {
		var folding sync.WaitGroup
		for partition := range benchPartitions {
			folding.Go(func() {
				for done := 0; done < n/benchPartitions; done += benchBatch {
					msgs := plainMessages(partition, int64(done), min(benchBatch, n/benchPartitions-done))
					for i := range msgs {
						m := &msgs[i]
						m.Topic = envelope.EvidenceTopic(t)
						sum := sha256.Sum256(append([]byte(t), m.Key[8:16]...)) // the half that does not say whose it is
						copy(m.Key[:8], sum[:])
					}
					if err := w.index.Fold(context.Background(), msgs); err != nil {
						b.Error(err)
					}
				}
			})
		}
		folding.Wait()
		w.fold(w.heartbeat(exchange.Coverage{Adapter: "scjg/licences", Type: t, Alive: noon, CompleteUpTo: noon,
			End: map[int]int64{0: 1, 1: 1, 2: 1, 3: 1}, Rejected: map[int]int64{0: 0}}))
	}
}

// BenchmarkFind asks for six types of holders drawn at random, who have one record of each. YIMEN_BENCH_RECORDS sets how many
// records there are.
func BenchmarkFind(b *testing.B) {
	records := 100_000
	if n, err := strconv.Atoi(os.Getenv("YIMEN_BENCH_RECORDS")); err == nil {
		records = n
	}
	holders := records / len(six) / benchPartitions * benchPartitions
	w := newWorldWith(b, 0)
	plain(w)
	begun, before := time.Now(), busy()
	foldSix(b, w, holders)
	b.Logf("folded %d records, %.0f/s, %.1f µs of processor each, resident %s", records, float64(records)/time.Since(begun).Seconds(),
		float64((busy()-before).Microseconds())/float64(records), resident())
	quiet()
	b.Logf("at rest after %.1f µs of processor each, %.0f bytes on disk each", float64((busy()-before).Microseconds())/float64(records), float64(onDisk(w.dir))/float64(records))
	random := rand.New(rand.NewPCG(1, 2))
	before = busy()
	b.ReportAllocs()
	for b.Loop() {
		found, err := w.index.Find(context.Background(), plainHolder(random.Uint64N(uint64(holders))), six)
		if err != nil || len(found.Records) != len(six) || len(found.Sources) != len(six) {
			b.Fatal(len(found.Records), len(found.Sources), err)
		}
	}
	b.ReportMetric(float64((busy()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.Logf("resident %s", resident())
}

// quiet waits until the engine has done what it does in the background, at most a minute.
func quiet() {
	for calm, second := 0, 0; calm < 4 && second < 60; second++ {
		before := busy()
		time.Sleep(time.Second)
		if calm++; busy()-before > 20*time.Millisecond {
			calm = 0
		}
	}
}

func onDisk(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// busy is the processor time this process has used. On a machine that others use too it says more than the clock.
func busy() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory that the process holds, as Linux says.
func resident() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}
