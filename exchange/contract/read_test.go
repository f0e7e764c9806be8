package contract

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadWholeNumbers(t *testing.T) {
	for body, want := range map[string]int{"24": 24, "24.0": 24, "-3": -3, "2.4e1": 24, "0": 0, "-0.0": 0, "24.5": -1, `"24"`: -1, "1e300": -1, "9007199254740994.0": -1, "{}": -1} {
		got, err := Read[struct {
			N int `json:"n"`
		}](httptest.NewRequest("POST", "/", strings.NewReader(`{"n":`+body+`}`)), text("改", "mend it"))
		if want == -1 {
			if err == nil || strings.Contains(err.Error(), body) {
				t.Errorf("%s: %v, %v", body, got, err)
			}
		} else if err != nil || got.N != want {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
}

func TestReadTakesNullForNothingElse(t *testing.T) {
	type form struct {
		Name string  `json:"name"`
		All  bool    `json:"all"`
		Near *string `json:"near"`
	}
	for body, sound := range map[string]bool{`{"name":"x","all":true}`: true, `{}`: true, `{"near":null}`: true, `{"name":null}`: false, `{"all":null}`: false} {
		if _, err := Read[form](httptest.NewRequest("POST", "/", strings.NewReader(body)), text("改", "mend it")); (err == nil) != sound {
			t.Errorf("%s: %v", body, err)
		}
	}
}
