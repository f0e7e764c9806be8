package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	oteltrace "go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/node"
)

// demonstration is how a demo is to run.
type demonstration struct {
	data, http, kafka string
	departments       string
	crypto, traces    string
	tracer            oteltrace.Tracer // of the adapters
	people            int
	seed              uint64
	once, verbose     bool
	temporary         bool // the data directory goes with the demo
}

// The size of a city.
const (
	fewest = 300 // in a smaller one, some register is likely to have no rows
	most   = 5_000_000
)

func (s *session) demoVerb() verb {
	var how demonstration
	return verb{
		use:   "demo",
		short: both("一条命令跑起整个平台：内嵌 Kafka、虚构城市、适配器、核验", "the whole exchange in one command: embedded Kafka, a made-up city, adapters, queries"),
		long: both("在一个进程里启动内嵌 Kafka 和一座虚构的城市：各部门导出文件，适配器读取、检查、发布，然后为一位自然人和一家企业各做一次核验。之后继续服务，直到按 Ctrl-C。\n城市里的人和企业都是编造的。",
			"Starts, in one process, an embedded Kafka and a made-up city: its departments export files, adapters read, check and publish them, and then one person and one company are queried. It goes on serving until Ctrl-C.\nAll people and companies are invented."),
		example: "yimen demo\nyimen demo --once\nyimen demo --people 200000 --data ./city",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&how.data, "data", "", s.t("数据目录 `DIR`，保留下来供下次接着用；默认用临时目录", "keep the data in `DIR` and go on from there next time; by default a temporary directory"))
			f.StringVar(&how.http, "http", node.DefaultHTTP, s.t("HTTP 地址 `ADDR`，端口 0 为自动选择", "HTTP `ADDR`; port 0 picks a free one"))
			f.StringVar(&how.departments, "departments", node.DefaultDepartments, s.t("部门地址 `ADDR`（HTTPS、证书、入网），端口 0 为自动选择", "the `ADDR` for departments (HTTPS, certificates, enrolment); port 0 picks a free one"))
			f.StringVar(&how.kafka, "kafka", node.DefaultKafka, s.t("内嵌 Kafka 地址 `ADDR`，端口 0 为自动选择", "the embedded Kafka's `ADDR`; port 0 picks a free one"))
			how.crypto = "standard"
			choice(f, &how.crypto, "crypto", "", []string{"standard", "national"}, s.t("签名和封装的算法 `SUITE`，national 为国密", "sign and seal by the `SUITE`; national is SM2, SM3 and SM4"))
			s.tracesFlag(f, &how.traces)
			f.IntVar(&how.people, "people", 20_000, s.t("城市人口 `N`，企业为其四分之一", "`N` people in the city, and a quarter as many companies"))
			f.Uint64Var(&how.seed, "seed", 1, s.t("同一种子 `N` 造出同一座城市", "the same seed `N` makes the same city"))
			f.BoolVar(&how.once, "once", false, s.t("给出结果后结束", "end after the answers"))
			f.BoolVar(&how.verbose, "verbose", false, s.t("记录每个请求", "log every request"))
		},
		run: func(ctx context.Context, _ []string) error {
			how.temporary = how.data == ""
			return s.demo(ctx, how)
		},
	}
}

func (s *session) demo(ctx context.Context, how demonstration) (err error) {
	if how.people < fewest || how.people > most {
		return &usageError{&exchange.Problem{Code: "YM-CLI-0501", Kind: exchange.Invalid,
			What: both("选项 --people 的值不对", "the value of --people is wrong"),
			Why:  both(fmt.Sprintf("城市有 %d 至 %d 人", fewest, most), fmt.Sprintf("a city has %d to %d people", fewest, most)),
			Mend: both("例如 --people 20000", "such as --people 20000")}}
	}
	if how.data, err = demoData(how.data); err != nil {
		return err
	}
	if how.temporary {
		defer os.RemoveAll(how.data)
	}
	began := s.now()
	tracer, delivered, err := node.Traces{Endpoint: how.traces}.Open(tracedAs, "demo", s.logger(false))
	if err != nil {
		return err
	}
	defer delivered()
	how.tracer = tracer
	n, clerk, err := s.startDemo(ctx, how) // before the city: the ports may be in use, and another demo in the same directory
	if err != nil {
		return err
	}
	var runners []*adapters.Runner
	var credentials []*certs.Credential
	defer func() {
		for _, r := range runners {
			err = ended(err, r.Close())
		}
		err = ended(err, n.Close())
	}()
	city, err := s.city(how)
	if err != nil {
		return err
	}
	if runners, credentials, err = s.publishCity(ctx, how, n); err != nil {
		return err
	}
	if err := s.show(ctx, how, n, city, clerk); err != nil {
		return err
	}
	s.say("\n用时 %s\n", "\ntook %s\n", s.now().Sub(began).Round(100*time.Millisecond))
	if how.once {
		return nil
	}
	return s.keepServing(ctx, n, runners, credentials)
}

// demoData is the absolute path of the data directory, made where it is not there: the commands shown are copied into
// terminals that stand elsewhere.
func demoData(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "yimen-demo-")
		if err != nil {
			return "", fmt.Errorf("make temporary directory: %w", err)
		}
		return made, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", unfit(dir, err)
	}
	return dir, nil
}

// unfit says why a directory cannot hold a demo.
func unfit(dir string, err error) error {
	p := folderProblem(dir, "--data", err)
	p.What = both("不能用 "+shown(dir)+" 作数据目录", shown(dir)+" cannot be the data directory")
	return p
}

// startDemo starts the exchange with the demo's catalogue and its callers, of whom it returns the clerk's secrets.
func (s *session) startDemo(ctx context.Context, how demonstration) (*node.Node, demoClerk, error) {
	clerk, err := demoCallers(how.data)
	if err != nil {
		return nil, clerk, err
	}
	log := s.logger(false)
	if how.verbose {
		log = s.logs(slog.LevelDebug)
	}
	n, err := node.Start(ctx, node.Config{Data: how.data, Crypto: how.crypto, HTTP: how.http, Departments: how.departments,
		Kafka:   node.Kafka{Listen: how.kafka, Pending: -1}, // all of it is one process with one clock
		Callers: filepath.Join(how.data, callersFile), Traces: node.Traces{Endpoint: how.traces}},
		node.Surroundings{Log: log, Clock: s.now, Catalogue: []fs.FS{demo.Catalogue()}})
	return n, clerk, err
}

// demoClerk is how the window of a demo is known: to the API by a token, at the page by a password.
type demoClerk struct{ token, password string }

// demoUser is the name to sign in with at the page.
const demoUser = "clerk"

// say tells a person something.
func (s *session) say(zh, en string, args ...any) { fmt.Fprintf(s.talk, s.t(zh, en), args...) }

// Files of a demo below its data directory.
const (
	cityDir     = "city"
	cityFile    = "city.json"
	callersFile = "callers.yaml"
	tokenFile   = "clerk.token"
	adminFile   = "admin.token"
	passFile    = "clerk.password"
)

// demoCallers gives the window and the administrator of schemas a token each, the same at each start on the same data, and
// returns the window's. The clerk also has a password for the page.
func demoCallers(data string) (demoClerk, error) {
	token, err := demoSecret(data, tokenFile, rand.Text())
	if err != nil {
		return demoClerk{}, err
	}
	admin, err := demoSecret(data, adminFile, rand.Text())
	if err != nil {
		return demoClerk{}, err
	}
	password, err := demoSecret(data, passFile, strings.ToLower(rand.Text()[:12])) // 60 bits, typed by hand
	if err != nil {
		return demoClerk{}, err
	}
	hash, err := door.PasswordHash(password)
	if err != nil {
		return demoClerk{}, err
	}
	callers := fmt.Sprintf("- {department: xzsp, clerk: \"0017\", token_sha256: \"%s\", user: %s, password: '%s'}\n- {department: xzsp, clerk: \"0001\", token_sha256: \"%s\", schemas: true, admin: true, supervisor: true, auditor: true, citizens: true, grants: true, items: true}\n",
		door.TokenHash(token), demoUser, hash, door.TokenHash(admin))
	return demoClerk{token, password}, os.WriteFile(filepath.Join(data, callersFile), []byte(callers), 0o600)
}

// demoSecret is the secret of the last time, or the fresh one.
func demoSecret(data, file, fresh string) (string, error) {
	secret := fresh
	if known, err := os.ReadFile(filepath.Join(data, file)); err == nil {
		secret = strings.TrimSpace(string(known))
	}
	if err := os.WriteFile(filepath.Join(data, file), []byte(secret+"\n"), 0o600); err != nil {
		return "", unfit(data, err)
	}
	return secret, nil
}

// publishCity runs every department's adapters and waits until what they published can be found.
func (s *session) publishCity(ctx context.Context, how demonstration, n *node.Node) ([]*adapters.Runner, []*certs.Credential, error) {
	manifests, err := filepath.Glob(filepath.Join(how.data, cityDir, "*", "*.yaml"))
	if err != nil {
		return nil, nil, fmt.Errorf("look for manifests: %w", err)
	}
	running := running{data: how.data}
	progress, read, quarantined := s.progress(0), make([]atomic.Int64, len(manifests)), make([]atomic.Int64, len(manifests))
	runners, results := make([]*adapters.Runner, len(manifests)), make([]adapters.Progress, len(manifests))
	credentials := make([]*certs.Credential, len(manifests))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, path := range manifests {
		group.Go(func() error {
			m, err := adapters.LoadManifest(path)
			if err != nil {
				return err
			}
			if err := s.join(within, n, how.data, m.Adapter); err != nil {
				return err
			}
			made, err := s.partsOf(m, running)
			if err != nil {
				return err
			}
			credentials[i], made.Tracer = made.credential, how.tracer
			if made.Schema, err = schemaOf(n.Registry, m); err != nil {
				return err
			}
			runners[i], err = s.openRunner(within, made.Config, n.Bus, func(p adapters.Progress) {
				read[i].Store(p.Read)
				quarantined[i].Store(p.Quarantined)
				progress.at(sum(read), sum(quarantined))
			})
			if err != nil {
				return err
			}
			results[i].Adapter = m.Adapter
			results[i].Result, err = runners[i].Run(within)
			return err
		})
	}
	err = group.Wait()
	runners = slices.DeleteFunc(runners, func(r *adapters.Runner) bool { return r == nil })
	progress.end()
	if err != nil {
		return runners, nil, err
	}
	width := 0
	for _, r := range results {
		width = max(width, len(r.Adapter))
	}
	for _, r := range results {
		fmt.Fprintf(s.talk, "  %-*s  %s\n", width, r.Adapter, s.outcomeLine(r.Result))
	}
	return runners, credentials, n.Settled(ctx)
}

// join enrols an adapter of the made-up city, as its department would do it from another machine.
func (s *session) join(ctx context.Context, n *node.Node, data string, adapter exchange.Adapter) error {
	place := placeOf(data, adapter)
	credential, err := n.Enrol(ctx, identityOf(adapter), place.Credential())
	if err != nil {
		return err
	}
	about, err := n.About(ctx, credential.Suite())
	if err != nil {
		return err
	}
	return place.Save(enrol.Membership{Server: n.DepartmentsURL(), Fingerprint: n.Fingerprint(), Exchange: about})
}

func sum(of []atomic.Int64) (total int64) {
	for i := range of {
		total += of[i].Load()
	}
	return total
}

// show asks for one person and one company, over HTTP as a window would, and says what else can be tried.
func (s *session) show(ctx context.Context, how demonstration, n *node.Node, city *demo.City, clerk demoClerk) error {
	client := api.Client{Base: n.URL(), Token: clerk.token, Clock: s.now}
	samples := city.Samples()
	shown := map[exchange.HolderKind]bool{}
	var answers []broker.Conclusion
	for _, sample := range samples {
		if shown[sample.Holder.Kind] {
			continue
		}
		shown[sample.Holder.Kind] = true
		a, err := client.Query(ctx, api.QueryRequest{Case: sample.Case, Item: sample.Item, Applicant: sample.Holder.Number})
		if err != nil {
			return err
		}
		answers = append(answers, a)
	}
	if err := s.showAnswers(n, answers); err != nil {
		return err
	}
	s.next(how, n, samples, clerk)
	return nil
}

func (s *session) showAnswers(n *node.Node, answers []broker.Conclusion) error {
	switch s.format {
	case asTable, asWide:
		for _, a := range answers {
			fmt.Fprintln(s.out)
			if err := s.conclusionPage(s.out, n.Catalogue, a); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([]answered, len(answers))
	for i, a := range answers {
		if rows[i].Conclusion = a; s.format == asLines {
			rows[i].Type = "answer"
		}
	}
	return list[answered]{name: func(a answered) string { return a.ID }}.print(s, rows)
}

// answered is an answer as scripts see it; under -o jsonl it has a type, because lines of progress come before it.
type answered struct {
	Type string `json:"type,omitempty"`
	broker.Conclusion
}

// keepServing lets the adapters look at their files again and again, until somebody ends it.
func (s *session) keepServing(ctx context.Context, n *node.Node, runners []*adapters.Runner, credentials []*certs.Credential) error {
	group, within := errgroup.WithContext(ctx)
	for _, r := range runners {
		group.Go(func() error { return r.Serve(within) })
	}
	for _, c := range credentials {
		group.Go(func() error { return c.Keep(within, n.Renew(c.Leaf)) })
	}
	group.Go(func() error {
		if err := n.Wait(within); err != nil {
			return err
		}
		return within.Err()
	})
	err := group.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		s.say("已停止\n", "stopped\n")
		return nil
	}
	return err
}
