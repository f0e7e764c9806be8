package adapters_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
)

// The test binary is also the adapter that is killed: with this variable set it runs one reading and kills itself, as
// kill -9 would, at the point named.
const killVariable = "YIMEN_TEST_KILL"

func TestMain(m *testing.M) {
	if spec := os.Getenv(killVariable); spec != "" {
		doomed(spec)
	}
	os.Exit(m.Run())
}

// killRows is enough for several batches.
const killRows = 5000

// mortal kills the process before or after the n-th append to a topic.
type mortal struct {
	adapters.Bus
	before, after string
	n             int
}

func (b *mortal) Append(ctx context.Context, topic string, messages []exchange.Message) error {
	mine := strings.HasPrefix(topic, b.before+b.after)
	if mine {
		b.n--
	}
	if mine && b.n == 0 && b.before != "" {
		die()
	}
	err := b.Bus.Append(ctx, topic, messages)
	if mine && b.n == 0 && err == nil {
		die()
	}
	return err
}

func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// doomed runs the adapter in this process until it dies, or to the end.
func doomed(spec string) {
	t := &testing.T{}
	part := strings.Split(spec, " ") // point, count, broker, directory, seed, seconds
	n, _ := strconv.Atoi(part[1])
	seconds, _ := strconv.ParseInt(part[5], 10, 64)
	c := &city{t: t, addr: part[2], dir: part[3], keys: envelopetest.From(part[4]), now: time.Unix(seconds, 0)}
	c.bus = connect(t, c.addr)
	source := &list{rows: killRowsNow(), upTo: c.now}
	to := &mortal{Bus: c.bus, n: n}
	switch kind, topic, _ := strings.Cut(part[0], ":"); kind {
	case "row":
		source.before = func(i int) error {
			if i == n {
				die()
			}
			return nil
		}
	case "before":
		to.before = topic
	case "after":
		to.after = topic
	}
	config := c.config(source, to)
	config.Log = slog.New(slog.DiscardHandler)
	r, err := adapters.Open(context.Background(), config)
	if err == nil {
		_, err = r.Run(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// killRowsNow has new, changed, unchanged, bad and absent rows against companies(killRows/2).
func killRowsNow() [][]string {
	rows := companies(killRows)[100:]
	for i := 0; i < 1000; i++ {
		rows[i] = company(100+i, "600万人民币")
	}
	rows[4000][2] = "昨天"
	return rows
}

func TestKilledAnywhereNothingIsLostOrDoubled(t *testing.T) {
	points := []string{"row 0", "row 4000", "before:evidence 1", "after:evidence 1", "before:evidence 2", "after:evidence 2",
		"before:quarantine 1", "after:quarantine 1", "after:evidence 3", "before:coverage 1", "after:coverage 1"}
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			c := newCity(t)
			c.mustRun(&list{rows: companies(killRows / 2)})
			c.now = c.now.Add(time.Minute)
			spec := fmt.Sprintf("%s %s %s %s %d", point, c.addr, c.dir, c.keys.Seed, c.now.Unix())
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), killVariable+"="+spec)
			out, err := child.CombinedOutput()
			if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("the adapter did not die at %q: %v %s", point, err, out)
			}
			c.mustRun(&list{rows: killRowsNow()})
			standing, withdrawn := c.standing(), 0
			for _, o := range standing {
				if o.Withdrawn {
					withdrawn++
				}
			}
			if len(standing) != killRows-1 || withdrawn != 100 {
				t.Errorf("%d records of which %d withdrawn, want %d and 100", len(standing), withdrawn, killRows-1)
			}
			want := killRows/2 + 1000 + (killRows/2 - 1) + 100 // first load, changed, new without the bad one, withdrawn
			if n := c.versions(); n != want {
				t.Errorf("%d versions, want %d: a version was doubled or lost", n, want)
			}
			if r := c.mustRun(&list{rows: append(killRowsNow(), company(killRows, "N/A"))}); r.Published != 1 || r.Withdrawn != 0 {
				t.Errorf("one more row after the recovery: %+v", r)
			}
		})
	}
}
