package mapping

import (
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2016-09-20", "2016-09-20"},
		{"2016/9/20", "2016-09-20"},
		{"2016.9.20", "2016-09-20"},
		{"20160920", "2016-09-20"},
		{"2016年9月20日", "2016-09-20"},
		{"2016年09月2号", "2016-09-02"},
		{"２０１６－０９－２０", "2016-09-20"},
		{"２０１６年９月２０日", "2016-09-20"},
		{"2016-09-20 00:00:00", "2016-09-20"},
		{"2016/9/20 0:00", "2016-09-20"},
		{"2016-09-20T00:00:00", "2016-09-20"},
		{"2016-09-20T23:59:59.999", "2016-09-20"},
		{"2016-09-19T16:00:00Z", "2016-09-20"},
		{"2016-09-20T00:00:00+08:00", "2016-09-20"},
		{"2016-09-20T00:30:00+0900", "2016-09-19"},
		{"2000-02-29", "2000-02-29"},
		{"1949-10-01", "1949-10-01"},
	}
	for _, test := range tests {
		if got, wrong := dateReader(false)(test.in); wrong != nil || got != test.want {
			t.Errorf("%s: %v %v, want %s", test.in, got, wrong, test.want)
		}
	}
}

func TestDateRefused(t *testing.T) {
	tests := []struct{ in, code string }{
		{"16-09-20", "YM-MAP-0132"},
		{"16/9/20", "YM-MAP-0132"},
		{"16年9月20日", "YM-MAP-0132"},
		{"20/09/2016", "YM-MAP-0133"},
		{"9.20.2016", "YM-MAP-0133"},
		{"20-Sep-2016", "YM-MAP-0133"},
		{"Sep 20, 2016", "YM-MAP-0133"},
		{"42633", "YM-MAP-0134"},
		{"42633.5", "YM-MAP-0134"},
		{"2016-02-30", "YM-MAP-0131"},
		{"2016-13-01", "YM-MAP-0131"},
		{"00000000", "YM-MAP-0131"},
		{"0001-01-01", "YM-MAP-0131"},
		{"2016-09-20 25:00:00", "YM-MAP-0131"},
		{"2016-09/20", "YM-MAP-0130"},
		{"2016-9", "YM-MAP-0130"},
		{"2016年9月", "YM-MAP-0130"},
		{"2016", "YM-MAP-0130"},
		{"二〇一六年九月二十日", "YM-MAP-0130"},
		{"2016-09-20 noon", "YM-MAP-0130"},
		{"2016-09-20-01", "YM-MAP-0130"},
		{"201609200", "YM-MAP-0130"},
		{"长期", "YM-MAP-0135"},
		{"9999-12-31", "YM-MAP-0135"},
		{"", "YM-MAP-0130"},
	}
	for _, test := range tests {
		if got, wrong := dateReader(false)(test.in); wrong == nil {
			t.Errorf("%q read as %v, want %s", test.in, got, test.code)
		} else if wrong.code != test.code {
			t.Errorf("%q: %s, want %s", test.in, wrong.code, test.code)
		}
	}
}

func TestOpenDate(t *testing.T) {
	for _, in := range []string{"长期", "永久", "长期有效", "9999-12-31"} {
		if got, wrong := dateReader(true)(in); got != nil || wrong != nil {
			t.Errorf("%s: %v %v, want nothing", in, got, wrong)
		}
	}
	if got, _ := dateReader(true)("2030-01-01"); got != "2030-01-01" {
		t.Errorf("got %v", got)
	}
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{"2016-09-20", "2016/9/20", "20160920", "2016年9月20日", "2016-09-19T16:00:00Z", "16-9-20", "42633", "长期", "\xff", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, wrong := dateReader(true)(trim(s))
		if wrong != nil || got == nil {
			return
		}
		day, err := time.Parse(time.DateOnly, got.(string))
		if err != nil || day.Year() < 1 {
			t.Fatalf("%q read as %v", s, got)
		}
	})
}
