package node

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/holdings"
	"github.com/onedoor/yimen/exchange/holdings/pebble"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/replay"
)

// Names of directories below Config.Data: the catalogues that ever counted, and the indexes of replays that are under way.
const (
	cataloguesDir = "catalogues"
	replaysDir    = "replays"
)

// ReplayRequest is the body of POST /v1/replays.
type ReplayRequest struct {
	Entry     string `json:"entry"`     // the receipt's id
	Applicant string `json:"applicant"` // whom it was about: the log does not know
	// Facts, Stated and Parties are what was stated then, where something was: the log does not know it either.
	Facts   map[string]any `json:"facts,omitzero"`
	Stated  broker.Stated  `json:"stated,omitzero"`
	Parties api.Parties    `json:"parties,omitzero"`
}

// Replay gives recorded answers again from the inputs recorded with them, and tells how each compares.
func (n *Node) Replay(ctx context.Context, asked []replay.Asked, tell func(replay.Result) error) error {
	return replay.Run(ctx, replay.Config{Topics: n.Bus, Empty: n.emptyIndex, Commitment: n.audit.Commitment,
		Catalogue: n.recall}, asked, tell)
}

// passing is an index that is thrown away.
type passing struct {
	*holdings.Index
	engine *pebble.Store
	dir    string
}

// emptyIndex opens an index for a replay. It lies beside the node's own, sealed as that is, for the records of a city are more than
// fit in memory.
func (n *Node) emptyIndex(context.Context) (replay.Index, error) {
	parent := filepath.Join(n.cfg.Data, replaysDir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return nil, err
	}
	p := passing{dir: dir}
	p.engine, err = pebble.Open(pebble.Config{Dir: dir, CacheBytes: 16 << 20, Log: n.around.Log})
	if err == nil {
		p.Index, err = n.indexOn(p.engine, nil)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p passing) Token(ctx context.Context, holder exchange.Holder) (erasure.Token, error) {
	owned, err := p.Owned(ctx, holder)
	return owned.Token, err
}

func (p passing) Close() (err error) {
	if p.engine != nil {
		err = p.engine.Close()
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// replays is POST /v1/replays. One is under way at a time: each reads topics from their beginning.
func (n *Node) replays() []contract.Operation {
	busy := make(chan struct{}, 1)
	const id = "01KAQ6M3K8ZD2W7N5YB4T9XE1C"
	return []contract.Operation{{ID: "replayAnswer", Method: http.MethodPost, Path: "/v1/replays", Group: contract.Audit, Name: text("重放结论", "give an answer again"),
		About: text("按记录的输入把一个结论再算一遍，与当时逐字节比较：same、differs，或依法删除后不可重放 erased。不给出字段内容。号码只写在正文里，须与记录相符；多次不符的，暂停该账号。留下审计记录，申请人和关系人看得到。出具结论的部门只可重放自己的，管理员和审计员可重放全部。",
			"Draws a conclusion again from its recorded inputs and compares it with the one given then, byte for byte: same, differs, or erased where it rested on what was ordered to be forgotten. No field is shown. The number travels in the body only and must be the entry's; who gives wrong ones too often is suspended. It leaves an audit entry, which applicant and parties see. A department may replay its own, administrators and auditors all."),
		Asked: ReplayRequest{Entry: id, Applicant: "924302810000003187"}, Answer: replay.Result{ID: id, Verdict: replay.Same, Bytes: true},
		Refusals: []error{ledger.NoSuchEntry(), notItsApplicant(), notItsParties(), notWhatWasStated(), limits.Suspended(), replayBusy()},
		Do: func(r *http.Request) (any, error) {
			select {
			case busy <- struct{}{}:
				defer func() { <-busy }()
				return n.replayOne(r)
			default:
				return nil, replayBusy()
			}
		}}}
}

func (n *Node) replayOne(r *http.Request) (any, error) {
	caller, err := n.door.Caller(r)
	if err != nil {
		return nil, err
	}
	asked, err := contract.Read[ReplayRequest](r, howToReplay)
	if err != nil {
		return nil, err
	}
	found, err := n.Ledger.Entry(r.Context(), asked.Entry)
	if err != nil {
		return nil, err
	}
	e := found.Entry
	if own := caller.Department != "" && caller.Department == e.Department; !own && !caller.May(door.Admin) && !caller.May(door.Auditor) {
		return nil, ledger.NoSuchEntry()
	}
	again, err := asked.asked(e)
	if err != nil {
		return nil, err
	}
	wrong, err := n.guessed(r.Context(), &again)
	if err != nil {
		return nil, err
	}
	if err := n.enterReplay(r.Context(), caller, &e, wrong); err != nil {
		return nil, err
	}
	if wrong != nil {
		return nil, wrong
	}
	var result replay.Result
	err = n.Replay(r.Context(), []replay.Asked{again}, func(r replay.Result) error { result = r; return nil })
	return result, err
}

// asked adds to an entry what the log has not.
func (r *ReplayRequest) asked(e audit.Entry) (a replay.Asked, err error) {
	a = replay.Asked{Entry: e, Facts: r.Facts, Stated: r.Stated}
	if a.Applicant, err = identity.ParseHolder(r.Applicant); err != nil {
		return a, err
	}
	a.Parties, err = r.Parties.Holders()
	return a, err
}

// guessed says what of that which was given the entry does not have; nil: all of it is the entry's.
func (n *Node) guessed(ctx context.Context, a *replay.Asked) (wrong *exchange.Problem, err error) {
	q := a.Query()
	stating, err := q.Stating() // first: what cannot be stated must not tell that the number is right
	if err != nil {
		return nil, err
	}
	if wrong, err = n.wereAbout(ctx, a); wrong == nil && err == nil {
		wrong, err = n.wasStated(ctx, &a.Entry, stating)
	}
	return wrong, err
}

// enterReplay makes a replay durable in the audit log. Those the entry is about see that somebody looked again, when they may know of the
// item, also where what was given was wrong: then it counts as a guess, and who guesses too often is told no more whether it was right.
func (n *Node) enterReplay(ctx context.Context, caller door.Caller, of *audit.Entry, wrong *exchange.Problem) error {
	e := audit.Entry{Kind: audit.Act, Department: caller.Department, Clerk: caller.Clerk, Act: limits.ReplayAct, Target: of.ID, Item: of.Item,
		Subject: of.Subject, Decision: audit.Answered}
	if wrong != nil {
		e.Decision, e.Refusal = audit.Refused, wrong.Code
	}
	for role, party := range of.Parties {
		if e.Parties == nil {
			e.Parties = map[exchange.Role]audit.Party{}
		}
		e.Parties[role] = audit.Party{Subject: party.Subject}
	}
	return n.enter(ctx, &e)
}

// wereAbout says whether applicant and parties are those of the entry.
func (n *Node) wereAbout(ctx context.Context, a *replay.Asked) (wrong *exchange.Problem, err error) {
	subject, err := n.audit.Token(ctx, a.Applicant)
	switch {
	case err != nil:
		return nil, err
	case subject != a.Entry.Subject:
		return notItsApplicant(), nil
	case len(a.Parties) != len(a.Entry.Parties):
		return notItsParties(), nil
	}
	for role, holder := range a.Parties {
		subject, err := n.audit.Token(ctx, holder)
		if err != nil {
			return nil, err
		}
		if subject != a.Entry.Parties[role].Subject {
			return notItsParties(), nil
		}
	}
	return nil, nil
}

// wasStated says whether the facts given are those that the entry commits to.
func (n *Node) wasStated(ctx context.Context, e *audit.Entry, stating []byte) (wrong *exchange.Problem, err error) {
	commitment := ""
	if stating != nil {
		if commitment, err = n.audit.Commitment(ctx, e.ID, audit.OfStated, stating); err != nil {
			return nil, err
		}
	}
	if commitment != e.Stated {
		return notWhatWasStated(), nil
	}
	return nil, nil
}

func notWhatWasStated() *exchange.Problem {
	return &exchange.Problem{Code: "YM-RPL-0104", Kind: exchange.Invalid, What: text("facts 或 stated 不是当时陈述的内容", "facts or stated are not what was stated then"),
		Mend: text("给出与当时查询完全相同的 facts 和 stated；日志里没有这些内容", "give the same facts and stated as in the query; the log has none of them")}
}

var howToReplay = text("用 yimen audit replay 回执编号 --applicant @号码文件", "use `yimen audit replay ID --applicant @number.txt`")

func notItsApplicant() *exchange.Problem {
	return &exchange.Problem{Code: "YM-RPL-0102", Kind: exchange.Invalid, What: text("号码不是这条记录的申请人", "the number is not that of the entry's applicant"),
		Mend: text("给出当时查询的号码；日志里没有号码，平台无法代填", "give the number that was asked about; the log has none, so the exchange cannot fill it in")}
}

func notItsParties() *exchange.Problem {
	return &exchange.Problem{Code: "YM-RPL-0105", Kind: exchange.Invalid, What: text("parties 不是当时陈述的关系人", "parties are not those that were stated then"),
		Mend: text("给出当时查询的配偶、法定代表人和代办人的号码，不多不少；日志里没有号码", "give the numbers of the spouse, representative and agent that were asked about then, no more and no fewer; the log has none")}
}

func replayBusy() error {
	return &exchange.Problem{Code: "YM-RPL-0302", Kind: exchange.Unavailable, What: text("另一个重放正在进行", "another replay is under way"),
		Why: text("每次重放都从头读主题，一次只做一个", "each reads topics from their beginning, so there is one at a time"), Mend: text("稍后再试", "try again later")}
}
