package opinion

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// TestManyAtOnce: questions that come together, large ones and deadly ones among them, each get their own answer, and
// nothing is left of the children.
func TestManyAtOnce(t *testing.T) {
	before := openFiles(t)
	idle := &Idle{}
	a := Asker{Slots: make(chan struct{}, 2), Idle: idle}
	large := []byte(`{"a":"` + string(bytes.Repeat([]byte("中"), 300_000)) + `"}`)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			if i%6 == 5 {
				if _, err := a.Ask(t.Context(), Question{Schema: []byte(`{"allOf":[{"$ref":"#"}]}`), Documents: [][]byte{[]byte(`1`)}}); err == nil {
					t.Error("a child that recurses for ever has an opinion")
				}
				return
			}
			schema := fmt.Sprintf(`{"properties":{"a":{"maxLength":%d}}}`, 299_990+i)
			o, err := a.Ask(t.Context(), Question{Schema: []byte(schema), Documents: [][]byte{large, []byte(`{"a":""}`)}})
			if err != nil || len(o.Valid) != 2 || o.Valid[0] != (i >= 10) || !o.Valid[1] {
				t.Errorf("%d: %+v, %v", i, o, err)
			}
		})
	}
	all.Wait()
	if err := idle.Close(); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(5 * time.Second); openFiles(t) > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d files are open, %d were", openFiles(t), before)
		}
	}
}

// openFiles is how many files this process has open; 0 where that is not known.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Log("open files are not counted here:", err)
	}
	return len(list)
}
