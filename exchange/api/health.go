package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// readyz says whether queries can be answered. The status code is for machines; the lines are for people.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	var lines strings.Builder
	code := http.StatusOK
	for _, check := range s.cfg.Ready {
		if err := check.OK(ctx); err != nil {
			code = http.StatusServiceUnavailable
			fmt.Fprintf(&lines, "[-]%s: %s\n", check.Name, err)
			continue
		}
		fmt.Fprintf(&lines, "[+]%s ok\n", check.Name)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	if code == http.StatusOK && !r.URL.Query().Has("verbose") {
		fmt.Fprintln(w, "ok")
		return
	}
	fmt.Fprint(w, lines.String())
}

// index tells somebody who opens the address in a browser what there is.
func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	fmt.Fprint(w, `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>一门 Yimen</title>
<main><h1>一门 Yimen</h1>
<p>政府部门间的证照共享：一件事项、一位申请人，哪些材料政府已有。</p>
<p lang="en">Evidence shared between departments: for one service item and one applicant, what government already holds.</p>
<ul>
<li><code>POST /v1/queries</code> 核验 <span lang="en">(query)</span></li>
<li><a href="/v1/items">/v1/items</a> 事项 <span lang="en">(service items)</span></li>
<li><a href="/readyz?verbose">/readyz</a> 就绪状态 <span lang="en">(readiness)</span></li>
<li><a href="/metrics">/metrics</a> 指标 <span lang="en">(metrics)</span></li>
</ul></main></html>
`)
}
