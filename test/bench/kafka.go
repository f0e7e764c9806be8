package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/onedoor/yimen/exchange/bus"
)

// apacheKafka is one real broker with the memory and collector that Kafka's own start script gives it.
type apacheKafka struct {
	jars   string
	dir    string
	addr   string
	server *child
}

// checkJars says what to do where Kafka's jars are not there.
func checkJars(jars string) error {
	if found, err := filepath.Glob(filepath.Join(jars, "kafka_2.13-*.jar")); err != nil || len(found) == 0 {
		return fmt.Errorf("no Kafka jars in %q: ./test/run fetches them, or name their folder with -kafka", jars)
	}
	if _, err := exec.LookPath("java"); err != nil {
		return errors.New("java is missing: install openjdk-17-jre-headless")
	}
	return nil
}

// kafkaVersion is what the jars are of.
func kafkaVersion(jars string) string {
	found, _ := filepath.Glob(filepath.Join(jars, "kafka_2.13-*.jar"))
	if len(found) == 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), "kafka_2.13-"), ".jar")
}

func javaVersion() string {
	out, _ := exec.Command("java", "-version").CombinedOutput()
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

func startKafka(ctx context.Context, jars, dir string) (k *apacheKafka, err error) {
	k = &apacheKafka{jars: jars, dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory for Kafka: %w", err)
	}
	broker, err := freePort()
	if err != nil {
		return nil, err
	}
	controller, err := freePort()
	if err != nil {
		return nil, err
	}
	k.addr = fmt.Sprintf("127.0.0.1:%d", broker)
	properties := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(properties, []byte(k.properties(controller)), 0o600); err != nil {
		return nil, fmt.Errorf("write Kafka's properties: %w", err)
	}
	if out, err := k.java(ctx, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", properties); err != nil {
		return nil, fmt.Errorf("format Kafka's directory: %w: %s", err, out)
	}
	cmd := exec.Command("java", k.flags("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "kafka.Kafka", properties)...)
	cmd.Dir, cmd.SysProcAttr = dir, orphansDie()
	if k.server, err = spawn("Kafka", filepath.Join(dir, "kafka.log"), cmd); err != nil {
		return nil, err
	}
	if err := k.await(ctx); err != nil {
		return nil, errors.Join(err, k.stop())
	}
	return k, nil
}

// properties are Kafka's defaults but for what one broker alone needs.
func (k *apacheKafka) properties(controller int) string {
	return strings.Join([]string{
		"process.roles=broker,controller", "node.id=1",
		fmt.Sprintf("controller.quorum.voters=1@127.0.0.1:%d", controller), "controller.listener.names=CONTROLLER",
		fmt.Sprintf("listeners=PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d", k.addr, controller), "advertised.listeners=PLAINTEXT://" + k.addr,
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs=" + filepath.Join(k.dir, "data"), "auto.create.topics.enable=false",
		"offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
	}, "\n") + "\n"
}

func (k *apacheKafka) flags(args ...string) []string {
	return append([]string{"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(k.jars, "*")}, args...)
}

// java runs one of Kafka's tools to its end.
func (k *apacheKafka) java(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "java", k.flags(args...)...)
	cmd.Dir, cmd.SysProcAttr = k.dir, orphansDie()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (k *apacheKafka) await(ctx context.Context) error {
	b, err := bus.Connect(bus.Config{Brokers: []string{k.addr}, ClientID: "bench"})
	if err != nil {
		return err
	}
	defer b.Close()
	for {
		ping, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := b.Ping(ping)
		cancel()
		if err == nil {
			return nil
		}
		if gone := k.server.ended(); gone != nil {
			return gone
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// cpuTime is what the broker has used of the processors so far.
func (k *apacheKafka) cpuTime() time.Duration {
	if k == nil {
		return 0
	}
	return cpuTimeOf(k.server.cmd.Process.Pid)
}

func (k *apacheKafka) stop() error {
	return errors.Join(k.server.stop(syscall.SIGKILL), os.RemoveAll(k.dir)) // nothing of it is needed any more
}

const (
	peerTopic    = "peer"
	producerName = "Kafka's ProducerPerformance"
)

// produce measures Kafka's own ProducerPerformance: an ordinary, well-set producer that waits for every acknowledgement.
func (k *apacheKafka) produce(ctx context.Context, records, partitions int) (figure, error) {
	b, err := bus.Connect(bus.Config{Brokers: []string{k.addr}, ClientID: "bench"})
	if err != nil {
		return figure{}, err
	}
	defer b.Close()
	if err := b.Ensure(ctx, []bus.Topic{{Name: peerTopic, Partitions: partitions, Replicas: 1, MinISR: 1}}); err != nil {
		return figure{}, err
	}
	out, err := k.java(ctx, "-Xmx1g", "org.apache.kafka.tools.ProducerPerformance", "--topic", peerTopic, "--num-records", strconv.Itoa(records),
		"--record-size", "600", "--throughput", "-1", "--producer-props", "bootstrap.servers="+k.addr, "acks=all", "compression.type=zstd",
		"batch.size=131072", "linger.ms=5", "buffer.memory=67108864")
	if err != nil {
		return figure{}, fmt.Errorf("ProducerPerformance: %w: %s", err, out)
	}
	return readProducer(out)
}

var producerLine = regexp.MustCompile(`([0-9]+) records sent, ([0-9.]+) records/sec .* ([0-9]+) ms 50th, .* ([0-9]+) ms 99th`)

// readProducer reads the last line of ProducerPerformance, which sums up.
func readProducer(out string) (figure, error) {
	m := producerLine.FindStringSubmatch(out)
	if m == nil {
		return figure{}, fmt.Errorf("read ProducerPerformance: no sum in %q", out)
	}
	count, err1 := strconv.ParseInt(m[1], 10, 64)
	rate, err2 := strconv.ParseFloat(m[2], 64)
	p50, err3 := strconv.Atoi(m[3])
	p99, err4 := strconv.Atoi(m[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return figure{}, fmt.Errorf("read ProducerPerformance: %w", err)
	}
	return figure{Name: producerName, Rate: rate, Count: count,
		P50: time.Duration(p50) * time.Millisecond, P99: time.Duration(p99) * time.Millisecond}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
