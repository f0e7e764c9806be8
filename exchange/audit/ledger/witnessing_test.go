package ledger

import (
	"testing"
)

// startWitness stands in for a witness until there is one.
func startWitness(t testing.TB, w *world) []Witness { return nil }
