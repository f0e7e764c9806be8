package schemas

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/schemas/gate"
)

// Facts is what the exchange must know of a document, whatever its kind.
type Facts struct {
	// Natural is the certificate's own number, its parts in normal form and joined by U+001F. It is often the number of
	// a person: never log it.
	Natural string
	Holders []exchange.Holder // at least one, each once
	Status  exchange.Status   // valid where the document does not say
	From    exchange.Date     // empty: since ever
	Until   exchange.Date     // empty: without end
}

// Facts reads the facts from a document that gate.Decode gave and Validate passed.
func (s *Schema) Facts(doc any) (Facts, error) {
	var f Facts
	var err error
	if f.Natural, err = s.keys.natural(doc); err != nil {
		return Facts{}, err
	}
	if f.Holders, err = s.keys.whose(doc); err != nil {
		return Facts{}, err
	}
	if f.Status, err = s.keys.state(doc); err != nil {
		return Facts{}, err
	}
	if f.From, err = date(doc, s.keys.from); err != nil {
		return Facts{}, err
	}
	if f.Until, err = date(doc, s.keys.until); err != nil {
		return Facts{}, err
	}
	if f.From != "" && f.Until != "" && f.Until < f.From {
		return Facts{}, factsProblem("YM-DOC-0305", s.keys.until, "有效期截止日期早于起始日期", "validity ends before it begins", "核对两个日期", "check the two dates")
	}
	return f, nil
}

func (k *keywords) natural(doc any) (string, error) {
	parts := make([]string, len(k.record))
	for i, p := range k.record {
		s, _ := first(doc, p)
		if parts[i] = normalise(s); parts[i] == "" {
			return "", factsProblem("YM-DOC-0301", p, "缺少证照编号", "the certificate's number is missing", "补上编号", "give the number")
		}
	}
	return strings.Join(parts, "\x1f"), nil
}

// normalise brings a number into the one spelling by which certificates are told apart: NFC, full-width forms as ASCII,
// capitals, no white space and no control characters. Record ids are made of it, so it must never change.
func normalise(s string) string {
	if plain(s) {
		return strings.Clone(s) // the document's text can go
	}
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, norm.NFC.String(s))
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c >= 'a' && c <= 'z' {
			return false
		}
	}
	return true
}

func (k *keywords) whose(doc any) ([]exchange.Holder, error) {
	var holders []exchange.Holder
	for _, h := range k.holders {
		var failed error
		each(doc, h.path, func(number string) {
			holder, err := parseHolder(number, h.kind)
			if err != nil && failed == nil {
				p := factsProblem("YM-DOC-0302", h.path, "持证主体号码读不出来", "the number of a holder cannot be read", "按原因改正号码", "mend the number as the cause says")
				p.Err, failed = err, p
			}
			for _, known := range holders {
				if known == holder {
					return
				}
			}
			holders = append(holders, holder)
		})
		if failed != nil {
			return nil, failed
		}
	}
	if len(holders) == 0 {
		return nil, factsProblem("YM-DOC-0303", k.holders[0].path, "没有持证主体", "there is no holder", "补上证件号码", "give the number of a holder")
	}
	return holders, nil
}

func parseHolder(number string, kind exchange.HolderKind) (exchange.Holder, error) {
	switch kind {
	case exchange.Person:
		c, err := identity.ParseCitizen(number)
		return c.Holder(), err
	case exchange.Organisation:
		c, err := identity.ParseCreditCode(number)
		return c.Holder(), err
	}
	return identity.ParseHolder(number)
}

func (k *keywords) state(doc any) (exchange.Status, error) {
	if k.status == nil {
		return exchange.Valid, nil
	}
	value, given := first(doc, k.status)
	if !given {
		return exchange.Valid, nil
	}
	status, ok := k.statuses[value]
	if !ok {
		return "", factsProblem("YM-DOC-0304", k.status, "状态不在对照表里", "the status is not in the table", "在清单的 table 里换成 Schema 中的写法，或者在 Schema 的 x-status 里补上", "map it in the manifest's table to a value of the schema, or add it to the schema's x-status")
	}
	return status, nil
}

func date(doc any, p path) (exchange.Date, error) {
	if p == nil {
		return "", nil
	}
	s, given := first(doc, p)
	if !given {
		return "", nil
	}
	if !gate.IsDate(s) {
		return "", factsProblem("YM-DOC-0306", p, "日期读不出来", "the date cannot be read", "写成 2006-01-02 的形式", "write it as 2006-01-02")
	}
	return exchange.Date(strings.Clone(s)), nil
}

// first is the string at the end of a path without arrays.
func first(doc any, p path) (string, bool) {
	for _, step := range p {
		m, _ := doc.(map[string]any)
		doc = m[step]
	}
	s, ok := doc.(string)
	return s, ok
}

// each calls do with every string a path leads to.
func each(doc any, p path, do func(string)) {
	if len(p) == 0 {
		if s, ok := doc.(string); ok {
			do(s)
		}
		return
	}
	if p[0] != "*" {
		m, _ := doc.(map[string]any)
		each(m[p[0]], p[1:], do)
		return
	}
	list, _ := doc.([]any)
	for _, v := range list {
		each(v, p[1:], do)
	}
}

func factsProblem(code string, p path, zh, en, mendZH, mendEN string) *exchange.Problem {
	problem := documentProblem(code, zh, en, mendZH, mendEN)
	problem.Why = exchange.Text{ZH: "字段 " + p.String(), EN: "field " + p.String()}
	return problem
}

func documentProblem(code, zh, en, mendZH, mendEN string) *exchange.Problem {
	return &exchange.Problem{Code: code, Kind: exchange.Invalid,
		What: exchange.Text{ZH: zh, EN: en}, Mend: exchange.Text{ZH: mendZH, EN: mendEN}}
}
