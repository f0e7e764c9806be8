package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/identity"
)

// LogPath is where auditors find the log, in the form of tlog-tiles.
const LogPath = "/v1/audit/log/"

// Reader is who reads the log over HTTP, and how much of it.
type Reader struct {
	Department exchange.Department
	Clerk      string
	Supervisor bool // searches the entries of the own department, and sees its staff codes
	Auditor    bool // reads the whole log
	Holders    bool // asks for holders who looked at their data
}

// Serving is what a Handler is made of.
type Serving struct {
	Ledger *Ledger
	// Reader finds out who sent a request.
	Reader func(*http.Request) (Reader, error)
	// Enter stamps the entry of a look into the log, counts it against the limits of who looks, and returns once it can no longer be lost.
	// After an error there must be no answer. It is safe for concurrent use.
	Enter    func(ctx context.Context, e *audit.Entry) error
	Refusals []error          // what Enter may refuse, for the document
	Clock    func() time.Time // nil: time.Now
}

// as finds out who reads before anything is done.
func (s Serving) as(do func(*http.Request, Reader) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		who, err := s.Reader(r)
		if err != nil {
			return nil, err
		}
		return do(r, who)
	}
}

const (
	plainText = "text/plain; charset=utf-8"
	octets    = "application/octet-stream"
)

// Receipt is an entry with its proof.
type Receipt struct {
	ID    string    `json:"id"`
	Time  time.Time `json:"time"`
	Index uint64    `json:"index"` // in the log, which is the offset on the topic
	Hash  string    `json:"hash"`  // SHA-256 of the entry, in hexadecimal
	// Entry is its bytes as they lie in the log. Of a query that told less than all (its mode) they name the records that were not told of, so
	// only supervisors and auditors have them.
	Entry string `json:"entry,omitempty"`
	Proof string `json:"proof"`
}

// receipt gives a department the proofs of its own entries, and an auditor all. To anybody else no entry is there.
func (s Serving) receipt(r *http.Request, who Reader) (any, error) {
	id := r.PathValue("id")
	found, err := s.Ledger.Entry(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if !who.Auditor && (who.Department == "" || who.Department != found.Entry.Department) {
		return nil, NoSuchEntry()
	}
	proof, err := s.Ledger.Proof(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(r.Header.Get("Accept"), "application/json") {
		return contract.Content{Type: plainText, Body: proof}, nil
	}
	sum := sha256.Sum256(found.Raw)
	receipt := Receipt{ID: id, Time: found.Entry.Time, Index: found.Index, Hash: hex.EncodeToString(sum[:]), Proof: string(proof)}
	if found.Entry.Mode == "" || who.Auditor || who.Supervisor {
		receipt.Entry = string(found.Raw)
	}
	return receipt, nil
}

// entries searches: a supervisor in the own department, an auditor everywhere.
func (s Serving) entries(r *http.Request, who Reader) (any, error) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	span, err := contract.SpanOf(r, usualPage)
	if err != nil {
		return nil, err
	}
	f.Before, f.Most = span.After, span.Limit
	if !who.Auditor {
		if !who.Supervisor || f.Department != "" && f.Department != who.Department {
			return nil, denied()
		}
		f.Department = who.Department
	}
	page, err := s.Ledger.Search(r.Context(), f)
	if err != nil {
		return nil, err
	}
	return contract.Part{Answer: page, Last: page.Next}, nil
}

// file gives a file of the log to an auditor. Its path is made again from what was read of the one asked for.
func (s Serving) file(r *http.Request, who Reader) (any, error) {
	if !who.Auditor {
		return nil, denied()
	}
	path, content, ok := logFile(r.PathValue("path"))
	if !ok {
		return nil, noSuchFile()
	}
	body, err := os.ReadFile(filepath.Join(s.Ledger.cfg.Dir, logDir, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noSuchFile()
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return contract.Content{Type: content, Body: body}, nil
}

func logFile(asked string) (path, content string, ok bool) {
	if asked == layout.CheckpointPath {
		return asked, plainText, true
	}
	rest, ok := strings.CutPrefix(asked, "tile/")
	level, number, cut := strings.Cut(rest, "/")
	if !ok || !cut {
		return "", "", false
	}
	index, partial, err := layout.ParseTileIndexPartial(number)
	if err != nil {
		return "", "", false
	}
	path = layout.EntriesPath(index, partial)
	if level != "entries" {
		l, err := layout.ParseTileLevel(level)
		if err != nil {
			return "", "", false
		}
		path = layout.TilePath(l, index, partial)
	}
	return path, octets, path == asked
}

// subjectRequest is the body of POST /v1/subjects, subjectAnswer its answer.
type subjectRequest struct {
	Number string `json:"number"`
}

type subjectAnswer struct {
	Subject string `json:"subject"`
}

// subject gives the token that stands for a holder in the log.
func (s Serving) subject(r *http.Request, who Reader) (any, error) {
	asked, err := contract.Read[subjectRequest](r, numberForm)
	if err != nil {
		return nil, err
	}
	holder, err := identity.ParseHolder(asked.Number)
	if err != nil {
		return nil, err
	}
	entry := audit.Entry{Holder: holder}
	if err := s.look(r.Context(), who, &entry, who.Holders || who.Auditor); err != nil {
		return nil, err
	}
	return subjectAnswer{entry.Subject}, nil
}

// accesses says who looked at a holder's data.
func (s Serving) accesses(r *http.Request, who Reader) (any, error) {
	subject, now := r.PathValue("subject"), s.Clock()
	if !audit.ValidToken(subject) {
		return nil, badFilter(text("主体标记的写法不对", "the subject's token is not well formed"))
	}
	span, err := contract.SpanOf(r, usualPage)
	if err != nil {
		return nil, err
	}
	if err := s.look(r.Context(), who, &audit.Entry{Subject: subject}, who.Holders || who.Supervisor || who.Auditor); err != nil {
		return nil, err
	}
	page, err := s.Ledger.accesses(r.Context(), subject, now, span, who.seesCodes)
	if err != nil {
		return nil, err
	}
	return contract.Part{Answer: page, Last: page.Next}, nil
}

// look errs where the reader may not be told of the holder that the entry names, by number or by token. That somebody asked is in the
// log before anything is told, or refused. Who may not ask hears the same of everybody.
func (s Serving) look(ctx context.Context, who Reader, entry *audit.Entry, permitted bool) error {
	if err := s.Ledger.Fresh(s.Clock()); err != nil {
		return err
	}
	entry.Kind, entry.Department, entry.Clerk, entry.Decision = audit.Access, who.Department, who.Clerk, audit.Answered
	if !permitted {
		entry.Decision, entry.Refusal = audit.Refused, "not_permitted"
	}
	if err := s.Enter(ctx, entry); err != nil {
		return err
	}
	if !permitted {
		return denied()
	}
	return nil
}

// seesCodes says whether the reader may know which clerk of a department it was.
func (who Reader) seesCodes(of exchange.Department) bool {
	return who.Auditor || who.Supervisor && of == who.Department
}

// filterOf reads a search from an address. What it does not know it refuses: a condition left out would find too much.
func filterOf(asked map[string][]string) (f Filter, err error) {
	for name, values := range asked {
		value := values[0]
		if len(values) != 1 {
			return Filter{}, badFilter(text("同一条件写了两次", "a condition is there twice"))
		}
		if value == "" && (name == "decision" || name == "kind") { // inside, the empty one stands for any
			return Filter{}, badFilter(text("条件没有写值", "a condition has no value"))
		}
		switch name {
		case "from":
			f.From, err = time.Parse(time.RFC3339, value)
		case "to":
			f.To, err = time.Parse(time.RFC3339, value)
		case "department":
			f.Department = exchange.Department(value)
		case "clerk":
			f.Clerk = value
		case "item":
			f.Item = exchange.Item(value)
		case "case":
			f.Case = value
		case "decision":
			f.Decision = audit.Decision(value)
		case "kind":
			f.Kind = value
		case "limit", "cursor": // contract.SpanOf reads them
		default:
			return Filter{}, badFilter(text("有不认识的条件", "a condition is not known"))
		}
		if err != nil {
			return Filter{}, badFilter(text("时间应为 RFC 3339 格式", "times are written as RFC 3339 has them"))
		}
	}
	return f, nil
}
