package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/bus/bustest"
	"github.com/onedoor/yimen/exchange/bus/embedded"
)

// The test binary is also the process that the tests kill: with this variable set to a directory and an
// address it runs a broker until its standard input ends.
const childVariable = "YIMEN_TEST_EMBEDDED"

func TestMain(m *testing.M) {
	if dir, addr, ok := strings.Cut(os.Getenv(childVariable), "|"); ok {
		broker, err := embedded.Start(embedded.Config{Dir: dir, Addr: addr})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(broker.Addr())
		io.Copy(io.Discard, os.Stdin)
		broker.Close()
		return
	}
	os.Exit(m.Run())
}

// child is a broker in a process of its own.
type child struct {
	t     *testing.T
	dir   string
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

func startChild(t *testing.T) *child {
	c := &child{t: t, dir: t.TempDir(), addr: "127.0.0.1:0"}
	c.start()
	t.Cleanup(func() { c.end(true) })
	return c
}

func (c *child) start() {
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), childVariable+"="+c.dir+"|"+c.addr)
	c.cmd.Stderr = os.Stderr
	c.stdin, _ = c.cmd.StdinPipe()
	out, _ := c.cmd.StdoutPipe()
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "error") {
		c.t.Fatalf("start a broker in a child process: %v %s", err, line)
	}
	c.addr = strings.TrimSpace(line)
}

func (c *child) end(kill bool) {
	if kill {
		c.cmd.Process.Kill()
	}
	c.stdin.Close()
	c.cmd.Wait()
}

func TestContract(t *testing.T) {
	bustest.Contract(t, func(t *testing.T) bustest.Server {
		broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(broker.Close)
		return bustest.Server{Addr: broker.Addr()}
	})
}

// The embedded broker keeps rules, though it knows nobody by name and enforces none.
func TestRules(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	bustest.Rules(t, b)
}

func TestRestarts(t *testing.T) {
	bustest.Restarts(t, func(t *testing.T) bustest.Server {
		c := startChild(t)
		return bustest.Server{Addr: c.addr, Restart: func(kill bool) { c.end(kill); c.start() }}
	})
}

func TestStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used := t.TempDir()
	running, err := embedded.Start(embedded.Config{Dir: used})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	file := t.TempDir() + "/file"
	os.WriteFile(file, nil, 0o600)

	for name, row := range map[string]struct {
		config embedded.Config
		kind   exchange.Kind
		says   string
	}{
		"port in use":      {embedded.Config{Dir: t.TempDir(), Addr: taken.Addr().String()}, exchange.Conflict, "--kafka"},
		"directory in use": {embedded.Config{Dir: used}, exchange.Conflict, used},
		"every interface":  {embedded.Config{Dir: t.TempDir(), Addr: "0.0.0.0:0"}, exchange.Invalid, "loopback"},
		"no host":          {embedded.Config{Dir: t.TempDir(), Addr: ":0"}, exchange.Invalid, "loopback"},
		"no port":          {embedded.Config{Dir: t.TempDir(), Addr: "127.0.0.1"}, exchange.Invalid, "loopback"},
		"another machine":  {embedded.Config{Dir: t.TempDir(), Addr: "192.0.2.1:9092"}, exchange.Invalid, "loopback"},
		"a file":           {embedded.Config{Dir: file}, exchange.Unavailable, file},
	} {
		t.Run(name, func(t *testing.T) {
			broker, err := embedded.Start(row.config)
			if err == nil {
				broker.Close()
				t.Fatal("started")
			}
			var problem *exchange.Problem
			if !errors.As(err, &problem) || problem.Kind != row.kind || !strings.Contains(err.Error(), row.says) || !strings.Contains(problem.In(exchange.ZH), "内置 Kafka") {
				t.Errorf("error %v, want kind %s saying %q", err, row.kind, row.says)
			}
		})
	}
}

func TestDataOutlivesCloseAndStart(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		broker, err := embedded.Start(embedded.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Ensure(t.Context(), []bus.Topic{{Name: "kept", Partitions: 2, Compact: true}}); err != nil {
			t.Fatal(err)
		}
		msgs := []exchange.Message{{Key: []byte("same key"), Value: []byte("v")}}
		if err := b.Append(t.Context(), "kept", msgs); err != nil {
			t.Fatal(err)
		}
		if msgs[0].Offset != int64(round) {
			t.Errorf("round %d: offset %d", round, msgs[0].Offset)
		}
		b.Close()
		broker.Close()
		broker.Close()
	}
}

// Bus and broker leave no goroutine behind, not even where calls were cut off.
func TestNoLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Ensure(t.Context(), []bus.Topic{{Name: "t", Partitions: 4}}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		b.Append(ctx, "t", []exchange.Message{{Key: []byte("k")}})
		b.Follow(ctx, "t", nil, func(context.Context, []exchange.Message) error { return nil })
		cancel()
		b.Close()
		broker.Close()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

// A process that the kernel ends keeps what it acknowledged: TestRestarts shows it under load, this one
// without any message on its way.
func TestKilled(t *testing.T) {
	c := startChild(t)
	b, err := bus.Connect(bus.Config{Brokers: []string{c.addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context(), []bus.Topic{{Name: "t"}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), "t", []exchange.Message{{Key: []byte("k"), Value: []byte("v")}}); err != nil {
		t.Fatal(err)
	}
	c.cmd.Process.Signal(syscall.SIGKILL)
	c.cmd.Wait()
	c.start()
	ends, err := b.EndOffsets(t.Context(), "t")
	if err != nil || ends[0] != 1 {
		t.Errorf("after the kill the topic ends at %v (%v), want 1", ends, err)
	}
}

// A partition that somebody adds is followed from its beginning, and used by Append, without a restart.
func TestNewPartitions(t *testing.T) {
	t.Parallel()
	broker, err := embedded.Start(embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := b.Ensure(ctx, []bus.Topic{{Name: "t", Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	seen := make(chan int, 1000)
	go b.Follow(ctx, "t", nil, func(_ context.Context, msgs []exchange.Message) error {
		for _, m := range msgs {
			seen <- m.Partition
		}
		return nil
	})
	admin := kafka.Client{Addr: kafka.TCP(broker.Addr()), Transport: &kafka.Transport{}}
	answer, err := admin.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: "t", Count: 4}}})
	if err != nil || answer.Errors["t"] != nil {
		t.Fatal(err, answer)
	}
	used := make(map[int]bool)
	for i := 0; len(used) < 4; i++ {
		if err := b.Append(ctx, "t", []exchange.Message{{Key: fmt.Append(nil, i)}}); err != nil {
			t.Fatal(err)
		}
		select {
		case p := <-seen:
			used[p] = true
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func BenchmarkBus(b *testing.B) {
	broker, err := embedded.Start(embedded.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	bustest.Benchmark(b, broker.Addr())
}
