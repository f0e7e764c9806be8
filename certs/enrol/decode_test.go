package enrol

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/onedoor/yimen/exchange"
)

func FuzzBodies(f *testing.F) {
	for _, seed := range []string{`{"token":"a","request":"AAAA"}`, `{"identity":"scjg/a","life":"72h"}`, `{"target":"scjg","reason":"misuse"}`, `{}`, `[]`, "\xff", `{"token":"a","token":"b"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, into := range []any{new(enrolment), new(renewal), new(invitation), new(revocation), new(restoration)} {
			if err := parse(body, into); err != nil {
				if exchange.KindOf(err) != exchange.Invalid {
					t.Fatal(err)
				}
				continue
			}
			written, err := json.Marshal(into, json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			if err := parse(written, into); err != nil {
				t.Fatalf("%s is written %s: %v", body, written, err)
			}
			again, _ := json.Marshal(into, json.Deterministic(true))
			if !bytes.Equal(written, again) {
				t.Errorf("%s is read as %s", written, again)
			}
		}
	})
}
