package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/access"
	"github.com/onedoor/yimen/exchange/bus"
	own "github.com/onedoor/yimen/exchange/bus/embedded"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/test/kafka"
)

// keeper is a node as far as it compares Kafka's rules, with a roll of its own; it gives its address. Whoever is no administrator
// is refused.
func keeper(t *testing.T, config string, members *[]access.Member) string {
	t.Helper()
	answer := func(r *http.Request) (any, error) {
		if r.Header.Get("Authorization") != "Bearer admin" {
			return nil, &exchange.Problem{Code: "YM-API-0402", Kind: exchange.Denied, What: both("不是管理员", "no administrator")}
		}
		c := clusterOf(t, config)
		existing, err := c.Bus.Rules(r.Context())
		return node.KafkaRules{Kept: true, Changes: access.Plan(c.Catalogue, c.Topics, *members, existing)}, err
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, err := answer(r)
		if err != nil || r.URL.Path != "/v1/kafka/rules" {
			contract.Fail(w, r, err)
			return
		}
		json.NewEncoder(w).Encode(value)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func clusterOf(t *testing.T, config string) *node.Cluster {
	t.Helper()
	cfg, err := node.LoadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := node.OpenCluster(cfg, node.Surroundings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// heldToken is a file with a token, as a flag names it.
func heldToken(t *testing.T, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "@" + file
}

// ruled makes the rules of a cluster what a roll demands.
func ruled(t *testing.T, config string, members []access.Member) {
	t.Helper()
	c := clusterOf(t, config)
	if _, err := access.Apply(t.Context(), c.Bus, c.Catalogue, c.Topics, members); err != nil {
		t.Fatal(err)
	}
}

// stepsIn are the steps that a run printed as JSON, by what they do.
func stepsIn(t *testing.T, got ran) map[string][]kafkaStep {
	t.Helper()
	var steps []kafkaStep
	if err := json.Unmarshal([]byte(got.out), &steps); err != nil {
		t.Fatalf("%v in %s; code %d, said %s", err, got.out, got.code, got.talk)
	}
	by := map[string][]kafkaStep{}
	for _, s := range steps {
		by[s.Do] = append(by[s.Do], s)
	}
	return by
}

func TestTopicsPlanAndApply(t *testing.T) {
	broker, err := own.Start(own.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	config := clusterConfig(t, `brokers: ["`+broker.Addr()+`"]`)
	b, err := bus.Connect(bus.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context(), []bus.Topic{{Name: "coverage.swj", Retention: time.Hour}, {Name: "evidence.tax-clearance", Partitions: 2, Compact: true}}); err != nil {
		t.Fatal(err)
	}
	foreign := bus.Rule{Principal: "User:*", Operation: bus.Write, Resource: bus.TopicResource, Name: "evidence.", Prefix: true}
	if err := b.Protect(t.Context(), []bus.Rule{foreign}, nil); err != nil {
		t.Fatal(err)
	}

	for _, form := range []string{"table", "json"} {
		said := yimen(t, "topics", "plan", "--config", config, "-o", form)
		if said.code != exitFailed || !strings.Contains(said.talk, "访问规则没有比较") || strings.Contains(said.out, "规则") || strings.Contains(said.out, `"principal"`) {
			t.Errorf("without a node: %d\n%s%s", said.code, said.out, said.talk)
		}
	}
	members := []access.Member{{Identity: kafka.Adapter("swj", "clearance")}, {Identity: kafka.Node("2")}}
	toPlan := []string{"topics", "plan", "--config", config, "--server", keeper(t, config, &members), "--token", heldToken(t, "admin"), "--lang", "en"}
	plan := stepsIn(t, yimen(t, append(toPlan, "-o", "json")...))
	if len(plan[stepCreate]) < 20 || len(plan[stepAdd]) != 15 || len(plan[stepRemove]) != 0 {
		t.Errorf("%d created, %d rules added, %d removed", len(plan[stepCreate]), len(plan[stepAdd]), len(plan[stepRemove]))
	}
	if table := yimen(t, toPlan...); !strings.Contains(table.talk, "the node mends the rules of access within ten minutes") {
		t.Errorf("said %s", table.talk)
	}
	if by := plan[stepByHand]; len(by) != 1 || by[0].Setting != "partitions" || !strings.Contains(by[0].Hint, "kafka-topics.sh --bootstrap-server "+broker.Addr()+" --alter --topic evidence.tax-clearance --partitions 4") {
		t.Errorf("by hand: %+v", by)
	}
	if kept := plan[stepKept]; len(kept) != 1 || kept[0].Resource != "evidence.…" || kept[0].Principal != "*" || kept[0].Rule != "allow write" || !strings.Contains(kept[0].Hint, "kafka-acls.sh") {
		t.Errorf("kept: %+v", kept)
	}
	set := map[string]string{}
	for _, step := range plan[stepSet] {
		set[step.Resource+" "+step.Setting] = step.Want
	}
	if set["coverage.swj retention.ms"] != "94867200000" || set["coverage.swj message.timestamp.type"] != "LogAppendTime" || len(set) != 3 {
		t.Errorf("set: %v", set)
	}

	applied := yimen(t, "topics", "apply", "--config", config, "-o", "json", "--lang", "en")
	if steps := stepsIn(t, applied); applied.code != exitFailed || len(steps[stepCreate]) != len(plan[stepCreate]) || len(steps[stepAdd]) != 0 {
		t.Errorf("applied with %d: %s", applied.code, applied.talk)
	}
	ruled(t, config, members)
	left := yimen(t, append(toPlan, "-o", "json")...)
	if steps := stepsIn(t, left); left.code != exitFailed || left.talk != "" || len(steps[stepByHand]) != 1 || len(steps[stepKept]) != 1 || len(steps) != 2 {
		t.Errorf("left are %s, said %s", left.out, left.talk)
	}

	members[0].Revoked = true
	revoked := stepsIn(t, yimen(t, append(toPlan, "-o", "json")...))
	if len(revoked[stepAdd]) != 2 || len(revoked[stepRemove]) != 8 || revoked[stepAdd][0].Rule != "deny all" {
		t.Errorf("revoked: %+v", revoked)
	}
	table := yimen(t, append(toPlan, "--lang", "zh")...).out
	for _, want := range []string{"动作", "人工处理  evidence.tax-clearance", "partitions: 2 → 4", "保留规则  evidence.…", "  → 由管理员运行：kafka-topics.sh"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

func TestTopicsPlanRefuses(t *testing.T) {
	broker, err := own.Start(own.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	address := broker.Addr()
	config := clusterConfig(t, `brokers: ["`+address+`"]`)
	var nobody []access.Member
	stranger := yimen(t, "topics", "plan", "--config", config, "--server", keeper(t, config, &nobody), "--token", heldToken(t, "clerk"))
	if stranger.code != exitDenied || !strings.Contains(stranger.talk, "YM-API-0402") || stranger.out != "" {
		t.Errorf("no administrator: %d %s", stranger.code, stranger.talk)
	}
	away := yimen(t, "topics", "plan", "--config", config, "--server", "http://127.0.0.1:1", "--token", heldToken(t, "admin"))
	if away.code != exitDown || away.out != "" {
		t.Errorf("no node there: %d %s", away.code, away.talk)
	}
	broker.Close()
	for name, row := range map[string]struct {
		kafka string
		code  code
		said  string
	}{
		"the embedded Kafka": {`listen: "127.0.0.1:0"`, exitUsage, "YM-CFG-0110"},
		"nobody answers":     {`brokers: ["` + address + `"]`, exitDown, "YM-BUS-0105"},
		"no certificate":     {`brokers: ["` + address + `"], tls: {ca: none.pem}`, exitUsage, "YM-CFG-0107"},
	} {
		got := yimen(t, "topics", "plan", "--config", clusterConfig(t, row.kafka))
		if got.code != row.code || !strings.Contains(got.talk, row.said) || got.out != "" {
			t.Errorf("%s: %d %s", name, got.code, got.talk)
		}
	}
}

// TestTopicsOnRealKafka makes topics and rules on a cluster that trusts certificates alone, and tries them.
func TestTopicsOnRealKafka(t *testing.T) {
	authority := kafka.NewAuthority(t)
	cluster := kafka.Start(t, kafka.Options{Authority: authority})
	dir := t.TempDir()
	certificate, key := kafka.PEM(t, authority.Issue(kafka.Leaf{Identity: kafka.Node("main")}))
	for name, content := range map[string][]byte{"root.pem": authority.RootPEM(), "node.pem": certificate, "node.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tls := "tls: {ca: " + filepath.Join(dir, "root.pem") + ", cert: " + filepath.Join(dir, "node.pem") + ", key: " + filepath.Join(dir, "node.key") + "}"
	config := clusterConfig(t, `brokers: ["`+cluster.Addr()+`"], `+tls)
	tax, market := kafka.Adapter("swj", "clearance"), kafka.Adapter("scjg", "licences")
	if got := yimen(t, "topics", "plan", "--config", config); got.code != exitFailed {
		t.Fatalf("plan: %d %s", got.code, got.talk)
	}
	if got := yimen(t, "topics", "apply", "--config", config); got.code != exitOK {
		t.Fatalf("apply: %d %s", got.code, got.talk)
	}
	if got := yimen(t, "topics", "plan", "--config", config, "-o", "json"); got.code != exitOK || got.out != "[]\n" {
		t.Errorf("planned after apply: %d %s %s", got.code, got.out, got.talk)
	}
	ruled(t, config, []access.Member{{Identity: tax}, {Identity: market}})
	publish := func(who certs.Identity) error {
		b, err := bus.Connect(bus.Config{Brokers: cluster.Addrs(), TLS: authority.As(who)})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		return b.Append(ctx, "evidence.tax-clearance", []exchange.Message{{Key: []byte("k"), Value: []byte("v")}})
	}
	if err := publish(tax); err != nil {
		t.Errorf("the keeper: %v", err)
	}
	if err := publish(market); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("another department: %v", err)
	}
}
