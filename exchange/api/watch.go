package api

import (
	"log/slog"
	"net/http"

	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/watch"
)

// watched stands around every handler: it sets what every answer says, writes one line a request (method, route, status and
// time; the path stays out, because people put into addresses what does not belong there), and turns a panic into a problem.
func (s *server) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.cfg.Clock()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		seen := &watch.Answer{ResponseWriter: w}
		defer func() {
			watch.Recovered(r.Context(), recover(), seen, s.cfg.Log, r.Pattern, func() { contract.Fail(seen, r, nil) })
			s.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("method", watch.Method(r.Method)), slog.String("route", r.Pattern),
				slog.Int("status", seen.Code), slog.Duration("took", s.cfg.Clock().Sub(began)))
		}()
		next.ServeHTTP(seen, r)
	})
}
