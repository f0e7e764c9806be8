package doubts

import (
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// TestStateMachine tries every act on every status.
func TestStateMachine(t *testing.T) {
	acts := []Act{Raise, Accept, Reject, Withdraw}
	for status, becomes := range map[Status]string{ // in the order of acts; "-": it cannot be done
		"":        "raised - - -",
		Raised:    "- accepted rejected withdrawn",
		Accepted:  "- - - -",
		Rejected:  "- - - -",
		Withdrawn: "- - - -",
	} {
		for i, want := range strings.Fields(becomes) {
			s := state{}
			replaces := 0
			if status != "" {
				s["d"], replaces = &doubt{id: "d", status: status, version: 3}, 3
			}
			err := s.fold(&entry{ID: "e", Doubt: "d", Replaces: replaces, Act: acts[i], About: &about{}, Sealed: []byte{1}, At: time.Unix(1, 0), By: "a/b"})
			if (err == nil) != (want != "-") {
				t.Errorf("%s of a doubt that is %q: %v, want %s", acts[i], status, err, want)
			}
			if err == nil && (string(s["d"].status) != want || s["d"].version != replaces+1) {
				t.Errorf("%s of a doubt that is %q: %+v, want %s", acts[i], status, s["d"], want)
			}
		}
	}
}

// TestFoldRefuses: entries that came by another way than the desk.
func TestFoldRefuses(t *testing.T) {
	mine := about{Department: "xzsp", Evidence: "food-licence", Version: 1}
	for name, e := range map[string]entry{
		"of nothing":   {ID: "e", Doubt: "n", Act: Raise, Sealed: []byte{1}},
		"no reason":    {ID: "e", Doubt: "n", Act: Raise, About: &about{}},
		"the same":     {ID: "e", Doubt: "n", Act: Raise, About: &mine, Sealed: []byte{1}},
		"old version":  {ID: "e", Doubt: "d", Act: Accept},
		"just because": {ID: "e", Doubt: "d", Act: Reject, Replaces: 1},
		"unknown":      {ID: "e", Doubt: "n", Act: Accept},
	} {
		s := state{"d": {id: "d", status: Raised, version: 1, about: mine}}
		if err := s.fold(&e); err == nil || s["d"].version != 1 || s["n"] != nil {
			t.Errorf("%s: %v, %+v", name, err, s["d"])
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	e := entry{Format: format, ID: "a", At: time.Unix(1, 0), By: "xzsp/1", Doubt: "d", Act: Raise, About: &about{Fields: []string{"name"}}, Text: []byte{1}}
	m, err := e.message()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Value)
	f.Add([]byte(`{"format":1,"doubt":"d"}`))
	f.Add([]byte(`{"format":1,"id":"a","at":"2026-11-23T02:00:00Z","by":"xzsp/1","doubt":"d","replaces":1,"act":"reject","sealed":"AQ=="}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := parseEntry(value)
		if err != nil {
			return
		}
		m, err := e.message()
		if e.Text != nil && e.Sealed != nil {
			t.Errorf("%q has its text twice", value)
		}
		if e.Doubt == "" || err != nil || m.Topic != Topic {
			t.Errorf("%q: %+v %v", value, e, err)
		}
		_ = state{"d": {id: "d", status: Raised, version: 1, about: about{Department: exchange.Department("xzsp")}}}.fold(e) // never panics
	})
}
