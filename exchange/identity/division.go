package identity

import (
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Division is a division code (行政区划代码, in the form of GB/T 2260): six digits for province, city and county.
type Division string

// ParseDivision reads a division code whose province is known, or 100000, which stands for the whole country. Whether
// the city and the county exist is not checked: they change every year, and old codes stay in old records.
func ParseDivision(s string) (Division, error) {
	n, err := normalise(s, divisionCode)
	if err != nil {
		return "", err
	}
	if len(n) != 6 {
		return "", wrongLength(divisionCode, n, exchange.Text{
			ZH: "行政区划代码为 6 位", EN: "a division code has 6"})
	}
	for i := range len(n) {
		if !isDigit(n[i]) {
			return "", notADigit(divisionCode, n[i], i+1)
		}
	}
	if !knownDivision(n) {
		return "", unknownProvince(divisionCode)
	}
	return Division(n), nil
}

// knownDivision says whether six digits are of a known province, or stand for the whole country.
func knownDivision(n string) bool { return n == "100000" || provinceKnown(n) }

// provinceKnown says whether n begins with a province (省、自治区、直辖市、特别行政区) of GB/T 2260.
func provinceKnown(n string) bool {
	return strings.IndexByte(provincesOf(n[0]), n[1]) >= 0
}

// provincesOf is the second digits that follow a first digit.
func provincesOf(first byte) string {
	switch first {
	case '1': // 北京 天津 河北 山西 内蒙古
		return "12345"
	case '2': // 辽宁 吉林 黑龙江
		return "123"
	case '3': // 上海 江苏 浙江 安徽 福建 江西 山东
		return "1234567"
	case '4': // 河南 湖北 湖南 广东 广西 海南
		return "123456"
	case '5': // 重庆 四川 贵州 云南 西藏
		return "01234"
	case '6': // 陕西 甘肃 青海 宁夏 新疆
		return "12345"
	case '7': // 台湾
		return "1"
	case '8': // 香港 澳门
		return "12"
	}
	return ""
}
