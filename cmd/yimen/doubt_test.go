package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/workdays"
)

// onePart is the part of a list that a request asks for, where parts hold one element.
func onePart[T any](r *http.Request, all []T) (part []T, last string) {
	at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	if at++; at < len(all) {
		last = strconv.Itoa(at)
	}
	return all[at-1 : at], last
}

// doubted is what the served exchange was sent.
type doubted struct {
	raised  doubts.Raising
	decided doubts.Decision
}

// doubtsUp serves two doubts, one of them overdue, and says how to reach it. What is decided changes nothing.
func doubtsUp(t *testing.T) (flags, reason string, sent *doubted) {
	t.Helper()
	at := time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	late := doubts.Standing{ID: "d-late", Status: doubts.Raised, Version: 1, Department: "xzsp", Keeper: "scjg", Evidence: "business-licence", Doubted: 7, Fields: []string{"address"}, Raised: at, Asker: "xzsp/0017",
		Clock: &workdays.Clock{Article: 26, Due: "2026-11-16", Overdue: true}}
	done := late
	done.ID, done.Status, done.Version, done.Newer, done.Clock = "d-done", doubts.Corrected, 2, 9, nil
	accepted := late
	accepted.Status = doubts.Accepted
	sent = &doubted{}
	operations := []contract.Operation{
		{Method: http.MethodGet, Path: "/v1/doubts", Do: func(r *http.Request) (any, error) {
			part, last := onePart(r, []doubts.Standing{done, late})
			return contract.Part{Answer: doubts.Listing{Doubts: part}, Last: last}, nil
		}},
		{Method: http.MethodPost, Path: "/v1/doubts", Do: func(r *http.Request) (_ any, err error) {
			sent.raised, err = contract.Read[doubts.Raising](r, both("", ""))
			return late, err
		}},
		{Method: http.MethodPost, Path: "/v1/doubts/{doubt}/decisions", Do: func(r *http.Request) (_ any, err error) {
			sent.decided, err = contract.Read[doubts.Decision](r, both("", ""))
			return accepted, err
		}},
		{Method: http.MethodGet, Path: "/v1/doubts/{doubt}/reliances", Do: func(*http.Request) (any, error) {
			return doubts.Reach{Doubt: "d-done", Before: 9, Departments: []doubts.Count{{Department: "xzsp", Answers: 2, Cases: 1}},
				Reliances: []doubts.Reliance{{Receipt: "R1", Time: at, Department: "xzsp", Clerk: "0017", Case: "LL-2026-1123-0041", Evidence: "business-licence", Version: 7}}}, nil
		}},
	}
	server := httptest.NewServer(contract.Handler(operations, nil))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, content := range map[string]string{"token": "of-a-clerk\n", "reason": "住所与原件不符\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return " --server " + server.URL + " --token @" + filepath.Join(dir, "token"), " --reason @" + filepath.Join(dir, "reason"), sent
}

func TestDoubts(t *testing.T) {
	flags, reason, sent := doubtsUp(t)
	for _, c := range []struct {
		words string
		code  code
		out   string
	}{
		{"doubt list --lang en", exitOK, "correct and answer by 2026-11-16 (overdue)"},
		{"doubt list -o wide", exitOK, "已更正"},
		{"doubt list --overdue -o name", exitOK, "d-late\n"},
		{"doubt list -o name", exitOK, "d-late\nd-done\n"},
		{"doubt raise R1 aa --fields address" + reason, exitOK, "✓ 已提出，编号 d-late；2026-11-16 前更正、答复（超期）（scjg）\n"},
		{"doubt answer d-done accept --lang en", exitOK, "✓ d-late accepted, to be corrected; correct and publish it, correct and answer by 2026-11-16 (overdue)\n"},
		{"doubt answer d-done maybe", exitUsage, ""},
		{"doubt withdraw d-late", exitOK, "✓ d-late"},
		{"doubt reach d-done", exitOK, "xzsp：1 个办件，2 个结论\n  LL-2026-1123-0041  2026-11-02 10:00  0017  R1\n"},
	} {
		if got := yimen(t, strings.Fields(c.words+flags)...); got.code != c.code || !strings.Contains(got.out, c.out) {
			t.Errorf("%s: %d %s%s", c.words, got.code, got.out, got.talk)
		}
	}
	if r := sent.raised; r.Receipt != "R1" || r.Record != "aa" || r.Reason != "住所与原件不符" || sent.decided != (doubts.Decision{Act: doubts.Withdraw, Replaces: 1}) {
		t.Errorf("sent %+v", *sent)
	}
	if got := yimen(t, strings.Fields("doubt answer d-done reject --replaces 3"+reason+flags)...); got.code != exitOK || sent.decided.Replaces != 3 || sent.decided.Reason != "住所与原件不符" {
		t.Errorf("%d %s, sent %+v", got.code, got.talk, sent.decided)
	}
}
