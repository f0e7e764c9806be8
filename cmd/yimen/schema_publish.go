package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/impact"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// publication is one run of schema publish.
type publication struct {
	session  *session
	at       registryAt
	file     string
	dry, yes bool
}

// publicationView is a publication as scripts see it.
type publicationView struct {
	Type      exchange.EvidenceType `json:"type"`
	Version   int                   `json:"version"`
	ID        int                   `json:"id"`
	Topic     string                `json:"topic"`
	New       bool                  `json:"new"` // false: the registry has it already
	Published bool                  `json:"published"`
	Verdict   *registry.Judgement   `json:"verdict,omitempty"`
	Impact    *impact.Report        `json:"impact,omitempty"`
}

func (s *session) schemaPublish() verb {
	p := &publication{session: s}
	return verb{
		use:   "publish TYPE",
		short: both("发布一种证照的新 Schema", "publish a new schema of an evidence type"),
		long: both(`发布一种证照的新 Schema：先在本地检查，再由服务器判定兼容、统计影响，最后登记。
--dry-run 到登记前为止。会破坏已存的记录、授权时要求确认；没有终端时要写 --yes。不兼容时退出码为 10。`,
			`Publish a new schema of an evidence type: it is checked here, judged by the server, which also says what it touches, and then registered.
--dry-run stops before that. Where stored records or grants would break, it asks first; without a terminal it wants --yes. The exit code is 10 where the schema is incompatible.`),
		example: "yimen schema publish food-licence --file food-licence.v3.json --token @admin.token --dry-run\nyimen schema publish food-licence --file food-licence.v3.json --token @admin.token",
		min:     1, max: 1,
		lists: true,
		flags: func(f *pflag.FlagSet) {
			s.fileFlag(f, &p.file)
			s.dryRunFlag(f, &p.dry)
			f.BoolVar(&p.yes, "yes", false, s.t("会破坏什么也照样发布，不再询问", "publish even what breaks something, without asking"))
			s.registryFlags(f, &p.at)
			required(f, "token")
		},
		complete: anyOf(evidenceTypes),
		run: func(ctx context.Context, args []string) error {
			return p.run(ctx, exchange.EvidenceType(args[0]))
		},
	}
}

func (p *publication) run(ctx context.Context, t exchange.EvidenceType) error {
	s := p.session
	client, err := p.at.client(ctx)
	if err != nil {
		return err
	}
	text, err := s.schemaText(p.file)
	if err != nil {
		return err
	}
	if found := remarksOn(p.file, text, false); len(found) > 0 {
		return s.linted(found, 1)
	}
	if err := describes(text, t); err != nil {
		return err
	}
	candidate := registry.Candidate{Text: text}
	subject := registry.EvidenceSubject(t)
	would, err := client.Register(ctx, subject, candidate, true)
	if err != nil {
		return err
	}
	view := publicationView{Type: t, Version: would.Version, ID: would.ID, Topic: envelope.EvidenceTopic(t), New: would.New, Verdict: would.Verdict}
	s.warn(would.Warnings)
	if !would.New {
		return p.print(view)
	}
	report, err := s.impactOf(ctx, client, subject, text)
	if err != nil {
		return err
	}
	view.Impact = &report
	if p.dry {
		return p.print(view)
	}
	if err := p.agreed(ctx, report); err != nil {
		return err
	}
	return p.register(ctx, client, subject, candidate, view)
}

func (p *publication) register(ctx context.Context, client *rest.Client, subject string, candidate registry.Candidate, view publicationView) error {
	done, err := client.Register(ctx, subject, candidate, false)
	if err != nil {
		return err
	}
	view.Version, view.ID, view.New, view.Published = done.Version, done.ID, done.New, true
	return p.print(view)
}

// describes makes sure that a schema is of the type that it is published as.
func describes(text []byte, t exchange.EvidenceType) error {
	schema, err := schemas.Parse(text)
	if err != nil {
		return err
	}
	if schema.Type == t {
		return nil
	}
	return &exchange.Problem{Code: "YM-CLI-0709", Kind: exchange.Invalid,
		What: both("这个 Schema 不是 "+shown(string(t))+" 的", "this schema is not one of "+shown(string(t))),
		Why:  both("它的 x-evidence-type 是 "+string(schema.Type), "its x-evidence-type is "+string(schema.Type)),
		Mend: both("yimen schema publish "+string(schema.Type)+"，或改 x-evidence-type", "yimen schema publish "+string(schema.Type)+", or change x-evidence-type")}
}

// agreed asks before something is broken.
func (p *publication) agreed(ctx context.Context, r impact.Report) error {
	s := p.session
	if !r.Breaks() {
		return nil
	}
	s.recordsRefused(s.talk, r.Records)
	for _, g := range r.Grants {
		if len(g.Lost) > 0 {
			s.say("! %s %s：%s\n", "! %s %s: %s\n", g.Department, g.Item, plain(g.What.In(s.lang)))
		}
	}
	for _, c := range r.Changes {
		s.say("! %s\n", "! %s\n", plain(c.What.In(s.lang)))
	}
	if p.yes {
		return nil
	}
	if s.hidden == nil {
		return &usageError{&exchange.Problem{Code: "YM-CLI-0710", Kind: exchange.Invalid,
			What: both("发布会破坏以上各处，需要确认", "publishing would break these, so it needs a yes"),
			Why:  both("没有终端，不能询问", "there is no terminal to ask at"),
			Mend: both("确认无误后加 --yes", "where it is meant, add --yes")}}
	}
	s.say("仍要发布？输入 yes 继续：", "Publish all the same? Type yes to go on: ")
	typed, err := s.typed(ctx)
	if err != nil {
		return err
	}
	if typed != "yes" {
		return declined()
	}
	return nil
}

// typed reads a line from the terminal.
func (s *session) typed(ctx context.Context) (string, error) {
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil && line == "" {
		return "", declined()
	}
	return strings.TrimSpace(line), nil
}

func declined() error {
	return &exchange.Problem{Code: "YM-CLI-0711", Kind: exchange.Invalid,
		What: both("没有确认，什么也没有改动", "it was not confirmed, so nothing changed"),
		Why:  both("输入的不是要求的内容", "what was typed is not what was asked for"),
		Mend: both("再次运行，照样输入", "run it again and type it as it is shown")}
}

func (p *publication) print(v publicationView) error {
	if err := p.session.object(fmt.Sprintf("%s v%d", v.Type, v.Version), v, func(w io.Writer) error { return p.page(w, v) }); err != nil {
		return err
	}
	s := p.session
	switch {
	case !v.New && !v.Published:
	case v.Published:
		s.say("  接着：yimen schema history %s；适配器负责人运行 yimen adapter check\n", "  next: yimen schema history %s; those who run adapters: yimen adapter check\n", v.Type)
	default:
		s.say("由服务器判定。去掉 --dry-run 再运行即发布。\n", "Dry run by server. Run again without --dry-run to publish.\n")
	}
	return nil
}

func (p *publication) page(w io.Writer, v publicationView) error {
	s := p.session
	if !v.New {
		_, err := fmt.Fprintf(w, s.t("已经是 %s v%d，没有变化\n", "It is %s v%d already: nothing would change\n"), v.Type, v.Version)
		return err
	}
	if v.Published {
		_, err := fmt.Fprintf(w, s.t("✓ %s v%d 已于 %s 发布   主题 %s\n", "✓ %s v%d published at %s   topic %s\n"),
			v.Type, v.Version, s.now().In(exchange.China).Format("2006-01-02T15:04:05Z07:00"), v.Topic)
		return err
	}
	fmt.Fprintf(w, s.t("将发布 %s v%d（%s）   主题 %s\n", "Would publish %s v%d (%s)   topic %s\n"), v.Type, v.Version, s.verdict(v.Verdict), v.Topic)
	fmt.Fprintf(w, s.t("将通知 %s：%s\n", "Would tell %s: %s\n"), s.counted(len(v.Impact.Adapters), " 个适配器", "adapter", "adapters"), plain(publishersOf(v.Impact.Adapters)))
	fmt.Fprintf(w, s.t("涉及 %s：%s\n", "Affects %s: %s\n"), s.counted(len(v.Impact.Items), " 个事项", "item", "items"), plain(s.itemNames(v.Impact.Items)))
	if v.Impact.Breaks() {
		fmt.Fprintf(w, "! %s\n", plain(v.Impact.Summary.In(s.lang)))
	}
	return nil
}
