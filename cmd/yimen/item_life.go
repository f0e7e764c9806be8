package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/items"
)

// lifeVerbs are what is done to an item on a running exchange.
func (s *session) lifeVerbs() []verb {
	return []verb{s.itemDraft(),
		s.itemAct(items.Review, both("审核通过草稿：须由起草人以外的人", "find a draft right: for another person than who drafted it"), both("已审核，可以公布", "is reviewed and may be published")),
		s.itemAct(items.Return, both("退回草稿，须说明理由", "send a draft back, with the reason"), both("已退回", "was sent back")),
		s.itemAct(items.Publish, both("公布审核过的草稿，自某日起生效", "publish a reviewed draft, from a day on"), both("已公布", "is published")),
		s.itemAct(items.Withdraw, both("自某日起废止事项，须说明理由", "withdraw an item from a day on, with the reason"), both("已废止", "is withdrawn")),
		s.itemHistory()}
}

// editorFlags declare an exchange and the token of who keeps items.
func (s *session) editorFlags(f *pflag.FlagSet, server *string) *secret {
	return s.callerFlags(f, server, both("事项管理员或管理员的令牌 `TOKEN`", "the `TOKEN` of who keeps the items, or of an administrator"))
}

func (s *session) itemDraft() verb {
	var server string
	var token *secret
	d := items.Doing{Act: items.Draft}
	return verb{
		use:   "draft FILE",
		short: both("起草事项，或起草它的下一版", "draft an item, or the next edition of one"),
		long: both("文件即 items 文件夹里的样子，一个文件一个事项。错误一次性列出，不留下草稿。草稿不影响核验：另一人审核、再公布后才生效。",
			"The file is as those in the folder items, with one item. All that is wrong is told at once, and nothing is recorded then. A draft changes no answer: another person reviews it, and it counts once it is published."),
		example: "yimen item draft food-licence-copy.yaml --token @items.token",
		min:     1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.editorFlags(f, &server)
			s.replacesFlag(f, &d.Replaces)
		},
		run: func(ctx context.Context, args []string) error {
			content, err := os.ReadFile(args[0])
			if err != nil {
				return fileProblem(args[0], err)
			}
			d.Source = string(content)
			code, err := itemIn(args[0], content)
			if err != nil {
				return err
			}
			return s.doToItem(ctx, server, token, code, d, both("草稿已留下，待另一人审核", "is drafted and waits for another person's review"))
		},
	}
}

// itemIn is the code of the item that a file holds. Whether the rest is right the exchange says, which knows the city's departments.
func itemIn(file string, content []byte) (exchange.Item, error) {
	var written struct {
		Item exchange.Item `yaml:"item"`
	}
	if err := yaml.Unmarshal(content, &written); err != nil || written.Item == "" {
		return "", &exchange.Problem{Code: "YM-CLI-0308", Kind: exchange.Invalid, What: both(shown(file)+" 里没有事项", "there is no item in "+shown(file)),
			Why:  both("没有写 item: 代码，或不是 YAML", "it has no item: CODE, or is not YAML"),
			Mend: both("写成目录 items 文件夹里文件的样子", "write it as the files in the catalogue's folder items")}
	}
	return written.Item, nil
}

// itemAct is an act on an item that exists.
func (s *session) itemAct(act items.Act, short, done exchange.Text) verb {
	var server, from string
	var token *secret
	d := items.Doing{Act: act}
	dated, reasoned := act == items.Publish || act == items.Withdraw, act == items.Return || act == items.Withdraw
	example := fmt.Sprintf("yimen item %s food-licence-copy --token @items.token", act)
	if dated {
		example += " --from 2027-01-01"
	}
	if reasoned {
		example += ` --reason "merged with another"`
	}
	return verb{
		use: string(act) + " ITEM", short: short, example: example,
		min: 1, max: 1, lists: true,
		flags: func(f *pflag.FlagSet) {
			token = s.editorFlags(f, &server)
			s.replacesFlag(f, &d.Replaces)
			if dated {
				f.StringVar(&from, "from", "", s.t("生效日 `DAY`；省略即今天", "the first `DAY`; without, today"))
			}
			if reasoned {
				f.StringVar(&d.Reason, "reason", "", s.t("理由 `TEXT`", "the reason `TEXT`"))
				required(f, "reason")
			}
		},
		run: func(ctx context.Context, args []string) error {
			d.From = exchange.Date(from)
			return s.doToItem(ctx, server, token, exchange.Item(args[0]), d, done)
		},
	}
}

func (s *session) replacesFlag(f *pflag.FlagSet, version *int) {
	f.IntVar(version, "replaces", -1, s.t("所见的版本 `N`；省略则取当前版本", "the version seen, `N`; without, the one there is"))
	f.Lookup("replaces").DefValue = "0" // not shown
}

// doToItem does an act and says what came of it.
func (s *session) doToItem(ctx context.Context, server string, token *secret, code exchange.Item, d items.Doing, done exchange.Text) error {
	client, err := s.window(ctx, server, token)
	if err != nil {
		return err
	}
	at := "/v1/items/" + url.PathEscape(string(code))
	if d.Replaces < 0 {
		before, err := asked[items.Standing](ctx, s, server, token, at+"/editions")
		if err != nil && (d.Act != items.Draft || exchange.KindOf(err) != exchange.NotFound) {
			return err
		}
		d.Replaces = before.Version
	}
	var after items.Standing
	if err := client.Call(ctx, http.MethodPost, at+"/acts", d, &after); err != nil {
		return err
	}
	return s.object(string(code), after, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "✓ %s %s\n", code, done.In(s.lang))
		return err
	})
}

func (s *session) itemHistory() verb {
	var server string
	var token *secret
	return verb{
		use:     "history [ITEM]",
		short:   both("事项的草稿和各版；省略代码则列出有待办的事项", "an item's draft and editions; without a code, items that wait for somebody"),
		example: "yimen item history --token @items.token\nyimen item history food-licence-copy --token @items.token -o json",
		max:     1, lists: true,
		flags: func(f *pflag.FlagSet) { token = s.editorFlags(f, &server) },
		run: func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				rows, err := s.allStages(ctx, server, token)
				if err != nil {
					return err
				}
				return s.stageRows().print(s, rows)
			}
			g, err := asked[items.Standing](ctx, s, server, token, "/v1/items/"+url.PathEscape(args[0])+"/editions")
			if err != nil {
				return err
			}
			return s.stageRows().print(s, s.stages(g))
		},
	}
}

// allStages are the rows of all items that were acted upon, those first that wait for somebody.
func (s *session) allStages(ctx context.Context, server string, token *secret) ([]itemStage, error) {
	client, err := s.window(ctx, server, token)
	if err != nil {
		return nil, err
	}
	var waiting, settled []itemStage
	for g, err := range client.ItemEditions(ctx) {
		switch {
		case err != nil:
			return nil, err
		case g.Working != nil:
			waiting = append(waiting, s.stages(g)...)
		default:
			settled = append(settled, s.stages(g)...)
		}
	}
	return append(waiting, settled...), nil
}

// itemStage is a row of the history: the draft, or an edition.
type itemStage struct {
	Item     exchange.Item      `json:"item"`
	Version  int                `json:"version"`
	Stage    string             `json:"stage"`             // drafted, reviewed, returned, published, withdrawn
	Edition  int                `json:"edition,omitempty"` // of what was published or withdrawn: the how manieth
	From     exchange.Date      `json:"from,omitempty"`
	Drafter  string             `json:"drafter,omitempty"`
	Reviewer string             `json:"reviewer,omitempty"`
	Decider  string             `json:"decider,omitempty"`
	Reason   string             `json:"reason,omitempty"`
	Service  *catalogue.Service `json:"service,omitempty"`
}

// stages are the rows of an item, the newest first.
func (s *session) stages(g items.Standing) []itemStage {
	rows := []itemStage{}
	if w := g.Working; w != nil {
		rows = append(rows, itemStage{Item: g.Item, Version: g.Version, Stage: string(w.Stage), Drafter: w.Drafted.By, Reviewer: w.Reviewed.By, Reason: w.Reason, Service: w.Service})
	}
	for i := len(g.Editions) - 1; i >= 0; i-- {
		e := g.Editions[i]
		row := itemStage{Item: g.Item, Version: g.Version, Stage: "published", Edition: e.Number, From: e.From, Drafter: e.Drafted.By, Reviewer: e.Reviewed.By, Decider: e.Published.By, Reason: e.Reason, Service: e.Service}
		if e.Service == nil {
			row.Stage = "withdrawn"
		}
		rows = append(rows, row)
	}
	return rows
}

func (s *session) stageRows() list[itemStage] {
	of := func(head exchange.Text, wide bool, cell func(itemStage) string) column[itemStage] {
		return column[itemStage]{head: head, wide: wide, cell: cell}
	}
	said := map[string]exchange.Text{"drafted": both("待审核", "drafted"), "reviewed": both("待公布", "reviewed"), "returned": both("已退回", "returned"),
		"published": both("已公布", "published"), "withdrawn": both("废止", "withdrawn")}
	return list[itemStage]{
		name: func(i itemStage) string { return string(i.Item) },
		columns: []column[itemStage]{
			of(both("事项", "ITEM"), false, func(i itemStage) string { return string(i.Item) }),
			of(both("状态", "STAGE"), false, func(i itemStage) string { return said[i.Stage].In(s.lang) }),
			of(both("版", "EDITION"), false, func(i itemStage) string { return numberCell(i.Edition) }),
			of(both("生效日", "FROM"), false, func(i itemStage) string { return string(i.From) }),
			of(both("起草", "DRAFTER"), false, func(i itemStage) string { return plain(i.Drafter) }),
			of(both("审核", "REVIEWER"), false, func(i itemStage) string { return plain(i.Reviewer) }),
			of(both("公布", "DECIDER"), false, func(i itemStage) string { return plain(i.Decider) }),
			of(both("理由", "REASON"), false, func(i itemStage) string { return plain(i.Reason) }),
		},
	}
}
