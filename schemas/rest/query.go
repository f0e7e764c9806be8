package rest

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// query is what stands behind the question mark. What is not asked for by name is ignored, as is a pair that cannot be
// decoded.
type query struct{ values url.Values }

func queryOf(raw string) query {
	values, _ := url.ParseQuery(raw) // it keeps what it understood
	return query{values}
}

func (q query) text(name string) string { return q.values.Get(name) }

// flag is whether any of the names is given as true, in any letter case: Python writes True.
func (q query) flag(names ...string) bool {
	for _, name := range names {
		if strings.EqualFold(q.values.Get(name), "true") {
			return true
		}
	}
	return false
}

// window is the part of a list that offset and limit name. A limit below one is none: Python sends -1.
func (q query) window(length int) (from, to int, err error) {
	offset, err := q.number("offset", 0)
	if err != nil {
		return 0, 0, err
	}
	limit, err := q.number("limit", -1)
	if err != nil {
		return 0, 0, err
	}
	from = min(max(offset, 0), length)
	to = length
	if limit > 0 {
		to = min(length, from+min(limit, length))
	}
	return from, to, nil
}

func (q query) number(name string, otherwise int) (int, error) {
	text := q.values.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, badNumber(name)
	}
	return int(n), nil
}

// part is the window of a list.
func part[T any](q query, list []T) ([]T, error) {
	from, to, err := q.window(len(list))
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []T{}
	}
	return list[from:to], nil
}

// anyContext begins a prefix of subjects in whatever context.
const anyContext = ":*:"

// plainSubject is a subject without the name of the default context. A subject of another context is not here.
func plainSubject(name string) (string, error) {
	if context, rest, qualified := splitContext(name); qualified {
		if context != "." {
			return "", noSuchContext(":" + context + ":")
		}
		name = rest
	}
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", badSubject()
	}
	return name, nil
}

// splitContext reads ":.context:subject".
func splitContext(name string) (context, rest string, qualified bool) {
	if !strings.HasPrefix(name, ":.") {
		return "", name, false
	}
	return strings.Cut(name[1:], ":")
}

// subject is the first segment that was named.
func (c *call) subject() (string, error) { return plainSubject(c.names[0]) }

// version reads a version: a number, or 0 for "latest" and -1.
func version(text string) (int, error) {
	if text == "-1" || strings.EqualFold(text, "latest") {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return 0, badVersion()
	}
	return int(n), nil
}

// subjectVersion is the first two segments that were named.
func (c *call) subjectVersion() (subject string, number int, err error) {
	if subject, err = c.subject(); err != nil {
		return "", 0, err
	}
	number, err = version(c.names[1])
	return subject, number, err
}
