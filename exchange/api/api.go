// Package api serves the exchange over HTTP, and calls it.
//
// Citizen numbers travel in bodies only, never in addresses. Errors are problem details (RFC 9457) in Chinese and
// English. Who is calling, and whether to let them in, is the doorkeeper's business (package door).
package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/identity"
)

// Querier answers queries.
type Querier interface {
	Query(ctx context.Context, q broker.Query) (broker.Conclusion, error)
}

// Check is one condition of being ready.
type Check struct {
	Name string
	// OK errs while the condition does not hold.
	OK func(ctx context.Context) error
}

// Config is what the API is made of.
type Config struct {
	Broker    Querier
	Catalogue func() *catalogue.Catalogue // the current one
	Door      *door.Keeper
	// Left says what is left of an asker's own limits; nil: nobody is told.
	Left  func(exchange.Department, string) []contract.Quota
	Ready []Check
	// Epoch names what answers rest on: while a kept answer may be told again it is the same. It errs while nothing may be answered. Nil:
	// nothing ever changes.
	Epoch   func() (string, error)
	Metrics prometheus.Gatherer
	Others  []contract.Operation // of the other packages that serve below the same address
	Log     *slog.Logger         // nil: silent
	Clock   func() time.Time     // nil: time.Now
}

// QueryRequest is the body of POST /v1/queries.
type QueryRequest struct {
	Case       string              `json:"case" minLength:"1"`      // the case (办件) this is asked for
	Item       exchange.Item       `json:"item" minLength:"1"`      // the service item (事项)
	Applicant  string              `json:"applicant" minLength:"1"` // citizen number or unified social credit code
	Department exchange.Department `json:"department,omitzero"`     // who asks; may be left out, and is the caller's otherwise
	Facts      map[string]any      `json:"facts,omitzero"`          // what the applicant states of the facts the item asks for, by code
	Stated     broker.Stated       `json:"stated,omitzero"`         // what the applicant states, by evidence type and field, to be compared with the records (校核比对)
	Chosen     broker.Chosen       `json:"chosen,omitzero"`         // which record is meant, by evidence type, where an earlier answer asked
	On         exchange.Date       `json:"on,omitzero"`             // the day records must be valid on; today where it is left out
	Parties    Parties             `json:"parties,omitzero"`        // those of whom the item needs evidence beside the applicant
	// Mode is how much the answers tell: all (full, the usual), whether what is stated is true (verify), or yes and no (predicates).
	Mode broker.Mode `json:"mode,omitzero" enum:"full,verify,predicates"`
}

// New is the API as a handler: its own operations and those of Config.Others, with the document that describes all of them.
func New(cfg Config) (http.Handler, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &server{cfg: cfg}
	operations := append(contract.Once(s.operations(), s.asking, cfg.Clock), contract.Once(cfg.Others, s.standing, cfg.Clock)...)
	document, err := contract.Document(operations)
	if err != nil {
		return nil, err
	}
	page, err := contract.Page(document)
	if err != nil {
		return nil, err
	}
	return s.watched(contract.Handler(append(operations, served(document, page)...), cfg.Log)), nil
}

// repeatQueries is how long a query's answer is kept for who lost it. Longer would hand out fields long after a grant was revoked.
const repeatQueries = 2 * time.Minute

type server struct {
	cfg   Config
	ready singleflight.Group
}

// asking is who asks, with the nonce: a query that is sent again must be as fresh as one that is not.
func (s *server) asking(r *http.Request) (who, nonce string, err error) {
	caller, err := s.cfg.Door.Caller(r)
	if err == nil {
		nonce, err = s.nonce(r, caller)
	}
	who = caller.Standing()
	if err == nil && s.cfg.Epoch != nil { // who was erased meanwhile, or whose grant was revoked, is not told of once more
		var epoch string
		epoch, err = s.cfg.Epoch()
		who += "\x00" + epoch
	}
	return who, nonce, err
}

// standing is who asks for anything else: those requests have no nonce.
func (s *server) standing(r *http.Request) (who, nonce string, err error) {
	caller, err := s.cfg.Door.Caller(r)
	return caller.Standing(), "", err
}

func (s *server) query(r *http.Request) (any, error) {
	caller, err := s.cfg.Door.Caller(r)
	if err != nil {
		return nil, err
	}
	nonce, err := s.nonce(r, caller)
	if err != nil {
		return nil, err
	}
	asked, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	if asked.Department != "" && asked.Department != caller.Department {
		return nil, s.cfg.Door.Reject(r, caller, door.OtherDepartment())
	}
	body, err := s.conclude(r.Context(), caller, nonce, &asked)
	if err != nil {
		return nil, err
	}
	return contract.Content{Type: "application/json; charset=utf-8", Body: body}, nil
}

// conclude asks the broker, and gives the conclusion as it is told.
func (s *server) conclude(ctx context.Context, caller door.Caller, nonce string, asked *QueryRequest) ([]byte, error) {
	holder, err := identity.ParseHolder(asked.Applicant)
	if err != nil {
		return nil, err
	}
	parties, err := asked.Parties.Holders()
	if err != nil {
		return nil, err
	}
	conclusion, err := s.cfg.Broker.Query(ctx, broker.Query{Case: asked.Case, Item: asked.Item, Applicant: holder, Caller: caller.Caller, Nonce: nonce,
		Facts: asked.Facts, Stated: asked.Stated, Chosen: asked.Chosen, On: asked.On, Mode: asked.Mode, Parties: parties})
	if err != nil {
		return nil, err
	}
	return conclusion.Spell()
}

// quotas are what a caller who is known may still ask.
func (s *server) quotas(r *http.Request) []contract.Quota {
	caller, err := s.cfg.Door.Caller(r)
	if err != nil || s.cfg.Left == nil {
		return nil
	}
	return s.cfg.Left(caller.Department, caller.Clerk)
}

func (s *server) items(r *http.Request) (any, error) {
	part, last, err := contract.Cut(r, s.cfg.Catalogue().Services(), func(i catalogue.Service) string { return string(i.Code) })
	return contract.Part{Answer: part, Last: last}, err
}

func (s *server) item(r *http.Request) (any, error) {
	code := r.PathValue("code")
	if item, ok := s.cfg.Catalogue().Service(exchange.Item(code)); ok {
		return item, nil
	}
	return nil, noSuchItem(s.cfg.Catalogue().Nearest(code))
}

func livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}
