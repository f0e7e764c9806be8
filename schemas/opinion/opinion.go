// Package opinion asks a second validator, xeipuuv/gojsonschema, what it makes of a schema and of documents.
//
// It is independent of the one used at run time, so that a mistake of either shows. It is unmaintained and dies on hostile
// input, so it runs in a child process with bounds on time and memory, and only on what passed the gate.
package opinion

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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
	// Idle keeps a child for the next question; nil: each question waits for a child to start.
	Idle *Idle

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

// run asks a child that has answered before, and a new one where there is none or where it fails: that may have been
// the work of questions before.
func (a Asker) run(ctx context.Context, request []byte, documents int) (Opinion, error) {
	if c := a.Idle.take(); c != nil {
		if o, err := a.ask(ctx, c, request, documents); err == nil || ctx.Err() != nil {
			return o, err
		}
	}
	c, err := a.start()
	if err != nil {
		return Opinion{}, notStarted(err)
	}
	return a.ask(ctx, c, request, documents)
}

// ask puts one question to a child. A child that answers is kept for the next; any other is at its end.
func (a Asker) ask(ctx context.Context, c *child, request []byte, documents int) (Opinion, error) {
	limited, cancel := context.WithTimeout(ctx, cmp.Or(a.patience, wallClock))
	defer cancel()
	stop := context.AfterFunc(limited, c.kill)
	c.out.N = int64(answerRoom + 8*documents)
	go c.in.Write(request) // an error shows in the answer
	o, refusal, err := readAnswer(c.answers, documents)
	if stop() && err == nil {
		a.Idle.keep(c)
		return o, refusal
	}
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	state := c.end(cut)
	switch {
	case ctx.Err() != nil:
		return Opinion{}, givenUp(ctx.Err())
	case limited.Err() != nil:
		return Opinion{}, died(outOfTime, o, documents)
	case !cut || c.out.N <= 0 || state.Success():
		return Opinion{}, garbled()
	}
	return Opinion{}, died(deathOf(state, c.complaint.kept.Bytes()), o, documents)
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

// readAnswer reads the verdict on the schema, one on each document, and the mark behind them. refusal says why the child
// gives no opinion. What came before an error is in the opinion.
func readAnswer(d *json.Decoder, documents int) (o Opinion, refusal, err error) {
	var head verdict
	if err := d.Decode(&head); err != nil {
		return o, nil, err
	}
	switch head.Refused {
	case "":
	case refusedDraft:
		refusal = draftUnknown()
	default:
		refusal = unreadable()
	}
	if o.Accepted, o.Why = head.Accepted, head.Why; !o.Accepted {
		documents = 0
	}
	for range documents {
		var valid bool
		if err := d.Decode(&valid); err != nil {
			return o, nil, err
		}
		o.Valid = append(o.Valid, valid)
	}
	var mark string
	if err := d.Decode(&mark); err != nil {
		return o, nil, err
	}
	if mark != answered {
		return o, nil, errors.New("the answer goes on")
	}
	return o, refusal, nil
}
