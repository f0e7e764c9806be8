package exchange

import (
	"errors"
	"strings"
	"time"
)

// Lang is a language of messages.
type Lang string

// The languages. Chinese is the default everywhere.
const (
	ZH Lang = "zh"
	EN Lang = "en"
)

// Text is a message or a name in both languages.
type Text struct {
	ZH string `json:"zh" yaml:"zh"`
	EN string `json:"en" yaml:"en"`
}

// In is the text in one language, Chinese where the other is missing.
func (t Text) In(lang Lang) string {
	if lang == EN && t.EN != "" {
		return t.EN
	}
	return t.ZH
}

// Listed is several texts as one, with semicolons between them.
func Listed(all ...Text) Text {
	zh, en := make([]string, len(all)), make([]string, len(all))
	for i, t := range all {
		zh[i], en[i] = t.ZH, t.EN
	}
	return Text{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")}
}

// Kind sorts errors by what a caller does about them. An exit code and an HTTP status follow from it.
type Kind string

// The kinds of error somebody branches on.
const (
	Internal     Kind = "internal"     // none of the below
	Invalid      Kind = "invalid"      // the input is wrong: mend it, do not retry
	NotFound     Kind = "not_found"    // the named thing does not exist
	Denied       Kind = "denied"       // the caller may not do this
	Conflict     Kind = "conflict"     // somebody else holds it or was first
	Unavailable  Kind = "unavailable"  // a dependency is down: retry later
	Unauthorised Kind = "unauthorised" // who is calling is not known: log in
	Limited      Kind = "limited"      // the caller asked too much: wait, or have it lifted
)

// Problem is an error shown to people: what happened, why we think so, and what mends it.
// Code is the same in every language, such as "YM-SRC-0101". No part of it holds personal data.
type Problem struct {
	Code string
	Kind Kind
	What Text
	Why  Text
	Mend Text
	Err  error // the cause, if there is one
	// After is how soon it may be tried again; 0: not known, or never by itself.
	After time.Duration
}

// Error is the problem in English, on one line.
func (p *Problem) Error() string { return p.In(EN) }

// In is the problem on one line in the language.
func (p *Problem) In(lang Lang) string {
	var b strings.Builder
	b.WriteString(p.Code)
	b.WriteString(": ")
	b.WriteString(p.What.In(lang))
	if why := p.Why.In(lang); why != "" {
		b.WriteString("; " + why)
	}
	if p.Err != nil {
		b.WriteString(": " + p.Err.Error())
	}
	if mend := p.Mend.In(lang); mend != "" {
		b.WriteString(" → " + mend)
	}
	return b.String()
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }

// KindOf is the kind of the first Problem in err's chain, Internal where there is none.
func KindOf(err error) Kind {
	var p *Problem
	if errors.As(err, &p) {
		return p.Kind
	}
	return Internal
}
