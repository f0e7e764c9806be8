package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
)

// generatorVerb makes this program the load generator: a process of its own, so that profiles of the server show the server.
const generatorVerb = "generator"

// assignment is what a generator is to do; it travels on its standard input.
type assignment struct {
	Addr    string        `json:"addr"`
	Root    []byte        `json:"root,omitempty"` // PEM; none: plain HTTP
	Path    string        `json:"path,omitempty"`
	Gets    []string      `json:"gets,omitempty"` // paths to fetch at random; then nothing is posted to Path
	Token   string        `json:"token"`
	Holders int           `json:"holders"` // applicants to choose from
	Clients int           `json:"clients"`
	Warm    time.Duration `json:"warm"`
	Measure time.Duration `json:"measure"`
	Checked bool          `json:"checked"` // the answers are conclusions: each client reads its first one
}

// outcome is what came of it; it travels on standard output.
type outcome struct {
	figure
	All   int64         `json:"all"`   // requests answered, those of the warm-up included
	Bytes int64         `json:"bytes"` // of the bodies that were counted
	Took  time.Duration `json:"took"`
	Wrong string        `json:"wrong,omitempty"` // the first error
}

// drive runs a generator to its end.
func drive(ctx context.Context, a assignment) (outcome, error) {
	var out outcome
	self, err := os.Executable()
	if err != nil {
		return out, fmt.Errorf("start load generator: %w", err)
	}
	todo, err := json.Marshal(a)
	if err != nil {
		return out, fmt.Errorf("start load generator: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, generatorVerb)
	cmd.SysProcAttr = orphansDie()
	cmd.Stdin, cmd.Stderr = bytes.NewReader(todo), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("run load generator: %w", err)
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("read load generator's result: %w", err)
	}
	if out.Errors > 0 {
		return out, fmt.Errorf("%d of %d requests failed, the first: %s", out.Errors, out.Count, out.Wrong)
	}
	return out, nil
}

// generate is the child's side of drive.
func generate(in io.Reader, out io.Writer) error {
	var a assignment
	if err := json.NewDecoder(in).Decode(&a); err != nil {
		return fmt.Errorf("read assignment: %w", err)
	}
	var trust *tls.Config
	if len(a.Gets) == 0 {
		trust = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: serverName}
		if !trust.RootCAs.AppendCertsFromPEM(a.Root) {
			return errors.New("read assignment: no certificate in it")
		}
	}
	began := time.Now()
	from, until := began.Add(a.Warm), began.Add(a.Warm+a.Measure)
	clients := make([]client, a.Clients)
	var work sync.WaitGroup
	for i := range clients {
		clients[i] = client{assignment: &a, tls: trust, draw: rand.New(rand.NewPCG(1, uint64(i)))}
		work.Go(func() { clients[i].ask(from, until) })
	}
	work.Wait()
	return json.NewEncoder(out).Encode(sum(clients, a.Measure))
}

func sum(clients []client, measure time.Duration) outcome {
	var o outcome
	var times []time.Duration
	for i := range clients {
		c := &clients[i]
		o.All += c.all
		o.Bytes += c.bytes
		times = append(times, c.times...)
		if c.err != nil {
			o.Errors++
			o.Wrong = c.err.Error()
		}
	}
	o.Count, o.Took = int64(len(times)), measure
	o.Rate = float64(o.Count) / measure.Seconds()
	o.P50, o.P99 = percentiles(times)
	return o
}

// client asks one question after the other on one connection. It writes and reads HTTP/1.1 itself: an ordinary HTTP client takes
// more of the two processors than some of the servers that are measured, and pgbench, the peer's generator, takes next to nothing.
type client struct {
	*assignment
	tls  *tls.Config // nil: plain HTTP
	draw *rand.Rand

	times []time.Duration
	all   int64
	bytes int64
	err   error // ends the client
}

func (c *client) ask(from, until time.Time) {
	conn, err := c.dial()
	if err != nil {
		c.err = err
		return
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 16<<10)
	var request, body []byte
	for {
		began := time.Now()
		if began.After(until) {
			return
		}
		holder := 0
		if c.Gets != nil {
			request = c.fetch(request[:0])
		} else {
			holder = c.draw.IntN(c.Holders)
			request = c.request(request[:0], holder)
		}
		if _, c.err = conn.Write(request); c.err != nil {
			return
		}
		status, answer, err := readResponse(r, body[:0])
		if c.err = c.judge(holder, status, answer, err); c.err != nil {
			return
		}
		body = answer
		c.all++
		if began.After(from) {
			c.times = append(c.times, time.Since(began))
			c.bytes += int64(len(body))
		}
	}
}

func (c *client) dial() (net.Conn, error) {
	if c.tls == nil {
		return net.Dial("tcp", c.Addr)
	}
	return tls.Dial("tcp", c.Addr, c.tls)
}

func (c *client) fetch(b []byte) []byte {
	return fmt.Appendf(b, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n\r\n", c.Gets[c.draw.IntN(len(c.Gets))], c.Addr, registryMedia)
}

// request asks for an applicant's own case, as clerks do: all applicants in one case would be one that no city's limits let pass.
func (c *client) request(b []byte, holder int) []byte {
	body, err := json.Marshal(api.QueryRequest{Case: fmt.Sprintf("BENCH-%06d", holder), Item: benchItem, Applicant: applicant(holder)})
	if err != nil { // of three strings
		panic(err)
	}
	b = fmt.Appendf(b, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		c.Path, serverName, c.Token, len(body))
	return append(b, body...)
}

// judge errs for anything but a right answer. The first conclusion is looked into: five materials held and one not.
func (c *client) judge(holder, status int, body []byte, err error) error {
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d: %.300s", status, body)
	}
	if !c.Checked || c.all > 0 {
		return nil
	}
	if c.Gets != nil {
		return judgeSchema(body)
	}
	var conclusion broker.Conclusion
	if err := json.Unmarshal(body, &conclusion); err != nil {
		return fmt.Errorf("read conclusion: %w", err)
	}
	if len(conclusion.Answers) != len(forms) || conclusion.Receipt.ID == "" {
		return fmt.Errorf("conclusion of %d answers with receipt %q", len(conclusion.Answers), conclusion.Receipt.ID)
	}
	for i, answer := range conclusion.Answers {
		want := exchange.Held
		if i == lacks(holder) {
			want = exchange.Supply
		}
		if answer.Outcome != want {
			return fmt.Errorf("material %s: %s %s, want %s", answer.Material, answer.Outcome, answer.Reason, want)
		}
	}
	return nil
}
