package wire

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

var errSilent = errors.New("silent")

func silent(error) error { return errSilent }

func TestAsk(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		body   string
		kind   exchange.Kind
		silent bool
	}{
		"a refusal":                {403, `{"code":"YM-X-0001","kind":"denied","what":{"zh":"甲","en":"a"}}`, exchange.Denied, false},
		"a kind of a later time":   {409, `{"code":"YM-X-0001","kind":"postponed"}`, exchange.Internal, false},
		"somebody else's refusal":  {502, `<html>bad gateway</html>`, "", true},
		"somebody else's problem":  {403, `{"code":"OTHER-1","kind":"denied"}`, "", true},
		"a redirection":            {307, ``, "", true},
		"an answer that is no 200": {204, ``, "", true},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				t.Errorf("%s: was followed to %s", name, r.URL.Path)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(row.status)
			w.Write([]byte(row.body))
		}))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Ask(nil, request, 1<<10, silent)
		if row.silent != errors.Is(err, errSilent) || !row.silent && exchange.KindOf(err) != row.kind {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

func FuzzProblem(f *testing.F) {
	f.Add([]byte(`{"code":"YM-X-0001","kind":"denied","what":{"zh":"甲","en":"a"}}`))
	f.Add([]byte(`{"code":"YM-"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, ok := problem(body)
		if !ok {
			return
		}
		if _, known := Status(p.Kind); !known || p.Code == "" {
			t.Errorf("%+v", p)
		}
	})
}

// What a header says is taken where it is sound: a list goes on at the exchange and nowhere else.
func TestHeaders(t *testing.T) {
	for link, want := range map[string]string{`</v1/items?cursor=a>; rel="next"`: "/v1/items?cursor=a", "": "", `<https://elsewhere/>; rel="next"`: "", `</v1/items>; rel="prev"`: "", `</x`: ""} {
		if got := next(http.Header{"Link": {link}}); got != want {
			t.Errorf("%s leads to %q", link, got)
		}
	}
	for said, want := range map[string]time.Duration{"": 0, "2": 2 * time.Second, "-1": 0, "Fri, 27 Nov 2026 02:00:00 GMT": 0, "9999999999": 48 * time.Hour} {
		if got := after(http.Header{"Retry-After": {said}}); got != want {
			t.Errorf("%q is %v", said, got)
		}
	}
}
