package registry

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/test/logs"
)

// TestJunk: whatever stands among the proposals, nodes that are up and nodes that start agree, go on, and do not fill their logs.
func TestJunk(t *testing.T) {
	w := newWorld(t)
	n := w.node(quiet)
	n.register("a-value", shop(0))
	var junk []exchange.Message
	for i := range 3000 {
		value := []byte(fmt.Sprintf(`{"someone else's":%d}`, i))
		switch i % 5 {
		case 1:
			value = nil
		case 2:
			value = bytes.Repeat([]byte{0xff, 0x00}, 50)
		case 3:
			value = []byte(`{"v":1,"operation":"register","subject":"a-value"}`)
		case 4:
			value = bytes.Repeat([]byte("["), 20_000)
		}
		junk = append(junk, exchange.Message{Topic: Proposals, Key: []byte("a-value"), Value: value})
	}
	for part := range 30 {
		must(t, w.bus().Append(t.Context(), Proposals, junk[part*100:part*100+100]))
	}
	must(t, w.bus().Append(t.Context(), Proposals, []exchange.Message{{Topic: Proposals, Value: bytes.Repeat([]byte("x"), 890<<10)}}))
	if got := n.register("a-value", shop(1)); got.Entry.Version != 2 {
		t.Errorf("version %d", got.Entry.Version)
	}
	again := w.node(quiet)
	if again.dump() != n.dump() {
		t.Error("a registry from the topic alone disagrees")
	}
	for _, log := range []*logs.Buffer{n.log, again.log} {
		if told := strings.Count(log.String(), "have no effect"); told == 0 || told > 300 {
			t.Errorf("%d lines tell of 3001 messages", told)
		}
	}
}
