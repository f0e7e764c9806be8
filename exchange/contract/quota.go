package contract

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Quota (限额) is a bound of an asker's own, and what is left of it. Nobody is told another's.
type Quota struct {
	Name       string // of letters, digits and _
	Unit       string // what is counted; empty: requests
	Most, Left int
	Window     time.Duration // for which Most is meant
	Until      time.Duration // when Left is Most again
}

// The headers of the IETF's draft (httpapi-ratelimit-headers-10).
const (
	headerPolicy = "RateLimit-Policy"
	headerLeft   = "RateLimit"
)

// tellQuotas says in an answer's header what the asker may still ask.
func tellQuotas(h http.Header, quotas []Quota) {
	if len(quotas) == 0 {
		return
	}
	var policy, left strings.Builder
	for i, q := range quotas {
		if i > 0 {
			policy.WriteString(", ")
			left.WriteString(", ")
		}
		fmt.Fprintf(&policy, `"%s";q=%d`, q.Name, q.Most)
		if q.Unit != "" {
			fmt.Fprintf(&policy, `;qu="%s"`, q.Unit)
		}
		fmt.Fprintf(&policy, ";w=%d", seconds(q.Window))
		fmt.Fprintf(&left, `"%s";r=%d;t=%d`, q.Name, q.Left, seconds(q.Until))
	}
	h.Set(headerPolicy, policy.String())
	h.Set(headerLeft, left.String())
}

// seconds are a time in full ones, rounded up: who waits so long has waited long enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
