package bus

import (
	"context"
	"errors"
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
	Compact    bool              // keep the newest message of each key, and with a Retention that no longer than so; otherwise remove by age alone
	Retention  time.Duration     // 0: for ever
	Config     map[string]string // more settings
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
	seen, err := b.look(ctx, topics)
	if err != nil {
		return err
	}
	var findings []Finding
	for _, t := range topics {
		findings = append(findings, b.differences(t, seen[t.Name])...)
	}
	return problemsOf(findings)
}

// Missing are those of the topics that Kafka does not have, or does not show to this identity.
func (b *Bus) Missing(ctx context.Context, topics []Topic) ([]Topic, error) {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	b.refresh()
	missing, err := retry(ctx, b, "look up", "", final, func() ([]Topic, error) { return b.missingOf(ctx, topics) })
	if err != nil {
		return nil, b.unreachable(exchange.Text{ZH: "列出主题", EN: "list the topics"}, err)
	}
	return missing, nil
}

func (b *Bus) missingOf(ctx context.Context, topics []Topic) ([]Topic, error) {
	known, err := b.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(known.Topics))
	for _, t := range known.Topics {
		there[t.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(topics), func(t Topic) bool { return there[t.Name] }), nil
}

// create asks for every topic that is not listed. Another node may be first: that is as good.
func (b *Bus) create(ctx context.Context, topics []Topic) error {
	answers, err := retry(ctx, b, "create", "", final, func() (map[string]error, error) {
		missing, err := b.missingOf(ctx, topics)
		if err != nil {
			return nil, err
		}
		var wanted []kafka.TopicConfig
		for _, t := range missing {
			wanted = append(wanted, t.request())
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
	r := kafka.TopicConfig{Topic: t.Name, NumPartitions: max(1, t.Partitions), ReplicationFactor: t.Replicas}
	if t.Replicas == 0 {
		r.ReplicationFactor = -1
	}
	settings := t.settings()
	if _, said := settings[unclean]; !said {
		settings[unclean] = "false" // what counts otherwise stands in the controllers' own files, which cannot be asked for
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		r.ConfigEntries = append(r.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: settings[name]})
	}
	return r
}

// settings are what the topic asks of Kafka, by the names Kafka has for it. What is for ever is said too: the brokers may
// have another default.
func (t Topic) settings() map[string]string {
	all := map[string]string{cleanupPolicy: "delete", retentionTime: "-1", retentionBytes: "-1"}
	if t.Compact {
		all[cleanupPolicy] = "compact"
	}
	if t.Retention > 0 {
		all[retentionTime] = strconv.FormatInt(t.Retention.Milliseconds(), 10)
		if t.Compact {
			all[cleanupPolicy] = "compact,delete"
		}
	}
	if t.MinISR > 0 {
		all[minISR] = strconv.Itoa(t.MinISR)
	}
	maps.Copy(all, t.Config)
	return all
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
