package witness

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// The test binary is also the witness that is killed: with this variable set it cosigns one checkpoint after the other and writes
// down each size whose cosignature was given.
const killVariable = "YIMEN_TEST_KILL_WITNESS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killVariable); dir != "" {
		doomed(dir)
	}
	os.Exit(m.Run())
}

func doomed(dir string) {
	t := &testing.T{}
	l := newLog(t, "a")
	w := open(t, dir, l)
	last := int64(w.logs[origin].last.size)
	for {
		size := last + 1
		if answer := post(w, l.request(last, size)); answer.Code != http.StatusOK {
			fmt.Println("refused", answer.Code)
			os.Exit(1)
		}
		fmt.Println(size)
		last = size
	}
}

func TestKilledItHasKeptWhatItSigned(t *testing.T) {
	dir, l := t.TempDir(), newLog(t, "a")
	for round := range 6 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), killVariable+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		signed := int64(0)
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ { // what was written before the end is read to the end
			if signed, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
				t.Fatalf("the witness said %q", lines.Text())
			}
			if n == 5+round*3 {
				child.Process.Kill()
			}
		}
		if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the witness was not killed: %v", err)
		}
		w := open(t, dir, l)
		kept := int64(w.logs[origin].last.size)
		if kept < signed || kept > signed+1 {
			t.Errorf("it signed %d and kept %d", signed, kept)
		}
		if code := post(w, newLog(t, "b").request(signed, signed)).Code; code != statusConflict {
			t.Errorf("another history: %d", code)
		}
		cosigns(t, w, l, kept, kept+1)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
