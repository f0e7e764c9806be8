package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// Topic says how a topic must be.
type Topic struct {
	Name       string
	Partitions int               // 0: one
	Replicas   int               // 0: the cluster's default
	MinISR     int               // min.insync.replicas; 0: the cluster's default
	Compact    bool              // keep the newest message of each key; otherwise remove by age
	Retention  time.Duration     // 0: for ever
	Config     map[string]string // more settings, for creation only
}

// Ensure creates the topics that are missing and checks those that exist. What exists is never changed:
// a topic that keeps less, or is spread over less, than asked is a Problem that says how to mend it.
func (b *Bus) Ensure(ctx context.Context, topics []Topic) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	b.refresh()
	if err := b.create(ctx, topics); err != nil {
		return err
	}
	settings, err := b.settings(ctx, topics)
	if err != nil {
		return b.unreachable(exchange.Text{ZH: "读取主题配置", EN: "read the settings of topics"}, err)
	}
	var problems []error
	for _, t := range topics {
		l, err := b.layout(ctx, t.Name)
		if err != nil {
			return b.unreachable(exchange.Text{ZH: "读取主题 " + t.Name, EN: "look up topic " + t.Name}, err)
		}
		problems = append(problems, b.compare(t, l, settings[t.Name])...)
	}
	return errors.Join(problems...)
}

// create asks for every topic that is not listed. Another node may be first: that is as good.
func (b *Bus) create(ctx context.Context, topics []Topic) error {
	answers, err := retry(ctx, b, "create", "", final, func() (map[string]error, error) {
		known, err := b.client.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return nil, err
		}
		var wanted []kafka.TopicConfig
		for _, t := range topics {
			if !slices.ContainsFunc(known.Topics, func(k kafka.Topic) bool { return k.Name == t.Name }) {
				wanted = append(wanted, t.request())
			}
		}
		if len(wanted) == 0 {
			return nil, nil
		}
		answer, err := b.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: wanted})
		if err != nil {
			return nil, err
		}
		for _, err := range answer.Errors {
			if err != nil && !final(err) {
				return nil, err
			}
		}
		return answer.Errors, nil
	})
	if err != nil {
		return b.unreachable(exchange.Text{ZH: "创建主题", EN: "create topics"}, err)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		err := answers[name]
		switch {
		case err == nil:
			problems = append(problems, b.ready(ctx, name))
		case !errors.Is(err, kafka.TopicAlreadyExists):
			problems = append(problems, b.notCreated(name, err))
		}
	}
	return errors.Join(problems...)
}

// ready waits until every partition of a new topic has a leader that answers.
func (b *Bus) ready(ctx context.Context, topic string) error {
	partitions, err := b.partitions(ctx, topic)
	if err == nil {
		_, err = b.offsets(ctx, topic, kafka.LastOffset, partitions...)
	}
	if err != nil {
		return b.unreachable(exchange.Text{ZH: "等待新主题 " + topic, EN: "wait for the new topic " + topic}, err)
	}
	return nil
}

func (t Topic) request() kafka.TopicConfig {
	config := map[string]string{"cleanup.policy": t.policy(), "retention.ms": strconv.FormatInt(t.retention(), 10)}
	if t.MinISR > 0 {
		config["min.insync.replicas"] = strconv.Itoa(t.MinISR)
	}
	maps.Copy(config, t.Config)
	r := kafka.TopicConfig{Topic: t.Name, NumPartitions: max(1, t.Partitions), ReplicationFactor: t.Replicas}
	if t.Replicas == 0 {
		r.ReplicationFactor = -1
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		r.ConfigEntries = append(r.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: config[name]})
	}
	return r
}

func (t Topic) policy() string {
	if t.Compact {
		return "compact"
	}
	return "delete"
}

// retention is Kafka's retention.ms, where -1 means for ever.
func (t Topic) retention() int64 {
	if t.Retention == 0 {
		return -1
	}
	return t.Retention.Milliseconds()
}

// settings reads the settings that compare looks at, by topic and name.
func (b *Bus) settings(ctx context.Context, topics []Topic) (map[string]map[string]string, error) {
	request := &kafka.DescribeConfigsRequest{}
	for _, t := range topics {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: t.Name,
			ConfigNames: []string{"cleanup.policy", "retention.ms", "min.insync.replicas"},
		})
	}
	return retry(ctx, b, "describe", "", final, func() (map[string]map[string]string, error) {
		answer, err := b.client.DescribeConfigs(ctx, request)
		if err != nil {
			return nil, err
		}
		found := make(map[string]map[string]string)
		for _, r := range answer.Resources {
			if r.Error != nil {
				return nil, r.Error
			}
			found[r.ResourceName] = make(map[string]string)
			for _, entry := range r.ConfigEntries {
				found[r.ResourceName][entry.ConfigName] = entry.ConfigValue
			}
		}
		return found, nil
	})
}

// compare lists where a topic falls short of what was asked.
func (b *Bus) compare(t Topic, l layout, has map[string]string) []error {
	var problems []error
	if n := len(l.partitions); n < t.Partitions {
		problems = append(problems, b.differs("YM-BUS-0201", t.Name, "partitions", strconv.Itoa(n), strconv.Itoa(t.Partitions),
			fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d", b.brokers, t.Name, t.Partitions)))
	}
	if l.replicas < t.Replicas {
		problems = append(problems, b.differs("YM-BUS-0202", t.Name, "replicas", strconv.Itoa(l.replicas), strconv.Itoa(t.Replicas),
			fmt.Sprintf("kafka-reassign-partitions.sh --bootstrap-server %s --reassignment-json-file FILE --execute", b.brokers)))
	}
	if has["cleanup.policy"] != t.policy() {
		problems = append(problems, b.differs("YM-BUS-0203", t.Name, "cleanup.policy", has["cleanup.policy"], t.policy(), b.alter(t.Name, "cleanup.policy", t.policy())))
	}
	if n, err := strconv.Atoi(has["min.insync.replicas"]); t.MinISR > 0 && (err != nil || n < t.MinISR) {
		want := strconv.Itoa(t.MinISR)
		problems = append(problems, b.differs("YM-BUS-0204", t.Name, "min.insync.replicas", has["min.insync.replicas"], want, b.alter(t.Name, "min.insync.replicas", want)))
	}
	// A compacted topic does not remove by age, whatever it says.
	if n, err := strconv.ParseInt(has["retention.ms"], 10, 64); !t.Compact && (err != nil || shorter(n, t.retention())) {
		want := strconv.FormatInt(t.retention(), 10)
		problems = append(problems, b.differs("YM-BUS-0205", t.Name, "retention.ms", has["retention.ms"], want, b.alter(t.Name, "retention.ms", want)))
	}
	return problems
}

func shorter(has, want int64) bool {
	return has >= 0 && (want < 0 || has < want)
}

func (b *Bus) alter(topic, name, value string) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s=%s", b.brokers, topic, name, value)
}

func (b *Bus) differs(code, topic, setting, has, want, command string) error {
	return &exchange.Problem{
		Code: code, Kind: exchange.Conflict,
		What: exchange.Text{ZH: "主题 " + topic + " 不符合要求", EN: "topic " + topic + " is not as it must be"},
		Why: exchange.Text{
			ZH: fmt.Sprintf("%s 为 %s，要求 %s", setting, has, want),
			EN: fmt.Sprintf("its %s is %s, asked for was %s", setting, has, want),
		},
		Mend: exchange.Text{ZH: "由管理员运行：" + command, EN: "have an administrator run: " + command},
	}
}

func (b *Bus) notCreated(topic string, err error) error {
	p := &exchange.Problem{
		Code: "YM-BUS-0206", Kind: exchange.Internal, Err: err,
		What: exchange.Text{ZH: "未能创建主题 " + topic, EN: "topic " + topic + " was not created"},
		Why:  exchange.Text{ZH: "Kafka 拒绝", EN: "Kafka refused"},
		Mend: exchange.Text{ZH: "检查主题名与配置项", EN: "check the topic's name and settings"},
	}
	switch {
	case errors.Is(err, kafka.InvalidReplicationFactor):
		p.Kind = exchange.Conflict
		p.Mend = exchange.Text{ZH: "副本数超过代理数：减少副本数，或先增加代理", EN: "there are fewer brokers than replicas: ask for fewer, or add brokers first"}
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		p.Kind = exchange.Denied
		p.Mend = exchange.Text{ZH: "用有权创建主题的身份启动，或请管理员先创建", EN: "start with an identity that may create topics, or have an administrator create it first"}
	}
	return p
}
