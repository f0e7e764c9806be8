package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"github.com/onedoor/yimen/test/kafka"
)

// rollOfTest is who stands on the roll of a test.
type rollOfTest struct {
	members []access.Member
	err     error
}

func (r *rollOfTest) read(context.Context, *bus.Bus) ([]access.Member, error) {
	return r.members, r.err
}

// onRoll runs the command with a roll, nil for none.
func onRoll(t *testing.T, r *rollOfTest, args ...string) ran {
	t.Helper()
	var out, talk bytes.Buffer
	p := surroundings(&out, &talk)
	if r != nil {
		p.members = r.read
	}
	got := run(t.Context(), p, args)
	return ran{got, out.String(), talk.String()}
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

	noRoll := onRoll(t, nil, "topics", "plan", "--config", config)
	if noRoll.code != exitFailed || !strings.Contains(noRoll.talk, "读不到身份名册") || strings.Contains(noRoll.out, "规则") {
		t.Errorf("without a roll: %d\n%s%s", noRoll.code, noRoll.out, noRoll.talk)
	}
	r := &rollOfTest{members: []access.Member{{Identity: kafka.Adapter("swj", "clearance")}, {Identity: kafka.Node("2")}}}
	plan := stepsIn(t, onRoll(t, r, "topics", "plan", "--config", config, "-o", "json", "--lang", "en"))
	if len(plan[stepCreate]) < 20 || len(plan[stepAdd]) != 15 || len(plan[stepRemove]) != 0 {
		t.Errorf("%d created, %d rules added, %d removed", len(plan[stepCreate]), len(plan[stepAdd]), len(plan[stepRemove]))
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

	applied := onRoll(t, r, "topics", "apply", "--config", config, "-o", "json", "--lang", "en")
	if steps := stepsIn(t, applied); applied.code != exitFailed || len(steps[stepCreate]) != len(plan[stepCreate]) || len(steps[stepAdd]) != 15 {
		t.Errorf("applied with %d: %s", applied.code, applied.talk)
	}
	left := onRoll(t, r, "topics", "plan", "--config", config, "-o", "json")
	if steps := stepsIn(t, left); left.code != exitFailed || len(steps[stepByHand]) != 1 || len(steps[stepKept]) != 1 || len(steps) != 2 {
		t.Errorf("left are %s", left.out)
	}

	r.members[0].Revoked = true
	revoked := stepsIn(t, onRoll(t, r, "topics", "apply", "--config", config, "-o", "json"))
	if len(revoked[stepAdd]) != 2 || len(revoked[stepRemove]) != 8 || revoked[stepAdd][0].Rule != "deny all" {
		t.Errorf("revoked: %+v", revoked)
	}
	table := onRoll(t, r, "topics", "plan", "--config", config).out
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
	unread := &rollOfTest{err: &exchange.Problem{Code: "YM-XXX-0001", Kind: exchange.Unavailable, What: both("名册读不到", "the roll cannot be read")}}
	if got := onRoll(t, unread, "topics", "apply", "--config", clusterConfig(t, `brokers: ["`+address+`"]`)); got.code != exitDown || !strings.Contains(got.talk, "YM-XXX-0001") {
		t.Errorf("a roll that cannot be read: %d %s", got.code, got.talk)
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
		got := onRoll(t, nil, "topics", "plan", "--config", clusterConfig(t, row.kafka))
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
	r := &rollOfTest{members: []access.Member{{Identity: tax}, {Identity: market}}}
	if got := onRoll(t, r, "topics", "plan", "--config", config); got.code != exitFailed {
		t.Fatalf("plan: %d %s", got.code, got.talk)
	}
	if got := onRoll(t, r, "topics", "apply", "--config", config); got.code != exitOK {
		t.Fatalf("apply: %d %s", got.code, got.talk)
	}
	if got := onRoll(t, r, "topics", "plan", "--config", config, "-o", "json"); got.code != exitOK || got.out != "[]\n" {
		t.Errorf("planned after apply: %d %s %s", got.code, got.out, got.talk)
	}
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
