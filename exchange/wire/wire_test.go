package wire

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

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
