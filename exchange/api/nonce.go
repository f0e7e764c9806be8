package api

import (
	"net/http"
	"regexp"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
)

// The headers by which a request proves that it is no copy of another. Who replays a request replays both: the number has been
// seen, or the time is long ago.
const (
	headerNonce = "Yimen-Nonce"
	headerTime  = "Yimen-Time"
)

// NonceWindow is how far the time of a request may be from the exchange's clock, either way. A number must be remembered for
// twice as long.
const NonceWindow = 5 * time.Minute

var nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

func (s *server) nonce(r *http.Request, caller door.Caller) (string, error) {
	return Nonce(r, caller, s.cfg.Door, s.cfg.Clock())
}

// Nonce is the number of a request that asks for a person's data, "" where a person asks without one. A machine, known by its
// certificate, must give one: its requests pass through others' queues and logs. It errs with a Problem, which the doorkeeper has
// reported.
func Nonce(r *http.Request, caller door.Caller, keeper *door.Keeper, now time.Time) (string, error) {
	nonces, times := r.Header.Values(headerNonce), r.Header.Values(headerTime)
	if len(nonces) == 0 && len(times) == 0 && !caller.Certified {
		return "", nil
	}
	if len(nonces) != 1 || len(times) != 1 || !nonceForm.MatchString(nonces[0]) {
		return "", keeper.Reject(r, caller, badNonce(text("缺少、重复或写法不对", "they are missing, stand twice or are not well formed")))
	}
	at, err := time.Parse(time.RFC3339, times[0])
	if err != nil {
		return "", keeper.Reject(r, caller, badNonce(text(headerTime+" 不是 RFC 3339 时间", headerTime+" is no time of RFC 3339")))
	}
	if off := now.Sub(at).Abs(); off > NonceWindow {
		return "", keeper.Reject(r, caller, badNonce(text("时间与平台相差超过 5 分钟：请求是旧的，或时钟不准", "its time is more than five minutes off: the request is old, or a clock is wrong")))
	}
	return nonces[0], nil
}

func badNonce(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-API-0104", Kind: exchange.Invalid, Why: why,
		What: text("请求没有可用的 "+headerNonce+" 和 "+headerTime, "the request has no usable "+headerNonce+" and "+headerTime),
		Mend: text("每次请求用新的随机数（16 至 64 个字母、数字、-、_）和当前时间，如 "+headerTime+": 2026-11-23T10:00:00+08:00",
			"give each request a new random number (16 to 64 letters, digits, - and _) and the present time, such as "+headerTime+": 2026-11-23T10:00:00+08:00")}
}
