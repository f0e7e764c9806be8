package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var curlLine = regexp.MustCompile(`(?m)^  curl -s -H @(\S+) -d @(\S+) (\S+)$`)

// The demo shows how to ask by curl with files for what is secret: its line works, and no token is told or stands in a command.
func TestDemoShowsNoToken(t *testing.T) {
	t.Parallel()
	up := startExchange(t)
	token, err := os.ReadFile(filepath.Join(up.data, tokenFile))
	if err != nil {
		t.Fatal(err)
	}
	if said := up.said(); strings.Contains(said, strings.TrimSpace(string(token))) || strings.Contains(said, "$(cat") {
		t.Errorf("a token is told, or would stand in a command:\n%s", said)
	}
	line := curlLine.FindStringSubmatch(up.said())
	if line == nil {
		t.Fatalf("no line for curl in\n%s", up.said())
	}
	header, err := os.ReadFile(line[1])
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.Open(line[2])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	for _, file := range line[1:3] {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, line[3], body)
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(strings.TrimSpace(string(header)), ": ") // as curl reads a file of headers
	r.Header.Set(name, value)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if said, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(said), `"receipt"`) {
		t.Errorf("%d %s, %v", answer.StatusCode, said, err)
	}
}
