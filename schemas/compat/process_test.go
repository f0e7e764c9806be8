package compat_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/onedoor/yimen/schemas/compat"
)

// manyVerdicts has the test program print what it says of many pairs, and nothing else.
const manyVerdicts = "YIMEN_TEST_VERDICTS"

// TestSameInEveryProcess: verdicts are the same to the byte in other processes, whose maps are in another order.
func TestSameInEveryProcess(t *testing.T) {
	if os.Getenv(manyVerdicts) != "" {
		fmt.Printf("verdicts %x\n", verdicts())
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("verdicts %x", verdicts())
	for range 3 {
		cmd := exec.Command(program, "-test.run=^TestSameInEveryProcess$")
		cmd.Env = append(os.Environ(), manyVerdicts+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("another process says otherwise (%v):\n%s\nwant %s", err, out, want)
		}
	}
}

func verdicts() []byte {
	sum := sha256.New()
	for seed := range uint64(250) {
		p, ok := newPair(seed + 1_000_000)
		if !ok {
			continue
		}
		for _, policy := range []compat.Policy{compat.Strict, compat.Lenient} {
			fmt.Fprintln(sum, seed, policy, text(compat.Check(p.old, p.new, policy)))
		}
	}
	return sum.Sum(nil)
}
