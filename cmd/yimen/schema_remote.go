package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

func (s *session) remoteFlag(f *pflag.FlagSet, remote *bool) {
	f.BoolVar(remote, "remote", false, s.t("查看登记处的，不是内置的", "those of the registry, not the built-in ones"))
}

// subjectView is a subject of a registry, or one version of it, as scripts see it.
type subjectView struct {
	Subject    string                `json:"subject"`
	Type       exchange.EvidenceType `json:"type,omitempty"` // of an evidence type
	Version    int                   `json:"version"`
	Registered int                   `json:"registered"` // the number in the registry, the same for the same content
	ID         string                `json:"id,omitempty"`
	Title      exchange.Text         `json:"title"`
	State      string                `json:"state"` // current, deprecated, retiring, deleted
	Deprecated *registry.Deprecation `json:"deprecated,omitempty"`
	Retirement *registry.Retirement  `json:"retirement,omitempty"`
	References []registry.Reference  `json:"references,omitempty"`
	Level      string                `json:"level,omitempty"`    // only in show
	Fields     []fieldView           `json:"fields,omitempty"`   // only in show, of an evidence type
	Document   json.RawMessage       `json:"document,omitempty"` // only in show
}

// The states of a subject or a version.
const (
	stateCurrent    = "current"
	stateDeprecated = "deprecated"
	stateRetiring   = "retiring"
	stateDeleted    = "deleted"
)

// subjectOf is what a registry says of a version.
func subjectOf(ctx context.Context, from *rest.Client, v rest.Version) (subjectView, error) {
	view := subjectView{Subject: v.Subject, Type: registry.EvidenceType(v.Subject), Version: v.Version, Registered: v.ID, ID: v.GUID,
		State: stateCurrent, Deprecated: v.Deprecated, References: v.References}
	view.Title = titleOf([]byte(v.Schema))
	var err error
	if view.Retirement, err = from.Retirement(ctx, v.Subject); err != nil {
		return view, err
	}
	switch {
	case v.Deleted:
		view.State = stateDeleted
	case view.Retirement != nil:
		view.State = stateRetiring
	case view.Deprecated != nil:
		view.State = stateDeprecated
	}
	return view, nil
}

// titleOf is what a schema calls itself; any schema may, none must.
func titleOf(text []byte) exchange.Text {
	var root struct {
		Title   any `json:"title"`
		English any `json:"x-title-en"`
	}
	_ = json.Unmarshal(text, &root) // true and false are schemas without a title
	zh, _ := root.Title.(string)
	en, _ := root.English.(string)
	return both(zh, en)
}

func (s *session) listRemote(ctx context.Context, at registryAt) error {
	client, err := at.client(ctx)
	if err != nil {
		return err
	}
	subjects, err := client.Subjects(ctx, false)
	if err != nil {
		return err
	}
	views := []subjectView{}
	for _, name := range subjects {
		newest, err := client.Version(ctx, name, 0, false)
		if err != nil {
			return err
		}
		view, err := subjectOf(ctx, client, newest)
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	return s.subjectRows().print(s, views)
}

func (s *session) subjectRows() list[subjectView] {
	return list[subjectView]{
		name: func(v subjectView) string { return called(v.Subject) },
		columns: []column[subjectView]{
			{head: both("名称", "NAME"), cell: func(v subjectView) string { return called(v.Subject) }},
			{head: both("版本", "VERSION"), cell: func(v subjectView) string { return versionCell(v.Version) }},
			{head: both("标题", "TITLE"), cell: func(v subjectView) string { return v.Title.In(s.lang) }},
			{head: both("状态", "STATE"), cell: s.state},
			{head: both("编号", "NUMBER"), wide: true, cell: func(v subjectView) string { return numberCell(v.Registered) }},
			{head: both("标识", "ID"), wide: true, cell: func(v subjectView) string { return v.ID }},
			{head: both("主题", "SUBJECT"), wide: true, cell: func(v subjectView) string { return v.Subject }},
		},
	}
}

// state is the state in a person's words.
func (s *session) state(v subjectView) string {
	switch v.State {
	case stateDeleted:
		return s.t("已删除", "deleted")
	case stateRetiring:
		return fmt.Sprintf(s.t("%s 停用", "retires %s"), v.Retirement.From.In(exchange.China).Format(time.DateOnly))
	case stateDeprecated:
		return s.t("不推荐：", "deprecated: ") + v.Deprecated.Reason
	default:
		return s.t("现行", "current")
	}
}

func (s *session) showRemote(ctx context.Context, at registryAt, subject string, version int) error {
	client, err := at.client(ctx)
	if err != nil {
		return err
	}
	v, err := client.Version(ctx, subject, version, true)
	if err != nil {
		return err
	}
	view, err := subjectOf(ctx, client, v)
	if err != nil {
		return err
	}
	level, err := client.Level(ctx, subject)
	if err != nil {
		return err
	}
	view.Level, view.Document = level.Compatibility, json.RawMessage(v.Schema)
	if schema, err := schemas.Parse(view.Document); err == nil && view.Type != "" {
		view.Fields = viewOf(schema).Fields
	}
	return s.object(called(subject), view, func(w io.Writer) error { return s.subjectPage(w, view) })
}

func (s *session) subjectPage(w io.Writer, v subjectView) error {
	fmt.Fprintf(w, "%s v%d  %s\n", plain(called(v.Subject)), v.Version, plain(v.Title.In(s.lang)))
	fmt.Fprintf(w, s.t("状态 %s   级别 %s   编号 %d   标识 %s\n\n", "state %s   level %s   number %d   id %s\n\n"), plain(s.state(v)), rule(v.Level), v.Registered, v.ID)
	if v.Fields != nil {
		return s.fieldRows().table(s, w, v.Fields)
	}
	_, err := fmt.Fprintln(w, excerpt(v.Document, 4000))
	return err
}
