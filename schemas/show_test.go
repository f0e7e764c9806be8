package schemas

import (
	"testing"

	"github.com/onedoor/yimen/exchange"
)

func TestShow(t *testing.T) {
	got := Show([]byte(`{"spouses":[{"name":"张"},{"name":"李"}],"n":1.50,"b":false,"z":null,"e":{}}`), nil, exchange.EN)
	if len(got) != 5 || got[0].Within[1].Within[0].Value != "李" || got[1].Value != "1.50" || got[2].Value != "no" || got[3].Value != "none" || got[4].Within != nil {
		t.Errorf("read %+v", got)
	}
}

func FuzzShow(f *testing.F) {
	for _, seed := range []string{"", "{", "[1", `{"a":[{"b":null}]}`, `{"a"`, "null", `{"a":1}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, object []byte) { Show(object, nil, exchange.ZH) })
}
