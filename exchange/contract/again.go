package contract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// The headers by which a request that is sent again is known, and by which its answer says so.
const (
	HeaderKey      = "Idempotency-Key" // the same with each sending of a request
	headerReplayed = "Idempotent-Replayed"
)

// keyForm takes the quotes that a string has in the IETF's draft (httpapi-idempotency-key-header), and goes without them too.
var keyForm = regexp.MustCompile(`^("[A-Za-z0-9._:-]{8,128}"|[A-Za-z0-9._:-]{8,128})$`)

// remembered is how many answers an operation keeps. A conclusion takes a few KiB; the oldest is given up for the newest.
const remembered = 1024

// mostNonces is how often an answer is given again to who sends a nonce each time.
const mostNonces = 64

// Changes (24 小时) is how long the answers of what changes something are kept for their keys.
const Changes = 24 * time.Hour

// Once gives the operations as those that have a time to repeat carry out a request once, however often it is sent with the same
// Idempotency-Key: whoever lost an answer asks again and gets it. sender says who sent a request, with all that it may do, so that
// nobody gets another's answer nor one that they may not see any more; and its nonce, if it has one: a request that comes with the
// nonce of one before is a copy of that, and the operation is left to refuse it.
//
// Answers lie in this process's memory: a restart, or another node, knows nothing of them. Refusals and failures are not kept, so
// what could not be done is tried anew under the same key.
func Once(operations []Operation, sender func(*http.Request) (who, nonce string, err error), clock func() time.Time) []Operation {
	all := make([]Operation, len(operations))
	for i, o := range operations {
		if all[i] = o; o.Repeats > 0 {
			m := &memory{sender: sender, clock: clock, keeps: o.Repeats, does: o.Do, known: map[digest]*sent{}}
			all[i].Do = m.do
		}
	}
	return all
}

type digest [sha256.Size]byte

// memory is what one operation remembers.
type memory struct {
	sender func(*http.Request) (who, nonce string, err error)
	clock  func() time.Time
	keeps  time.Duration
	does   func(*http.Request) (any, error)

	mu    sync.Mutex // guards what follows
	known map[digest]*sent
	done  []*sent // the oldest first
}

// sent is a request that was carried out, or is being carried out.
type sent struct {
	key, body digest
	nonces    map[string]bool // of the requests that had this answer, or wait for it; guarded by the memory's mutex
	over      chan struct{}   // closed once the answer is there, or there will be none
	answer    any             // nil: none; read after over only
	until     time.Time
}

// replayed is an answer that was given before.
type replayed struct{ answer any }

func (m *memory) do(r *http.Request) (any, error) {
	keys := r.Header.Values(HeaderKey)
	if len(keys) == 0 {
		return m.does(r)
	}
	if len(keys) > 1 || !keyForm.MatchString(keys[0]) {
		return nil, badKey()
	}
	who, nonce, err := m.sender(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil { // who reads it next meets the same, and says so
		r.Body = io.NopCloser(failing{err})
		return m.does(r)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return m.once(r, sha256.Sum256([]byte(who+"\x00"+keys[0])), sha256.Sum256(append([]byte(r.Method+" "+r.URL.RequestURI()+"\x00"), body...)), nonce)
}

// once carries a request out unless it was, and waits for the one that is carried out just now.
func (m *memory) once(r *http.Request, key, body digest, nonce string) (any, error) {
	var joined *sent
	for {
		s, mine := m.find(key, body)
		switch {
		case mine:
			s.joins(m, nonce)
			return m.carryOut(r, s)
		case s.body != body:
			return nil, otherBody()
		case joined != s && !s.joins(m, nonce):
			return m.does(r)
		}
		joined = s
		select {
		case <-s.over:
			if s.answer != nil {
				return replayed{s.answer}, nil
			} // it failed, so this one is the next to try
		case <-r.Context().Done():
			return nil, context.Cause(r.Context())
		}
	}
}

// find gives what is known of the key; where nothing is, the request is the caller's to carry out.
func (m *memory) find(key, body digest) (s *sent, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget()
	if s, known := m.known[key]; known {
		return s, false
	}
	s = &sent{key: key, body: body, nonces: map[string]bool{}, over: make(chan struct{})}
	m.known[key] = s
	return s, true
}

// joins notes whose nonce comes for the answer; false: one came with it before.
func (s *sent) joins(m *memory, nonce string) bool {
	if nonce == "" {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.nonces[nonce] || len(s.nonces) == mostNonces {
		return false
	}
	s.nonces[nonce] = true
	return true
}

// carryOut keeps the answer. Whatever happens, a panic too, nobody waits for ever.
func (m *memory) carryOut(r *http.Request, s *sent) (answer any, err error) {
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		defer close(s.over)
		if answer == nil || err != nil {
			delete(m.known, s.key)
			return
		}
		s.answer, s.until = answer, m.clock().Add(m.keeps)
		m.done = append(m.done, s)
	}()
	return m.does(r)
}

// forget gives up answers whose time is over, and the oldest where there are too many.
func (m *memory) forget() {
	now := m.clock()
	for len(m.done) > 0 && (len(m.done) > remembered || !now.Before(m.done[0].until)) {
		delete(m.known, m.done[0].key)
		m.done[0] = nil
		m.done = m.done[1:]
	}
}

// failing is a body that does not arrive whole.
type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// keyParameter describes the header.
func (o Operation) keyParameter() Parameter {
	return Parameter{Name: HeaderKey, In: "header", Pattern: keyForm.String(), Example: "01KAQ6M3K8ZD2W7N5YB4T9XE1C",
		About: text("重发时沿用的键：同一调用方、同一键、同一正文，在 "+o.Repeats.String()+" 内只处理一次，重发得到原答复，带 "+headerReplayed+": true；正文不同为 422。只存在本节点内存中，重启即忘；被拒绝或失败的不保留。不要写证件号码",
			"the same with each repetition: of one caller, one key and one body, it is carried out once within "+o.Repeats.String()+", and whoever sends it again gets the answer it had, with "+headerReplayed+": true; another body is refused with 422. It lies in this node's memory only and a restart forgets it; refusals and failures are not kept. Never put a number of a person into it")}
}

func badKey() error {
	return refusal{&exchange.Problem{Code: "YM-API-0105", Kind: exchange.Invalid, What: text(HeaderKey+" 的写法不对", HeaderKey+" is not well formed"),
		Mend: text("写一个键：8 至 128 个字母、数字或 . _ : -，例如一个 UUID", "give one key of 8 to 128 letters, digits or . _ : -, such as a UUID")}, http.StatusBadRequest, ""}
}

func otherBody() error {
	return refusal{&exchange.Problem{Code: "YM-API-0106", Kind: exchange.Invalid, What: text("这个 "+HeaderKey+" 已用于另一个请求", "this "+HeaderKey+" was used for another request"),
		Why:  text("正文与第一次不同", "the body is not the one it came with first"),
		Mend: text("重发须与原请求逐字节相同；新的请求用新的键", "send again the same bytes, or a new request with a new key")}, http.StatusUnprocessableEntity, ""}
}
