package node

import (
	"os"
	"testing"

	"github.com/onedoor/yimen/schemas/opinion"
)

// TestMain is the second validator's process too: the nodes that the tests start ask it.
func TestMain(m *testing.M) {
	opinion.AnswerIfAsked()
	os.Exit(m.Run())
}
