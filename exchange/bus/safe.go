package bus

import (
	"context"
	"fmt"
	"strconv"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// Safe refuses a Kafka whose settings could lose what it acknowledged, or let in whoever connects: each one found is a
// Problem with the command that mends it. A single broker passes, with a warning in the log. The topics must exist.
func (b *Bus) Safe(ctx context.Context, topics []Topic) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	seen, err := b.look(ctx, topics)
	if err != nil {
		return err
	}
	brokers, findings, err := b.openings(ctx)
	if err != nil {
		return err
	}
	if brokers == 1 {
		p := oneBroker()
		b.log.Warn(p.What.EN, "code", p.Code, "problem", p.Error())
	}
	for _, t := range topics {
		findings = append(findings, b.dangers(t.Name, seen[t.Name], brokers)...)
	}
	return problemsOf(distinct(findings))
}

// Findings are all ways in which the topics, which must exist, and the brokers are not as Ensure and Safe want them.
func (b *Bus) Findings(ctx context.Context, topics []Topic) ([]Finding, error) {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	seen, err := b.look(ctx, topics)
	if err != nil {
		return nil, err
	}
	brokers, findings, err := b.openings(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range topics {
		findings = append(findings, b.differences(t, seen[t.Name])...)
		findings = append(findings, b.dangers(t.Name, seen[t.Name], brokers)...)
	}
	return distinct(findings), nil
}

// distinct keeps the first finding of each setting: what topics inherit is found with each of them.
func distinct(findings []Finding) []Finding {
	type place struct{ topic, setting string }
	var kept []Finding
	told := make(map[place]bool)
	for _, f := range findings {
		if at := (place{f.Topic, f.Setting}); !told[at] {
			told[at] = true
			kept = append(kept, f)
		}
	}
	return kept
}

// leastTopicBytes lets the longest batch through; it is Kafka's default.
const leastTopicBytes = 1048588

// dangers are what could lose acknowledged messages of a topic. Settings that this Kafka does not know are passed over.
func (b *Bus) dangers(topic string, has sight, brokers int) []Finding {
	var all []Finding
	found := func(code, name, is, want string, inherited bool, why exchange.Text) {
		f := Finding{Topic: topic, Setting: name, Has: is, Want: want}
		command := b.alterTopic(topic, name, want)
		if inherited {
			f.Topic = ""
			if name == topicBytes {
				f.Setting = "message.max.bytes" // as a broker calls it
			}
			command = b.tool("kafka-configs.sh") + fmt.Sprintf(" --alter --entity-type brokers --entity-default --add-config %s=%s", f.Setting, want)
		}
		if name == replicaCount {
			command = b.reassign()
		}
		f.Problem = unsafe(code, f, why, exchange.Text{ZH: "由管理员运行：" + command, EN: "have an administrator run: " + command})
		all = append(all, f)
	}
	if s, known := has.settings[unclean]; known && s.value != "false" {
		found("YM-BUS-0211", unclean, s.value, "false", s.inherited, exchange.Text{
			ZH: "落后的副本也能当选，已确认的记录会被截掉", EN: "a replica that lags behind may be elected, and acknowledged records are cut off"})
	}
	if s, known := has.settings[minISR]; known && has.replicas > 1 {
		switch n, err := strconv.Atoi(s.value); {
		case err != nil || n < 2:
			found("YM-BUS-0212", minISR, s.value, "2", s.inherited, exchange.Text{
				ZH: "一个副本就算确认，它一坏记录就没有了", EN: "one replica alone acknowledges, and what it has is lost with it"})
		case n >= has.replicas && has.replicas > 2:
			found("YM-BUS-0212", minISR, s.value, "2", s.inherited, exchange.Text{
				ZH: "任何一台代理停下，就什么也写不进去", EN: "while any one broker is down, nothing can be written"})
		}
	}
	if s, known := has.settings[topicBytes]; known && !suffices(topicBytes, s.value, strconv.Itoa(leastTopicBytes)) {
		found("YM-BUS-0213", topicBytes, s.value, strconv.Itoa(leastTopicBytes), s.inherited, exchange.Text{
			ZH: "放不下最长的一批记录", EN: "the longest batch of records does not fit"})
	}
	if has.replicas == 1 && brokers > 1 {
		found("YM-BUS-0214", replicaCount, "1", strconv.Itoa(min(brokers, 3)), false, exchange.Text{
			ZH: "每条记录只有一份，磁盘坏了就没有了", EN: "each record is there once, and is lost with its disk"})
	}
	return all
}

// Settings of brokers that no topic has.
const (
	autoCreate    = "auto.create.topics.enable"
	authorizer    = "authorizer.class.name"
	openToUnnamed = "allow.everyone.if.no.acl.found"
)

// openings counts the brokers and looks at their own settings: what makes topics that nobody protects, and, where TLS says
// who is calling, whether anything follows from it.
func (b *Bus) openings(ctx context.Context) (brokers int, found []Finding, err error) {
	settings, err := retry(ctx, b, "describe brokers", "", final, func() (map[string]map[string]setting, error) {
		known, err := b.client.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return nil, err
		}
		var resources []kafka.DescribeConfigRequestResource
		for _, broker := range known.Brokers {
			resources = append(resources, kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeBroker,
				ResourceName: strconv.Itoa(broker.ID), ConfigNames: []string{autoCreate, authorizer, openToUnnamed}})
		}
		return b.describe(ctx, resources)
	})
	if err != nil {
		return 0, nil, b.unreachable(exchange.Text{ZH: "读取代理的配置", EN: "read the settings of the brokers"}, err)
	}
	for _, own := range settings {
		if s, known := own[autoCreate]; known && s.value != "false" {
			found = append(found, brokerSetting("YM-BUS-0215", autoCreate, s.value, "false", exchange.Text{
				ZH: "写错的主题名会变成没人保护的主题", EN: "a misspelt name becomes a topic that nobody protects"}))
		}
		if s, known := own[authorizer]; known && s.value == "" && b.tls != nil {
			found = append(found, brokerSetting("YM-BUS-0216", authorizer, "", "org.apache.kafka.metadata.authorizer.StandardAuthorizer", exchange.Text{
				ZH: "任何连上的人都可以读写一切", EN: "whoever connects may read and write everything"}))
		}
		if s, known := own[openToUnnamed]; known && s.value == "true" && b.tls != nil {
			found = append(found, brokerSetting("YM-BUS-0217", openToUnnamed, s.value, "false", exchange.Text{
				ZH: "没有规则的主题谁都可以读写", EN: "whoever connects may read and write topics without rules"}))
		}
	}
	return len(settings), found, nil
}

// brokerSetting is a finding that only a restart mends.
func brokerSetting(code, name, is, want string, why exchange.Text) Finding {
	f := Finding{Setting: name, Has: is, Want: want}
	f.Problem = unsafe(code, f, why, exchange.Text{
		ZH: "在每台代理的 server.properties 中写 " + name + "=" + want + "，逐台重启",
		EN: "write " + name + "=" + want + " into server.properties of every broker, and restart one after the other",
	})
	return f
}

func unsafe(code string, f Finding, why, mend exchange.Text) *exchange.Problem {
	whose := exchange.Text{ZH: "Kafka 代理", EN: "of the Kafka brokers"}
	if f.Topic != "" {
		whose = exchange.Text{ZH: "主题 " + f.Topic, EN: "of topic " + f.Topic}
	}
	is := f.Has
	if is == "" {
		is = `""`
	}
	return &exchange.Problem{
		Code: code, Kind: exchange.Conflict, Mend: mend,
		What: exchange.Text{ZH: whose.ZH + "的设置不安全：" + f.Setting + "=" + is, EN: "a setting " + whose.EN + " is not safe: " + f.Setting + "=" + is},
		Why:  why,
	}
}

func oneBroker() *exchange.Problem {
	return &exchange.Problem{
		Code: "YM-BUS-0210", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "Kafka 只有一台代理：磁盘损坏就会丢失记录", EN: "Kafka is one broker: a lost disk loses records"},
		Why:  exchange.Text{ZH: "每条记录只有一份", EN: "each record is there once"},
		Mend: exchange.Text{ZH: "用三台代理，kafka.replicas 写 3；在此之前备份这台的磁盘", EN: "run three brokers with kafka.replicas 3; until then back up this one's disk"},
	}
}
