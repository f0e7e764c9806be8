package main

import (
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onedoor/yimen/schemas/opinion"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

func TestMain(m *testing.M) {
	opinion.AnswerIfAsked()
	testscript.Main(m, map[string]func(){"yimen": main})
}

// TestScripts runs each file of testdata/script as a person at a shell would.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               freePorts,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "await": await, "capture": capture, "join": join, "soon": soon},
	})
}

// freePorts gives each script an address for HTTP and one for Kafka, and the public key of some audit log.
func freePorts(env *testscript.Env) error {
	env.Setenv("VKEY", "liling.yimen/audit+e4c2edd7+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU")
	for _, name := range []string{"HTTP", "DEPTS", "KAFKA"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer listener.Close() // not before both are found, lest they be the same
		env.Setenv(name, listener.Addr().String())
	}
	return nil
}

// await waits for a file that a command in the background writes when it is ready: await city/applicant.txt.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await file")
	}
	for range 600 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s is not there after 30 s", args[0])
}

// soon runs a command again until it prints a text, since the ledger follows the log: soon identity-revoke yimen audit search.
func soon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: soon text command...")
	}
	for range 100 {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%s is not printed after 10 s", args[0])
}

// capture keeps what the last command printed as a variable: capture FINGERPRINT.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: capture NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// join enrols an adapter with the demo whose data directory is city: join wjw/trial city.
func join(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: join adapter data")
	}
	server := "http://" + ts.Getenv("HTTP")
	ts.Check(ts.Exec("yimen", "identity", "fingerprint", "--server", server, "-o", "name"))
	fingerprint := strings.TrimSpace(ts.ReadFile("stdout"))
	ts.Check(ts.Exec("yimen", "identity", "invite", args[0], "--token", "@city/admin.token", "--server", server, "-o", "name"))
	ts.Check(os.WriteFile(ts.MkAbs("join.token"), []byte(ts.ReadFile("stdout")), 0o600))
	ts.Check(ts.Exec("yimen", "enroll", "--server", "https://"+ts.Getenv("DEPTS"), "--fingerprint", fingerprint, "--token", "@join.token", "--data", args[1]))
}

// exits runs a command and demands its exit code: exits 5 yimen item show none.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}
