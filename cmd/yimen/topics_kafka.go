package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange/access"
	"github.com/onedoor/yimen/exchange/bus"
	"github.com/onedoor/yimen/exchange/node"
)

// kafkaVerbs look after a city's Kafka. Topics of help are another thing: see topics.go.
func (s *session) kafkaVerbs() verb {
	return verb{
		use:   "topics",
		short: both("Kafka 主题与访问规则：查看要改什么、改好", "the topics of Kafka and who may use them: see what is to change, change it"),
		verbs: []verb{s.topicsPlan(), s.topicsApply()},
	}
}

func (s *session) topicsPlan() verb {
	var file string
	return verb{
		use:   "plan",
		short: both("列出 Kafka 上要新建、修改的主题和访问规则，不作改动", "list what is to be created and changed on Kafka, and change nothing"),
		long: both(`把 Kafka 集群与配置比较：缺少的主题、不符的设置、多出和缺少的访问规则。不作任何改动。
需要人工处理的附有命令；不属于本市的规则只列出，不改。
退出码：0 没有要做的，1 有；其他为无法比较。`,
			`Compare the Kafka cluster with the configuration: topics that are missing, settings that differ, rules of access too many and too few. Nothing is changed.
What has to be done by hand is listed with its command; rules that are none of the city's are listed and left.
Exit codes: 0 nothing to do, 1 something; any other: it could not compare.`),
		example: "yimen topics plan --config /etc/yimen/yimen.yaml\nyimen topics plan --config /etc/yimen/yimen.yaml -o json",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.configFlag(f, &file) },
		run: func(ctx context.Context, _ []string) error {
			return beyondOne(s.onCluster(ctx, file, func(ctx context.Context, k *kafkaWork) error {
				if err := s.stepRows().print(s, k.steps); err != nil {
					return err
				}
				if slices.ContainsFunc(k.steps, func(step kafkaStep) bool { return step.Do != stepKept }) {
					return exitFailed
				}
				return nil
			}))
		},
	}
}

func (s *session) topicsApply() verb {
	var file string
	return verb{
		use:   "apply",
		short: both("新建、修改 Kafka 上的主题和访问规则", "create and change topics and rules of access on Kafka"),
		long: both(`做 yimen topics plan 列出的事，并列出做了什么；再运行一次不会再改。已有主题的分区数、副本数和代理的设置不改，
列出命令由管理员运行，退出码为 1。第一次运行时，kafka.tls 的证书须在代理的 super.users 中。`,
			`Does what yimen topics plan lists, and lists what was done; done again it changes nothing. Partitions and replicas of topics that exist,
and settings of brokers, are not changed: their commands are listed for an administrator, and the exit code is 1.
The first run needs a certificate (kafka.tls) that is among the brokers' super.users.`),
		example: "yimen topics apply --config /etc/yimen/yimen.yaml",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.configFlag(f, &file) },
		run: func(ctx context.Context, _ []string) error {
			return s.onCluster(ctx, file, func(ctx context.Context, k *kafkaWork) error {
				if err := k.do(ctx); err != nil {
					return err
				}
				if err := s.stepRows().print(s, k.steps); err != nil {
					return err
				}
				if slices.ContainsFunc(k.steps, func(step kafkaStep) bool { return step.Do == stepByHand }) {
					return exitFailed
				}
				return nil
			})
		},
	}
}

func (s *session) configFlag(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "config", "", s.t("配置文件 `FILE`", "the configuration `FILE`"))
	required(f, "config")
}

// clusterPatience bounds the work on a cluster: one that stops answering in the middle would be waited for for ever.
const clusterPatience = 2 * time.Minute

// kafkaWork is what there is to do on a cluster.
type kafkaWork struct {
	cluster  *node.Cluster
	missing  []bus.Topic
	findings []bus.Finding
	rules    access.Changes
	steps    []kafkaStep
}

// onCluster finds out what there is to do on the cluster of a configuration, and lets use print or do it.
func (s *session) onCluster(ctx context.Context, file string, use func(context.Context, *kafkaWork) error) error {
	cfg, err := node.LoadConfig(file)
	if err != nil {
		return err
	}
	cluster, err := node.OpenCluster(cfg, node.Surroundings{Log: s.logger(false), Clock: s.now})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, clusterPatience)
	defer cancel()
	k := &kafkaWork{cluster: cluster}
	if err := k.compare(ctx, s); err != nil {
		return ended(err, cluster.Close())
	}
	return ended(use(ctx, k), cluster.Close())
}

// compare asks the cluster. The first question is asked once: whoever waits at a terminal wants to know why there is no answer.
func (k *kafkaWork) compare(ctx context.Context, s *session) (err error) {
	b := k.cluster.Bus
	if err = b.Ping(ctx); err != nil {
		return err
	}
	if k.missing, err = b.Missing(ctx, k.cluster.Topics); err != nil {
		return err
	}
	there := slices.DeleteFunc(slices.Clone(k.cluster.Topics), func(t bus.Topic) bool {
		return slices.ContainsFunc(k.missing, func(m bus.Topic) bool { return m.Name == t.Name })
	})
	if k.findings, err = b.Findings(ctx, there); err != nil {
		return err
	}
	if k.rules, err = s.rulesToChange(ctx, k.cluster); err != nil {
		return err
	}
	k.steps = s.stepsOf(k)
	return nil
}

// rulesToChange compares the rules with who there is. While nobody can say who there is, rules are left alone: to take
// that for an empty roll would lock everybody out.
func (s *session) rulesToChange(ctx context.Context, c *node.Cluster) (access.Changes, error) {
	if s.members == nil {
		s.remark("这里读不到身份名册，访问规则不在比较之列：由运行中的节点按名册维护\n", "the roll of identities is not read here, so rules of access are not compared: running nodes keep them as the roll has them\n")
		return access.Changes{}, nil
	}
	members, err := s.members(ctx, c.Bus)
	if err != nil {
		return access.Changes{}, err
	}
	existing, err := c.Bus.Rules(ctx)
	if err != nil {
		return access.Changes{}, err
	}
	return access.Plan(c.Catalogue, c.Topics, members, existing), nil
}

// do carries the work out. Rules come last, for topics that are there.
func (k *kafkaWork) do(ctx context.Context) error {
	b := k.cluster.Bus
	if err := b.Ensure(ctx, k.missing); err != nil {
		return err
	}
	if err := b.Mend(ctx, k.findings); err != nil {
		return err
	}
	return b.Protect(ctx, k.rules.Add, k.rules.Remove)
}

// What a step does.
const (
	stepCreate = "create"  // a topic
	stepSet    = "set"     // a setting of a topic
	stepAdd    = "add"     // a rule
	stepRemove = "remove"  // a rule
	stepByHand = "by-hand" // what only an administrator of Kafka can do
	stepKept   = "keep"    // a rule that is none of the city's
)

// kafkaStep is a row of plan and apply.
type kafkaStep struct {
	Do        string `json:"do"`
	Resource  string `json:"resource"` // a topic, "brokers", or what a rule names
	Setting   string `json:"setting,omitempty"`
	Has       string `json:"has,omitempty"`
	Want      string `json:"want,omitempty"`
	Principal string `json:"principal,omitempty"`
	Rule      string `json:"rule,omitempty"` // such as "allow write"
	Hint      string `json:"hint,omitempty"`
}

func (s *session) stepsOf(k *kafkaWork) []kafkaStep {
	steps := []kafkaStep{}
	for _, t := range k.missing {
		steps = append(steps, kafkaStep{Do: stepCreate, Resource: t.Name, Want: fmt.Sprintf("partitions=%d replicas=%d", max(1, t.Partitions), t.Replicas)})
	}
	for _, f := range k.findings {
		step := kafkaStep{Do: stepSet, Resource: f.Topic, Setting: f.Setting, Has: f.Has, Want: f.Want}
		if !f.Mendable() {
			step.Do, step.Hint = stepByHand, f.Problem.Mend.In(s.lang)
		}
		if step.Resource == "" {
			step.Resource = "brokers"
		}
		steps = append(steps, step)
	}
	for _, r := range k.rules.Remove {
		steps = append(steps, ruleStep(stepRemove, r))
	}
	for _, r := range k.rules.Add {
		steps = append(steps, ruleStep(stepAdd, r))
	}
	for _, r := range k.rules.Foreign {
		step := ruleStep(stepKept, r)
		if slices.Contains(k.rules.Holes, r) {
			step.Hint = s.t("本市以外的人可借此改动本市的主题；如非有意，用 kafka-acls.sh --remove 删去",
				"it lets somebody who is none of the city's change the city's topics; if that is not meant, take it away with kafka-acls.sh --remove")
		}
		steps = append(steps, step)
	}
	return steps
}

func ruleStep(do string, r bus.Rule) kafkaStep {
	step := kafkaStep{Do: do, Resource: r.Name, Principal: strings.TrimPrefix(r.Principal, "User:"), Rule: "allow " + string(r.Operation)}
	if r.Deny {
		step.Rule = "deny " + string(r.Operation)
	}
	if r.Prefix {
		step.Resource += "…"
	}
	if r.Host != "" {
		step.Rule += " from " + r.Host
	}
	return step
}

func (s *session) stepRows() list[kafkaStep] {
	return list[kafkaStep]{
		name: func(k kafkaStep) string { return strings.Join([]string{k.Do, k.Resource, k.content()}, " ") },
		columns: []column[kafkaStep]{
			{head: both("动作", "DO"), cell: func(k kafkaStep) string { return s.doing(k.Do) }},
			{head: both("对象", "RESOURCE"), cell: func(k kafkaStep) string { return k.Resource }},
			{head: both("内容", "WHAT"), cell: kafkaStep.content},
		},
		note: func(k kafkaStep) string { return k.Hint },
	}
}

// content is what the step is about, in Kafka's own words.
func (k kafkaStep) content() string {
	switch {
	case k.Rule != "":
		return k.Principal + " " + k.Rule
	case k.Setting != "":
		return k.Setting + ": " + k.Has + " → " + k.Want
	}
	return k.Want
}

func (s *session) doing(do string) string {
	switch do {
	case stepCreate:
		return s.t("新建主题", "create")
	case stepSet:
		return s.t("修改设置", "set")
	case stepAdd:
		return s.t("增加规则", "add rule")
	case stepRemove:
		return s.t("删去规则", "remove rule")
	case stepByHand:
		return s.t("人工处理", "by hand")
	}
	return s.t("保留规则", "keep rule")
}
