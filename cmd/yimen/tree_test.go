package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// surroundings is a process that writes into out and talk, without terminals and with a fixed clock.
func surroundings(out, talk io.Writer) process {
	moment := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return process{
		in: strings.NewReader(""), out: out, talk: talk,
		env: func(string) string { return "" },
		now: func() time.Time { return moment },
	}
}

// ran is what one run of the command left behind.
type ran struct {
	code      code
	out, talk string
}

func yimen(t *testing.T, args ...string) ran {
	t.Helper()
	var out, talk bytes.Buffer
	p := surroundings(&out, &talk)
	if len(args) > 0 && slices.Contains([]string{"query", "batch", "enroll", "renew", "identity", "adapter", "erase"}, args[0]) {
		p.now = time.Now // the exchange that is asked compares clocks
	}
	got := run(t.Context(), p, args)
	return ran{got, out.String(), talk.String()}
}

// walk visits every command of the tree in one language.
func walk(lang exchange.Lang, visit func(c *cobra.Command)) {
	s := &session{process: surroundings(io.Discard, io.Discard), lang: lang, format: asTable}
	var each func(*cobra.Command)
	each = func(c *cobra.Command) {
		visit(c)
		for _, sub := range c.Commands() {
			each(sub)
		}
	}
	root := s.root()
	root.InitDefaultHelpCmd()
	each(root)
}

var (
	han     = regexp.MustCompile(`\p{Han}`)
	english = regexp.MustCompile(`[A-Za-z]{2,} [a-z]{2,}`) // two words in a row are a phrase
	phrases = []string{"JSON lines", "--lang en", "openssl rand"}
)

func TestEveryCommandSpeaksBothLanguages(t *testing.T) {
	short := map[string]string{}
	walk(exchange.ZH, func(c *cobra.Command) {
		if !han.MatchString(c.Short) {
			t.Errorf("%s: Short in Chinese is %q", c.CommandPath(), c.Short)
		}
		short[c.CommandPath()] = c.Short
	})
	walk(exchange.EN, func(c *cobra.Command) {
		if c.Short == "" || han.MatchString(c.Short) || c.Short == short[c.CommandPath()] {
			t.Errorf("%s: Short in English is %q", c.CommandPath(), c.Short)
		}
	})
	if len(short) < 10 {
		t.Errorf("walked only %d commands", len(short))
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	walk(exchange.ZH, func(c *cobra.Command) {
		if c.HasSubCommands() || c.IsAdditionalHelpTopicCommand() {
			return
		}
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if !strings.Contains(line, c.CommandPath()) {
				t.Errorf("%s: the example %q shows another command", c.CommandPath(), line)
			}
		}
	})
}

func TestEveryFlagIsDescribed(t *testing.T) {
	walk(exchange.ZH, func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			placeholder, about := pflag.UnquoteUsage(f)
			if !han.MatchString(about) {
				t.Errorf("%s --%s: described as %q", c.CommandPath(), f.Name, about)
			}
			if f.Value.Type() != "bool" && placeholder != strings.ToUpper(placeholder) {
				t.Errorf("%s --%s: no `PLACEHOLDER` in its usage", c.CommandPath(), f.Name)
			}
		})
	})
}

func TestHelpKeepsToOneLanguage(t *testing.T) {
	var paths [][]string
	walk(exchange.ZH, func(c *cobra.Command) { paths = append(paths, strings.Fields(c.CommandPath())[1:]) })
	for _, path := range paths {
		for _, help := range [][]string{append([]string{"help"}, path...), append(path, "--help")} {
			checkChinese(t, yimen(t, help...), help)
			if english := yimen(t, append(help, "--lang", "en")...); han.MatchString(english.out) || english.code != exitOK {
				t.Errorf("%v --lang en: code %d, Chinese in\n%s", help, english.code, english.out)
			}
		}
	}
}

// checkChinese looks for English phrases outside command lines.
func checkChinese(t *testing.T, got ran, args []string) {
	t.Helper()
	if got.code != exitOK || !han.MatchString(got.out) {
		t.Errorf("%v: code %d, no Chinese in\n%s", args, got.code, got.out)
	}
	for line := range strings.Lines(got.out) {
		text := line
		if at := strings.Index(line, "yimen "); at >= 0 {
			text = line[:at]
		}
		for _, known := range phrases {
			text = strings.ReplaceAll(text, known, "")
		}
		if phrase := english.FindString(text); phrase != "" {
			t.Errorf("%v: %q in the line %q", args, phrase, line)
		}
	}
	for _, heading := range []string{"Usage", "Flags", "Available Commands", "Aliases", "Additional", "help for"} {
		if strings.Contains(got.out, heading) {
			t.Errorf("%v: cobra's %q", args, heading)
		}
	}
}

// printable are the command lines with which the commands that print data have something to print.
func printable(t *testing.T) map[string]string {
	up := startExchange(t)
	trial := up.trial(t)
	up.join(t, "scjg/trial")
	up.join(t, caseSystem)
	data := " --data " + up.data
	run := "adapter run " + trial + data + " --kafka " + up.kafka
	if got := yimen(t, strings.Fields(run)...); got.code != exitOK { // from now on there is nothing to publish
		t.Fatalf("%s ended with %d and said\n%s", run, got.code, got.talk)
	}
	log := startAudit(t)
	logAt := " --server " + log.url + " --token " + log.token
	registry := " --server " + up.url + " --token @" + filepath.Join(up.data, adminFile)
	licence := " --file ../../schemas/evidence/business-licence.json"
	suspended, _ := limitsUp(t)
	granted, _ := grantsUp(t, true)
	edited, _ := itemsUp(t)
	subscribed, _ := subscriptionsUp(t)
	doubting, reason, _ := doubtsUp(t)
	return map[string]string{
		"yimen topics plan":          "topics plan --config " + up.config(t),
		"yimen topics apply":         "topics apply --config " + up.config(t),
		"yimen identity invite":      "identity invite scjg/another" + registry,
		"yimen identity list":        "identity list" + registry,
		"yimen identity revoke":      "identity revoke scjg/another --reason left-office --confirm scjg/another" + registry,
		"yimen identity restore":     "identity restore scjg/another" + registry,
		"yimen identity fingerprint": "identity fingerprint --server " + up.url,
		"yimen renew":                "renew " + caseSystem + data,
		"yimen certify":              "certify broker/kafka1 --host 10.0.0.11 --dir " + t.TempDir() + " --config " + up.config(t),
		"yimen key list":             "key list" + registry,
		"yimen key rotate":           "key rotate sealing --dry-run" + registry,
		"yimen erase holder":         "erase holder --basis pipl-47 --confirm erase --number @" + filepath.Join(up.data, applicantFile) + registry,
		"yimen erase record":         "erase record health-certificate 02b63e8d000000000000000000000000 --basis pipl-47 --confirm 02b63e8d000000000000000000000000" + registry,
		"yimen erase lift":           "erase lift " + up.erasure(t) + " --basis error" + registry,
		"yimen erase list":           "erase list" + registry,
		"yimen index refused":        "index refused" + registry,
		"yimen grant request":        "grant request food-licence-new business-licence" + granted,
		"yimen grant approve":        "grant approve g-late" + granted,
		"yimen grant refuse":         "grant refuse g-late --reason no" + granted,
		"yimen grant extend":         "grant extend g-late --reason more" + granted,
		"yimen grant suspend":        "grant suspend city-good --reason no" + granted,
		"yimen grant resume":         "grant resume city-good" + granted,
		"yimen grant revoke":         "grant revoke city-good --reason no" + granted,
		"yimen grant list":           "grant list" + granted,
		"yimen grant check":          "grant check food-licence-new business-licence" + granted,
		"yimen item draft":           "item draft testdata/food-licence-copy.yaml" + edited,
		"yimen item review":          "item review food-licence-copy" + edited,
		"yimen item return":          "item return food-licence-copy --reason no" + edited,
		"yimen item publish":         "item publish food-licence-copy" + edited,
		"yimen item withdraw":        "item withdraw food-licence-copy --reason no" + edited,
		"yimen item history":         "item history" + edited,
		"yimen item lint":            "item lint",
		"yimen item burden":          "item burden" + registry,
		"yimen subscription add":     "subscription add --all" + subscribed,
		"yimen subscription list":    "subscription list" + subscribed,
		"yimen subscription remove":  "subscription remove s-hook" + subscribed,
		"yimen doubt raise":          "doubt raise R1 aa --fields address" + reason + doubting,
		"yimen doubt list":           "doubt list" + doubting,
		"yimen doubt answer":         "doubt answer d-late accept" + doubting,
		"yimen doubt withdraw":       "doubt withdraw d-late" + doubting,
		"yimen doubt reach":          "doubt reach d-done" + doubting,
		"yimen limits list":          "limits list" + suspended,
		"yimen limits lift":          "limits lift xzsp/w1 --reason JC-2026-014" + suspended,
		"yimen schema lint":          "schema lint ../../schemas/evidence",
		"yimen schema diff":          "schema diff business-licence" + licence + registry,
		"yimen schema impact":        "schema impact business-licence" + licence + registry,
		"yimen schema publish":       "schema publish business-licence" + licence + registry + " --dry-run",
		"yimen schema register":      "schema register orders-value --file testdata/orders.json" + registry,
		"yimen schema deprecate":     "schema deprecate tax-clearance --reason old" + registry,
		"yimen schema retire":        "schema retire tax-clearance --at 2099-12-31 --confirm tax-clearance" + registry,
		"yimen schema compat":        "schema compat business-licence" + registry,
		"yimen schema history":       "schema history business-licence" + registry,
		"yimen schema export":        "schema export" + registry,
		"yimen schema asyncapi":      "schema asyncapi",
		"yimen version":              "version",
		"yimen schema list":          "schema list",
		"yimen schema show":          "schema show business-licence",
		"yimen schema validate":      "schema validate business-licence testdata/empty.jsonl",
		"yimen item list":            "item list",
		"yimen item show":            "item show food-licence-new",
		"yimen demo":                 "demo --people 300 --once --http 127.0.0.1:0 --departments 127.0.0.1:0 --kafka 127.0.0.1:0",
		"yimen batch":                "batch enterprise-deregistration " + up.subjects(t) + " --server " + up.url + " --token @" + filepath.Join(up.data, tokenFile),
		"yimen query": "query enterprise-deregistration --case demo-0001 --applicant @" + filepath.Join(up.data, applicantFile) +
			" --token @" + filepath.Join(up.data, tokenFile) + " --server " + up.url,
		"yimen audit verify": "audit verify --log " + log.dir + " --key " + log.key,
		"yimen audit show":   "audit show " + log.id + " --key " + log.key + logAt,
		"yimen audit replay": "audit replay " + up.receipt(t) + " --applicant @" + filepath.Join(up.data, applicantFile) +
			" --token @" + filepath.Join(up.data, tokenFile) + " --server " + up.url,
		"yimen audit search":    "audit search --limit 5 --case LL-2026-0001" + logAt,
		"yimen subject log":     "subject log --limit 5 --number " + log.number + logAt,
		"yimen adapter check":   "adapter check " + trial,
		"yimen adapter run":     run,
		"yimen adapter status":  "adapter status" + data,
		"yimen quarantine list": "quarantine list" + data,
	}
}

func TestEveryListHonoursOutput(t *testing.T) {
	t.Parallel()
	lines := printable(t)
	walk(exchange.ZH, func(c *cobra.Command) {
		if c.Annotations[listsData] == "" {
			return
		}
		line, known := lines[c.CommandPath()]
		if !known {
			t.Errorf("%s prints data: add it to printable", c.CommandPath())
			return
		}
		checkForms(t, strings.Fields(line))
	})
}

// checkForms prints in every form and reads what can be read.
func checkForms(t *testing.T, args []string) {
	t.Helper()
	out := map[format]string{}
	for _, form := range formats() {
		got := yimen(t, append(args, "-o", form)...)
		if got.code != exitOK {
			t.Errorf("%v -o %s: exit code %d\n%s", args, form, got.code, got.talk)
		}
		out[format(form)] = got.out
	}
	if !json.Valid([]byte(out[asJSON])) {
		t.Errorf("%v: not JSON\n%s", args, out[asJSON])
	}
	for line := range strings.Lines(out[asLines]) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%v: not a line of JSON: %s", args, line)
		}
	}
	var fromJSON, fromYAML any
	_ = json.Unmarshal([]byte(out[asJSON]), &fromJSON)
	if err := yaml.Unmarshal([]byte(out[asYAML]), &fromYAML); err != nil {
		t.Errorf("%v: not YAML: %v", args, err)
	}
	if slices.Contains([]string{"demo", "query", "batch", "adapter", "identity", "erase"}, args[0]) || args[0] == "item" && args[1] == "burden" || args[0] == "audit" || args[0] == "subject" { // each run has other receipts and times
		fromJSON, fromYAML = shapeOf(fromJSON), shapeOf(fromYAML)
	}
	one, _ := json.Marshal(fromJSON)
	other, err := json.Marshal(fromYAML)
	if err != nil || !bytes.Equal(one, other) {
		t.Errorf("%v: YAML and JSON differ (%v)\n%.300s\n%.300s", args, err, one, other)
	}
}

// shapeOf is a value with its names and lengths, but without its texts and numbers.
func shapeOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = shapeOf(v[key])
		}
		return v
	case []any:
		for i := range v {
			v[i] = shapeOf(v[i])
		}
		return v
	case bool:
		return v
	default:
		return nil
	}
}

func TestSignalStopsReading(t *testing.T) {
	in, stuck := io.Pipe()
	defer stuck.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var out, talk bytes.Buffer
	p := surroundings(&out, &talk)
	p.in = in
	time.AfterFunc(20*time.Millisecond, cancel)
	got := run(ctx, p, []string{"schema", "validate", "business-licence", "-", "-o", "json"})
	if got != exitInterrupted || !strings.Contains(talk.String(), `"code":"YM-CLI-0130"`) || out.Len() > 0 {
		t.Errorf("exit code %d, out %q, talk %q", got, out.String(), talk.String())
	}
}
