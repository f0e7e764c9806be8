package window

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

const (
	// idle is how long a clerk may be away before the page asks for the password again.
	idle = 15 * time.Minute
	// shift is how long a session lasts at most.
	shift = 12 * time.Hour
)

// visit is a clerk's session. It lies in memory only.
type visit struct {
	User   string
	Caller broker.Caller
	Seen   time.Time // when the clerk last did something
	Locked bool
	Case   string // of the applicant at the window
	Work   *work  // nil: nothing was asked yet
}

// work is what the clerk has before them, and what was asked to get it, the applicant's number within: it is asked again with what
// the applicant says beside it.
type work struct {
	Asked      broker.Query
	Conclusion broker.Conclusion
	Questions  []exchange.Question // put by the answers, also those that were answered since
}

const visitKey = "visit"

// sessions make the cookie: nobody else's script, site or subdomain gets at it. Without encryption, on this machine only, a
// browser would not take the prefix.
func sessions(store scs.Store, fail func(http.ResponseWriter, *http.Request, error), encrypted bool) *scs.SessionManager {
	name := "yimen"
	if encrypted {
		name = "__Host-yimen"
	}
	return &scs.SessionManager{Store: store, Lifetime: shift, HashTokenInStore: true, Codec: scs.GobCodec{}, ErrorFunc: fail,
		Cookie: scs.SessionCookie{Name: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: encrypted}}
}

func (w *Window) sessionsOf(r *http.Request) *scs.SessionManager { return w.visits[r.TLS != nil] }

func (w *Window) load(r *http.Request) (v visit) {
	if err := json.Unmarshal(w.sessionsOf(r).GetBytes(r.Context(), visitKey), &v); err != nil {
		return visit{}
	}
	return v
}

func (w *Window) save(t *turn) error {
	kept, err := json.Marshal(t.visit)
	if err != nil {
		return fmt.Errorf("keep the session: %w", err)
	}
	w.sessionsOf(t.r).Put(t.r.Context(), visitKey, kept)
	return nil
}

// known stands before the pages of somebody who signed in, and may still. Who was away too long is asked for the password
// first, and finds the work where it was.
func (w *Window) known(next page) page {
	return func(t *turn) (reply, error) {
		now := w.cfg.Clock()
		v := &t.visit
		if v.User == "" {
			return reply{to: Path + "/sign-in"}, nil
		}
		if _, err := w.cfg.Door.Still(t.r, v.Caller); err != nil {
			return reply{}, err
		}
		if v.Locked = v.Locked || now.Sub(v.Seen) >= idle; v.Locked {
			return lockPage(t), w.save(t)
		}
		v.Seen = now
		got, err := next(t)
		if err == nil {
			err = w.save(t)
		}
		return got, err
	}
}

func lockPage(t *turn, wrong ...trouble) reply {
	return reply{page: "lock", troubles: wrong, data: back(t.r.URL.Path)}
}

// places are where a clerk can be sent back to. A form says where it was shown, and a form can say anything.
var places = regexp.MustCompile("^" + Path + "(/(sign-in|help|materials/[0-9A-Za-z]{1,64}(/[0-9]{1,4})?))?$")

func back(path string) string {
	if places.MatchString(path) {
		return path
	}
	return Path
}

func (w *Window) signInPage(t *turn) (reply, error) {
	if t.visit.User != "" {
		return reply{to: Path}, nil
	}
	return reply{page: "sign-in", data: ""}, nil
}

func (w *Window) signIn(t *turn) (reply, error) {
	user := t.r.PostForm.Get("user")
	caller, err := w.cfg.Door.SignIn(t.r, user, t.r.PostForm.Get("password"))
	if err != nil {
		w.fault(t.r, err)
		return reply{page: "sign-in", status: http.StatusUnprocessableEntity, troubles: []trouble{troubleOf(err, "user")}, data: user}, nil
	}
	if err := w.sessionsOf(t.r).RenewToken(t.r.Context()); err != nil {
		return reply{}, fmt.Errorf("begin the session: %w", err)
	}
	t.visit = visit{User: user, Caller: caller.Caller, Seen: w.cfg.Clock()}
	return reply{to: Path}, w.save(t)
}

func (w *Window) unlock(t *turn) (reply, error) {
	if t.visit.User == "" {
		return reply{to: Path + "/sign-in"}, nil
	}
	t.r.URL.Path = back(t.r.PostForm.Get("back"))
	if _, err := w.cfg.Door.SignIn(t.r, t.visit.User, t.r.PostForm.Get("password")); err != nil {
		w.fault(t.r, err)
		wrong := lockPage(t, troubleOf(err, "password"))
		wrong.status = http.StatusUnprocessableEntity
		return wrong, nil
	}
	if err := w.sessionsOf(t.r).RenewToken(t.r.Context()); err != nil {
		return reply{}, fmt.Errorf("go on with the session: %w", err)
	}
	t.visit.Locked, t.visit.Seen = false, w.cfg.Clock()
	return reply{to: t.r.URL.Path}, w.save(t)
}

func (w *Window) signOut(t *turn) (reply, error) {
	t.visit = visit{}
	return reply{to: Path + "/sign-in"}, w.sessionsOf(t.r).Destroy(t.r.Context())
}
