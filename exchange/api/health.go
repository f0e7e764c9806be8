package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// readyLimit bounds how long the checks may take.
const readyLimit = 2 * time.Second

// readyz says whether queries can be answered. The status code is for machines; the lines are for people. Who asks while
// others are being told shares their answer: asking is free, and must not keep Kafka busy.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	told, _, _ := s.ready.Do("", func() (any, error) { return s.readiness(context.WithoutCancel(r.Context())), nil })
	answer := told.(readiness)
	code, body := http.StatusOK, answer.lines
	if !answer.ok {
		code = http.StatusServiceUnavailable
	} else if !r.URL.Query().Has("verbose") {
		body = "ok"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, body)
}

type readiness struct {
	ok    bool
	lines string
}

func (s *server) readiness(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	answer := readiness{ok: true}
	var lines []string
	for _, check := range s.cfg.Ready {
		if err := check.OK(ctx); err != nil {
			answer.ok = false
			lines = append(lines, fmt.Sprintf("[-]%s: %s", check.Name, strings.ReplaceAll(err.Error(), "\n", "; ")))
			continue
		}
		lines = append(lines, "[+]"+check.Name+" ok")
	}
	answer.lines = strings.Join(lines, "\n")
	return answer
}

// index tells somebody who opens the address in a browser what there is.
func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	fmt.Fprint(w, `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>一门 Yimen</title>
<main><h1>一门 Yimen</h1>
<p>政府部门间的证照共享：一件事项、一位申请人，哪些材料政府已有。</p>
<p lang="en">Evidence shared between departments: for one service item and one applicant, what government already holds.</p>
<ul>
<li><code>POST /v1/queries</code> 核验 <span lang="en">(query)</span></li>
<li><a href="/v1/items">/v1/items</a> 事项 <span lang="en">(service items)</span></li>
<li><a href="/docs">/docs</a> 接口说明 <span lang="en">(the API)</span></li>
<li><a href="/readyz?verbose">/readyz</a> 就绪状态 <span lang="en">(readiness)</span></li>
<li><a href="/metrics">/metrics</a> 指标 <span lang="en">(metrics)</span></li>
</ul></main></html>
`)
}
