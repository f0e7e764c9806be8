package certstest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
)

func testRing(t *testing.T, place Place) {
	first := place.Open(t)
	drawn := ring(t, first, "sealing")
	if len(drawn) != 1 || drawn[0].Version != 1 || len(drawn[0].Secret) != certs.SecretSize {
		t.Fatalf("a new ring is %v", drawn)
	}
	if age := time.Since(drawn[0].Made); age < -2*time.Second || age > time.Minute {
		t.Errorf("drawn %v ago", age)
	}
	same(t, drawn, ring(t, first, "sealing"), "asked again")
	same(t, drawn, ring(t, place.Open(t), "sealing"), "a second opening")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, drawn, ring(t, place.Open(t), "sealing"), "opened after closing")
	showsNothing(t, drawn)
}

// showsNothing prints a key in the ways in which it could end in a log.
func showsNothing(t *testing.T, keys []certs.Key) {
	t.Helper()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", keys[0], "all", keys)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", keys[0], "all", keys)
	encoded, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%X", "%q"} {
		shown += "\n" + fmt.Sprintf(verb, keys) + fmt.Sprintf(verb, keys[0]) + fmt.Sprintf(verb, &keys[0])
	}
	for _, key := range keys {
		decimal := strings.Trim(fmt.Sprint(key.Secret[:6]), "[]")
		for _, form := range []string{string(key.Secret), hex.EncodeToString(key.Secret[:6]), decimal, base64.StdEncoding.EncodeToString(key.Secret[:6])} {
			if strings.Contains(strings.ToLower(shown), strings.ToLower(form)) {
				t.Fatal("a printed key shows its secret")
			}
		}
	}
	if !strings.Contains(shown, "1") {
		t.Error("a printed key does not name its version")
	}
}

func testDrawAtOnce(t *testing.T, place Place) {
	const openers = 6
	var authorities []certs.Authority
	for range openers {
		authorities = append(authorities, place.Open(t))
	}
	names := []string{"sealing", "index", "log"}
	rings := make([][]certs.Key, openers*len(names))
	var group sync.WaitGroup
	for i := range rings {
		group.Go(func() { rings[i] = ring(t, authorities[i/len(names)], names[i%len(names)]) })
	}
	group.Wait()
	for i := range rings {
		same(t, rings[i%len(names)], rings[i], names[i%len(names)])
	}
}

func testRotate(t *testing.T, place Place) {
	one, other := place.Open(t), place.Open(t)
	before := ring(t, one, "sealing")
	same(t, before, ring(t, other, "sealing"), "the other before")
	made, err := one.Rotate(within(t), "sealing")
	if err != nil || made.Version != 2 {
		t.Fatalf("rotated to %v, %v", made, err)
	}
	after := ring(t, one, "sealing")
	if len(after) != 2 {
		t.Fatalf("after rotating: %v", after)
	}
	same(t, before, after[:1], "the old version")
	same(t, []certs.Key{made}, after[1:], "the new version")
	if string(after[0].Secret) == string(after[1].Secret) {
		t.Error("the new version is the old secret")
	}
	for end := time.Now().Add(place.Learns); len(ring(t, other, "sealing")) < 2 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	same(t, after, ring(t, other, "sealing"), "the other, some time later")
	same(t, after, ring(t, place.Open(t), "sealing"), "opened afterwards")
}

func testRotateAtOnce(t *testing.T, place Place) {
	const openers = 4
	made := make([]certs.Key, openers)
	var group sync.WaitGroup
	for i := range made {
		authority := place.Open(t)
		group.Go(func() {
			var err error
			if made[i], err = authority.Rotate(within(t), "sealing"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	kept := ring(t, place.Open(t), "sealing")
	if len(kept) != openers {
		t.Fatalf("%d versions after %d rotations of a new ring", len(kept), openers)
	}
	for i, key := range kept {
		if key.Version != i+1 {
			t.Errorf("version %d stands at place %d", key.Version, i)
		}
	}
	slices.SortFunc(made, func(a, b certs.Key) int { return a.Version - b.Version })
	same(t, kept, made, "what was rotated to")
}

func testNames(t *testing.T, place Place) {
	authority := place.Open(t)
	if a, b := ring(t, authority, "index"), ring(t, authority, "audit-token"); string(a[0].Secret) == string(b[0].Secret) {
		t.Error("two names share a secret")
	}
	for _, name := range []string{"", "../x", "a/b", "a.1", "A"} {
		if got, err := authority.Ring(within(t), name); err == nil {
			t.Errorf("a secret named %q: %v", name, got)
		}
		if got, err := authority.Rotate(within(t), name); err == nil {
			t.Errorf("a secret named %q: %v", name, got)
		}
	}
}

func testCopies(t *testing.T, place Place) {
	authority := place.Open(t)
	mine := ring(t, authority, "index")
	kept := slices.Clone(mine[0].Secret)
	clear(mine[0].Secret)
	if got := ring(t, authority, "index"); string(got[0].Secret) != string(kept) {
		t.Error("clearing one's own copy cleared the authority's")
	}
	mine = ring(t, authority, "index")
	if err := authority.Close(); err != nil {
		t.Fatal(err)
	}
	if string(mine[0].Secret) != string(kept) {
		t.Error("closing the authority cleared a caller's copy")
	}
}

func ring(t *testing.T, authority certs.Authority, name string) []certs.Key {
	keys, err := authority.Ring(within(t), name)
	if err != nil {
		t.Errorf("ring %s: %v", name, err)
	}
	return keys
}

func same(t *testing.T, want, got []certs.Key, what string) {
	t.Helper()
	equal := func(a, b certs.Key) bool {
		return a.Version == b.Version && string(a.Secret) == string(b.Secret) && a.Made.Equal(b.Made)
	}
	if len(want) == 0 || !slices.EqualFunc(want, got, equal) {
		t.Errorf("%s: another ring: %v, want %v", what, got, want)
	}
}
