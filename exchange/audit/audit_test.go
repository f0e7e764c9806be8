package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// fakeTopic keeps what is appended; err makes every append fail, hang makes it wait for the end of the context.
type fakeTopic struct {
	msgs []exchange.Message
	err  error
	hang bool
}

func (f *fakeTopic) Append(ctx context.Context, topic string, msgs []exchange.Message) error {
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if f.err != nil {
		return f.err
	}
	for i := range msgs {
		msgs[i].Partition, msgs[i].Offset = 0, int64(len(f.msgs))
		f.msgs = append(f.msgs, msgs[i])
	}
	return nil
}

var (
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)
	key    = bytes.Repeat([]byte{7}, 32)
	number = "430281199001010017"
	holder = exchange.Holder{Kind: exchange.Person, Number: number}
)

func newLog(t *testing.T, topic *fakeTopic) (*Log, *prometheus.Registry) {
	t.Helper()
	metrics := prometheus.NewPedanticRegistry()
	l, err := New(Config{Appender: topic, Keys: always(Keys{Token: key}), Metrics: metrics,
		Clock: func() time.Time { return noon }, Random: bytes.NewReader(bytes.Repeat([]byte{0xA5}, 1000))})
	if err != nil {
		t.Fatal(err)
	}
	return l, metrics
}

func entry() Entry {
	return Entry{
		Department: "scjg", Clerk: "w3-017", Case: "LL-2026-1123-0041", Item: "food-licence-new", Decision: Answered, Holder: holder,
		Materials: []Material{{Material: "business-licence", Outcome: exchange.Held, Evidence: []Evidence{
			{Type: "business-licence", Outcome: exchange.Held, Record: "00112233445566778899aabbccddeeff", Version: 3}}}},
		Catalogue: "c0ffee", Evaluated: noon, Inputs: exchange.InputsOf(map[string]map[int]int64{"evidence.business-licence": {0: 17}}),
	}
}

func TestAppend(t *testing.T) {
	topic := &fakeTopic{}
	l, _ := newLog(t, topic)
	for range 2 {
		if _, err := l.Append(t.Context(), entry()); err != nil {
			t.Fatal(err)
		}
	}
	receipt, err := l.Append(t.Context(), entry())
	if err != nil {
		t.Fatal(err)
	}
	m := topic.msgs[2]
	sum := sha256.Sum256(m.Value)
	want := Receipt{ID: string(m.Key), Time: noon.Truncate(time.Millisecond), Hash: hex.EncodeToString(sum[:]), Offset: 2}
	if receipt != want || len(receipt.ID) != 26 {
		t.Errorf("receipt %+v, want %+v", receipt, want)
	}
	var written Entry
	if err := json.Unmarshal(m.Value, &written); err != nil {
		t.Fatal(err)
	}
	if written.ID != receipt.ID || !written.Time.Equal(receipt.Time) || written.Subject != tokenOf(t, l, holder) || written.Inputs.Next("evidence.business-licence")[0] != 17 {
		t.Errorf("entry %s", m.Value)
	}
}

func always(k Keys) func(context.Context) (Keys, error) {
	return func(context.Context) (Keys, error) { return k, nil }
}

func tokenOf(t *testing.T, l *Log, h exchange.Holder) string {
	t.Helper()
	token, err := l.Token(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestForgottenKeys has a log forget its keys while the authority is closed.
func TestForgottenKeys(t *testing.T) {
	topic, closed := &fakeTopic{}, error(nil)
	l, err := New(Config{Appender: topic, Keys: func(context.Context) (Keys, error) { return Keys{Token: key, Signature: signatureKey}, closed }})
	if err != nil {
		t.Fatal(err)
	}
	before := tokenOf(t, l, holder)
	closed = errors.New("closed")
	l.Forget()
	if _, err := l.Append(t.Context(), entry()); !errors.Is(err, closed) || len(topic.msgs) != 0 {
		t.Errorf("appended without keys: %v, %d messages", err, len(topic.msgs))
	}
	if _, err := l.Token(t.Context(), holder); !errors.Is(err, closed) {
		t.Errorf("token without keys: %v", err)
	}
	closed = nil
	if after := tokenOf(t, l, holder); after != before {
		t.Errorf("token %s, before %s", after, before)
	}
	receipt, err := l.Append(t.Context(), entry())
	if err != nil || VerifyReceipt(signatureKey.Public().(ed25519.PublicKey), receipt, topic.msgs[0].Value) != nil {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
}

func TestEntryHoldsNoPerson(t *testing.T) {
	topic := &fakeTopic{}
	l, _ := newLog(t, topic)
	if _, err := l.Append(t.Context(), entry()); err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%s %s %v", topic.msgs[0].Key, topic.msgs[0].Value, topic.msgs[0].Headers)
	unkeyed := sha256.Sum256([]byte(number))
	for _, canary := range []string{number, number[:6] + "*", number[6:14], hex.EncodeToString(unkeyed[:]), hex.EncodeToString([]byte(number))} {
		if strings.Contains(all, canary) {
			t.Errorf("%q is in the entry: %s", canary, all)
		}
	}
}

func TestToken(t *testing.T) {
	l, _ := newLog(t, &fakeTopic{})
	other, err := New(Config{Appender: &fakeTopic{}, Keys: always(Keys{Token: bytes.Repeat([]byte{8}, 32)})})
	if err != nil {
		t.Fatal(err)
	}
	token := tokenOf(t, l, holder)
	if len(token) != 64 || token != tokenOf(t, l, holder) {
		t.Errorf("token %q", token)
	}
	for name, different := range map[string]string{
		"other key":    tokenOf(t, other, holder),
		"other kind":   tokenOf(t, l, exchange.Holder{Kind: exchange.Organisation, Number: number}),
		"other number": tokenOf(t, l, exchange.Holder{Kind: exchange.Person, Number: "430281199001010025"}),
		"run together": tokenOf(t, l, exchange.Holder{Kind: exchange.Person + "4", Number: number[1:]}),
	} {
		if different == token {
			t.Errorf("%s has the same token", name)
		}
	}
}

func TestAppendFails(t *testing.T) {
	down := errors.New("no leader")
	for name, tc := range map[string]struct {
		topic *fakeTopic
		ended bool
		cause error
	}{
		"broker down":     {&fakeTopic{err: down}, false, down},
		"broker silent":   {&fakeTopic{hang: true}, true, context.DeadlineExceeded},
		"caller gave up":  {&fakeTopic{err: context.Canceled}, false, context.Canceled},
		"not enough ISRs": {&fakeTopic{err: fmt.Errorf("partition 0: %w", down)}, false, down},
	} {
		t.Run(name, func(t *testing.T) {
			l, metrics := newLog(t, tc.topic)
			ctx := t.Context()
			if tc.ended {
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				defer cancel()
				ctx = short
			}
			receipt, err := l.Append(ctx, entry())
			if receipt != (Receipt{}) || exchange.KindOf(err) != exchange.Unavailable || !errors.Is(err, tc.cause) {
				t.Errorf("receipt %v, error %v", receipt, err)
			}
			families, err := metrics.Gather()
			if err != nil || len(families) != 1 || families[0].GetName() != "yimen_audit_append_failures_total" ||
				families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
				t.Errorf("metrics %v, %v", families, err)
			}
		})
	}
}

func TestAppendWithoutRandomness(t *testing.T) {
	l, err := New(Config{Appender: &fakeTopic{}, Keys: always(Keys{Token: key}), Random: iotest.ErrReader(io.ErrUnexpectedEOF)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), entry()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestAppendRefusesEntries(t *testing.T) {
	for name, spoil := range map[string]func(*Entry){
		"no department":      func(e *Entry) { e.Department = "" },
		"no case":            func(e *Entry) { e.Case = "" },
		"number as case":     func(e *Entry) { e.Case = number },
		"number as clerk":    func(e *Entry) { e.Clerk = number },
		"no clerk":           func(e *Entry) { e.Clerk = "" },
		"name as clerk":      func(e *Entry) { e.Clerk = "张晓明" },
		"no item":            func(e *Entry) { e.Item = "" },
		"text as item":       func(e *Entry) { e.Item = "a b" },
		"no holder":          func(e *Entry) { e.Holder = exchange.Holder{} },
		"no decision":        func(e *Entry) { e.Decision = "" },
		"answered, refusal":  func(e *Entry) { e.Refusal = "x" },
		"refused, no reason": func(e *Entry) { e.Decision = Refused },
	} {
		topic := &fakeTopic{}
		l, _ := newLog(t, topic)
		e := entry()
		spoil(&e)
		_, err := l.Append(t.Context(), e)
		if err == nil || len(topic.msgs) != 0 {
			t.Errorf("%s: appended", name)
		} else if strings.Contains(err.Error(), number) || strings.Contains(err.Error(), "张") {
			t.Errorf("%s: the error repeats it: %v", name, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "yimen_audit_append_failures_total"}))
	for name, cfg := range map[string]Config{
		"no appender":  {Keys: always(Keys{Token: key})},
		"no key":       {Appender: &fakeTopic{}},
		"short key":    {Appender: &fakeTopic{}, Keys: always(Keys{Token: key[:31]})},
		"metric taken": {Appender: &fakeTopic{}, Keys: always(Keys{Token: key}), Metrics: taken},
	} {
		if l, err := New(cfg); err == nil || l != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	for _, tc := range []struct {
		id   [16]byte
		want string
	}{
		{[16]byte{}, "00000000000000000000000000"},
		{[16]byte(bytes.Repeat([]byte{0xFF}, 16)), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"},
		{[16]byte{15: 1}, "00000000000000000000000001"},
		// The example of the ULID specification's text for its time part: 1469918176385 ms is 01ARYZ6S41.
		{[16]byte{0x01, 0x56, 0x3D, 0xF3, 0x64, 0x81}, "01ARYZ6S410000000000000000"},
	} {
		if got := crockford(tc.id); got != tc.want {
			t.Errorf("crockford(%x) = %s, want %s", tc.id, got, tc.want)
		}
	}
	l, _ := newLog(t, &fakeTopic{})
	last := ""
	for _, at := range []time.Time{time.UnixMilli(0), noon, noon.Add(time.Millisecond), noon.Add(300 * time.Millisecond), noon.AddDate(100, 0, 0)} {
		id, err := l.newID(at)
		if err != nil || id <= last {
			t.Errorf("%s after %s, %v", id, last, err)
		}
		last = id
	}
}

func TestCaseNumbers(t *testing.T) {
	task := "11430281000000019L" + "3" + "442199806003"
	if len(task) != 31 {
		t.Fatal(len(task))
	}
	// A national case number whose end passes for a citizen number: division-like 6 characters, a day, a serial.
	lookalike := ""
	for serial := range 10000 {
		s := "11430281000000019L" + "3" + "442199" + "430281" + "20261123" + fmt.Sprintf("%04d", serial)
		if _, err := identity.ParseCitizen(s[25:]); err == nil {
			lookalike = s
			break
		}
	}
	for _, tc := range []struct {
		number string
		ok     bool
	}{
		{"LL-2026-1123-0041", true},
		{"abcd", true},
		{"A_b.c/1-2", true},
		{strings.Repeat("9", 64), true},
		{task + "202611230041", true},
		{lookalike, true},
		{"430281-20261123-0041", true},
		{"430281199001010018", true}, // wrong check digit: just 18 digits
		{"", false},
		{"abc", false},
		{strings.Repeat("a", 65), false},
		{"LL 2026", false},
		{"LL-2026-醴", false},
		{"LL-2026\n", false},
		{"LL２０２６", false},
		{"a=1&b", false},
		{number, false},
		{"LL-" + number, false},
		{number + "-1", false},
		{"1" + number + "2", false},
		{"x43028119900101005X", false},
		{"x43028119900101005xy", false},
		{lookalike[:18] + "-" + lookalike[25:], false}, // not the national form any more
		{"2" + lookalike[1:], false},                   // the credit code no longer checks
		{strings.Repeat("9", 46) + number, false},
	} {
		e := entry()
		e.Case = tc.number
		err := e.CheckAsker()
		switch {
		case (err == nil) != tc.ok:
			t.Errorf("%q: %v", tc.number, err)
		case err != nil && exchange.KindOf(err) != exchange.Invalid:
			t.Errorf("%q: kind %s", tc.number, exchange.KindOf(err))
		}
	}
}

func FuzzCaseNumber(f *testing.F) {
	f.Add("LL-2026-1123-0041", "w3")
	f.Add(number, number)
	f.Add("x43028119900101005x", "张")
	f.Fuzz(func(t *testing.T, number, clerk string) {
		e := entry()
		e.Case, e.Clerk = number, clerk
		err := e.CheckAsker()
		if err != nil {
			return
		}
		if len(number) > maxReference || len(clerk) > maxReference {
			t.Fatal("too long")
		}
		for i := 0; len(number) != nationalCaseForm && i+18 <= len(number); i++ {
			if _, err := identity.ParseCitizen(number[i : i+18]); err == nil {
				t.Fatalf("a citizen number passed")
			}
		}
	})
}
