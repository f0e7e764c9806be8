package national

import (
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// The codes of holder codes (持证主体代码类型代码, GB/T 36903) by which Yimen knows holders.
const (
	creditCode    = "001" // 统一社会信用代码
	citizenNumber = "111" // 公民身份号码
)

// otherHolderTypes are codes of the standard, and of its later lists, under which Yimen finds nobody.
var otherHolderTypes = []string{"099", "114", "115", "118", "119", "120", "122", "400", "411", "412", "413", "414", "511", "516", "551", "552", "999"}

// holderOf reads whose licence is asked for.
func holderOf(kind, number string) (exchange.Holder, error) {
	switch {
	case kind == citizenNumber:
		person, err := identity.ParseCitizen(number)
		return person.Holder(), err
	case kind == creditCode:
		organisation, err := identity.ParseCreditCode(number)
		return organisation.Holder(), err
	case slices.Contains(otherHolderTypes, kind):
		return exchange.Holder{}, notServed(text("持证主体只按公民身份号码（111）和统一社会信用代码（001）查找", "holders are found by citizen number (111) and credit code (001) only"),
			text("改用这两种代码", "use one of these"))
	}
	return exchange.Holder{}, fault{&exchange.Problem{Code: "YM-NAT-0107", Kind: exchange.Invalid,
		What: text("holderTypeCode 不合规范", "holderTypeCode is not one of the standard"),
		Mend: text("公民身份号码写 111，统一社会信用代码写 001（GB/T 36903）", "write 111 for a citizen number, 001 for a credit code (GB/T 36903)")}, badHolderType}
}
