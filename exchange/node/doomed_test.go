package node

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/limits"
)

// The test binary is also the node that is killed: with this variable set it answers over HTTP and kills itself, as kill -9 would,
// at the point named.
const killVariable = "YIMEN_TEST_KILL_NODE"

func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// doomed is a node in this process, whose address is printed. Points: "before 5" dies before the fifth entry is appended, "after 5"
// once it is durable and nobody knows, "write 5" before the answer is written, "half 5" amid it, "written 5" after it, "time 1234"
// so many microseconds after the start. "lie 5" gives the fifth answer without an entry and those that follow, and dies soon.
func doomed(spec string) {
	part := strings.Split(spec, " ") // point, count, directory, broker
	count, _ := strconv.Atoi(part[1])
	n, err := Start(context.Background(), lasting(part[2], part[3]), surroundings())
	if err == nil {
		err = n.answerUntil(&fate{point: part[0], left: count})
	}
	fmt.Println(err)
	os.Exit(1)
}

// lasting are settings of a node that is started again and again in a directory, on a Kafka that outlives it.
func lasting(dir, address string) Config {
	return Config{Data: filepath.Join(dir, "data"), Callers: filepath.Join(dir, "callers.yaml"), HTTP: "127.0.0.1:0", Departments: "127.0.0.1:0",
		CacheMiB: 8, Limits: limits.Unbounded(), Kafka: Kafka{Brokers: []string{address}, Partitions: 2, Pending: -1}}
}

// answerUntil serves all that the node serves, at another address, with its fate between the parts.
func (n *Node) answerUntil(f *fate) error {
	nowhere, err := audit.New(audit.Config{Appender: memory{}, Keys: n.auditKeys, Clock: n.around.Clock})
	if err != nil {
		return err
	}
	n.Broker, err = broker.New(broker.Config{Catalogue: n.Catalogue, Holdings: n.Index, Audit: mortal{timely{n.audit, n.clock}, f, nowhere}, Limits: n.Limits, Ready: n.mayAnswer,
		Clock: n.around.Clock})
	if err != nil {
		return err
	}
	n.Metrics = prometheus.NewRegistry() // the first handler has the other
	handler, err := n.handler()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	if f.point == "time" {
		time.AfterFunc(time.Duration(f.left)*time.Microsecond, die)
	}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(dying{w, f}, r) }))
}

// fate counts down to the moment of death.
type fate struct {
	mu    sync.Mutex // guards all
	point string
	left  int
	liar  bool
}

// askers is how many ask at the same time.
const askers = 4

// now says whether a point has come for the last time. All later ones have come too.
func (f *fate) now(point string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if point != f.point {
		return false
	}
	f.left--
	return f.left <= 0
}

// lies says whether answers are given without an entry by now. The node then outlives more of them than are under way at once.
func (f *fate) lies() bool {
	last := f.now("lie")
	f.mu.Lock()
	defer f.mu.Unlock()
	if last {
		f.liar, f.point, f.left = true, "written", 3*askers
	}
	return f.liar
}

// mortal dies before or after an entry, or lies.
type mortal struct {
	broker.Auditor
	*fate
	nowhere broker.Auditor
}

func (m mortal) Append(ctx context.Context, e audit.Entry) (audit.Receipt, error) {
	if m.now("before") {
		die()
	}
	if m.lies() {
		return m.nowhere.Append(ctx, e)
	}
	receipt, err := m.Auditor.Append(ctx, e)
	if m.now("after") {
		die()
	}
	return receipt, err
}

// dying dies before, amid or after an answer.
type dying struct {
	http.ResponseWriter
	*fate
}

func (d dying) Write(body []byte) (int, error) {
	if d.now("write") {
		die()
	}
	half := d.now("half")
	if half {
		body = body[:len(body)/2]
	}
	n, err := d.ResponseWriter.Write(body)
	written := d.now("written")
	if half || written {
		http.NewResponseController(d.ResponseWriter).Flush()
		die()
	}
	return n, err
}
