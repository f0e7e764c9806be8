// Package certstest holds the contract that every certs.Authority keeps.
package certstest

import (
	"context"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
)

// City is the trust domain of the authorities under test.
const City = "liling"

// Place is where an authority keeps what it has. Open opens it once more, as another process would; the test closes it.
type Place struct {
	Open func(t *testing.T) certs.Authority
	// OpenForBrokers opens it as somebody who may have brokers certified, where that is another than who opens it else; nil: Open.
	OpenForBrokers func(t *testing.T) certs.Authority
	// Learns is how long an opened authority may take to see what another has rotated.
	Learns time.Duration
}

// openFor opens the place for whoever has such an identity certified.
func (p Place) openFor(t *testing.T, who certs.Identity) certs.Authority {
	if who.Role == certs.Broker && p.OpenForBrokers != nil {
		return p.OpenForBrokers(t)
	}
	return p.Open(t)
}

// Test holds an authority to the contract. Each part gets a fresh place, which nobody has drawn a secret in.
func Test(t *testing.T, fresh func(t *testing.T) Place) {
	for name, test := range map[string]func(*testing.T, Place){
		"a certificate says what was ordered":   testIssue,
		"a certificate outlives no limit":       testLife,
		"a request gives its key alone":         testForged,
		"an order that is not sound is refused": testRefused,
		"roots are the same for all":            testRoots,
		"a ring is drawn once and kept":         testRing,
		"many draw at once and agree":           testDrawAtOnce,
		"rotating keeps what was":               testRotate,
		"many rotate at once and none is lost":  testRotateAtOnce,
		"names have nothing in common":          testNames,
		"a caller cannot change what is kept":   testCopies,
		"an authority is OK and closes":         testState,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

// patience bounds every call that may take its time.
const patience = 10 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func testState(t *testing.T, place Place) {
	authority := place.Open(t)
	if state := authority.State(); state != certs.OK {
		t.Errorf("state %s, want ok", state)
	}
	if err := authority.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := authority.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}
