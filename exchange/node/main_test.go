package node

import (
	"os"
	"testing"

	"github.com/onedoor/yimen/schemas/opinion"
)

// TestMain is the second validator's process too, which the nodes of the tests ask, and a node that is killed.
func TestMain(m *testing.M) {
	opinion.AnswerIfAsked()
	if spec := os.Getenv(killVariable); spec != "" {
		doomed(spec)
	}
	os.Exit(m.Run())
}
