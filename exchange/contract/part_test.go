package contract

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listing serves a list of words.
func listing(words *[]string) http.Handler {
	return Handler([]Operation{{Method: "GET", Path: "/words", Parts: MaxPart, Do: func(r *http.Request) (any, error) {
		part, last, err := Cut(r, *words, func(w string) string { return w })
		return Part{part, last}, err
	}}}, nil)
}

// A list comes whole, in order and without repetition, whatever the size of its parts, and though others come and go meanwhile.
func TestParts(t *testing.T) {
	for _, limit := range []int{1, 2, 3, 7, 100} {
		words := []string{"d", "b", "a", "c", "f", "e", "g"}
		h := listing(&words)
		var all []string
		next := "/words?kind=x&limit=" + strconv.Itoa(limit)
		for requests := 0; next != ""; requests++ {
			if requests > 8 {
				t.Fatalf("limit %d: no end, %v", limit, all)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", next, nil))
			var part []string
			if err := json.Unmarshal(w.Body.Bytes(), &part); err != nil || part == nil || len(part) > limit {
				t.Fatalf("limit %d: %d %s", limit, w.Code, w.Body)
			}
			all = append(all, part...)
			if requests == 0 { // what comes before the cursor is not seen, and hides nothing that is after it
				words = append(slices.DeleteFunc(words, func(w string) bool { return w == "a" }), "A")
			}
			next, _, _ = strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), ">")
			if next != "" && !strings.Contains(next, "kind=x") {
				t.Errorf("%s lost what was asked", next)
			}
		}
		if got := strings.Join(all, ""); got != "abcdefg" {
			t.Errorf("limit %d: %s", limit, got)
		}
	}
}

func TestPartsRefused(t *testing.T) {
	words := []string{"a", "b"}
	h := listing(&words)
	for query, status := range map[string]int{"": 200, "limit=1000": 200, "cursor=zz": 200, "limit=0": 422, "limit=1001": 422, "limit=": 422, "limit=1.5": 422, "limit=-1": 422,
		"limit=1&limit=2": 422, "cursor=": 422, "cursor=a&cursor=b": 422, "cursor=%20": 422, "cursor=" + strings.Repeat("a", 201): 422} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/words?"+query, nil))
		if w.Code != status || status == 422 && !strings.Contains(w.Body.String(), "YM-API-0107") || w.Header().Get("Link") != "" {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/words?cursor=zz", nil))
	if w.Body.String() != "[]\n" {
		t.Errorf("beyond the end: %s", w.Body)
	}
}

func TestQuotas(t *testing.T) {
	told := []Quota{{Name: "queries_hour", Most: 180, Left: 178, Window: time.Hour, Until: 90*time.Second + 1}, {Name: "subjects_day", Unit: "subjects", Most: 200, Left: 0, Window: 24 * time.Hour, Until: time.Hour}}
	var err error
	h := Handler([]Operation{{Method: "GET", Path: "/", Do: func(*http.Request) (any, error) { return 1, err }, Quotas: func(*http.Request) []Quota { return told }}}, nil)
	ask := func() http.Header {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Header()
	}
	if got := ask(); got.Get("RateLimit-Policy") != `"queries_hour";q=180;w=3600, "subjects_day";q=200;qu="subjects";w=86400` ||
		got.Get("RateLimit") != `"queries_hour";r=178;t=91, "subjects_day";r=0;t=3600` {
		t.Error(got)
	}
	err = badKey() // of somebody who may not be known
	if got := ask(); got.Get("RateLimit") != "" {
		t.Error(got)
	}
	err, told = nil, nil
	if got := ask(); got.Values("RateLimit") != nil {
		t.Error(got)
	}
}
