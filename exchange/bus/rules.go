package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// Rule is one line of Kafka's access control: what a principal may do, or may not. Kafka forbids what no rule allows, and a
// rule that forbids wins over all that allow, on connections that are open already too. Rules compare with ==.
type Rule struct {
	Principal string    `json:"principal"`     // as Kafka writes it, such as "User:scjg/adapter/licences"
	Deny      bool      `json:"deny,omitzero"` // false: it may
	Operation Operation `json:"operation"`
	Resource  Resource  `json:"resource"`
	Name      string    `json:"name"`            // of the resource; "*" is every one
	Prefix    bool      `json:"prefix,omitzero"` // Name is how the names of the resources begin
	Host      string    `json:"host,omitzero"`   // from where; "": from anywhere
}

// Operation is what is done to a resource, as kafka-acls.sh spells it. Whoever may read or write a topic may describe it.
type Operation string

// The operations that rules of ours name. Kafka has more.
const (
	All             Operation = "all"
	Read            Operation = "read"
	Write           Operation = "write"
	Create          Operation = "create"
	Alter           Operation = "alter"
	Describe        Operation = "describe"
	DescribeConfigs Operation = "describeconfigs"
)

// Resource is a kind of what rules are about.
type Resource string

// The resources that rules of ours name, and the name of the one cluster there is.
const (
	TopicResource   Resource = "topic"
	ClusterResource Resource = "cluster"
	GroupResource   Resource = "group" // of consumers
	ClusterName              = "kafka-cluster"
)

// Rules are all rules that Kafka has, in no order.
func (b *Bus) Rules(ctx context.Context) ([]Rule, error) {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, err := retry(ctx, b, "list rules", "", final, func() ([]Rule, error) {
		answer, err := b.client.DescribeACLs(ctx, &kafka.DescribeACLsRequest{Filter: kafka.ACLFilter{
			ResourceTypeFilter: kafka.ResourceTypeAny, ResourcePatternTypeFilter: kafka.PatternTypeAny,
			Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeAny,
		}})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			return nil, err
		}
		var rules []Rule
		for _, r := range answer.Resources {
			for _, a := range r.ACLs {
				rules = append(rules, ruleOf(r, a))
			}
		}
		return rules, nil
	})
	if err != nil {
		return nil, b.notRuled(exchange.Text{ZH: "读取访问规则", EN: "read the rules of access"}, err)
	}
	return found, nil
}

// Protect adds rules and takes others away. Adding one that is there and taking away one that is not are as good as done.
// What forbids is added first and taken away last, so that nobody may do more meanwhile than before or after.
func (b *Bus) Protect(ctx context.Context, add, remove []Rule) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	adding, err := entries(add)
	if err != nil {
		return err
	}
	removing, err := entries(remove)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		do         func(context.Context, []kafka.ACLEntry) error
		from       []kafka.ACLEntry
		permission kafka.ACLPermissionType
	}{
		{b.addRules, adding, kafka.ACLPermissionTypeDeny}, {b.removeRules, removing, kafka.ACLPermissionTypeAllow},
		{b.addRules, adding, kafka.ACLPermissionTypeAllow}, {b.removeRules, removing, kafka.ACLPermissionTypeDeny},
	} {
		some := slices.DeleteFunc(slices.Clone(step.from), func(e kafka.ACLEntry) bool { return e.PermissionType != step.permission })
		for chunk := range slices.Chunk(some, rulesAtOnce) {
			if err := step.do(ctx, chunk); err != nil {
				return b.notRuled(exchange.Text{ZH: "修改访问规则", EN: "change the rules of access"}, err)
			}
		}
	}
	return nil
}

// rulesAtOnce is how many rules go into one request; Kafka takes no more than 10,000.
const rulesAtOnce = 1000

func (b *Bus) addRules(ctx context.Context, rules []kafka.ACLEntry) error {
	_, err := retry(ctx, b, "add rules", "", final, func() (any, error) {
		answer, err := b.client.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: rules})
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(answer.Errors...)
	})
	return err
}

func (b *Bus) removeRules(ctx context.Context, rules []kafka.ACLEntry) error {
	request := &kafka.DeleteACLsRequest{}
	for _, e := range rules {
		request.Filters = append(request.Filters, kafka.DeleteACLsFilter{
			ResourceTypeFilter: e.ResourceType, ResourceNameFilter: e.ResourceName, ResourcePatternTypeFilter: e.ResourcePatternType,
			PrincipalFilter: e.Principal, HostFilter: e.Host, Operation: e.Operation, PermissionType: e.PermissionType,
		})
	}
	_, err := retry(ctx, b, "remove rules", "", final, func() (any, error) {
		answer, err := b.client.DeleteACLs(ctx, request)
		if err != nil {
			return nil, err
		}
		var all []error
		for _, r := range answer.Results {
			all = append(all, r.Error)
			for _, m := range r.MatchingACLs {
				all = append(all, m.Error)
			}
		}
		return nil, errors.Join(all...)
	})
	return err
}

// anywhere is Kafka's word for every host.
const anywhere = "*"

func ruleOf(r kafka.ACLResource, a kafka.ACLDescription) Rule {
	rule := Rule{
		Principal: a.Principal, Deny: a.PermissionType == kafka.ACLPermissionTypeDeny,
		Operation: Operation(spelt(a.Operation, kafka.ACLOperationTypeUnknown)), Resource: Resource(spelt(r.ResourceType, kafka.ResourceTypeUnknown)),
		Name: r.ResourceName, Prefix: r.PatternType == kafka.PatternTypePrefixed, Host: a.Host,
	}
	if rule.Host == anywhere {
		rule.Host = ""
	}
	return rule
}

// spelt is kafka-go's word for a number, or the number where kafka-go has no word for it.
func spelt[T interface {
	~int8
	fmt.Stringer
}](n, unknown T) string {
	if word := n.String(); word != unknown.String() {
		return strings.ToLower(word)
	}
	return fmt.Sprintf("number %d", int8(n))
}

// entries are the rules as kafka-go writes them.
func entries(rules []Rule) ([]kafka.ACLEntry, error) {
	var all []kafka.ACLEntry
	for _, r := range rules {
		e, err := r.entry()
		if err != nil {
			return nil, fmt.Errorf("rule %+v: %w", r, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// entry refuses what Kafka would take for a pattern when the rule is removed: it would take others along.
func (r Rule) entry() (kafka.ACLEntry, error) {
	e := kafka.ACLEntry{
		ResourceName: r.Name, ResourcePatternType: kafka.PatternTypeLiteral, Principal: r.Principal, Host: r.Host,
		PermissionType: kafka.ACLPermissionTypeAllow,
	}
	if r.Deny {
		e.PermissionType = kafka.ACLPermissionTypeDeny
	}
	if r.Prefix {
		e.ResourcePatternType = kafka.PatternTypePrefixed
	}
	if r.Host == "" {
		e.Host = anywhere
	}
	err := errors.Join(e.Operation.UnmarshalText([]byte(r.Operation)), e.ResourceType.UnmarshalText([]byte(r.Resource)))
	switch {
	case err != nil:
		return e, err
	case r.Name == "" || r.Principal == "":
		return e, errors.New("it names no principal or no resource")
	case e.Operation <= kafka.ACLOperationTypeAny || e.ResourceType <= kafka.ResourceTypeAny:
		return e, errors.New("it is no rule but a pattern of rules")
	}
	return e, nil
}

// notRuled tells why rules could not be read or changed.
func (b *Bus) notRuled(what exchange.Text, err error) error {
	switch {
	case errors.Is(err, kafka.SecurityDisabled):
		return &exchange.Problem{
			Code: "YM-BUS-0401", Kind: exchange.Invalid, Err: err,
			What: exchange.Text{ZH: "这个 Kafka 不作访问控制", EN: "this Kafka controls no access"},
			Why:  exchange.Text{ZH: "代理没有配置 authorizer.class.name，任何连上的人都可以读写一切", EN: "its brokers have no authorizer.class.name: whoever connects may read and write everything"},
			Mend: exchange.Text{ZH: "照 deploy/kafka/server.properties 配置代理并逐台重启", EN: "configure the brokers as deploy/kafka/server.properties does and restart them one by one"},
		}
	case errors.Is(err, kafka.ClusterAuthorizationFailed):
		return &exchange.Problem{
			Code: "YM-BUS-0402", Kind: exchange.Denied, Err: err,
			What: exchange.Text{ZH: "本身份无权" + what.ZH, EN: "this identity may not " + what.EN},
			Why:  exchange.Text{ZH: "它既不在 super.users 中，也没有集群的 Alter 和 Describe 权限", EN: "it is neither among super.users nor allowed to alter and describe the cluster"},
			Mend: exchange.Text{ZH: "用节点的证书运行（kafka.tls），第一次时该节点须在代理的 super.users 中", EN: "run it with a node's certificate (kafka.tls), which for the first time must be among the brokers' super.users"},
		}
	}
	return b.unreachable(what, err)
}
