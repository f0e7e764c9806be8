package bus

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

func TestSettingsOfATopic(t *testing.T) {
	for name, row := range map[string]struct {
		topic Topic
		want  string
	}{
		"kept for ever":         {Topic{}, "cleanup.policy=delete retention.bytes=-1 retention.ms=-1 unclean.leader.election.enable=false"},
		"kept a while":          {Topic{Retention: time.Minute, MinISR: 2}, "cleanup.policy=delete min.insync.replicas=2 retention.bytes=-1 retention.ms=60000 unclean.leader.election.enable=false"},
		"compacted":             {Topic{Compact: true}, "cleanup.policy=compact retention.bytes=-1 retention.ms=-1 unclean.leader.election.enable=false"},
		"compacted and a while": {Topic{Compact: true, Retention: time.Minute}, "cleanup.policy=compact,delete retention.bytes=-1 retention.ms=60000 unclean.leader.election.enable=false"},
		"more":                  {Topic{Config: map[string]string{"a": "1", unclean: "true"}}, "a=1 cleanup.policy=delete retention.bytes=-1 retention.ms=-1 unclean.leader.election.enable=true"},
	} {
		var got []string
		for _, e := range row.topic.request().ConfigEntries {
			got = append(got, e.ConfigName+"="+e.ConfigValue)
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %v, want %s", name, got, row.want)
		}
	}
}

func TestSuffices(t *testing.T) {
	for _, row := range []struct {
		setting, has, want string
		good               bool
	}{
		{cleanupPolicy, "delete,compact", "compact,delete", true},
		{cleanupPolicy, "compact", "compact,delete", false},
		{cleanupPolicy, "delete", "compact", false},
		{retentionTime, "-1", "60000", true},
		{retentionTime, "60000", "60000", true},
		{retentionTime, "59999", "60000", false},
		{retentionTime, "60000", "-1", false},
		{retentionTime, "soon", "-1", false},
		{retentionBytes, "1000", "-1", false},
		{minISR, "3", "2", true},
		{minISR, "1", "2", false},
		{minISR, "", "2", false},
		{compactionLag, "1000", "2000", true},
		{compactionLag, "9223372036854775807", "86400000", false},
		{"message.timestamp.type", "LogAppendTime", "LogAppendTime", true},
		{"message.timestamp.type", "CreateTime", "LogAppendTime", false},
	} {
		if got := suffices(row.setting, row.has, row.want); got != row.good {
			t.Errorf("%s=%s where %s is asked for: %v", row.setting, row.has, row.want, got)
		}
	}
}

// told are the findings in a form to compare.
func told(findings []Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%s %s/%s %s→%s", f.Problem.Code, f.Topic, f.Setting, f.Has, f.Want))
	}
	return strings.Join(all, "; ")
}

func TestFindings(t *testing.T) {
	own := func(values map[string]string) map[string]setting {
		all := map[string]setting{cleanupPolicy: {"delete", false}, retentionTime: {"-1", false}, retentionBytes: {"-1", true},
			minISR: {"2", false}, unclean: {"false", true}, topicBytes: {"1048588", true}}
		for name, value := range values {
			all[name] = setting{value, strings.HasSuffix(value, "inherited")}
			if all[name].inherited {
				all[name] = setting{strings.TrimSuffix(value, " inherited"), true}
			}
		}
		return all
	}
	asked := Topic{Name: "t", Partitions: 1, Replicas: 3, MinISR: 2}
	for name, row := range map[string]struct {
		topic    Topic
		replicas int
		brokers  int
		settings map[string]setting
		want     string
	}{
		"sound":                           {asked, 3, 3, own(nil), ""},
		"unknown settings":                {asked, 3, 3, nil, ""},
		"one broker":                      {Topic{Name: "t"}, 1, 1, own(map[string]string{minISR: "1"}), ""},
		"one of many disks":               {Topic{Name: "t"}, 1, 3, own(map[string]string{minISR: "1"}), "YM-BUS-0214 t/replicas 1→3"},
		"unclean":                         {asked, 3, 3, own(map[string]string{unclean: "true"}), "YM-BUS-0211 t/unclean.leader.election.enable true→false"},
		"unclean brokers":                 {asked, 3, 3, own(map[string]string{unclean: "true inherited"}), "YM-BUS-0211 /unclean.leader.election.enable true→false"},
		"one acknowledges":                {Topic{Name: "t", Replicas: 3}, 3, 3, own(map[string]string{minISR: "1"}), "YM-BUS-0212 t/min.insync.replicas 1→2"},
		"one acknowledges, asked for two": {asked, 3, 3, own(map[string]string{minISR: "1"}), "YM-BUS-0204 t/min.insync.replicas 1→2"},
		"all must":                        {asked, 3, 3, own(map[string]string{minISR: "3"}), "YM-BUS-0212 t/min.insync.replicas 3→2"},
		"both of two must":                {Topic{Name: "t"}, 2, 2, own(nil), ""},
		"small batches":                   {asked, 3, 3, own(map[string]string{topicBytes: "1000"}), "YM-BUS-0213 t/max.message.bytes 1000→1048588"},
		"brokers' small ones":             {asked, 3, 3, own(map[string]string{topicBytes: "1000 inherited"}), "YM-BUS-0213 /message.max.bytes 1000→1048588"},
		"expires":                         {asked, 3, 3, own(map[string]string{retentionTime: "1000"}), "YM-BUS-0205 t/retention.ms 1000→-1"},
		"too few":                         {Topic{Name: "t", Partitions: 4, Replicas: 3}, 2, 3, own(nil), "YM-BUS-0201 t/partitions 1→4; YM-BUS-0202 t/replicas 2→3"},
		"policy and lag": {Topic{Name: "t", Compact: true, Config: map[string]string{compactionLag: "1000"}}, 3, 3, own(map[string]string{compactionLag: "2000"}),
			"YM-BUS-0203 t/cleanup.policy delete→compact; YM-BUS-0207 t/max.compaction.lag.ms 2000→1000"},
		"compacted topics do not expire": {Topic{Name: "t", Compact: true}, 3, 3, own(map[string]string{cleanupPolicy: "compact", retentionTime: "1"}), ""},
	} {
		b := &Bus{brokers: "kafka1:9093", tls: &tls.Config{}}
		has := sight{layout{partitions: []int{0}, replicas: row.replicas}, row.settings}
		all := distinct(append(b.differences(row.topic, has), b.dangers("t", has, row.brokers)...))
		if told(all) != row.want {
			t.Errorf("%s: %s, want %s", name, told(all), row.want)
		}
		for _, f := range all {
			if p := f.Problem; p.Kind != exchange.Conflict || p.What.ZH == "" || p.Why.ZH == "" || !strings.Contains(p.Mend.EN, ".sh --bootstrap-server kafka1:9093 --command-config admin.properties --") || p.Mend.ZH == "" {
				t.Errorf("%s: %v", name, p)
			}
		}
	}
}

func TestRuleIsNoPattern(t *testing.T) {
	good := Rule{Principal: "User:scjg/adapter/licences", Operation: Write, Resource: TopicResource, Name: "evidence.a"}
	if e, err := good.entry(); err != nil || e.Host != "*" || e.PermissionType != kafka.ACLPermissionTypeAllow || e.ResourcePatternType != kafka.PatternTypeLiteral {
		t.Errorf("%+v %v", e, err)
	}
	for name, spoil := range map[string]func(*Rule){
		"no principal":       func(r *Rule) { r.Principal = "" },
		"no name":            func(r *Rule) { r.Name = "" },
		"any operation":      func(r *Rule) { r.Operation = "any" },
		"no operation":       func(r *Rule) { r.Operation = "" },
		"unknown operation":  func(r *Rule) { r.Operation = "unknown" },
		"any resource":       func(r *Rule) { r.Resource = "any" },
		"misspelt resource":  func(r *Rule) { r.Resource = "topics" },
		"Kafka's newest one": func(r *Rule) { r.Operation = "number 15" },
	} {
		r := good
		spoil(&r)
		if _, err := entries([]Rule{good, r}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestRuleIsReadAsWritten(t *testing.T) {
	for _, r := range []Rule{
		{Principal: "User:scjg/adapter/licences", Operation: Write, Resource: TopicResource, Name: "evidence.a"},
		{Principal: "User:node/2", Operation: DescribeConfigs, Resource: ClusterResource, Name: ClusterName, Host: "10.0.0.5"},
		{Principal: "User:scjg/adapter/old", Deny: true, Operation: All, Resource: TopicResource, Name: "evidence.", Prefix: true},
		{Principal: "User:x", Operation: Read, Resource: "transactionalid", Name: "x"},
	} {
		e, err := r.entry()
		got := ruleOf(kafka.ACLResource{ResourceType: e.ResourceType, ResourceName: e.ResourceName, PatternType: e.ResourcePatternType},
			kafka.ACLDescription{Principal: e.Principal, Host: e.Host, Operation: e.Operation, PermissionType: e.PermissionType})
		if err != nil || got != r {
			t.Errorf("%+v came back as %+v, %v", r, got, err)
		}
	}
	newest := ruleOf(kafka.ACLResource{ResourceType: 7}, kafka.ACLDescription{Operation: 15})
	if newest.Operation != "number 15" || newest.Resource != "number 7" {
		t.Errorf("%+v", newest)
	}
}
