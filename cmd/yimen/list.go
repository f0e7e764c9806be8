package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/exchange"
)

// format is a form of output.
type format string

// The forms of output.
const (
	asTable format = "table"
	asWide  format = "wide"
	asJSON  format = "json"
	asYAML  format = "yaml"
	asLines format = "jsonl"
	asNames format = "name"
)

func formats() []string {
	return []string{string(asTable), string(asWide), string(asJSON), string(asYAML), string(asLines), string(asNames)}
}

func (f format) valid() bool {
	for _, known := range formats() {
		if string(f) == known {
			return true
		}
	}
	return false
}

// column is one column of a table.
type column[T any] struct {
	head exchange.Text
	wide bool // only under -o wide
	cell func(T) string
}

// list says how rows of a kind are printed. JSON and YAML follow from T's json tags alone.
type list[T any] struct {
	name    func(T) string // what -o name prints
	columns []column[T]
	note    func(T) string // optional: what a person should know about the row, on a line beneath it
}

// print writes the rows in the form the session asks for. No rows are "[]" to scripts, a lone header to people.
func (l list[T]) print(s *session, rows []T) error {
	switch s.format {
	case asJSON, asYAML:
		if rows == nil {
			rows = []T{}
		}
		return s.value(rows)
	case asLines:
		for _, row := range rows {
			if err := s.line(row); err != nil {
				return err
			}
		}
		return nil
	case asNames:
		for _, row := range rows {
			if _, err := fmt.Fprintln(s.out, plain(l.name(row))); err != nil {
				return err
			}
		}
		return nil
	default:
		return l.table(s, s.out, rows)
	}
}

// table draws the rows for people.
func (l list[T]) table(s *session, w io.Writer, rows []T) error {
	var t table
	var shown []column[T]
	for _, c := range l.columns {
		if !c.wide || s.format == asWide {
			shown = append(shown, c)
			t.head = append(t.head, c.head.In(s.lang))
		}
	}
	for _, row := range rows {
		cells := make([]string, len(shown))
		for i, c := range shown {
			cells[i] = c.cell(row)
		}
		note := ""
		if l.note != nil {
			note = l.note(row)
		}
		t.add(cells, note)
	}
	return t.write(w, func(head string) string { return s.paint(s.outTTY, bold, head) })
}

// object prints one thing: v for scripts, name for -o name, and what human writes for people.
func (s *session) object(name string, v any, human func(w io.Writer) error) error {
	switch s.format {
	case asJSON, asYAML:
		return s.value(v)
	case asLines:
		return s.line(v)
	case asNames:
		_, err := fmt.Fprintln(s.out, plain(name))
		return err
	}
	var page bytes.Buffer // so that nothing is printed of a page that fails
	if err := human(&page); err != nil {
		return err
	}
	_, err := s.out.Write(page.Bytes())
	return err
}

// value prints v as one JSON or YAML document.
func (s *session) value(v any) error {
	var text bytes.Buffer
	e := encoder(&text)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	if s.format == asYAML {
		return s.yaml(text.Bytes())
	}
	_, err := s.out.Write(text.Bytes())
	return err
}

// yaml prints JSON as YAML, so that both have the same names in the same order.
func (s *session) yaml(text []byte) error {
	var v any
	if err := yaml.UnmarshalWithOptions(text, &v, yaml.UseOrderedMap()); err != nil {
		return fmt.Errorf("turn output into YAML: %w", err)
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("turn output into YAML: %w", err)
	}
	_, err = s.out.Write(out)
	return err
}

// line prints v as one line of JSON: a row of -o jsonl, or an event of a long job.
func (s *session) line(v any) error { return encoder(s.out).Encode(v) }
