package workdays

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		day         exchange.Date
		n           int
		want        exchange.Date
		provisional bool
	}{
		{"2026-11-23", 0, "2026-11-23", false},
		{"2026-11-23", 1, "2026-11-24", false},
		{"2026-11-27", 1, "2026-11-30", false},  // over a weekend
		{"2026-02-13", 1, "2026-02-14", false},  // a Saturday on which people work
		{"2026-02-14", 1, "2026-02-24", false},  // over the Spring Festival
		{"2026-02-13", 10, "2026-03-05", false}, // with the make-up days on 14 and 28 February
		{"2026-09-30", 1, "2026-10-08", false},
		{"2026-10-09", 1, "2026-10-10", false},
		{"2025-12-31", 1, "2026-01-04", false}, // a Sunday on which people work
		{"2026-12-21", 8, "2026-12-31", false},
		{"2026-12-21", 9, "2027-01-01", true}, // nobody knows yet
		{"2026-12-21", 20, "2027-01-18", true},
		{"2023-12-29", 1, "2024-01-02", true}, // 30 December 2023 may have been a make-up day
		{"2023-12-20", 10, "2024-01-04", true},
		{"2026-02-30", 1, "", true},
		{"", 1, "", true},
		{"2026-11-23", -3, "2026-11-23", false},
	} {
		if got, provisional := Add(c.day, c.n); got != c.want || provisional != c.provisional {
			t.Errorf("Add(%q, %d) = %q, %v; want %q, %v", c.day, c.n, got, provisional, c.want, c.provisional)
		}
	}
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		from, to    exchange.Date
		want        int
		provisional bool
	}{
		{"2026-11-23", "2026-11-23", 0, false},
		{"2026-11-23", "2026-11-20", 0, false},
		{"2026-02-13", "2026-03-05", 10, false},
		{"2026-09-30", "2026-10-10", 3, false},
		{"2026-12-31", "2027-01-04", 2, true},
		{"2026-12-31", "never", 0, true},
	} {
		if got, provisional := Between(c.from, c.to); got != c.want || provisional != c.provisional {
			t.Errorf("Between(%q, %q) = %d, %v; want %d, %v", c.from, c.to, got, provisional, c.want, c.provisional)
		}
	}
}

// TestAddAndBetweenAgree walks three years: what Add counts off, Between counts.
func TestAddAndBetweenAgree(t *testing.T) {
	for day := exchange.Date("2024-01-01"); day < "2026-11-01"; day = next(day) {
		for _, n := range []int{1, 10, 20} {
			end, _ := Add(day, n)
			if got, _ := Between(day, end); got != n {
				t.Errorf("Between(%s, %s) = %d, want %d", day, end, got, n)
			}
		}
	}
}

// TestNotices checks the table against what every notice has: days of its year, spans in order, work on weekends only.
func TestNotices(t *testing.T) {
	number := regexp.MustCompile(`^国办发明电〔(\d{4})〕\d+号$`)
	for _, n := range notices {
		if m := number.FindStringSubmatch(n.number); m == nil || m[1] != fmt.Sprint(n.year-1) {
			t.Errorf("%d: number %s", n.year, n.number)
		}
		last := exchange.Date("")
		for _, s := range n.off {
			if s.from <= last || s.to < s.from || moment(t, s.from).Year() != n.year {
				t.Errorf("%d: free from %s to %s, after %s", n.year, s.from, s.to, last)
			}
			last = s.to
		}
		for _, day := range n.work {
			if at := moment(t, day); at.Year() != n.year || at.Weekday() != time.Saturday && at.Weekday() != time.Sunday {
				t.Errorf("%d: %s is no weekend day of the year", n.year, day)
			}
			for _, s := range n.off {
				if s.from <= day && day <= s.to {
					t.Errorf("%d: %s is free and worked on", n.year, day)
				}
			}
		}
	}
}

// TestLibraries compares every day with two libraries that others keep: chinesecalendar and holidays, of PyPI.
func TestLibraries(t *testing.T) {
	python := os.Getenv("YIMEN_TEST_PYTHON")
	if python == "" {
		t.Skip("skipped: needs two Python libraries; run ./test/run")
	}
	args := []string{"testdata/calendars.py"}
	for _, n := range notices {
		args = append(args, fmt.Sprint(n.year))
	}
	cmd := exec.CommandContext(t.Context(), python, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &complaint)
	}
	days := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); days++ {
		var day string
		var first, second int
		if _, err := fmt.Sscan(lines.Text(), &day, &first, &second); err != nil {
			t.Fatal(err)
		}
		works, known := workday(moment(t, exchange.Date(day)))
		if !known || works != (first == 1) || works != (second == 1) {
			t.Errorf("%s: works %v (known %v); chinesecalendar says %d, holidays %d", day, works, known, first, second)
		}
	}
	if days < 365*len(notices) {
		t.Errorf("compared %d days of %d years", days, len(notices))
	}
}

func moment(t *testing.T, day exchange.Date) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func next(day exchange.Date) exchange.Date {
	at, _ := time.Parse(time.DateOnly, string(day))
	return exchange.Date(at.AddDate(0, 0, 1).Format(time.DateOnly))
}
