package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestThreatListNamesRealTests: every test that docs/security.md names for a threat is there, every threat has a row, and a
// row without a test says that it is a gap.
func TestThreatListNamesRealTests(t *testing.T) {
	list, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range declared.FindAllSubmatch(text, -1) {
			there[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|.*$`).FindAllStringSubmatch(string(list), -1)
	for i, row := range rows {
		tests := named.FindAllStringSubmatch(row[0], -1)
		if len(tests) == 0 && !strings.Contains(row[0], "**Gap") {
			t.Errorf("threat %s names neither a test nor a gap", row[1])
		}
		for _, test := range tests {
			if !there[test[1]] {
				t.Errorf("threat %s names %s, which is not there", row[1], test[1])
			}
		}
		if row[1] != strconv.Itoa(i+1) {
			t.Errorf("row %d is threat %s", i+1, row[1])
		}
	}
	const threats = 26
	if len(rows) != threats {
		t.Errorf("%d threats, want %d", len(rows), threats)
	}
}
