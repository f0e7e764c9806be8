package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange/node"
)

// The row of the design's table on the registry: what is asked for at first, and the aim. Lookups a second; the others as
// times.
const (
	firstLookups, aimLookups = 10_000, 20_000
	firstCheck, aimCheck     = 20 * time.Millisecond, 5 * time.Millisecond
	firstEntry, aimEntry     = 20 * time.Millisecond, 10 * time.Millisecond
)

const (
	registryMedia = "application/vnd.schemaregistry.v1+json"
	benchSubject  = "bench-value"
	lookupIDs     = 10 // versions that are looked up
)

// registryRun is what came of one registry.
type registryRun struct{ lookup, check, refusal, entry figure }

// measureRegistry asks Yimen's registry and Apicurio's the same by the same client, one after the other.
func measureRegistry(ctx context.Context, b *bench) error {
	what := fmt.Sprintf("registry, %d-property JSON schema: ", schemaProperties)
	sections := [4]*section{
		{What: what + fmt.Sprintf("look-up by id over HTTP, %d connections", b.clients)},
		{What: what + "compatibility check of a compatible schema, one after the other"},
		{What: what + "compatibility check of an incompatible schema, one after the other"},
		{What: what + "registration under BACKWARD in one subject, one after the other"},
	}
	b.report.Sections = append(b.report.Sections, sections[:]...)
	peer, err := b.registryOfApicurio(ctx, sections[0])
	if err != nil {
		return err
	}
	runs, err := b.registryOfOurs(ctx, sections[0])
	if err != nil {
		return err
	}
	for i, s := range sections {
		theirs := peer.figures()[i]
		for _, run := range runs {
			s.add(run.figures()[i].judged(i))
		}
		if theirs.Rate > 0 {
			s.add(theirs)
		}
		for _, run := range runs {
			s.against(run.figures()[i], theirs, 0, 0)
		}
	}
	return nil
}

func (r registryRun) figures() [4]figure { return [4]figure{r.lookup, r.check, r.refusal, r.entry} }

// judged says how a figure of ours stands to what the design asks for; i is its place in the report.
func (f figure) judged(i int) figure {
	mean := time.Duration(0)
	if f.Rate > 0 {
		mean = time.Duration(float64(time.Second) / f.Rate)
	}
	met := func(aim bool) string { return map[bool]string{true: "met", false: "not met"}[aim] }
	switch i {
	case 0:
		f.Note = fmt.Sprintf("first ≥ %s/s %s, aim ≥ %s/s %s", thousands(firstLookups), met(f.Rate >= firstLookups), thousands(aimLookups), met(f.Rate >= aimLookups))
	case 1, 2:
		f.Note = fmt.Sprintf("mean: first ≤ %v %s, aim ≤ %v %s", firstCheck, met(mean <= firstCheck), aimCheck, met(mean <= aimCheck))
	case 3:
		f.Note = fmt.Sprintf("mean: first ≤ %v %s, aim ≤ %v %s", firstEntry, met(mean <= firstEntry), aimEntry, met(mean <= aimEntry))
	}
	return f
}

// registryOfApicurio gives the peer's figures, nothing where it is not there.
func (b *bench) registryOfApicurio(ctx context.Context, s *section) (run registryRun, err error) {
	archive, missing := findApicurio(b.apicurio)
	if missing != nil {
		s.Skipped = append(s.Skipped, missing.Error())
		return run, nil
	}
	b.report.Machine["apicurio"], b.report.Machine["java"] = apicurioVersion, javaVersion()
	b.say("Apicurio Registry: starting")
	a, err := startApicurio(ctx, archive, filepath.Join(b.dir, "apicurio"))
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, a.stop()) }()
	return b.measureRegistryAt(ctx, registryClient{name: "Apicurio Registry " + apicurioVersion, base: a.base})
}

// registryOfOurs measures ours on the embedded broker and on a real one.
func (b *bench) registryOfOurs(ctx context.Context, s *section) ([]registryRun, error) {
	id, err := newIdentity(b.dir)
	if err != nil {
		return nil, err
	}
	embedded, err := b.registryOfNode(ctx, id.plain(), "embedded broker")
	if err != nil {
		return nil, err
	}
	runs := []registryRun{embedded}
	if err := checkJars(b.jars); err != nil {
		s.Skipped = append(s.Skipped, "on Apache Kafka: "+err.Error())
		return runs, nil
	}
	b.report.Machine["kafka"], b.report.Machine["java"] = kafkaVersion(b.jars), javaVersion()
	k, err := startKafka(ctx, b.jars, filepath.Join(b.dir, "kafka-registry"))
	if err != nil {
		return nil, err
	}
	onKafka, err := b.registryOfNode(ctx, id.plain(), "Apache Kafka", k.addr)
	return append(runs, onKafka), errors.Join(err, k.stop())
}

func (b *bench) registryOfNode(ctx context.Context, id identityFiles, on string, brokers ...string) (run registryRun, err error) {
	data := filepath.Join(b.dir, "registry")
	n, err := b.startNode(ctx, id, data, brokers...)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, n.Close(), os.RemoveAll(data)) }()
	return b.measureRegistryAt(ctx, registryClient{name: "Yimen on " + on, base: n.URL() + node.RegistryPath, token: id.token, own: true})
}

// measureRegistryAt takes all figures of one registry, in the order in which each rests on the one before.
func (b *bench) measureRegistryAt(ctx context.Context, c registryClient) (run registryRun, err error) {
	b.say("%s: look-ups", c.name)
	if err := c.put(ctx, "/config", `{"compatibility":"BACKWARD"}`); err != nil {
		return run, err
	}
	ids, err := c.begin(ctx)
	if err != nil {
		return run, err
	}
	if run.lookup, err = b.lookups(ctx, c, ids); err != nil {
		return run, fmt.Errorf("look up schemas in %s: %w", c.name, err)
	}
	b.say("%s: checks and registrations", c.name)
	// No candidate is given twice, so that what was registered was not checked before.
	next, fresh := lookupIDs, lookupIDs+2*b.candidates
	if run.check, err = b.oneByOne(ctx, c, "check", func(n int) error { return c.test(ctx, wider(next+n), true) }); err != nil {
		return run, err
	}
	if run.refusal, err = b.oneByOne(ctx, c, "refusal", func(n int) error { return c.test(ctx, narrower(n), false) }); err != nil {
		return run, err
	}
	run.entry, err = b.oneByOne(ctx, c, "registration", func(n int) error {
		_, err := c.register(ctx, wider(fresh+n))
		return err
	})
	return run, err
}

func (b *bench) lookups(ctx context.Context, c registryClient, ids []int) (figure, error) {
	base, err := url.Parse(c.base)
	if err != nil {
		return figure{}, err
	}
	warm := max(b.warm, 5*time.Second) // a Java program gets faster for that long
	a := assignment{Addr: base.Host, Clients: b.clients, Warm: warm, Measure: b.measure, Checked: true}
	for _, id := range ids {
		a.Gets = append(a.Gets, fmt.Sprintf("%s/schemas/ids/%d", base.Path, id))
	}
	var out outcome
	spent, err := b.profiled(c.profile("lookup"), func() (err error) {
		out, err = drive(ctx, a)
		return err
	})
	f := out.figure
	f.Name = c.name
	if c.own {
		f.cost = spent.each(out.All)
	}
	return f, err
}

// oneByOne does the same with one schema after the other, and measures the later two thirds.
func (b *bench) oneByOne(ctx context.Context, c registryClient, what string, do func(n int) error) (figure, error) {
	warm := max(1, b.candidates/2)
	times := make([]time.Duration, 0, b.candidates)
	all := func(from, to int) error {
		for n := from; n < to; n++ {
			began := time.Now()
			if err := do(n); err != nil {
				return fmt.Errorf("%s %d at %s: %w", what, n, c.name, err)
			}
			if from > 0 {
				times = append(times, time.Since(began))
			}
		}
		return ctx.Err()
	}
	if err := all(0, warm); err != nil {
		return figure{}, err
	}
	began := time.Now()
	spent, err := b.profiled(c.profile(what), func() error { return all(warm, warm+b.candidates) })
	if err != nil {
		return figure{}, err
	}
	f := figure{Name: c.name, Rate: float64(len(times)) / time.Since(began).Seconds(), Count: int64(len(times))}
	f.P50, f.P99 = percentiles(times)
	if c.own {
		f.cost = spent.each(f.Count)
	}
	return f, nil
}

// registryClient speaks Confluent's API.
type registryClient struct {
	name  string
	base  string
	token string // none: nobody is asked who he is
	own   bool   // the registry is in this process
}

func (c registryClient) profile(what string) string {
	return "registry-" + what + "-" + strings.ToLower(c.name[strings.LastIndexByte(c.name, ' ')+1:])
}

// begin registers the versions that are looked up, and gives their ids.
func (c registryClient) begin(ctx context.Context) (ids []int, err error) {
	for n := range lookupIDs {
		id, err := c.register(ctx, wider(n))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (c registryClient) register(ctx context.Context, schema string) (int, error) {
	var answer struct{ ID int }
	err := c.post(ctx, "/subjects/"+benchSubject+"/versions", schema, &answer)
	if err == nil && answer.ID == 0 {
		err = errors.New("register schema: no id")
	}
	return answer.ID, err
}

// test asks whether a schema is compatible with the latest version, and errs where the answer is another than expected.
func (c registryClient) test(ctx context.Context, schema string, compatible bool) error {
	var answer struct {
		Compatible *bool `json:"is_compatible"`
	}
	err := c.post(ctx, "/compatibility/subjects/"+benchSubject+"/versions/latest", schema, &answer)
	if err == nil && (answer.Compatible == nil || *answer.Compatible != compatible) {
		err = fmt.Errorf("check schema: the answer is not %v", compatible)
	}
	return err
}

func (c registryClient) post(ctx context.Context, path, schema string, answer any) error {
	body, err := json.Marshal(map[string]string{"schemaType": "JSON", "schema": schema})
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, body, answer)
}

func (c registryClient) put(ctx context.Context, path, body string) error {
	return c.call(ctx, http.MethodPut, path, []byte(body), &struct{}{})
}

func (c registryClient) call(ctx context.Context, method, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", registryMedia)
	r.Header.Set("Accept", registryMedia)
	if c.token != "" {
		r.SetBasicAuth("bench", c.token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d: %.300s", method, path, response.StatusCode, text)
	}
	return json.Unmarshal(text, answer)
}
