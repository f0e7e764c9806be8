package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func TestExitCodes(t *testing.T) {
	of := func(kind exchange.Kind) error { return &exchange.Problem{Code: "YM-X-1", Kind: kind} }
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, row := range []struct {
		name string
		ctx  context.Context
		err  error
		want code
	}{
		{"nothing wrong", t.Context(), nil, 0},
		{"stopped in good order", stopped, nil, 0},
		{"no problem of ours", t.Context(), errors.New("x"), 1},
		{"internal", t.Context(), of(exchange.Internal), 1},
		{"wrong input", t.Context(), of(exchange.Invalid), 1},
		{"wrong command line", t.Context(), asUsage(of(exchange.Invalid)), 2},
		{"wrong command line, wrapped", t.Context(), fmt.Errorf("run: %w", asUsage(errors.New("x"))), 2},
		{"rows in quarantine", t.Context(), exitQuarantined, 3},
		{"rows in quarantine, wrapped", t.Context(), fmt.Errorf("run: %w", exitQuarantined), 3},
		{"not logged in", t.Context(), of(exchange.Unauthorised), 4},
		{"not found", t.Context(), of(exchange.NotFound), 5},
		{"not allowed", t.Context(), of(exchange.Denied), 6},
		{"asked too much", t.Context(), of(exchange.Limited), 6},
		{"nothing to do", t.Context(), exitUnchanged, 9},
		{"incompatible", t.Context(), exitIncompatible, 10},
		{"held by another", t.Context(), of(exchange.Conflict), 11},
		{"dependency down", t.Context(), fmt.Errorf("ask: %w", of(exchange.Unavailable)), 12},
		{"interrupted", stopped, context.Canceled, 130},
		{"interrupted while a dependency fails", stopped, of(exchange.Unavailable), 130},
		{"quarantined, then interrupted", stopped, exitQuarantined, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := codeOf(row.ctx, row.err)
			if got != row.want {
				t.Errorf("exit code %d, want %d", got, row.want)
			}
			if !slices.ContainsFunc(exitCodes(), func(m meaning) bool { return m.code == got }) {
				t.Errorf("exit code %d is not documented", got)
			}
		})
	}
}

func TestHelpDocumentsExitCodes(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		help := yimen(t, "help", "exit-codes", "--lang", lang).out
		var documented []string
		for line := range strings.Lines(help) {
			if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(line, "  ") {
				documented = append(documented, fields[0])
			}
		}
		var want []string
		for _, m := range exitCodes() {
			want = append(want, strconv.Itoa(int(m.code)))
		}
		if !slices.Equal(documented, want) {
			t.Errorf("%s: documented %v, want %v", lang, documented, want)
		}
	}
}

func TestComplaints(t *testing.T) {
	inner := &exchange.Problem{Code: "YM-IN-1", What: both("里面", "inner"), Why: both("因为", "why")}
	outer := &exchange.Problem{Code: "YM-OUT-1", What: both("外面", "outer"), Mend: both("修", "mend it"), Err: inner}
	for _, row := range []struct {
		name string
		err  error
		lang exchange.Lang
		form format
		want string
	}{
		{"three parts", outer, exchange.ZH, asTable, "YM-OUT-1  外面\n  原因：里面\n  原因：因为\n  → 修\n"},
		{"three parts in English", outer, exchange.EN, asYAML, "YM-OUT-1  outer\n  because: inner\n  because: why\n  → mend it\n"},
		{"to a script", outer, exchange.EN, asJSON, `{"code":"YM-OUT-1","message":"outer","hint":"mend it","details":["inner","why"]}` + "\n"},
		{"several", errors.Join(inner, outer), exchange.EN, asLines,
			`{"code":"YM-IN-1","message":"inner","hint":"","details":["why","` + outer.In(exchange.EN) + `"]}` + "\n"},
		{"what was said around it", fmt.Errorf("read a.csv: %w", inner), exchange.EN, asTable, "YM-IN-1  inner (read a.csv)\n  because: why\n"},
		{"nothing left to say", exitFailed, exchange.ZH, asTable, ""},
		{"no problem of ours", errors.New("boom"), exchange.EN, asJSON,
			`{"code":"YM-CLI-0001","message":"the command did not finish","hint":"if it keeps happening, give this text and the output of yimen version to whoever looks after Yimen","details":["boom"]}` + "\n"},
		{"nothing that moves a cursor", &exchange.Problem{Code: "YM-1", What: both("a\x1b[2Jb\nc", "")}, exchange.ZH, asTable, "YM-1  a [2Jb c\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var talk strings.Builder
			s := &session{process: surroundings(nil, &talk), lang: row.lang, format: row.form}
			s.complain(row.err)
			if talk.String() != row.want {
				t.Errorf("said\n%swant\n%s", talk.String(), row.want)
			}
		})
	}
}

func TestManyProblemsAreCutShort(t *testing.T) {
	var talk strings.Builder
	s := &session{process: surroundings(nil, &talk), lang: exchange.EN}
	var all []error
	for range 25 {
		all = append(all, &exchange.Problem{Code: "YM-1", What: both("", "x")})
	}
	s.complain(errors.Join(all...))
	if !strings.HasSuffix(talk.String(), "\n5 more\n") {
		t.Errorf("said\n%s", talk.String())
	}
}
