package rest

import (
	"errors"
	"fmt"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// tested answers a test of compatibility.
type tested struct {
	Compatible bool                `json:"is_compatible"`
	Messages   *[]string           `json:"messages,omitempty"` // where they were asked for
	Verdict    *registry.Judgement `json:"verdict,omitempty"`
}

// allVersions tests against those versions that the subject's level names.
const allVersions = -1

func testAll(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	return c.test(subject, allVersions)
}

func testOne(c *call) error {
	subject, number, err := c.subjectVersion()
	if err != nil {
		return err
	}
	return c.test(subject, number)
}

// test answers whether a schema could follow. Everybody may ask, so only so many are answered at once.
func (c *call) test(subject string, number int) error {
	verbose := c.query.flag("verbose")
	judgement, err := c.judge(subject, number)
	switch {
	case err == nil:
	case verbose && isSchemaProblem(err):
		body, _ := complain(err, false)
		return c.answer(tested{Messages: &[]string{body.Message}})
	case number < 1 && exchange.KindOf(err) == exchange.NotFound && absent(err):
		judgement = registry.Judgement{Compatible: true} // nothing to be compatible with
	default:
		return err
	}
	answer := tested{Compatible: judgement.Compatible}
	if verbose {
		lines := messages(judgement)
		answer.Messages = &lines
		if c.reader() == open {
			answer.Verdict = &judgement
		}
	}
	return c.answer(answer)
}

func (c *call) judge(subject string, number int) (registry.Judgement, error) {
	candidate, err := c.candidate()
	if err != nil {
		return registry.Judgement{}, err
	}
	done, err := c.turn(c.r.Context())
	if err != nil {
		return registry.Judgement{}, err
	}
	defer done()
	return c.Registry.Test(c.r.Context(), subject, number, candidate)
}

// isSchemaProblem is whether the schema that was sent is at fault.
func isSchemaProblem(err error) bool {
	var p *exchange.Problem
	if !errors.As(err, &p) {
		return false
	}
	code, _ := codeOf(p)
	return code == 42201
}

// absent is whether the subject is not there, or has no version.
func absent(err error) bool {
	code, _ := codeOf(problemOf(err))
	return code == 40401 || code == 40402
}

// messages is a judgement in lines, as Confluent's registry gives it.
func messages(j registry.Judgement) []string {
	lines := findings(j)
	if len(lines) > 0 {
		lines = append(lines, fmt.Sprintf("compatibility %s, policy %s", j.Level, j.Policy))
	}
	return lines
}

// findings are the reasons of a judgement in lines, each with a document that shows it.
func findings(j registry.Judgement) []string {
	lines := []string{}
	for _, beside := range j.Against {
		for _, f := range beside.Findings {
			line := fmt.Sprintf("version %d, %s: %s at '%s': %s", beside.Version, beside.Direction, f.Rule, f.Pointer, f.What.EN)
			if len(f.Document) > 0 {
				line += "; for example the document " + string(f.Document)
			}
			if f.Mend.EN != "" {
				line += " → " + f.Mend.EN
			}
			lines = append(lines, line)
		}
		if beside.Undecided && len(beside.Findings) == 0 {
			lines = append(lines, fmt.Sprintf("version %d, %s: cannot be decided, which counts as incompatible", beside.Version, beside.Direction))
		}
	}
	return lines
}
