package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onedoor/yimen/exchange/bus"
)

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
	rules := k.rules.Changes
	for _, r := range rules.Remove {
		steps = append(steps, ruleStep(stepRemove, r))
	}
	for _, r := range rules.Add {
		steps = append(steps, ruleStep(stepAdd, r))
	}
	for _, r := range rules.Foreign {
		step := ruleStep(stepKept, r)
		if slices.Contains(rules.Holes, r) {
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
