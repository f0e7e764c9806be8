package main

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
)

// progress tells how far a long job is: one line on a terminal, JSON lines under -o jsonl, nothing otherwise.
// It may be called from several goroutines and as often as is handy.
type progress struct {
	s       *session
	plain   bool // nothing can go to quarantine
	started time.Time

	mu    sync.Mutex
	total int64     // guarded by mu; 0: unknown
	told  time.Time // guarded by mu
	drawn bool      // guarded by mu: an unfinished line stands on the terminal
}

// progressEvent is the line under -o jsonl.
type progressEvent struct {
	Type        string  `json:"type"`
	Done        int64   `json:"done"`
	Total       int64   `json:"total,omitempty"`
	Quarantined int64   `json:"quarantined"`
	Rate        float64 `json:"rate"`                  // per second since the start
	ETA         float64 `json:"eta_seconds,omitempty"` // unknown where the total is
}

// progress begins to tell of a job of total rows, 0 where nobody knows how many.
func (s *session) progress(total int64) *progress {
	return &progress{s: s, total: total, started: s.now()}
}

// How often a terminal and a log are told.
const (
	everyGlance = 200 * time.Millisecond
	everyLine   = 2 * time.Second
)

// at tells how many rows are done, those in quarantine among them.
func (p *progress) at(done, quarantined int64) {
	now := p.s.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	event := p.event(now, done, quarantined)
	switch {
	case p.s.format == asLines:
		if now.Sub(p.told) >= everyLine {
			p.told = now
			// A broken standard output shows when the job prints its result.
			_ = p.s.line(event)
		}
	case p.s.talkTTY && p.s.env("TERM") != "dumb":
		if now.Sub(p.told) >= everyGlance {
			p.told, p.drawn = now, true
			fmt.Fprint(p.s.talk, "\r\x1b[K"+p.s.glance(event, p.plain))
		}
	}
}

// of tells how many of all are done, where nothing can go to quarantine.
func (p *progress) of(done, total int64) {
	p.mu.Lock()
	p.total = total
	p.mu.Unlock()
	p.at(done, 0)
}

// end clears the line; the verb says what came of the job.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.s.talk, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) event(now time.Time, done, quarantined int64) progressEvent {
	e := progressEvent{Type: "progress", Done: done, Total: p.total, Quarantined: quarantined}
	if seconds := now.Sub(p.started).Seconds(); seconds > 0 {
		e.Rate = tenths(float64(done) / seconds)
	}
	if e.Rate > 0 && p.total > done {
		e.ETA = tenths(float64(p.total-done) / e.Rate)
	}
	return e
}

// tenths rounds: nobody believes more of a forecast.
func tenths(x float64) float64 { return math.Round(x*10) / 10 }

// glance is the line on a terminal.
func (s *session) glance(e progressEvent, plain bool) string {
	line := figure(e.Done)
	if e.Total > 0 {
		line += " / " + figure(e.Total)
	}
	line += fmt.Sprintf("   %s/s", figure(int64(e.Rate)))
	if !plain {
		line += fmt.Sprintf("   %s %s", s.t("隔离", "quarantined"), figure(e.Quarantined))
	}
	if e.ETA >= 1 {
		left := time.Duration(e.ETA * float64(time.Second)).Round(time.Second)
		line += fmt.Sprintf("   %s %s", s.t("剩余", "left"), left)
	}
	return line
}

// figure writes a number with separators of thousands.
func figure(n int64) string {
	if n < 0 {
		return "-" + figure(-n)
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
