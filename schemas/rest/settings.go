package rest

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/registry"
)

// optionalSubject is the subject the path names, "" where it is about all.
func (c *call) optionalSubject() (string, error) {
	if len(c.names) == 0 {
		return "", nil
	}
	return c.subject()
}

// level answers what the compatibility of a subject is. Confluent names it so in what it tells, and otherwise in what it is told.
type level struct {
	Level         string        `json:"compatibilityLevel,omitempty"`
	Compatibility string        `json:"compatibility,omitempty"`
	Policy        compat.Policy `json:"compatibilityPolicy,omitempty"`
}

func getLevel(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	l := c.Registry.Level(subject)
	if subject != "" && !l.Own && !c.query.flag("defaultToGlobal") {
		return noLevel(subject)
	}
	return c.answer(levelFor(l, c.reader()))
}

func levelFor(l registry.Level, to reader) level {
	shown := level{Level: l.Compatibility}
	if to >= modern {
		shown.Policy = l.Policy
	}
	return shown
}

// levelWish is the body that sets a level. What follows the policy is known to Confluent's registry and not to this one.
type levelWish struct {
	Compatibility string         `json:"compatibility"`
	Level         string         `json:"compatibilityLevel"` // Python's client can send this name
	Policy        string         `json:"compatibilityPolicy"`
	Alias         jsontext.Value `json:"alias"`
	Normalize     jsontext.Value `json:"normalize"`
	Validate      jsontext.Value `json:"validateFields"`
	Group         jsontext.Value `json:"compatibilityGroup"`
	DefaultMeta   jsontext.Value `json:"defaultMetadata"`
	OverrideMeta  jsontext.Value `json:"overrideMetadata"`
	DefaultRules  jsontext.Value `json:"defaultRuleSet"`
	OverrideRules jsontext.Value `json:"overrideRuleSet"`
}

// unknown is the first member asked for that this registry does not keep. To ignore it would let somebody rely on it.
func (w levelWish) unknown() string {
	for _, member := range []struct {
		name  string
		value jsontext.Value
	}{{"alias", w.Alias}, {"normalize", w.Normalize}, {"validateFields", w.Validate}, {"compatibilityGroup", w.Group}, {"defaultMetadata", w.DefaultMeta},
		{"overrideMetadata", w.OverrideMeta}, {"defaultRuleSet", w.DefaultRules}, {"overrideRuleSet", w.OverrideRules}} {
		if !empty(member.value) {
			return member.name
		}
	}
	return ""
}

var (
	levels   = []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}
	policies = []string{string(compat.Strict), string(compat.Lenient)}
	modes    = []string{"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"}
)

// wanted is the level that a body asks for.
func (w levelWish) wanted() (registry.Level, error) {
	if name := w.unknown(); name != "" {
		return registry.Level{}, refusal(42205, exchange.Invalid, text("本登记处不保存 "+name, "This registry does not keep "+name), exchange.Text{}, text("去掉它", "leave it out"))
	}
	named, policy := strings.ToUpper(w.Compatibility), strings.ToUpper(w.Policy)
	if named == "" {
		named = strings.ToUpper(w.Level)
	}
	if named == "" && policy == "" || named != "" && !slices.Contains(levels, named) {
		return registry.Level{}, badChoice(42203, text("兼容级别不可用", "Invalid compatibility level"), levels)
	}
	if policy != "" && !slices.Contains(policies, policy) {
		return registry.Level{}, badChoice(42203, text("兼容策略不可用", "Invalid compatibility policy"), policies)
	}
	return registry.Level{Compatibility: named, Policy: compat.Policy(policy)}, nil
}

func putLevel(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	var w levelWish
	if err := c.decode(&w); err != nil {
		return err
	}
	wanted, err := w.wanted()
	if err != nil {
		return err
	}
	if err := c.Registry.SetLevel(c.r.Context(), c.by, subject, wanted); err != nil {
		return err
	}
	c.Log.Info("compatibility set", "subject", subject, "level", wanted.Compatibility, "policy", wanted.Policy, "by", c.by)
	return c.answer(level{Compatibility: wanted.Compatibility, Policy: wanted.Policy})
}

// deleteLevel answers with the old level under Confluent's name, and under the one franz-go reads.
func deleteLevel(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	old, err := c.Registry.DeleteLevel(c.r.Context(), c.by, subject)
	if err != nil {
		return err
	}
	c.Log.Info("compatibility reset", "subject", subject, "by", c.by)
	shown := levelFor(old, c.reader())
	if c.reader() >= modern {
		shown.Compatibility = old.Compatibility
	}
	return c.answer(shown)
}

// mode is the body of a mode, both ways.
type mode struct {
	Mode string `json:"mode"`
}

func getMode(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	name, own := c.Registry.Mode(subject)
	if subject != "" && !own && !c.query.flag("defaultToGlobal") {
		return refusal(40409, exchange.NotFound, text("subject “"+subject+"” 没有自己的模式", "Subject '"+subject+"' does not have subject-level mode configured"), exchange.Text{},
			text("加 defaultToGlobal=true 得到全局模式", "ask with defaultToGlobal=true for the global one"))
	}
	return c.answer(mode{name})
}

func putMode(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	var wanted mode
	if err := c.decode(&wanted); err != nil {
		return err
	}
	wanted.Mode = strings.ToUpper(wanted.Mode)
	if !slices.Contains(modes, wanted.Mode) {
		return badChoice(42204, text("模式不可用", "Invalid mode"), modes)
	}
	if err := c.Registry.SetMode(c.r.Context(), c.by, subject, wanted.Mode, c.query.flag("force")); err != nil {
		return err
	}
	c.Log.Info("mode set", "subject", subject, "mode", wanted.Mode, "by", c.by)
	return c.answer(wanted)
}

func deleteMode(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	old, err := c.Registry.DeleteMode(c.r.Context(), c.by, subject)
	if err != nil {
		return err
	}
	c.Log.Info("mode reset", "subject", subject, "by", c.by)
	return c.answer(mode{old})
}

func noLevel(subject string) error {
	return refusal(40408, exchange.NotFound, text("subject “"+subject+"” 没有自己的兼容级别", "Subject '"+subject+"' does not have subject-level compatibility configured"),
		exchange.Text{}, text("加 defaultToGlobal=true 得到全局级别", "ask with defaultToGlobal=true for the global one"))
}

func badChoice(code int, what exchange.Text, choices []string) error {
	list := strings.Join(choices, ", ")
	return refusal(code, exchange.Invalid, what, exchange.Text{}, text("可用："+list, "valid values are "+list))
}
