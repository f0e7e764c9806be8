package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	v2 "github.com/go-json-experiment/json"
)

const (
	lineEvery    = 200 * time.Millisecond // the least time between two lines of progress
	linePatience = 30 * time.Second       // how long a line may take to go out
)

// impact looks through what is stored, which can take minutes: the answer comes in lines, and the work ends when the
// caller goes.
func impact(c *call) error {
	if c.Impact == nil {
		return noSuchPath()
	}
	subject, err := c.subject()
	if err != nil {
		return err
	}
	candidate, err := c.candidate()
	if err != nil {
		return err
	}
	out, err := newLines(c.w)
	if err != nil {
		return err
	}
	found, err := c.Impact(c.r.Context(), subject, candidate.Text, out.progress)
	if err != nil {
		body, status := complain(err, true)
		if status >= http.StatusInternalServerError && c.r.Context().Err() == nil {
			c.Log.ErrorContext(c.r.Context(), "impact", "subject", subject, "error", err)
		}
		out.end(struct {
			Error complaint `json:"error"`
		}{body})
		return nil
	}
	out.end(struct {
		Impact json.RawMessage `json:"impact"`
	}{found})
	return nil
}

// lines sends an answer line by line.
type lines struct {
	w       http.ResponseWriter
	control *http.ResponseController

	mu    sync.Mutex // guards what follows, and the sending
	last  time.Time
	ended bool
}

// newLines begins an answer. The server's time limits are for requests and answers that come at once: the one for reading
// would end the request's context as well.
func newLines(w http.ResponseWriter) (*lines, error) {
	l := &lines{w: w, control: http.NewResponseController(w)}
	for _, lift := range []func(time.Time) error{l.control.SetReadDeadline, l.control.SetWriteDeadline} {
		if err := lift(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil, err
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Accel-Buffering", "no")
	return l, nil
}

// progress sends how far the work is, unless it did so just now.
func (l *lines) progress(done, of int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); !l.ended && now.Sub(l.last) >= lineEvery {
		l.last = now
		l.send(struct {
			Done int64 `json:"done"`
			Of   int64 `json:"of"`
		}{done, of})
	}
}

// end sends the last line.
func (l *lines) end(last any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.send(last)
}

// send writes a line and sees it off. A caller who is gone has ended the request's context, so errors say nothing new.
func (l *lines) send(value any) {
	text, err := v2.Marshal(value, style)
	if err != nil {
		text = []byte(`{"error":{"error_code":50001,"message":"internal error"}}`)
	}
	l.control.SetWriteDeadline(time.Now().Add(linePatience))
	l.w.Write(append(text, '\n'))
	l.control.Flush()
	l.control.SetWriteDeadline(time.Time{})
}
