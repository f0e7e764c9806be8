package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// subjects is a file with a case of the applicant of a demo: receipts of several that come at once may share a signature or not.
func (r exchangeUp) subjects(t *testing.T) string {
	t.Helper()
	number, err := os.ReadFile(filepath.Join(r.data, applicantFile))
	if err != nil {
		t.Fatal(err)
	}
	n := strings.TrimSpace(string(number))
	file := filepath.Join(t.TempDir(), "subjects.csv")
	if err := os.WriteFile(file, []byte("\xef\xbb\xbfcase,applicant\r\nLL-1,"+n+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadSubjects(t *testing.T) {
	const number = "924302810000003187"
	for name, row := range map[string]struct{ content, want string }{
		"sound":          {"case,applicant\nLL-1," + number + "\n\"LL-2\"," + number + "\n", ""},
		"nothing":        {"", "line 1 "},
		"another head":   {"applicant,case\nLL-1," + number + "\n", "line 1 "},
		"only the head":  {"case,applicant\n", "line 2 "},
		"one column":     {"case,applicant\nLL-1," + number + "\nLL-2\n", "line 3 "},
		"no case":        {"case,applicant\n," + number + "\n", "line 2 "},
		"a wrong number": {"case,applicant\nLL-1," + number + "\nLL-2,924302810000003188\n", "line 3 "},
		"rounded":        {"case,applicant\nLL-1,9.24303E+17\n", "line 2 "},
		"no CSV":         {"case,applicant\nLL-1,\"" + number + "\n", "cannot be used"},
	} {
		all, err := readSubjects(strings.NewReader(row.content))
		if row.want == "" {
			if err != nil || len(all) != 2 || all[1].Case != "LL-2" || all[1].Applicant != number {
				t.Errorf("%s: %v %v", name, all, err)
			}
			continue
		}
		if err == nil || all != nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "92430281") {
			t.Errorf("%s: %v %v", name, all, err)
		}
	}
}

func FuzzReadSubjects(f *testing.F) {
	f.Add("case,applicant\nLL-1,924302810000003187\n")
	f.Add("\xef\xbb\xbfcase,applicant\r\n\"a\"\"b\",1\r\n")
	f.Fuzz(func(t *testing.T, content string) {
		all, err := readSubjects(strings.NewReader(content))
		if (err == nil) != (len(all) > 0) {
			t.Errorf("%d subjects, %v", len(all), err)
		}
		for _, s := range all {
			if s.Case == "" || s.Applicant == "" {
				t.Errorf("a subject without case or applicant")
			}
		}
	})
}
