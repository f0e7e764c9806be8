// Package opinion asks a second validator, xeipuuv/gojsonschema, what it makes of a schema and of documents.
//
// It is independent of the one used at run time, so that a mistake of either shows. It is unmaintained and dies on hostile
// input, so it runs in a child process with bounds on time and memory, and only on what passed the gate.
package opinion

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Verb is the first argument of the child process: the program calls Answer when it is started with it. AnswerIfAsked does.
const Verb = "second-opinion"

// Asker starts the child processes.
type Asker struct {
	// Command is the program and its arguments that call Answer; empty: this program with Verb.
	Command []string
	// Slots has room for as many children as may run at once, each with up to 256 MiB; nil: no bound.
	Slots chan struct{}

	patience time.Duration // 0: wallClock
}

// Question is a schema and the documents to judge by it. All of them have passed the gate.
type Question struct {
	Schema     []byte            `json:"schema"`
	References map[string][]byte `json:"references,omitempty"` // schemas that are named in $ref, under those names
	Documents  [][]byte          `json:"documents,omitempty"`
}

// Opinion is what the second validator says.
type Opinion struct {
	Accepted bool   // it takes the schema
	Why      string // why not; of the schema only, never of a document
	Valid    []bool // for each document, where the schema is accepted
}

// The bounds of one child.
const (
	wallClock  = 10 * time.Second
	mostAsked  = 16 << 20 // bytes of a question's texts, and of documents in the child
	mostStderr = 16 << 10 // what is kept, to find the cause of a death in it
	answerRoom = 64 << 10 // bytes of an answer beside the verdicts
)

// marked is in the environment of a child. A program that does not know Verb would run as usual, ask in its turn, and so on
// without end.
const marked = "YIMEN_SECOND_OPINION"

// Ask asks about a schema of draft 04, 06 or 07 and about documents. The error says that there is no opinion: the child
// process died, ran out of time or memory, or does not know the draft. It is an *exchange.Problem of the kind Unavailable
// that holds nothing of the documents.
func (a Asker) Ask(ctx context.Context, question Question) (Opinion, error) {
	if question.size() > mostAsked {
		return Opinion{}, tooMuch()
	}
	request, err := json.Marshal(question)
	if err != nil {
		return Opinion{}, fmt.Errorf("write question: %w", err)
	}
	if a.Slots != nil {
		select {
		case a.Slots <- struct{}{}:
			defer func() { <-a.Slots }()
		case <-ctx.Done():
			return Opinion{}, givenUp(ctx.Err())
		}
	}
	return a.run(ctx, request, len(question.Documents))
}

func (q Question) size() int {
	n := len(q.Schema)
	for name, text := range q.References {
		n += len(name) + len(text)
	}
	for _, d := range q.Documents {
		n += len(d)
	}
	return n
}

// run starts one child, waits for its end and reads what it wrote.
func (a Asker) run(ctx context.Context, request []byte, documents int) (Opinion, error) {
	command, err := a.command()
	if err != nil {
		return Opinion{}, notStarted(err)
	}
	limited, cancel := context.WithTimeout(ctx, cmp.Or(a.patience, wallClock))
	defer cancel()
	cmd := exec.CommandContext(limited, command[0], command[1:]...)
	cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none", marked + "=1"} // one core; no memory dumped into stderr
	cmd.Stdin = bytes.NewReader(request)
	out := &room{left: answerRoom + 8*documents, full: cancel}
	complaint := &room{left: mostStderr, full: func() {}}
	cmd.Stdout, cmd.Stderr = out, complaint
	cmd.WaitDelay = time.Second // where the child left a process that holds its output
	if err := cmd.Start(); err != nil {
		return Opinion{}, notStarted(err)
	}
	err = cmd.Wait()
	o, read := readAnswer(out.kept.Bytes(), documents)
	switch {
	case ctx.Err() != nil:
		return Opinion{}, givenUp(ctx.Err())
	case out.overflowed:
		return Opinion{}, garbled()
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return Opinion{}, died(outOfTime, o, documents)
	case err != nil:
		return Opinion{}, died(deathOf(cmd.ProcessState, complaint.kept.Bytes()), o, documents)
	}
	return o, read
}

func (a Asker) command() ([]string, error) {
	if os.Getenv(marked) != "" {
		return nil, errors.New("this process is such a child itself, and was to call AnswerIfAsked")
	}
	if len(a.Command) > 0 {
		return a.Command, nil
	}
	program, err := os.Executable()
	return []string{program, Verb}, err
}

// readAnswer reads the verdict on the schema and one on each document. What came before an error is in the opinion.
func readAnswer(text []byte, documents int) (Opinion, error) {
	var o Opinion
	var head verdict
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&head); err != nil {
		return o, garbled()
	}
	switch head.Refused {
	case "":
	case refusedDraft:
		return o, draftUnknown()
	default:
		return o, unreadable()
	}
	o.Accepted, o.Why = head.Accepted, head.Why
	if !o.Accepted {
		documents = 0
	}
	for range documents {
		var valid bool
		if err := d.Decode(&valid); err != nil {
			return o, garbled()
		}
		o.Valid = append(o.Valid, valid)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, garbled()
	}
	return o, nil
}

// room keeps what is written to it up to a bound.
type room struct {
	kept       bytes.Buffer
	left       int
	full       func() // called when more is written than there is room for
	overflowed bool
}

func (r *room) Write(p []byte) (int, error) {
	n := min(len(p), r.left)
	r.kept.Write(p[:n])
	r.left -= n
	if n < len(p) && !r.overflowed {
		r.overflowed = true
		r.full()
	}
	return len(p), nil // the child is not to hang on it
}
