package broker

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue"
)

func TestFactsMustFit(t *testing.T) {
	service := catalogue.Service{Facts: []catalogue.Fact{{Code: "rented", Kind: catalogue.Flag}, {Code: "seats", Kind: catalogue.Number}, {Code: "opens", Kind: catalogue.Day},
		{Code: "use", Kind: catalogue.Choice, Choices: []string{"shop", "canteen"}}, {Code: "note", Kind: catalogue.Words}}}
	if err := checkFacts(service, map[string]any{"rented": false, "seats": 40.0, "opens": "2026-12-31", "use": "shop", "note": "a"}); err != nil {
		t.Error(err)
	}
	const canary = "430281199001010017"
	for name, facts := range map[string]map[string]any{
		"YM-QRY-0115 unknown":         {"rentd": true},
		"YM-QRY-0116 word for flag":   {"rented": "yes"},
		"YM-QRY-0116 number for flag": {"rented": 1.0},
		"YM-QRY-0116 no such day":     {"opens": "2026-02-30"},
		"YM-QRY-0116 no such choice":  {"use": canary},
		"YM-QRY-0116 too long":        {"note": strings.Repeat("a", maxFact+1)},
		"YM-QRY-0116 nested":          {"note": map[string]any{"a": canary}},
		"YM-QRY-0116 null":            {"note": nil},
	} {
		err := checkFacts(service, facts)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != name[:len("YM-QRY-0115")] || p.Mend.ZH == "" || strings.Contains(p.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStatedStandsInNoLog: the entry commits to what was stated, and neither it nor the receipt repeats any of it.
func TestStatedStandsInNoLog(t *testing.T) {
	s := newStage(t)
	q := query()
	q.Stated = Stated{"business-licence": {"name": json.RawMessage(`"canary name"`), "holderCode": json.RawMessage(`"canary code"`)}}
	c, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	differences := c.Answers[1].Evidence[0].Differences
	if len(differences) != 2 || differences[0].Kind != exchange.Unchecked || differences[0].Held != nil || differences[1].Kind != exchange.NameOnly {
		t.Errorf("%+v", differences)
	}
	e := s.entry(t)
	if len(e.Stated) != 64 || strings.Contains(string(s.topic.msgs[0].Value), "canary") {
		t.Errorf("entry %s", s.topic.msgs[0].Value)
	}
	plain := newStage(t)
	if _, err := plain.Query(t.Context(), query()); err != nil || plain.entry(t).Stated != "" {
		t.Errorf("nothing stated: %v, %q", err, plain.entry(t).Stated)
	}
}

func TestAskedThatIsRefused(t *testing.T) {
	for code, change := range map[string]func(*Query){
		"YM-QRY-0115": func(q *Query) { q.Facts = map[string]any{"x": true} },
		"YM-QRY-0117": func(q *Query) { q.On = "2026-02-30" },
		"YM-QRY-0118": func(q *Query) { q.Chosen = Chosen{"business-licence": {9}} },
	} {
		s := newStage(t)
		q := query()
		change(&q)
		_, err := s.Query(t.Context(), q)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Code != code || p.Kind != exchange.Invalid {
			t.Errorf("%s: %v", code, err)
		}
		if code == "YM-QRY-0118" { // somebody was looked up
			if e := s.entry(t); e.Refusal != notFoundCode || e.Chosen["business-licence"] != (exchange.RecordID{9}) {
				t.Errorf("entry %+v", e)
			}
		} else if len(s.topic.msgs) != 0 || s.holdings.calls != 0 {
			t.Errorf("%s: looked up", code)
		}
	}
}
