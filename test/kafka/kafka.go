// Package kafka runs a real Apache Kafka for tests: it starts, stops and kills the broker's process.
//
// The jars lie in the folder that the environment variable YIMEN_TEST_KAFKA names; ./test/run puts them
// there. Where the variable is not set, Start skips the test.
package kafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/bus"
)

// Options say what kind of cluster to start. The zero value is one broker.
type Options struct {
	Brokers    int               // each is a controller too; 0: one
	Properties map[string]string // for server.properties, over the defaults; {node} stands for the node's number
	JVM        []string          // more flags for java, over the defaults
	Authority  *Authority        // with it: TLS and access control, all as deploy/kafka/server.properties says; nil: plain text
}

// Cluster is a running Kafka. Its methods end the test where they cannot do their work.
type Cluster struct {
	t     testing.TB
	jars  string
	nodes []*node
}

// node is one broker's process.
type node struct {
	addr string
	dir  string
	jvm  []string
	tls  *tls.Config // to see whether it answers; nil: plain text

	mu   sync.Mutex // guards all below
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

const (
	variable = "YIMEN_TEST_KAFKA"
	patience = 90 * time.Second // for a start on a busy machine
)

// Start formats a directory and starts the cluster. It ends with the test, which shows the logs if it failed.
func Start(t testing.TB, options Options) *Cluster {
	t.Helper()
	jars := os.Getenv(variable)
	if jars == "" {
		t.Skip("needs a real Kafka: run ./test/run")
	}
	if found, err := filepath.Glob(filepath.Join(jars, "kafka_2.13-*.jar")); err != nil || len(found) == 0 {
		t.Fatalf("%s=%s holds no Kafka jars; ./test/run fetches them", variable, jars)
	}
	c := &Cluster{t: t, jars: jars}
	c.lay(options)
	t.Cleanup(c.cleanUp) // after the directories are there: they are removed once the brokers have ended
	for _, n := range c.nodes {
		c.java(n, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", n.properties())
	}
	c.Restart()
	return c
}

// Addr is the address of every broker, joined by commas.
func (c *Cluster) Addr() string { return strings.Join(c.Addrs(), ",") }

// Addrs are the brokers' addresses.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, n := range c.nodes {
		addrs = append(addrs, n.addr)
	}
	return addrs
}

// Dirs are the brokers' data directories.
func (c *Cluster) Dirs() []string {
	var dirs []string
	for _, n := range c.nodes {
		dirs = append(dirs, n.data())
	}
	return dirs
}

// Kill ends the numbered brokers (none: all) as kill -9 does.
func (c *Cluster) Kill(numbers ...int) { c.end(syscall.SIGKILL, numbers) }

// Stop lets the numbered brokers (none: all) shut down in order.
func (c *Cluster) Stop(numbers ...int) { c.end(syscall.SIGTERM, numbers) }

// Restart starts every broker that does not run, on its address and data, and waits until all answer.
func (c *Cluster) Restart() {
	c.t.Helper()
	for _, n := range c.nodes {
		if n.ended() {
			c.launch(n)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, n := range c.nodes {
		if err := n.await(ctx); err != nil {
			c.t.Fatalf("Kafka at %s does not answer: %v", n.addr, err)
		}
	}
}

// lay writes each node's directory. Ports are found by listening on them for a moment.
func (c *Cluster) lay(options Options) {
	c.t.Helper()
	count := max(1, options.Brokers)
	brokerPorts, controllerPorts := freePorts(c.t, count), freePorts(c.t, count)
	var voters []string
	for i, port := range controllerPorts {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, port))
	}
	for i := range count {
		n := &node{
			addr: fmt.Sprintf("127.0.0.1:%d", brokerPorts[i]),
			dir:  c.t.TempDir(),
			jvm:  options.JVM,
		}
		properties := defaults(n, i+1, count, controllerPorts[i], strings.Join(voters, ","))
		if options.Authority != nil {
			properties = c.secure(n, i+1, options.Authority, properties)
		}
		for name, value := range options.Properties {
			properties[name] = strings.ReplaceAll(value, "{node}", fmt.Sprint(i+1))
		}
		var text strings.Builder
		for name, value := range properties {
			fmt.Fprintf(&text, "%s=%s\n", name, value)
		}
		if err := os.WriteFile(n.properties(), []byte(text.String()), 0o600); err != nil {
			c.t.Fatal(err)
		}
		c.nodes = append(c.nodes, n)
	}
}

func defaults(n *node, number, count, controllerPort int, voters string) map[string]string {
	replicas := fmt.Sprint(min(count, 3))
	return map[string]string{
		"process.roles":                            "broker,controller",
		"node.id":                                  fmt.Sprint(number),
		"controller.quorum.voters":                 voters,
		"controller.listener.names":                "CONTROLLER",
		"listeners":                                fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d", n.addr, controllerPort),
		"advertised.listeners":                     "PLAINTEXT://" + n.addr,
		"listener.security.protocol.map":           "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL",
		"log.dirs":                                 n.data(),
		"auto.create.topics.enable":                "false",
		"offsets.topic.replication.factor":         replicas,
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            "1",
		"broker.session.timeout.ms":                "3000",
		"broker.heartbeat.interval.ms":             "500",
		"log.cleaner.dedupe.buffer.size":           "10485760", // two cleaner threads need no 128 MiB here
		"num.network.threads":                      "2",
		"num.io.threads":                           "4",
	}
}

func (n *node) properties() string { return filepath.Join(n.dir, "server.properties") }

func (n *node) data() string { return filepath.Join(n.dir, "data") }

func (n *node) log() string { return filepath.Join(n.dir, "log.txt") }

// command is java with the jars; small and quick to start rather than fast.
func (c *Cluster) command(n *node, args ...string) *exec.Cmd {
	flags := []string{
		"-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
	}
	flags = append(flags, n.jvm...)
	flags = append(flags, "-cp", filepath.Join(c.jars, "*"))
	cmd := exec.Command("java", append(flags, args...)...)
	cmd.Dir = n.dir
	cmd.SysProcAttr = orphansDie()
	return cmd
}

// java runs a tool to its end.
func (c *Cluster) java(n *node, args ...string) {
	c.t.Helper()
	if out, err := c.command(n, args...).CombinedOutput(); err != nil {
		c.t.Fatalf("java %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (c *Cluster) launch(n *node) {
	c.t.Helper()
	log, err := os.OpenFile(n.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	cmd := c.command(n, "kafka.Kafka", n.properties())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		c.t.Fatalf("start Kafka: %v", err)
	}
	done := make(chan struct{})
	n.mu.Lock()
	n.cmd, n.done = cmd, done
	n.mu.Unlock()
	go func() {
		cmd.Wait()
		close(done)
	}()
}

// await returns when the broker answers, or an error when its process has ended.
func (n *node) await(ctx context.Context) error {
	b, err := bus.Connect(bus.Config{Brokers: []string{n.addr}, ClientID: "test", TLS: n.tls})
	if err != nil {
		return err
	}
	defer b.Close()
	for {
		ping, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := b.Ping(ping)
		cancel()
		switch {
		case err == nil:
			return nil
		case n.ended():
			return fmt.Errorf("its process has ended")
		case ctx.Err() != nil:
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (n *node) ended() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return true
	}
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

func (c *Cluster) end(signal syscall.Signal, numbers []int) {
	c.t.Helper()
	var ending []*node
	for i, n := range c.nodes {
		if (len(numbers) == 0 || slices.Contains(numbers, i)) && !n.ended() {
			n.cmd.Process.Signal(signal)
			ending = append(ending, n)
		}
	}
	for _, n := range ending {
		select {
		case <-n.done:
		case <-time.After(patience):
			n.cmd.Process.Kill()
			c.t.Errorf("Kafka at %s did not stop within %v", n.addr, patience)
		}
	}
}

func (c *Cluster) cleanUp() {
	c.Kill()
	if !c.t.Failed() {
		return
	}
	const most = 8000
	for i, n := range c.nodes {
		text, _ := os.ReadFile(n.log())
		c.t.Logf("log of broker %d (its end):\n%s", i, text[max(0, len(text)-most):])
	}
}

func freePorts(t testing.TB, count int) []int {
	t.Helper()
	var ports []int
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all are held until all are found
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
