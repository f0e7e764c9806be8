package mapping

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestMoney(t *testing.T) {
	tests := []struct{ in, declared, amount, currency string }{
		{"500万人民币", "", "5000000", "CNY"},
		{"5,000(万元人民币)", "", "50000000", "CNY"},
		{"99.9999(万元人民币)", "", "999999", "CNY"},
		{"99(万)", "CNY", "990000", "CNY"},
		{"99(万)", "USD", "990000", "USD"},
		{"13.6万人民币", "", "136000", "CNY"},
		{"100万人民币元", "", "1000000", "CNY"},
		{"50(万美元)", "CNY", "500000", "USD"},
		{"1,200(万港币)", "CNY", "12000000", "HKD"},
		{"5(万元)", "CNY", "50000", "CNY"},
		{"30万元人民币", "", "300000", "CNY"},
		{"1,000,000.00元", "CNY", "1000000", "CNY"},
		{"1,000,000.05元", "CNY", "1000000.05", "CNY"},
		{"￥1,000.50", "", "1000.5", "CNY"},
		{"¥ 1000", "", "1000", "CNY"},
		{"人民币500万元整", "", "5000000", "CNY"},
		{"人民币500万元人民币", "", "5000000", "CNY"},
		{"1.5亿元人民币", "", "150000000", "CNY"},
		{"２，０００．５（万元人民币）", "", "20005000", "CNY"},
		{"0.00001万人民币", "", "0.1", "CNY"},
		{"3万亿人民币", "", "3000000000000", "CNY"},
		{"5千万元", "CNY", "50000000", "CNY"},
		{"100万(欧元)", "", "1000000", "EUR"},
		{"100万日元", "", "1000000", "JPY"},
		{"100万英镑", "", "1000000", "GBP"},
		{"100万新台币", "", "1000000", "TWD"},
		{"100万澳门元", "", "1000000", "MOP"},
		{"100万港元", "", "1000000", "HKD"},
		{"usd 5000", "", "5000", "USD"},
		{"500 万 人民币", "", "5000000", "CNY"},
		{"0万人民币", "", "0", "CNY"},
		{"007", "CNY", "7", "CNY"},
	}
	for _, test := range tests {
		got, wrong := moneyReader(test.declared)(test.in)
		if wrong != nil {
			t.Errorf("%s: %s %s", test.in, wrong.code, wrong.what.EN)
			continue
		}
		m := got.(map[string]any)
		if m["amount"] != test.amount || m["currency"] != test.currency {
			t.Errorf("%s: %v, want %s %s", test.in, m, test.amount, test.currency)
		}
	}
}

func TestMoneyRefused(t *testing.T) {
	tests := []struct{ in, declared, code string }{
		{"99(万)", "", "YM-MAP-0122"},
		{"1000", "", "YM-MAP-0122"},
		{"1,000,000.00元", "", "YM-MAP-0122"},
		{"5,00(万元人民币)", "CNY", "YM-MAP-0116"},
		{"1,0000人民币", "CNY", "YM-MAP-0116"},
		{",500人民币", "CNY", "YM-MAP-0116"},
		{"5000,000人民币", "CNY", "YM-MAP-0116"},
		{"0,500人民币", "CNY", "YM-MAP-0116"},
		{"-5万人民币", "CNY", "YM-MAP-0121"},
		{"￥-5", "CNY", "YM-MAP-0121"},
		{"负5万人民币", "CNY", "YM-MAP-0121"},
		{"人民币", "CNY", "YM-MAP-0120"},
		{"万", "CNY", "YM-MAP-0120"},
		{"(500)", "CNY", "YM-MAP-0120"},
		{"500(万", "CNY", "YM-MAP-0120"},
		{"500万)", "CNY", "YM-MAP-0120"},
		{"500((万))", "CNY", "YM-MAP-0120"},
		{"500()", "CNY", "YM-MAP-0120"},
		{"5.(万)", "CNY", "YM-MAP-0120"},
		{".5万", "CNY", "YM-MAP-0120"},
		{"5.0.0万", "CNY", "YM-MAP-0120"},
		{"5,000.0,0万", "CNY", "YM-MAP-0120"},
		{"五百万元", "CNY", "YM-MAP-0120"},
		{"500万法郎", "CNY", "YM-MAP-0120"},
		{"美元500万人民币", "CNY", "YM-MAP-0120"},
		{"$500", "CNY", "YM-MAP-0120"},
		{"500K", "CNY", "YM-MAP-0120"},
		{"500~800万人民币", "CNY", "YM-MAP-0120"},
		{"1 000人民币", "CNY", "YM-MAP-0120"},
		{"٥٠٠万人民币", "CNY", "YM-MAP-0120"},
		{"", "CNY", "YM-MAP-0120"},
		{strings.Repeat("9", 31) + "人民币", "CNY", "YM-MAP-0115"},
	}
	for _, test := range tests {
		got, wrong := moneyReader(test.declared)(test.in)
		if wrong == nil {
			t.Errorf("%q read as %v, want %s", test.in, got, test.code)
		} else if wrong.code != test.code {
			t.Errorf("%q: %s, want %s", test.in, wrong.code, test.code)
		}
	}
}

var canonical = regexp.MustCompile(`^(0|[1-9]\d*)(\.\d*[1-9])?$`)

// worth computes an amount in another way than the reader: the first run of digits as a rational, times the powers of the
// characters that stand for them.
func worth(s string) *big.Rat {
	digits := regexp.MustCompile(`[\d,]+(\.\d+)?`).FindString(narrow(s))
	value, ok := new(big.Rat).SetString(strings.ReplaceAll(digits, ",", ""))
	if !ok {
		return nil
	}
	for _, r := range s {
		if power, ok := map[rune]int64{'百': 1e2, '千': 1e3, '万': 1e4, '萬': 1e4, '亿': 1e8, '億': 1e8, '十': 10}[r]; ok {
			value.Mul(value, new(big.Rat).SetInt64(power))
		}
	}
	return value
}

func FuzzMoney(f *testing.F) {
	for _, seed := range []string{"500万人民币", "5,000(万元人民币)", "99.9999(万元人民币)", "99(万)", "￥1,000.00", "２，０００（万美元）", "5,00", "-1", "1.5万亿", "", "\xff", "()", "€1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, wrong := moneyReader("CNY")(trim(s))
		if wrong != nil {
			return
		}
		m := got.(map[string]any)
		amount := m["amount"].(string)
		read, ok := new(big.Rat).SetString(amount)
		if !ok || !canonical.MatchString(amount) || !isCurrency(m["currency"].(string)) {
			t.Fatalf("%q read as %v", s, m)
		}
		if want := worth(s); want == nil || read.Cmp(want) != 0 {
			t.Fatalf("%q read as %s, want %v", s, amount, want)
		}
	})
}
