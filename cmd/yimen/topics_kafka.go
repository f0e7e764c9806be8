package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/pflag"

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
	var file, server string
	var token *secret
	return verb{
		use:   "plan",
		short: both("列出 Kafka 上要新建、修改的主题和访问规则，不作改动", "list what is to be created and changed on Kafka, and change nothing"),
		long: both(`把 Kafka 集群与配置比较：缺少的主题、不符的设置。给出 --token 时，再由运行中的节点按身份名册比较访问规则：多出的、缺少的。不作任何改动。
需要人工处理的附有命令；不属于本市的规则只列出，不改。
退出码：0 没有要做的，1 有；其他为无法比较。`,
			`Compare the Kafka cluster with the configuration: topics that are missing, settings that differ. With --token a running node compares the rules of access with the roll of identities too: those too many and too few. Nothing is changed.
What has to be done by hand is listed with its command; rules that are none of the city's are listed and left.
Exit codes: 0 nothing to do, 1 something; any other: it could not compare.`),
		example: "yimen topics plan --config /etc/yimen/yimen.yaml\nyimen topics plan --config /etc/yimen/yimen.yaml --server https://yimen.example.gov.cn --token @admin.token -o json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			s.configFlag(f, &file)
			s.serverFlag(f, &server)
			token = s.secretFlag(f, "token", both("管理员令牌 `TOKEN`，用来比较访问规则", "the administrator's token `TOKEN`, to compare rules of access"))
		},
		run: func(ctx context.Context, _ []string) error {
			return beyondOne(s.onCluster(ctx, file, func(ctx context.Context, k *kafkaWork) error {
				if err := s.compareRules(ctx, k, server, token); err != nil {
					return err
				}
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
		short: both("新建、修改 Kafka 上的主题", "create and change topics on Kafka"),
		long: both(`做 yimen topics plan 列出的事，并列出做了什么；再运行一次不会再改。已有主题的分区数、副本数和代理的设置不改，
列出命令由管理员运行，退出码为 1。第一次运行时，kafka.tls 的证书须在代理的 super.users 中。
访问规则不在其内：有 kafka.tls 证书的节点运行时按身份名册维护，名册一变就改，每十分钟查看一次。`,
			`Does what yimen topics plan lists, and lists what was done; done again it changes nothing. Partitions and replicas of topics that exist,
and settings of brokers, are not changed: their commands are listed for an administrator, and the exit code is 1.
The first run needs a certificate (kafka.tls) that is among the brokers' super.users.
Rules of access are not among it: running nodes that have a certificate (kafka.tls) keep them as the roll of identities has them, at once when it changes, and look every ten minutes.`),
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
	rules    node.KafkaRules // nothing where they were not compared
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
	k.steps = s.stepsOf(k)
	return nil
}

// compareRules asks a running node, which alone knows who there is. Where none may be asked that is said: no step then means
// nothing of the rules.
func (s *session) compareRules(ctx context.Context, k *kafkaWork, server string, token *secret) (err error) {
	if !token.given() {
		s.say("访问规则没有比较：谁在名册上只有运行中的节点知道；用 --server 和 --token 请它比较\n",
			"rules of access were not compared: a running node alone knows who is on the roll; have it compare them with --server and --token\n")
		return nil
	}
	if k.rules, err = asked[node.KafkaRules](ctx, s, server, token, "/v1/kafka/rules"); err != nil {
		return err
	}
	k.steps = s.stepsOf(k)
	switch {
	case k.rules.Changes.None():
	case k.rules.Kept:
		s.remark("访问规则由节点在十分钟内自行改好；若一直如此，看节点的日志\n", "the node mends the rules of access within ten minutes; if they stay so, see its log\n")
	default:
		s.remark("这个节点没有 Kafka 证书，不维护访问规则：配置 kafka.tls\n", "this node has no certificate for Kafka and keeps no rules of access: set kafka.tls\n")
	}
	return nil
}

// do carries the work out.
func (k *kafkaWork) do(ctx context.Context) error {
	b := k.cluster.Bus
	if err := b.Ensure(ctx, k.missing); err != nil {
		return err
	}
	return b.Mend(ctx, k.findings)
}
