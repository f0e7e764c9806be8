// Package embedded runs a Kafka broker inside the process, for demonstrations, tests and single machines.
//
// The broker is kfake: one node, plain text, without access control, so it listens on loopback only.
// Every acknowledged message is on the disk. It neither compacts nor expires: kfake rewrites a topic in
// place, so that a crash meanwhile would lose it. Where erased records must leave the disk, use a real Kafka.
package embedded

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/onedoor/yimen/exchange"
)

// Config says where the broker keeps its data and where it listens.
type Config struct {
	Dir  string       // made if it is not there
	Addr string       // host:port on loopback; empty, or port 0: a free port
	Log  *slog.Logger // nil: silent
}

// Broker is a running embedded broker.
type Broker struct {
	cluster *kfake.Cluster
	lock    io.Closer
	addr    string
}

// Start opens the data directory and listens.
func Start(config Config) (*Broker, error) {
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	port, err := loopbackPort(config.Addr)
	if err != nil {
		return nil, notLoopback(config.Addr, err)
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, noData(config.Dir, err)
	}
	lock, err := vfs.Default.Lock(filepath.Join(config.Dir, "LOCK"))
	if err != nil {
		return nil, dirInUse(config.Dir, err)
	}
	cluster, err := kfake.NewCluster(
		kfake.Ports(port),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			listener, err := net.Listen(network, config.Addr)
			return guard{listener}, err
		}),
		kfake.ClusterID("yimen-embedded"),
		kfake.DataDir(filepath.Join(config.Dir, "log")),
		kfake.SyncWrites(),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":       "-1",            // kfake would expire compacted topics too, after a week
			"log.cleaner.backoff.ms": "9000000000000", // 285 years: never compact
		}),
		kfake.WithLogger(logger{config.Log}),
	)
	if err != nil {
		lock.Close()
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, portInUse(config.Addr, err)
		}
		return nil, noData(config.Dir, err)
	}
	return &Broker{cluster: cluster, lock: lock, addr: cluster.ListenAddrs()[0]}, nil
}

// Addr is where the broker listens, host:port.
func (b *Broker) Addr() string { return b.addr }

// Close saves what is open and stops. It may be called twice.
func (b *Broker) Close() {
	b.cluster.Close()
	if b.lock != nil {
		b.lock.Close()
		b.lock = nil
	}
}

// loopbackPort gives the port of an address that only this machine reaches.
func loopbackPort(addr string) (int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return 0, fmt.Errorf("%q is not a loopback address", host)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return int(n), err
}

// logger passes on what needs attention: kfake tells of every request.
type logger struct{ log *slog.Logger }

// Logf implements kfake.Logger.
func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded Kafka: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("embedded Kafka: " + fmt.Sprintf(format, args...))
	}
}

func portInUse(addr string, err error) error {
	return &exchange.Problem{
		Code: "YM-BUS-0301", Kind: exchange.Conflict, Err: err,
		What: exchange.Text{ZH: "内置 Kafka 未能启动", EN: "the embedded Kafka did not start"},
		Why:  exchange.Text{ZH: "地址 " + addr + " 已被占用", EN: "the address " + addr + " is in use"},
		Mend: exchange.Text{ZH: "用 --kafka 指定另一个地址，例如 --kafka 127.0.0.1:0（自动选择端口），或停止占用它的程序", EN: "name another with --kafka, such as --kafka 127.0.0.1:0 (any free port), or stop the program that uses it"},
	}
}

func notLoopback(addr string, err error) error {
	return &exchange.Problem{
		Code: "YM-BUS-0302", Kind: exchange.Invalid, Err: err,
		What: exchange.Text{ZH: "内置 Kafka 不能监听 " + addr, EN: "the embedded Kafka cannot listen on " + addr},
		Why:  exchange.Text{ZH: "它没有访问控制，只能监听本机地址", EN: "it has no access control, so it listens on loopback only"},
		Mend: exchange.Text{ZH: "改用 --kafka 127.0.0.1:9092；其他机器需要连接时请使用真正的 Kafka", EN: "use --kafka 127.0.0.1:9092, or a real Kafka where other machines connect"},
	}
}

func dirInUse(dir string, err error) error {
	return &exchange.Problem{
		Code: "YM-BUS-0303", Kind: exchange.Conflict, Err: err,
		What: exchange.Text{ZH: "内置 Kafka 未能启动", EN: "the embedded Kafka did not start"},
		Why:  exchange.Text{ZH: "数据目录 " + dir + " 正被另一个进程使用", EN: "another process uses the data directory " + dir},
		Mend: exchange.Text{ZH: "停止该进程，或指定另一个数据目录", EN: "stop that process, or name another data directory"},
	}
}

func noData(dir string, err error) error {
	return &exchange.Problem{
		Code: "YM-BUS-0304", Kind: exchange.Unavailable, Err: err,
		What: exchange.Text{ZH: "内置 Kafka 未能启动", EN: "the embedded Kafka did not start"},
		Why:  exchange.Text{ZH: "数据目录 " + dir + " 无法使用", EN: "the data directory " + dir + " cannot be used"},
		Mend: exchange.Text{ZH: "检查该目录的权限与磁盘空间", EN: "check the directory's permissions and the free space on its disk"},
	}
}
