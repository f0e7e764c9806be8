package rest

import (
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// getHistory lists the changes of a subject, or all, oldest first.
func getHistory(c *call) error {
	subject, err := c.optionalSubject()
	if err != nil {
		return err
	}
	changes := c.Registry.History(subject)
	if subject != "" && len(changes) == 0 {
		return noSuchSubject(subject)
	}
	if changes, err = part(c.query, changes); err != nil {
		return err
	}
	return c.answer(changes)
}

// deprecation answers a change of one.
type deprecation struct {
	Subject string `json:"subject"`
	Version int    `json:"version,omitempty"` // none: all there are
	Reason  string `json:"reason,omitempty"`
}

func deprecate(c *call) error {
	var wanted struct {
		Reason string `json:"reason"`
	}
	if err := c.decode(&wanted); err != nil {
		return err
	}
	if wanted.Reason = strings.TrimSpace(wanted.Reason); wanted.Reason == "" {
		return refusal(422, exchange.Invalid, text("没有说明理由", "there is no reason"), exchange.Text{}, text(`写上 {"reason":"…"}`, `give one: {"reason":"…"}`))
	}
	return c.mark(wanted.Reason)
}

func reinstate(c *call) error { return c.mark("") }

// mark deprecates what the path names for a reason, or takes that back.
func (c *call) mark(reason string) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	number := 0
	if len(c.names) > 1 {
		if number, err = version(c.names[1]); err != nil {
			return err
		}
		e, err := c.Registry.Version(subject, number, true)
		if err != nil {
			return err
		}
		number = e.Version
	}
	if err := c.Registry.Deprecate(c.r.Context(), c.by, subject, number, reason); err != nil {
		return err
	}
	c.Log.Info("deprecation changed", "subject", subject, "version", number, "deprecated", reason != "", "by", c.by)
	return c.answer(deprecation{subject, number, reason})
}

func getRetirement(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	ends := c.Registry.Retirement(subject)
	if ends == nil {
		return refusal(404, exchange.NotFound, text("没有宣布停用", "no retirement was announced"), exchange.Text{}, text("yimen schema retire 宣布停用", "yimen schema retire announces one"))
	}
	c.w.Header().Set("Sunset", sunset(ends.From))
	return c.answer(ends)
}

func retire(c *call) error {
	var wanted struct {
		From   time.Time `json:"from"`
		Reason string    `json:"reason"`
	}
	if err := c.decode(&wanted); err != nil {
		return err
	}
	if wanted.From.IsZero() {
		return refusal(422, exchange.Invalid, text("没有说明何时停用", "it does not say from when on"), exchange.Text{},
			text(`写上 {"from":"2026-12-31T00:00:00+08:00"}`, `give it as {"from":"2026-12-31T00:00:00+08:00"}`))
	}
	return c.announce(wanted.From, strings.TrimSpace(wanted.Reason))
}

func unretire(c *call) error { return c.announce(time.Time{}, "") }

// announce says from when on a subject is no more, or takes that back.
func (c *call) announce(from time.Time, reason string) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	if err := c.Registry.Retire(c.r.Context(), c.by, subject, from, reason); err != nil {
		return err
	}
	c.Log.Info("retirement changed", "subject", subject, "from", from, "by", c.by)
	if from.IsZero() {
		return c.answer(struct{}{})
	}
	return c.answer(registry.Retirement{From: from, Reason: reason, By: c.by})
}
