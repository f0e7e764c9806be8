// Command yimen is the hand tool and the server of the evidence exchange: it describes, checks,
// publishes and queries what a city's departments have issued.
//
// Standard output carries data, standard error carries talk, and the exit code says how it ended:
// see "yimen help exit-codes" and "yimen help output".
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/onedoor/yimen/schemas/opinion"
)

func main() {
	opinion.AnswerIfAsked()
	leaveNoCore()
	collectSeldom(os.Getenv)
	os.Exit(int(interruptible()))
}

// collectSeldom lets the heap grow to four times what lives before it is collected, unless GOGC says otherwise. Rows and
// queries leave much that dies at once and little that stays: this buys about a fifth of the speed of both for a few
// hundred megabytes.
func collectSeldom(env func(string) string) {
	if env("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}

// interruptible runs the command until it ends by itself or by a signal. The first signal asks it to stop, a
// second one finds the default handling restored and kills it.
func interruptible() code {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	return run(ctx, here(), os.Args[1:])
}

// here is the process as the operating system started it.
func here() process {
	build, _ := debug.ReadBuildInfo()
	p := process{
		in: os.Stdin, out: os.Stdout, talk: os.Stderr,
		env:     os.Getenv,
		outTTY:  term.IsTerminal(int(os.Stdout.Fd())),
		talkTTY: term.IsTerminal(int(os.Stderr.Fd())),
		now:     time.Now,
		build:   build,
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		p.hidden = readUnseen
	}
	return p
}
