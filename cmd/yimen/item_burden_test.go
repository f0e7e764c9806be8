package main

import (
	"encoding/csv"
	"path/filepath"
	"strings"
	"testing"
)

// What people are told, what scripts read and what spreadsheets open agree.
func TestItemBurden(t *testing.T) {
	up := startExchange(t)
	at := []string{"item", "burden", "--server", up.url, "--token", "@" + filepath.Join(up.data, adminFile)}
	page := yimen(t, at...)
	if page.code != exitOK || !strings.HasPrefix(page.out, "64 个事项共要求 ") || !strings.Contains(page.out, "没有授权") {
		t.Errorf("exit code %d\n%s%s", page.code, page.out, page.talk)
	}
	sheet := yimen(t, append(at, "--csv", "--lang", "en")...)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(sheet.out, "\ufeff"))).ReadAll()
	if err != nil || len(rows) < 200 || rows[0][0] != "department code" || !strings.HasPrefix(sheet.out, "\ufeff") {
		t.Errorf("%v, %d rows\n%.300s", err, len(rows), sheet.out)
	}
	if got := yimen(t, "item", "burden", "--server", up.url, "--token", "nobody"); got.code == exitOK || got.out != "" {
		t.Errorf("told to nobody: %s", got.out)
	}
}
