// Command bench measures Yimen against its peers, which it starts itself, in one run on one machine, and prints the ratios.
//
// The machine's load, its disk and its clock change every figure; a ratio of two figures of the same run changes least. On a
// busy machine the scheduler gives PostgreSQL's many processes a larger share than our one: look at the load that is printed, and
// at the processor time for each query. Nothing here is a test: it fails only where something could not be measured, or an
// answer was wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/onedoor/yimen/schemas/opinion"
)

// options are what can be chosen on the command line.
type options struct {
	records, clients int
	warm, measure    time.Duration
	rows, partitions int
	cacheMiB         int
	jars, apicurio   string
	candidates       int
	alone            bool
	cpu, mem         string
	output           string
}

const usage = `usage: go run ./test/bench query|ingest|registry|all [flags]

  query    audited query over HTTPS, 6 materials, against PostgreSQL (pgbench) and a bare Go HTTPS handler
  ingest   CSV file until visible in the index, against Kafka's ProducerPerformance; index rebuild
  registry 200-property JSON schema: look-up by id, compatibility check, registration, against Apicurio Registry
  all      all of them

./test/bench/run installs or finds what the peers need. Full size: -records 1000000 -rows 1000000.

flags:
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == generatorVerb {
		exit(generate(os.Stdin, os.Stdout))
	}
	if len(os.Args) > 1 && os.Args[1] == opinion.Verb { // the node in this process starts it when a schema is registered
		exit(opinion.Answer(os.Stdin, os.Stdout))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // as the command does
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Args[1:]))
}

func exit(err error) {
	switch {
	case err == nil:
		os.Exit(0)
	case errors.Is(err, flag.ErrHelp), errors.Is(err, errUsage):
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

var errUsage = errors.New("usage")

func parse(args []string) (string, options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.Usage = func() { fmt.Fprint(f.Output(), usage); f.PrintDefaults() }
	f.IntVar(&o.records, "records", 200_000, "records in the index that is queried, and rows in PostgreSQL")
	f.IntVar(&o.clients, "clients", 64, "clients that ask at the same time")
	f.DurationVar(&o.warm, "warm", 2*time.Second, "time to warm up before measuring")
	f.DurationVar(&o.measure, "measure", 10*time.Second, "time to measure queries")
	f.IntVar(&o.rows, "rows", 300_000, "rows of the CSV file")
	f.IntVar(&o.partitions, "partitions", 8, "partitions of each evidence topic, and of the peer's")
	f.IntVar(&o.cacheMiB, "cache", 0, "memory of our index's cache in MiB; 0: as a node has it by default")
	f.StringVar(&o.jars, "kafka", defaultJars(), "folder with Kafka's jars")
	f.IntVar(&o.candidates, "candidates", 300, "schemas that are checked, and registered, in each measurement; half as many before it, to warm up")
	f.StringVar(&o.apicurio, "apicurio", cached(apicurioFolder), "folder with Apicurio Registry, or its archive")
	f.BoolVar(&o.alone, "alone", false, "query: measure ours without its peers, to see what a change of the code does")
	f.StringVar(&o.cpu, "cpuprofile", "", "write CPU profiles of this process to `PREFIX`-NAME.pprof, one for each measurement")
	f.StringVar(&o.mem, "memprofile", "", "write allocation profiles to `PREFIX`-NAME.pprof")
	f.StringVar(&o.output, "o", "table", "table or json")
	if len(args) == 0 {
		f.Usage()
		return "", o, errUsage
	}
	verb := args[0]
	if verb == "-h" || verb == "--help" || verb == "help" {
		f.Usage()
		return "", o, flag.ErrHelp
	}
	if err := f.Parse(args[1:]); err != nil {
		return "", o, errUsage // flag has said why
	}
	if f.NArg() > 0 || (o.output != "table" && o.output != "json") || o.records < holdersShare || o.clients < 1 || o.rows < 1 || o.partitions < 1 || o.candidates < 1 {
		f.Usage()
		return "", o, errUsage
	}
	return verb, o, nil
}

// defaultJars is where ./test/run keeps them.
func defaultJars() string {
	if dir := os.Getenv("YIMEN_TEST_KAFKA"); dir != "" {
		return dir
	}
	return cached("kafka-4.1.1")
}

// cached is a folder of the cache, "" where there is none.
func cached(name string) string {
	cache := os.Getenv("YIMEN_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir() // honours XDG_CACHE_HOME
		if err != nil {
			return ""
		}
		cache = filepath.Join(base, "yimen")
	}
	return filepath.Join(cache, name)
}

func run(ctx context.Context, args []string) (err error) {
	verb, o, err := parse(args)
	if err != nil {
		return err
	}
	rows := map[string][]func(context.Context, *bench) error{
		"query": {measureQuery}, "ingest": {measureIngest}, "registry": {measureRegistry}, "all": {measureQuery, measureIngest, measureRegistry},
	}[verb]
	if rows == nil {
		fmt.Fprint(os.Stderr, usage)
		return errUsage
	}
	dir, err := os.MkdirTemp("", "yimen-bench-")
	if err != nil {
		return fmt.Errorf("make temporary directory: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, report: report{Machine: machine()}}
	for _, row := range rows {
		if err := row(ctx, b); err != nil {
			return err
		}
	}
	b.report.Machine["load after"] = load()
	return b.report.print(os.Stdout, o.output)
}

// bench is one run.
type bench struct {
	options
	dir    string // all files of the run; removed at its end
	report report
}

// say tells what is being done: a run takes minutes.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
