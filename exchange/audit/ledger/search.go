package ledger

import (
	"context"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
)

// Filter says which entries are searched for: those for which all that is set holds.
type Filter struct {
	From, To   time.Time // To itself is out
	Department exchange.Department
	Clerk      string // of the Department, which must be named
	Item       exchange.Item
	Case       string
	Decision   audit.Decision
	Kind       string // "query", "rejection", "access" or "act"; empty: all
	// Before is where the page before this one ended: its Next.
	Before string
	Most   int // entries on a page; 0: 100
}

// Page is a part of what was found, the newest first.
type Page struct {
	Entries []Logged `json:"entries"`
	Next    string   `json:"-"` // of the next page, which the header Link names; empty: there is none
}

const (
	usualPage = 100
	// mostLooked bounds how many entries are read for one page; a page can end early, even empty, and have a next one.
	mostLooked = 20_000
)

// Search finds entries, the newest first.
func (l *Ledger) Search(ctx context.Context, f Filter) (Page, error) {
	if err := f.check(); err != nil {
		return Page{}, err
	}
	most := min(contract.MaxPart, f.Most)
	if f.Most <= 0 {
		most = usualPage
	}
	page := Page{Entries: []Logged{}}
	looked, reader := 0, l.reader()
	from, before := f.span()
	err := l.index.newest(ctx, f.prefix(), from, before, func(id string, at uint64) (bool, error) {
		if len(page.Entries) == most || looked == mostLooked {
			return false, nil
		}
		looked++
		page.Next = id
		found, err := reader.logged(ctx, at)
		if err == nil && f.fits(&found.Entry) {
			page.Entries = append(page.Entries, found)
		}
		return true, err
	})
	if err != nil {
		return Page{}, unreadable(err)
	}
	if len(page.Entries) < most && looked < mostLooked {
		page.Next = ""
	}
	return page, nil
}

func (f *Filter) check() error {
	switch f.Kind {
	case "", kindQuery, string(audit.Rejection), string(audit.Access), string(audit.Act):
	default:
		return badFilter(text("类别只能是 query、rejection、access、act", "the kind is one of query, rejection, access, act"))
	}
	if f.Clerk != "" && f.Department == "" {
		return badFilter(text("按工号查须同时写明部门", "a staff code is searched for within a department"))
	}
	if f.Before != "" && !audit.ValidID(f.Before) {
		return badFilter(text("续页的标记不对", "the mark of the next page is none"))
	}
	if f.Decision != "" && f.Decision != audit.Answered && f.Decision != audit.Refused {
		return badFilter(text("结果只能是 answered 或 refused", "the decision is answered or refused"))
	}
	return nil
}

// kindQuery names audit.Query, which is the empty one.
const kindQuery = "query"

func kindName(k audit.Kind) string {
	if k == audit.Query {
		return kindQuery
	}
	return string(k)
}

// prefix is that of the rows which are fewest.
func (f *Filter) prefix() []byte {
	switch {
	case f.Case != "":
		return prefixOf(caseRow, f.Case)
	case f.Clerk != "":
		return prefixOf(clerkRow, string(f.Department), f.Clerk)
	case f.Item != "":
		return prefixOf(itemRow, string(f.Item))
	case f.Department != "":
		return prefixOf(departmentRow, string(f.Department))
	}
	return []byte{idRow}
}

// span is the range of ids, the second one out.
func (f *Filter) span() (from, before string) {
	if !f.From.IsZero() {
		from = audit.FirstID(f.From)
	}
	if !f.To.IsZero() {
		before = audit.FirstID(f.To)
	}
	if f.Before != "" && (before == "" || f.Before < before) {
		before = f.Before
	}
	return from, before
}

func (f *Filter) fits(e *audit.Entry) bool {
	return (f.Department == "" || f.Department == e.Department) && (f.Clerk == "" || f.Clerk == e.Clerk) && (f.Item == "" || f.Item == e.Item) &&
		(f.Case == "" || f.Case == e.Case) && (f.Decision == "" || f.Decision == e.Decision) && (f.Kind == "" || f.Kind == kindName(e.Kind))
}
