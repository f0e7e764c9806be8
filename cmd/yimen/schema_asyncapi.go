package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/registry"
)

func (s *session) schemaAsyncAPI() verb {
	var at registryAt
	var remote bool
	var broker, dir string
	return verb{
		use:   "asyncapi",
		short: both("导出部门和 Kafka 工具所用主题的 AsyncAPI 3 文档", "export an AsyncAPI 3 document of the Kafka topics that departments meet"),
		long: both(`导出一份 AsyncAPI 3.0 文档：部门和 Kafka 工具所用的主题，即每种证照的主题和 Schema、覆盖声明、隔离区、通知、登记处和审计的主题，以及消息的键和头。平台自用的主题（名册、目录、订阅、疑义、删除）不在其中。
默认按内置的证照；加 --remote 或 --server 则按登记处的最新版本。默认输出 YAML，-o json 输出 JSON。`,
			`Export an AsyncAPI 3.0 document: the topics that departments and Kafka tools meet, which are the topic and schema of each evidence type and those of coverage, quarantine, notices, registry and audit, with keys and headers of messages. The exchange's own topics (roll, catalogue, subscriptions, doubts, erasures) are left out.
It describes the built-in types, or with --remote or --server the newest versions in the registry. It is YAML; -o json makes it JSON.`),
		example: "yimen schema asyncapi > yimen.asyncapi.yaml\nyimen schema asyncapi --remote --broker kafka1.example.gov.cn:9093 -o json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&broker, "broker", node.DefaultKafka, s.t("Kafka 的地址 `HOST:PORT`", "the address of Kafka, `HOST:PORT`"))
			s.remoteFlag(f, &remote)
			s.catalogueFlag(f, &dir)
			s.registryFlags(f, &at)
		},
		run: func(ctx context.Context, _ []string) error {
			c, err := loadCatalogue(dir)
			if err != nil {
				return err
			}
			base, err := address(at.server)
			if err != nil {
				return err
			}
			types, err := evidenceSchemas(ctx, at, remote || at.named())
			if err != nil {
				return err
			}
			return s.printAsyncAPI(asyncAPIOf(types, c, broker, base+node.RegistryPath))
		},
	}
}

// evidenceSchemas are the newest schemas of all evidence types, those of the registry or the built-in ones.
func evidenceSchemas(ctx context.Context, at registryAt, remote bool) ([]*schemas.Schema, error) {
	if !remote {
		set, err := schemas.Builtin()
		if err != nil {
			return nil, err
		}
		return set.All(), nil
	}
	client, err := at.client(ctx)
	if err != nil {
		return nil, err
	}
	subjects, err := client.Subjects(ctx, false)
	if err != nil {
		return nil, err
	}
	var all []*schemas.Schema
	for _, subject := range subjects {
		if registry.EvidenceType(subject) == "" {
			continue
		}
		newest, err := client.Version(ctx, subject, 0, false)
		if err != nil {
			return nil, err
		}
		schema, err := schemas.Parse([]byte(newest.Schema))
		if err != nil {
			return nil, fmt.Errorf("%s v%d: %w", subject, newest.Version, err)
		}
		all = append(all, schema)
	}
	return all, nil
}

func (s *session) printAsyncAPI(doc asyncAPI) error {
	switch s.format {
	case asNames:
		for _, name := range slices.Sorted(maps.Keys(doc.Channels)) {
			if _, err := fmt.Fprintln(s.out, plain(name)); err != nil {
				return err
			}
		}
		return nil
	case asJSON:
		return s.value(doc)
	case asLines:
		return s.line(doc)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	return s.yaml(text)
}

// asyncAPI is the document, in the order in which people read it.
type asyncAPI struct {
	Version     string               `json:"asyncapi"`
	ID          string               `json:"id"`
	Info        asyncObject          `json:"info"`
	ContentType string               `json:"defaultContentType"`
	Servers     asyncObject          `json:"servers"`
	Channels    map[string]channel   `json:"channels"`
	Operations  map[string]operation `json:"operations"`
	Components  asyncComponents      `json:"components"`
}

type asyncObject map[string]any

type asyncRef struct {
	To string `json:"$ref"`
}

type channel struct {
	Address     string              `json:"address"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Servers     []asyncRef          `json:"servers"`
	Messages    map[string]asyncRef `json:"messages"`
	Bindings    asyncObject         `json:"bindings"`
}

type operation struct {
	Action   string     `json:"action"`
	Channel  asyncRef   `json:"channel"`
	Title    string     `json:"title"`
	Summary  string     `json:"summary"`
	Messages []asyncRef `json:"messages"`
}

type asyncComponents struct {
	Messages map[string]asyncMessage `json:"messages"`
	Schemas  map[string]any          `json:"schemas"`
}

type asyncMessage struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	ContentType string      `json:"contentType"`
	Headers     any         `json:"headers,omitempty"`
	Payload     any         `json:"payload"`
	Bindings    asyncObject `json:"bindings"`
}

// The versions of AsyncAPI's Kafka binding.
const bindingVersion = "0.5.0"

const sealedContent = "application/vnd.yimen.sealed"

// asyncAPIOf describes the topics of a city.
func asyncAPIOf(types []*schemas.Schema, c *catalogue.Catalogue, broker, registryURL string) asyncAPI {
	doc := asyncAPI{
		Version: "3.0.0", ID: "urn:yimen:topics", ContentType: "application/json",
		Info: asyncObject{
			"title":       "一门 Yimen",
			"version":     "1.0.0",
			"description": inBoth("部门发布的证照、覆盖声明、隔离区和收到的通知，以及登记处和审计的 Kafka 主题。", "The Kafka topics of what departments have issued, of coverage and quarantine, of the notices they get, of the registry and of the audit log."),
			"license":     asyncObject{"name": "Apache-2.0"},
			"contact":     asyncObject{"name": "Yimen", "url": "https://github.com/onedoor/yimen"},
			"tags":        []asyncObject{{"name": "yimen"}},
		},
		Servers: asyncObject{"kafka": asyncObject{
			"host": broker, "protocol": "kafka", "description": inBoth("交换平台的 Kafka。", "The exchange's Kafka."),
			"bindings": asyncObject{"kafka": asyncObject{"schemaRegistryUrl": registryURL, "schemaRegistryVendor": "confluent", "bindingVersion": bindingVersion}},
		}},
		Channels: map[string]channel{}, Operations: map[string]operation{},
		Components: asyncComponents{Messages: map[string]asyncMessage{}, Schemas: map[string]any{}},
	}
	for _, t := range types {
		doc.evidence(t, c)
	}
	for _, d := range c.Departments() {
		doc.department(d)
	}
	doc.platform()
	return doc
}

// inBoth is a text in Chinese and, beneath it, in English.
func inBoth(zh, en string) string { return zh + "\n\n" + en }

// topic adds a channel with the one kind of message it carries.
func (a *asyncAPI) topic(name, title, description, message string, kafka asyncObject) {
	a.Channels[name] = channel{
		Address: name, Title: title, Description: description,
		Servers:  []asyncRef{{"#/servers/kafka"}},
		Messages: map[string]asyncRef{message: {"#/components/messages/" + message}},
		Bindings: asyncObject{"kafka": kafka},
	}
}

// operates adds what is done on a channel.
func (a *asyncAPI) operates(action, id, channel, message, title, summary string) {
	a.Operations[id] = operation{Action: action, Channel: asyncRef{"#/channels/" + channel}, Title: title, Summary: summary,
		Messages: []asyncRef{{"#/channels/" + channel + "/messages/" + message}}}
}

// settingsOf are a topic's settings; partitions 0 leaves their number open.
func settingsOf(name string, partitions int, configuration asyncObject) asyncObject {
	settings := asyncObject{"topic": name, "topicConfiguration": configuration, "bindingVersion": bindingVersion}
	if partitions > 0 {
		settings["partitions"] = partitions
	}
	return settings
}

func (a *asyncAPI) evidence(t *schemas.Schema, c *catalogue.Catalogue) {
	name, message := envelope.EvidenceTopic(t.Type), "record."+string(t.Type)
	keeper, keeperEN := "数源部门", "the keeper"
	if e, known := c.Evidence(t.Type); known {
		if d, known := c.Department(e.Keeper); known {
			keeper, keeperEN = d.Name.ZH, d.Name.EN
		}
	}
	a.topic(name, t.Title.ZH, inBoth(t.Description.ZH, t.Title.EN+". "+t.Description.EN), message,
		settingsOf(name, 4, asyncObject{"cleanup.policy": []string{"compact"}, "max.compaction.lag.ms": 43200000})) // half of kafka.erase_within
	a.Components.Schemas[string(t.Type)] = embedded(t)
	a.Components.Messages[message] = asyncMessage{
		Name: message, Title: t.Title.ZH,
		Description: inBoth("一张证照的一个版本。值是密文；解封之后的内容符合这里的 Schema。撤回的记录没有内容。",
			"One version of one certificate. The value is sealed; what it holds fits the schema here. A withdrawn record holds nothing."),
		ContentType: sealedContent,
		Headers:     asyncRef{"#/components/schemas/recordHeaders"},
		Payload:     asyncRef{"#/components/schemas/" + string(t.Type)},
		Bindings: asyncObject{"kafka": asyncObject{
			"key": asyncObject{"type": "string", "format": "binary", "minLength": 24, "maxLength": 24,
				"description": inBoth("记录编号 16 字节，版本 8 字节（大端）。", "The record's id, 16 bytes, and its version, 8 bytes big-endian.")},
			"schemaIdLocation": "header", "bindingVersion": bindingVersion}},
	}
	a.operates("send", "publish."+string(t.Type), name, message, "发布"+t.Title.ZH, inBoth(keeper+"的适配器发布。", "Adapters of "+keeperEN+" publish it."))
	a.operates("receive", "fold."+string(t.Type), name, message, "收取"+t.Title.ZH, inBoth("交换平台收取并编入索引。", "The exchange takes it into its index."))
}

// embedded is a schema as a part of the document: its references lead from the document's root.
func embedded(t *schemas.Schema) asyncObject {
	var schema any = json.RawMessage(t.Text)
	if bytes.Contains(t.Text, []byte(`"$ref"`)) {
		d := json.NewDecoder(bytes.NewReader(t.Text))
		d.UseNumber()
		var root any
		if d.Decode(&root) == nil { // it was parsed before
			schema = rerooted(root, "#/components/schemas/"+string(t.Type)+"/schema")
		}
	}
	return asyncObject{"schemaFormat": "application/schema+json;version=draft-07", "schema": schema}
}

// rerooted is a schema whose references begin at another root. What is data and not schema stays as it is.
func rerooted(v any, at string) any {
	switch v := v.(type) {
	case map[string]any:
		moved := make(map[string]any, len(v))
		for name, inner := range v {
			to, reference := inner.(string)
			switch {
			case name == "$ref" && reference && strings.HasPrefix(to, "#"):
				moved[name] = at + strings.TrimPrefix(to, "#")
			case name == "examples", name == "enum", name == "const", name == "default":
				moved[name] = inner
			default:
				moved[name] = rerooted(inner, at)
			}
		}
		return moved
	case []any:
		moved := make([]any, len(v))
		for i := range v {
			moved[i] = rerooted(v[i], at)
		}
		return moved
	}
	return v
}

func (a *asyncAPI) department(d catalogue.Department) {
	coverage, quarantine := envelope.CoverageTopic(d.Code), envelope.QuarantineTopic(d.Code)
	threeYears := 3 * 366 * 24 * 60 * 60 * 1000
	kept := asyncObject{"cleanup.policy": []string{"delete"}, "retention.ms": threeYears}
	a.topic(coverage, d.Name.ZH+"的覆盖声明", inBoth("适配器每 30 秒声明：数据覆盖哪些主体、完整到什么时候。", d.Name.EN+": every 30 s an adapter states for which holders its data is complete, and up to when."),
		"coverage", settingsOf(coverage, 1, kept))
	a.operates("send", "state."+string(d.Code), coverage, "coverage", d.Name.ZH+"声明覆盖", inBoth("部门的适配器发出。", "The department's adapters send it."))
	a.topic(quarantine, d.Name.ZH+"的隔离区", inBoth("不能发布的数据行，密封，带原因代码；空值表示已改好。", d.Name.EN+": rows that could not be published, sealed, with a reason code; no value says that the row was mended."),
		"rejection", settingsOf(quarantine, 1, kept))
	notices := envelope.NoticesTopic(d.Code)
	a.topic(notices, d.Name.ZH+"的通知", inBoth("办件所依据的证照有变时告知已订阅的办件；本部门的服务身份可读。", d.Name.EN+": tells subscribed cases that a record they relied on has changed; the department's services may read it."),
		"notice", settingsOf(notices, 1, asyncObject{"cleanup.policy": []string{"delete"}, "retention.ms": 366 * 24 * 60 * 60 * 1000}))
	a.operates("send", "notify."+string(d.Code), notices, "notice", "通知"+d.Name.ZH, inBoth("交换平台发出，至少一次；ce_id 相同即同一件事。", "The exchange sends it, at least once; the same ce_id is the same news."))
	a.operates("send", "reject."+string(d.Code), quarantine, "rejection", d.Name.ZH+"隔离数据行", inBoth("部门的适配器发出。", "The department's adapters send it."))
}

// platform adds the topics that are the exchange's own, and the messages that do not depend on a type.
func (a *asyncAPI) platform() {
	forEver := asyncObject{"cleanup.policy": []string{"delete"}, "retention.ms": -1}
	a.topic(registry.Proposals, "Schema 变更", inBoth("登记处的每个改动，唯一分区决定先后。", "Every change of the registry; the one partition decides their order."), "proposal", settingsOf(registry.Proposals, 1, forEver))
	a.operates("send", "propose", registry.Proposals, "proposal", "提议改动", inBoth("登记处发出，带判定。", "The registry sends it with its verdict."))
	a.operates("receive", "settle", registry.Proposals, "proposal", "执行改动", inBoth("每个节点按同样的先后执行。", "Every node folds them in the same order."))
	a.topic(registry.Mirror, "Schema 登记处（Confluent 格式）", inBoth("由变更推出，供其他 Kafka 工具读取。", "Derived from the changes, for the rest of the Kafka world."), "registryRecord",
		settingsOf(registry.Mirror, 1, asyncObject{"cleanup.policy": []string{"compact"}}))
	a.operates("send", "mirror", registry.Mirror, "registryRecord", "写出登记处", inBoth("登记处写出。", "The registry writes it."))
	a.topic(audit.Topic, "审计", inBoth("每次核验一条，没有号码和姓名。", "One entry for each query, without numbers and names."), "auditEntry", settingsOf(audit.Topic, 1, forEver))
	a.operates("send", "audit", audit.Topic, "auditEntry", "写审计记录", inBoth("回答之前写成。", "It is durable before the answer is given."))
	maps.Copy(a.Components.Schemas, asyncSchemas())
	maps.Copy(a.Components.Messages, asyncMessages())
}
