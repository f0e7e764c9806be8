// Package window is the clerk's page (窗口): an item, an applicant, and which materials need not be brought.
//
// It is plain HTML that works without scripts, embedded, in Chinese and English. Every question goes the way that the API's
// go: through the Querier, with the clerk's own identity, limits and audit included. Numbers travel in bodies only, and what
// was asked and found stays in this process's memory until the clerk turns to somebody else or the session ends.
package window

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/watch"
	"github.com/onedoor/yimen/exchange/wire"
	"github.com/onedoor/yimen/schemas"
)

// Path is where the page is served, below the node's address.
const Path = "/window"

// Querier answers queries.
type Querier interface {
	Query(ctx context.Context, q broker.Query) (broker.Conclusion, error)
}

// Config is what the page is made of.
type Config struct {
	Broker    Querier
	Catalogue func() *catalogue.Catalogue // the current one
	Door      *door.Keeper
	// Schemas has the names of fields, as they are now.
	Schemas func() *schemas.Set
	// Phone is whom a clerk calls for help; empty: not shown.
	Phone string
	Log   *slog.Logger     // nil: silent
	Clock func() time.Time // nil: time.Now
}

// Window is the page as a handler. It is safe for concurrent use.
type Window struct {
	cfg     Config
	pages   *pages
	visits  map[bool]*scs.SessionManager // by whether the connection is encrypted
	handler http.Handler
}

// New makes the page.
func New(cfg Config) (*Window, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	parsed, err := parsePages()
	if err != nil {
		return nil, err
	}
	w := &Window{cfg: cfg, pages: parsed}
	store := &shelf{kept: map[string]shelved{}}
	fail := func(out http.ResponseWriter, r *http.Request, err error) {
		w.fail(&turn{out: out, r: r, lang: languageOf(r)}, err)
	}
	w.visits = map[bool]*scs.SessionManager{false: sessions(store, fail, false), true: sessions(store, fail, true)}
	w.handler = w.routes()
	return w, nil
}

func (w *Window) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, page := range map[string]page{
		"GET " + Path + "/sign-in":                 w.signInPage,
		"POST " + Path + "/sign-in":                w.signIn,
		"POST " + Path + "/sign-out":               w.signOut,
		"POST " + Path + "/unlock":                 w.unlock,
		"POST " + Path + "/language":               w.speak,
		"GET " + Path + "/help":                    w.help,
		"GET " + Path:                              w.known(w.applyPage),
		"POST " + Path + "/query":                  w.known(w.query),
		"GET " + Path + "/query":                   w.known(func(*turn) (reply, error) { return reply{to: Path}, nil }), // reloaded after a refusal
		"POST " + Path + "/new":                    w.known(w.next),
		"GET " + Path + "/materials/{of}":          w.known(w.materials),
		"POST " + Path + "/materials/{of}":         w.known(w.again),
		"GET " + Path + "/materials/{of}/{place}":  w.known(w.record),
		"POST " + Path + "/materials/{of}/{place}": w.known(w.compare),
		Path + "/": func(*turn) (reply, error) { return reply{}, noSuchPage() },
	} {
		mux.Handle(pattern, w.answer(page))
	}
	mux.HandleFunc("GET "+assetsPath+"{name}", w.pages.asset)
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(w.answer(func(*turn) (reply, error) { return reply{}, foreignForm() }))
	return own.Handler(mux)
}

// ServeHTTP sets what every answer of the page says of itself, and writes one line a request, without its path.
func (w *Window) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	began := w.cfg.Clock()
	h := out.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	seen := &watch.Answer{ResponseWriter: out}
	defer func() {
		watch.Recovered(r.Context(), recover(), seen, w.cfg.Log, r.Pattern, func() { w.fail(&turn{out: seen, r: r, lang: languageOf(r)}, errors.New("panic")) })
		w.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("method", watch.Method(r.Method)), slog.String("route", r.Pattern),
			slog.Int("status", seen.Code), slog.Duration("took", w.cfg.Clock().Sub(began)))
	}()
	w.handler.ServeHTTP(seen, r)
}

// turn is one request on its way to a reply.
type turn struct {
	out   http.ResponseWriter
	r     *http.Request
	lang  exchange.Lang
	visit visit // of the clerk who signed in, else empty
}

// reply is what a page answers: a template with its data, or the address to go to.
type reply struct {
	to       string
	page     string // the template's name
	status   int    // 0: 200
	troubles []trouble
	data     any
}

// page answers a turn. Its error becomes a page that says so.
type page func(*turn) (reply, error)

// maxForm bounds a request's body; a form takes a few hundred bytes.
const maxForm = 16 << 10

// answer makes a page a handler: it loads the session, reads the form, and writes the reply.
func (w *Window) answer(do page) http.Handler {
	handler := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		t := &turn{out: out, r: r, lang: languageOf(r)}
		r.Body = http.MaxBytesReader(out, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			w.fail(t, unreadableForm())
			return
		}
		t.visit = w.load(r)
		got, err := do(t)
		switch {
		case err != nil:
			w.fail(t, err)
		case got.to != "":
			http.Redirect(out, r, got.to, http.StatusSeeOther)
		default:
			w.show(t, got)
		}
	})
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { w.sessionsOf(r).LoadAndSave(handler).ServeHTTP(out, r) })
}

// fail shows the page of an error. One that is no Problem says nothing of itself outside.
func (w *Window) fail(t *turn, err error) {
	kind := exchange.KindOf(err)
	w.fault(t.r, err)
	status, _ := wire.Status(kind)
	w.show(t, reply{page: "error", status: status, troubles: []trouble{troubleOf(err, "")}})
}

// fault logs what somebody must look at: errors of ours, and why something was not available.
func (w *Window) fault(r *http.Request, err error) {
	kind := exchange.KindOf(err)
	if kind != exchange.Internal && kind != exchange.Unavailable || r.Context().Err() != nil {
		return
	}
	w.cfg.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "kind", kind, "error", err)
}
