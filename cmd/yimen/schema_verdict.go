package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/compat"
	"github.com/onedoor/yimen/schemas/gate"
	"github.com/onedoor/yimen/schemas/registry"
)

// rule is a level as people read it: backward-transitive.
func rule(level string) string { return strings.ToLower(strings.ReplaceAll(level, "_", "-")) }

// earlier is a version that a candidate is compared with.
type earlier struct {
	version int
	schema  *gate.Schema
}

// compared judges a candidate by a level, as the registry would: against is in the order of versions, and all but the
// transitive levels look at the last one only.
func compared(level registry.Level, candidate *gate.Schema, against []earlier) registry.Judgement {
	j := registry.Judgement{Level: level.Compatibility, Policy: level.Policy, Compatible: true, Against: []registry.Comparison{}}
	name, transitive := strings.CutSuffix(level.Compatibility, "_TRANSITIVE")
	if !transitive && len(against) > 1 {
		against = against[len(against)-1:]
	}
	look := func(version int, direction string, old, new *gate.Schema) {
		v := compat.Check(old.Compiled, new.Compiled, level.Policy)
		j.Compatible = j.Compatible && v.Compatible
		j.Against = append(j.Against, registry.Comparison{Version: version, Direction: direction, Findings: v.Findings, Undecided: v.Undecided})
	}
	for i := len(against) - 1; i >= 0; i-- { // the newest first: what it says is what people look for
		old := against[i]
		if name == "BACKWARD" || name == "FULL" {
			look(old.version, "backward", old.schema, candidate)
		}
		if name == "FORWARD" || name == "FULL" {
			look(old.version, "forward", candidate, old.schema)
		}
	}
	return j
}

// broken is a finding with the versions it breaks.
type broken struct {
	versions  []int
	direction string
	finding   compat.Finding
}

// brokenBy gathers the findings, the same one of several versions once.
func brokenBy(j registry.Judgement) []broken {
	var all []broken
	at := map[string]int{}
	for _, c := range j.Against {
		for _, f := range c.Findings {
			key := c.Direction + "\x00" + f.Rule + "\x00" + f.Pointer + "\x00" + f.What.EN
			i, known := at[key]
			if !known {
				i = len(all)
				at[key], all = i, append(all, broken{direction: c.Direction, finding: f})
			}
			all[i].versions = append(all[i].versions, c.Version)
		}
	}
	return all
}

// whyIncompatible says in a line each what makes a schema incompatible, and with which versions.
func (s *session) whyIncompatible(j registry.Judgement) []string {
	var lines []string
	for _, b := range brokenBy(j) {
		line := b.finding.Pointer + "  " + s.breaks(b)
		if len(b.finding.Document) > 0 {
			line += s.t("；反例 ", "; such as ") + excerpt(b.finding.Document, 300)
		}
		if mend := b.finding.Mend.In(s.lang); mend != "" {
			line += "  → " + mend
		}
		lines = append(lines, line)
	}
	for _, c := range j.Against {
		if c.Undecided {
			lines = append(lines, s.undecided(c))
		}
	}
	return lines
}

// brokenPage shows to people what makes a schema incompatible, with the documents that show it.
func (s *session) brokenPage(w io.Writer, j registry.Judgement) {
	for _, b := range brokenBy(j) {
		fmt.Fprintf(w, "! %s\n", plain(b.finding.Pointer))
		fmt.Fprintf(w, "    %s%s\n", s.t("破坏：", "breaks: "), plain(s.breaks(b)))
		if len(b.finding.Document) > 0 {
			fmt.Fprintf(w, "    %s%s\n", s.t("反例：", "such as: "), plain(excerpt(b.finding.Document, 600)))
		}
		if mend := b.finding.Mend.In(s.lang); mend != "" {
			fmt.Fprintf(w, "    → %s\n", plain(mend))
		}
	}
	for _, c := range j.Against {
		if c.Undecided {
			fmt.Fprintf(w, "! %s\n", s.undecided(c))
		}
	}
}

// breaks says what the finding is and which versions it concerns.
func (s *session) breaks(b broken) string {
	var names []string
	for _, v := range b.versions {
		if v > 0 {
			names = append(names, fmt.Sprintf("v%d", v))
		}
	}
	what := b.finding.What.In(s.lang)
	if len(names) > 0 {
		what += s.t("（", " (") + strings.Join(names, s.t("、", ", ")) + s.t("）", ")")
	}
	if b.direction == "forward" {
		what += s.t("；按旧版读新文档时", "; when documents of the new version are read by the old one")
	}
	return what
}

func (s *session) undecided(c registry.Comparison) string {
	if c.Version == 0 {
		return s.t("无法判定，按不兼容处理：结构太复杂", "it could not be decided, which counts as incompatible: too complex")
	}
	return fmt.Sprintf(s.t("与 v%d 的比较无法判定，按不兼容处理：结构太复杂", "the comparison with v%d could not be decided, which counts as incompatible: too complex"), c.Version)
}

// excerpt is JSON on one line, cut to a number of characters.
func excerpt(v any, most int) string {
	text, ok := v.(json.RawMessage)
	if !ok {
		var b strings.Builder
		if encoder(&b).Encode(v) != nil {
			return "…"
		}
		text = json.RawMessage(strings.TrimSpace(b.String()))
	}
	line := plain(string(text))
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}

// verdict is a judgement in a word.
func (s *session) verdict(j *registry.Judgement) string {
	switch {
	case j == nil:
		return ""
	case j.Compatible:
		return s.t("兼容", "compatible")
	default:
		return s.t("不兼容", "incompatible")
	}
}

// levels are the seven levels of compatibility.
func levels() []string {
	return []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}
}

// levelNamed is the level that somebody wrote, in any case and with hyphens as well.
func levelNamed(written string) (string, bool) {
	written = strings.ToUpper(strings.ReplaceAll(written, "-", "_"))
	for _, level := range levels() {
		if level == written {
			return level, true
		}
	}
	return "", false
}

// wrongLevel refuses a level that does not exist.
func wrongLevel(written string) error {
	p := &exchange.Problem{Code: "YM-CLI-0701", Kind: exchange.Invalid,
		What: both("没有兼容级别 "+shown(written), "there is no level of compatibility "+shown(written)),
		Why:  both("只能是："+strings.Join(levels(), "、"), "it is one of: "+strings.Join(levels(), ", ")),
		Mend: both("证照类型通常用 BACKWARD_TRANSITIVE", "evidence types have BACKWARD_TRANSITIVE as a rule")}
	if near := nearest(strings.ToUpper(written), levels()); len(near) > 0 {
		p.Mend = both(near[0], near[0])
	}
	return &usageError{p}
}
