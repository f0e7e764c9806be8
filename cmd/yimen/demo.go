package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/node"
)

// demonstration is how a demo is to run.
type demonstration struct {
	data, http, kafka string
	people            int
	seed              uint64
	once, verbose     bool
}

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
			f.StringVar(&how.kafka, "kafka", node.DefaultKafka, s.t("内嵌 Kafka 地址 `ADDR`，端口 0 为自动选择", "the embedded Kafka's `ADDR`; port 0 picks a free one"))
			f.IntVar(&how.people, "people", 20_000, s.t("城市人口 `N`，企业为其四分之一", "`N` people in the city, and a quarter as many companies"))
			f.Uint64Var(&how.seed, "seed", 1, s.t("同一种子 `N` 造出同一座城市", "the same seed `N` makes the same city"))
			f.BoolVar(&how.once, "once", false, s.t("给出结果后结束", "end after the answers"))
			f.BoolVar(&how.verbose, "verbose", false, s.t("记录每个请求", "log every request"))
		},
		run: func(ctx context.Context, _ []string) error { return s.demo(ctx, how) },
	}
}

func (s *session) demo(ctx context.Context, how demonstration) (err error) {
	if how.people < 100 || how.people > 5_000_000 {
		return &exchange.Problem{Code: "YM-CLI-0501", Kind: exchange.Invalid,
			What: both("人口数不可用", "that many people cannot be had"),
			Mend: both("--people 在 100 与 5000000 之间", "give --people between 100 and 5000000")}
	}
	if how.data == "" {
		if how.data, err = os.MkdirTemp("", "yimen-demo-"); err != nil {
			return fmt.Errorf("make temporary directory: %w", err)
		}
		defer os.RemoveAll(how.data)
	}
	began := s.now()
	city, err := s.city(how)
	if err != nil {
		return err
	}
	token, err := demoCallers(how.data)
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, node.Config{Data: how.data, HTTP: how.http, Kafka: node.Kafka{Listen: how.kafka}, Callers: filepath.Join(how.data, callersFile)},
		node.Surroundings{Log: s.logger(how.verbose), Clock: s.now, Catalogue: []fs.FS{demo.Catalogue()}})
	if err != nil {
		return err
	}
	runners, err := s.publishCity(ctx, how, n)
	defer func() {
		for _, r := range runners {
			err = ended(err, r.Close())
		}
		err = ended(err, n.Close())
	}()
	if err != nil {
		return err
	}
	if err := s.show(ctx, how, n, city, token); err != nil {
		return err
	}
	s.say("\n用时 %s\n", "\ntook %s\n", s.now().Sub(began).Round(100*time.Millisecond))
	if how.once {
		return nil
	}
	return s.keepServing(ctx, how, n, runners)
}

// say tells a person something, unless the output is for a program.
func (s *session) say(zh, en string, args ...any) { fmt.Fprintf(s.talk, s.t(zh, en), args...) }

// Files of a demo below its data directory.
const (
	cityDir     = "city"
	cityFile    = "city.json"
	callersFile = "callers.yaml"
	tokenFile   = "clerk.token"
)

// city makes the departments' files, or finds those of the last time. Then the departments export them once more: the
// same content with today's date.
func (s *session) city(how demonstration) (*demo.City, error) {
	config := demo.Config{Seed: how.seed, People: how.people, Now: s.now()}
	known, err := os.ReadFile(filepath.Join(how.data, cityFile))
	if err == nil {
		if err := json.Unmarshal(known, &config); err != nil {
			return nil, fmt.Errorf("read city: %w", err)
		}
		city := demo.New(config)
		people, companies := city.Size()
		s.say("接着用 %s 中的城市：%s 人，%s 家企业\n", "going on with the city in %s: %s people and %s companies\n", how.data, figure(int64(people)), figure(int64(companies)))
		return city, touch(filepath.Join(how.data, cityDir), s.now())
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fileProblem(cityFile, err)
	}
	city := demo.New(config)
	people, companies := city.Size()
	s.say("造一座城市：%s 人，%s 家企业\n", "making a city of %s people and %s companies\n", figure(int64(people)), figure(int64(companies)))
	progress := s.progress(0)
	if err := city.Write(filepath.Join(how.data, cityDir), func(done, _ int) { progress.at(int64(done), 0) }); err != nil {
		return nil, fmt.Errorf("write city: %w", err)
	}
	progress.end()
	known, err = json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("note city: %w", err)
	}
	return city, os.WriteFile(filepath.Join(how.data, cityFile), known, 0o600)
}

func touch(dir string, now time.Time) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chtimes(path, now, now)
	})
}

// demoCallers gives the window a token, the same at each start on the same data.
func demoCallers(data string) (string, error) {
	token := rand.Text()
	if known, err := os.ReadFile(filepath.Join(data, tokenFile)); err == nil {
		token = strings.TrimSpace(string(known))
	}
	callers := "- {department: xzsp, clerk: \"0017\", token_sha256: " + api.TokenHash(token) + "}\n"
	if err := os.WriteFile(filepath.Join(data, tokenFile), []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	return token, os.WriteFile(filepath.Join(data, callersFile), []byte(callers), 0o600)
}

// publishCity runs every department's adapters and waits until what they published can be found.
func (s *session) publishCity(ctx context.Context, how demonstration, n *node.Node) ([]*adapters.Runner, error) {
	manifests, err := filepath.Glob(filepath.Join(how.data, cityDir, "*", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("look for manifests: %w", err)
	}
	running := running{data: how.data}
	progress, read, quarantined := s.progress(0), make([]atomic.Int64, len(manifests)), make([]atomic.Int64, len(manifests))
	runners, results := make([]*adapters.Runner, len(manifests)), make([]adapters.Progress, len(manifests))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, path := range manifests {
		group.Go(func() error {
			m, err := adapters.LoadManifest(path)
			if err != nil {
				return err
			}
			runners[i], err = s.openRunner(within, m, n.Bus, running, func(p adapters.Progress) {
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
		return runners, err
	}
	for _, r := range results {
		s.say("  %-28s %s\n", "  %-28s %s\n", r.Adapter, s.outcomeLine(r.Result))
	}
	return runners, n.Settled(ctx)
}

func sum(of []atomic.Int64) (total int64) {
	for i := range of {
		total += of[i].Load()
	}
	return total
}

// show asks for one person and one company, over HTTP as a window would, and says what else can be tried.
func (s *session) show(ctx context.Context, how demonstration, n *node.Node, city *demo.City, token string) error {
	client := api.Client{Base: n.URL(), Token: token}
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
	s.next(how, n, samples)
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
	return list[broker.Conclusion]{name: func(a broker.Conclusion) string { return a.ID }}.print(s, answers)
}

// next says at which address to ask and which commands to try.
func (s *session) next(how demonstration, n *node.Node, samples []demo.Sample) {
	if how.once || len(samples) == 0 {
		return
	}
	last := samples[len(samples)-1]
	number := filepath.Join(how.data, "applicant.txt")
	if err := os.WriteFile(number, []byte(last.Holder.Number+"\n"), 0o600); err != nil {
		s.complain(err)
		return
	}
	token := filepath.Join(how.data, tokenFile)
	s.say("\n服务地址 %s   Kafka %s   Ctrl-C 结束\n\n接下来可以试试（另开一个终端）：\n", "\nserving at %s   Kafka %s   Ctrl-C ends it\n\nTry next, in another terminal:\n", n.URL(), n.KafkaAddr())
	self := s.self()
	fmt.Fprintf(s.talk, "  %s query %s --case %s --applicant @%s --token @%s --server %s   # %s\n", self, last.Item, last.Case, number, token, n.URL(), last.Shows.In(s.lang))
	fmt.Fprintf(s.talk, "  curl -s %s/v1/queries -H \"Authorization: Bearer $(cat %s)\" -d '{\"case\":\"%s\",\"item\":\"%s\",\"applicant\":\"'$(cat %s)'\"}'\n", n.URL(), token, last.Case, last.Item, number)
	fmt.Fprintf(s.talk, "  %s adapter status --data %s\n", self, how.data)
	fmt.Fprintf(s.talk, "  %s quarantine list --data %s\n", self, how.data)
	fmt.Fprintf(s.talk, "  %s item list\n", self)
}

// self is how this program was started, so that the commands shown can be copied.
func (s *session) self() string {
	if path, err := os.Executable(); err == nil && filepath.Base(filepath.Dir(path)) != "exe" {
		return os.Args[0]
	}
	return "go run ./cmd/yimen"
}

// keepServing lets the adapters look at their files again and again, until somebody ends it.
func (s *session) keepServing(ctx context.Context, how demonstration, n *node.Node, runners []*adapters.Runner) error {
	group, within := errgroup.WithContext(ctx)
	for _, r := range runners {
		group.Go(func() error { return r.Serve(within) })
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
