package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// Finding is one way in which Kafka is not as it must be.
type Finding struct {
	Topic     string // "": of the brokers
	Setting   string // as Kafka calls it; also "partitions" and "replicas"
	Has, Want string
	Problem   *exchange.Problem
}

// Mendable says whether Mend can set it: a setting of a topic. All else is for whoever runs the brokers.
func (f Finding) Mendable() bool {
	return f.Topic != "" && f.Setting != partitionCount && f.Setting != replicaCount
}

// Kafka's names of the settings that are looked at, and ours for what is none.
const (
	partitionCount = "partitions"
	replicaCount   = "replicas"
	cleanupPolicy  = "cleanup.policy"
	retentionTime  = "retention.ms"
	retentionBytes = "retention.bytes"
	minISR         = "min.insync.replicas"
	unclean        = "unclean.leader.election.enable"
	topicBytes     = "max.message.bytes"
	compactionLag  = "max.compaction.lag.ms"
)

// sight is what Kafka says of a topic.
type sight struct {
	layout
	settings map[string]setting // those that this Kafka knows
}

type setting struct {
	value     string
	inherited bool // it is the brokers', not the topic's own
}

// look reads the layout and the settings of topics that exist.
func (b *Bus) look(ctx context.Context, topics []Topic) (map[string]sight, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	settings, err := b.settings(ctx, topics)
	if err != nil {
		return nil, b.unreachable(exchange.Text{ZH: "读取主题配置", EN: "read the settings of topics"}, err)
	}
	seen := make(map[string]sight, len(topics))
	for _, t := range topics {
		l, err := b.layout(ctx, t.Name)
		if err != nil {
			return nil, b.unreachable(exchange.Text{ZH: "读取主题 " + t.Name, EN: "look up topic " + t.Name}, err)
		}
		seen[t.Name] = sight{l, settings[t.Name]}
	}
	return seen, nil
}

func (b *Bus) settings(ctx context.Context, topics []Topic) (map[string]map[string]setting, error) {
	var resources []kafka.DescribeConfigRequestResource
	for _, t := range topics {
		names := append(slices.Collect(maps.Keys(t.settings())), minISR, unclean, topicBytes)
		resources = append(resources, kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: t.Name, ConfigNames: names})
	}
	return retry(ctx, b, "describe", "", final, func() (map[string]map[string]setting, error) { return b.describe(ctx, resources) })
}

// describe reads settings once, by resource and name.
func (b *Bus) describe(ctx context.Context, resources []kafka.DescribeConfigRequestResource) (map[string]map[string]setting, error) {
	const topicsOwn = 1 // Kafka's number for a setting that somebody gave the topic
	answer, err := b.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: resources})
	if err != nil {
		return nil, err
	}
	found := make(map[string]map[string]setting)
	for _, r := range answer.Resources {
		if r.Error != nil {
			return nil, r.Error
		}
		found[r.ResourceName] = make(map[string]setting)
		for _, e := range r.ConfigEntries {
			found[r.ResourceName][e.ConfigName] = setting{e.ConfigValue, e.ConfigSource != topicsOwn}
		}
	}
	return found, nil
}

// differences lists where a topic falls short of what was asked. Settings that this Kafka does not know are passed over.
func (b *Bus) differences(t Topic, has sight) []Finding {
	var all []Finding
	differs := func(code, name, is, want, command string) {
		all = append(all, Finding{t.Name, name, is, want, &exchange.Problem{
			Code: code, Kind: exchange.Conflict,
			What: exchange.Text{ZH: "主题 " + t.Name + " 不符合要求", EN: "topic " + t.Name + " is not as it must be"},
			Why:  exchange.Text{ZH: fmt.Sprintf("%s 为 %s，要求 %s", name, is, want), EN: fmt.Sprintf("its %s is %s, asked for was %s", name, is, want)},
			Mend: exchange.Text{ZH: "由管理员运行：" + command, EN: "have an administrator run: " + command},
		}})
	}
	if n := len(has.partitions); n < t.Partitions {
		differs("YM-BUS-0201", partitionCount, strconv.Itoa(n), strconv.Itoa(t.Partitions),
			b.tool("kafka-topics.sh")+fmt.Sprintf(" --alter --topic %s --partitions %d", t.Name, t.Partitions))
	}
	if has.replicas < t.Replicas {
		differs("YM-BUS-0202", replicaCount, strconv.Itoa(has.replicas), strconv.Itoa(t.Replicas), b.reassign())
	}
	asked := t.settings()
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		is, known := has.settings[name]
		if !known || t.Compact && t.Retention == 0 && (name == retentionTime || name == retentionBytes) { // a compacted topic removes nothing by age, whatever it says
			continue
		}
		if !suffices(name, is.value, asked[name]) {
			differs(codeOf(name), name, is.value, asked[name], b.alterTopic(t.Name, name, asked[name]))
		}
	}
	return all
}

func codeOf(setting string) string {
	switch setting {
	case cleanupPolicy:
		return "YM-BUS-0203"
	case minISR:
		return "YM-BUS-0204"
	case retentionTime, retentionBytes:
		return "YM-BUS-0205"
	}
	return "YM-BUS-0207"
}

// suffices says whether a value is as good as the one asked for.
func suffices(setting, has, want string) bool {
	is, notNumber := strconv.ParseInt(has, 10, 64)
	least, err := strconv.ParseInt(want, 10, 64)
	switch setting {
	case cleanupPolicy:
		return slices.Equal(slices.Sorted(strings.SplitSeq(has, ",")), slices.Sorted(strings.SplitSeq(want, ",")))
	case retentionTime, retentionBytes: // below zero is for ever
		return notNumber == nil && err == nil && (is < 0 || least >= 0 && is >= least)
	case minISR, topicBytes:
		return notNumber == nil && err == nil && is >= least
	case compactionLag:
		return notNumber == nil && err == nil && is <= least
	}
	return has == want
}

// tool is the beginning of a command line for one of Kafka's own tools.
func (b *Bus) tool(name string) string {
	command := name + " --bootstrap-server " + b.brokers
	if b.tls != nil {
		command += " --command-config admin.properties"
	}
	return command
}

func (b *Bus) reassign() string {
	return b.tool("kafka-reassign-partitions.sh") + " --reassignment-json-file FILE --execute"
}

func (b *Bus) alterTopic(topic, name, value string) string {
	if strings.Contains(value, ",") {
		value = "[" + value + "]"
	}
	return b.tool("kafka-configs.sh") + fmt.Sprintf(" --alter --entity-type topics --entity-name %s --add-config %s=%s", topic, name, value)
}

// problemsOf is one error of all findings, nil where there are none.
func problemsOf(findings []Finding) error {
	var all []error
	for _, f := range findings {
		all = append(all, f.Problem)
	}
	return errors.Join(all...)
}

// Mend gives topics the settings that findings want, as far as they are Mendable.
func (b *Bus) Mend(ctx context.Context, findings []Finding) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	request := &kafka.IncrementalAlterConfigsRequest{}
	for _, f := range findings {
		if !f.Mendable() {
			continue
		}
		change := kafka.IncrementalAlterConfigsRequestConfig{Name: f.Setting, Value: f.Want, ConfigOperation: kafka.ConfigOperationSet}
		at := slices.IndexFunc(request.Resources, func(r kafka.IncrementalAlterConfigsRequestResource) bool { return r.ResourceName == f.Topic })
		if at < 0 {
			at = len(request.Resources)
			request.Resources = append(request.Resources, kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: f.Topic})
		}
		request.Resources[at].Configs = append(request.Resources[at].Configs, change)
	}
	if len(request.Resources) == 0 {
		return nil
	}
	_, err = retry(ctx, b, "alter", "", final, func() (any, error) {
		answer, err := b.client.IncrementalAlterConfigs(ctx, request)
		if err != nil {
			return nil, err
		}
		var all []error
		for _, r := range answer.Resources {
			all = append(all, r.Error)
		}
		return nil, errors.Join(all...)
	})
	if err != nil {
		return b.unreachable(exchange.Text{ZH: "修改主题配置", EN: "change the settings of topics"}, err)
	}
	return nil
}
