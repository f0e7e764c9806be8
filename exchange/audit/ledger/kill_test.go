package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// The test binary is also the sequencer that is killed: with this variable set it sequences a file of messages and kills itself, as
// kill -9 would, at the point named.
const killVariable = "YIMEN_TEST_KILL_LEDGER"

func TestMain(m *testing.M) {
	if spec := os.Getenv(killVariable); spec != "" {
		doomed(spec)
	}
	os.Exit(m.Run())
}

func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// killMessages is enough for several batches of the size below and for tiles above the first level's.
const killMessages, killBatch = 1000, 97

// doomed sequences in this process until it dies, or to the end. Points: "append 3" dies after the third batch is in the tree and
// before it is in the index, "commit 3" after both, "publish 3" after the third checkpoint, "time 1234" after so many microseconds.
func doomed(spec string) {
	part := strings.Split(spec, " ") // point, count, directory, file of messages
	n, _ := strconv.Atoi(part[1])
	count := func(point string) {
		if part[0] == point {
			if n--; n == 0 {
				die()
			}
		}
	}
	topic := readTopic(part[3])
	l, err := Open(context.Background(), Config{Dir: part[2], Origin: origin, Key: always(logKey), Topic: topic, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if part[0] == "time" {
		time.AfterFunc(time.Duration(n)*time.Microsecond, die)
	}
	for err == nil && l.sequenced.Load() < killMessages {
		from := int64(l.sequenced.Load())
		msgs, _, _ := topic.page(from)
		msgs = msgs[:min(len(msgs), killBatch)]
		b := batch{ledger: l, at: uint64(from), fresh: map[string][32]byte{}, count: map[leafKind]int{}}
		for i := range msgs {
			err = errors.Join(err, b.add(context.Background(), &msgs[i]))
		}
		err = errors.Join(err, l.tree.append(uint64(from), b.leaves))
		count("append")
		err = errors.Join(err, l.index.commit(b.rows, b.at))
		count("commit")
		l.sequenced.Store(b.at)
		err = errors.Join(err, l.round(context.Background()))
		count("publish")
	}
	fmt.Println(err)
	os.Exit(0)
}

func readTopic(path string) *fakeTopic {
	topic := newTopic()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &topic.msgs)
	}
	if err != nil {
		panic(err)
	}
	return topic
}

// killTopic is a file of messages, most of them entries.
func killTopic(t *testing.T) string {
	t.Helper()
	w := newWorld(t)
	w.ask(killMessages - 3)
	w.topic.Append(t.Context(), "", []exchange.Message{w.topic.msgs[5], w.topic.msgs[990], {Key: []byte("x"), Value: []byte("y")}})
	file := filepath.Join(t.TempDir(), "messages")
	raw, err := json.Marshal(w.topic.msgs)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestKilledAnywhereTheLogIsWhole(t *testing.T) {
	file := killTopic(t)
	points := []string{"append 1", "append 4", "commit 1", "commit 6", "publish 1", "publish 7"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 8 { // wherever it is just then: amid files, above all
		points = append(points, fmt.Sprint("time ", 200+random.IntN(60_000)))
	}
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), killVariable+"="+point+" "+dir+" "+file)
			out, err := child.CombinedOutput()
			if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL && !strings.HasPrefix(point, "time") {
				t.Fatalf("the sequencer did not die at %q: %v %s", point, err, out)
			}
			recovered(t, dir, file)
		})
	}
}

// Every file gets its name by a rename, so that a crash at each of them is a crash at every point that matters to the disk.
func TestKilledAtEveryRename(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil || os.Getenv("YIMEN_TEST_LONG") == "" {
		t.Skip("needs strace and YIMEN_TEST_LONG=1")
	}
	file := killTopic(t)
	killed := 0
	for n := 1; n <= 80; n++ {
		dir := t.TempDir()
		child := exec.Command(strace, "-f", "-qqq", "-o", "/dev/null", "-e", fmt.Sprintf("inject=rename,renameat,renameat2:signal=KILL:when=%d", n), os.Args[0])
		child.Env = append(os.Environ(), killVariable+"=none 0 "+dir+" "+file)
		if out, err := child.CombinedOutput(); err != nil {
			killed++
		} else if n == 1 {
			t.Fatalf("nothing was killed: %s", out)
		}
		recovered(t, dir, file)
	}
	t.Logf("killed %d times", killed)
}

// recovered goes on where a killed sequencer stopped, and demands that there is one leaf for each message and one for each entry.
func recovered(t *testing.T, dir, file string) {
	t.Helper()
	w := newWorld(t)
	w.topic = readTopic(file)
	w.cfg.Topic, w.cfg.Dir = w.topic, dir
	before, err := os.ReadFile(filepath.Join(dir, logDir, "checkpoint"))
	if err != nil {
		before = nil
	}
	w.open()
	w.fill()
	v := w.verification()
	v.Earlier = before // what was published is a beginning of what there is
	r := w.sound(v)
	if r.Size != killMessages || r.Leaves["entry"] != killMessages-3 || r.Leaves["again"] != 2 || r.Leaves["stray"] != 1 {
		t.Errorf("%+v", r)
	}
	w.close()
	w.sound(w.verification())
}
