package identity

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
)

// The problems. None of them holds a number or a piece of one: they count characters and name places.

func refuse(code string, of subject, what, why, mend exchange.Text) error {
	return &exchange.Problem{
		Code: code,
		Kind: exchange.Invalid,
		What: exchange.Text{ZH: of.ZH + what.ZH, EN: of.EN + " " + what.EN},
		Why:  why,
		Mend: mend,
	}
}

// at is a text with a place, or a count, set into both languages.
func at(zh, en string, n int) exchange.Text {
	return exchange.Text{ZH: fmt.Sprintf(zh, n), EN: fmt.Sprintf(en, n)}
}

var compare = exchange.Text{
	ZH: "请对照原件逐位核对后改正",
	EN: "compare it with the original, character by character"}

func empty(of subject) error {
	return refuse("YM-ID-0101", of,
		exchange.Text{ZH: "为空", EN: "is empty"},
		exchange.Text{},
		exchange.Text{ZH: "请填写；确实没有的，应声明为缺项", EN: "fill it in; where there is none, declare the value as missing"})
}

func wrongLength(of subject, n string, want exchange.Text) error {
	return refuse("YM-ID-0102", of,
		at("有 %d 个字符", "has %d characters", utf8.RuneCountInString(n)),
		want,
		exchange.Text{ZH: "请对照原件，看是否漏抄、多抄，或一格里写了几个号码", EN: "compare it with the original: something is missing, doubled, or several numbers share a cell"})
}

func badCharacter(of subject, place int) error {
	return refuse("YM-ID-0103", of,
		at("第 %d 位不是数字或字母", "has something else than a digit or letter at place %d", place),
		exchange.Text{},
		exchange.Text{ZH: "这一栏只填号码本身，说明文字请放到别的栏", EN: "put the number alone into this field, and remarks elsewhere"})
}

// notADigit refuses a letter where a digit must stand.
func notADigit(of subject, c byte, place int) error {
	if strings.IndexByte("OIL", c) >= 0 {
		return lookAlike(of, place)
	}
	return refuse("YM-ID-0103", of,
		at("第 %d 位应为数字", "must have a digit at place %d", place),
		exchange.Text{},
		compare)
}

func lookAlike(of subject, place int) error {
	return refuse("YM-ID-0104", of,
		at("第 %d 位是形似的其他字符", "has a look-alike at place %d", place),
		exchange.Text{ZH: "例如用字母 O、I 代替数字 0、1，或用乘号、西里尔字母、罗马数字代替 X", EN: "such as the letters O and I for 0 and 1, or a multiplication sign, a Cyrillic letter or a Roman numeral for X"},
		exchange.Text{ZH: "请切换到英文输入法重新输入这一位", EN: "type that character again with the keyboard set to English"})
}

// letterOutsideAlphabet refuses a letter that credit codes leave out because it is easily misread.
func letterOutsideAlphabet(c byte, place int) error {
	if strings.IndexByte("IOSVZ", c) < 0 {
		return badCharacter(creditCodeSubject, place)
	}
	return refuse("YM-ID-0104", creditCodeSubject,
		at("第 %d 位是不使用的字母", "has a letter at place %d that it never uses", place),
		exchange.Text{ZH: "统一社会信用代码不用 I、O、S、V、Z，多半是数字 1、0、5、2 或字母 U 之误", EN: "credit codes have no I, O, S, V, Z: most likely 1, 0, 5, U or 2 was meant"},
		compare)
}

func invisible(of subject, place int) error {
	return refuse("YM-ID-0105", of,
		at("第 %d 位有看不见的字符", "has an invisible character at place %d", place),
		exchange.Text{ZH: "多半是从网页或聊天软件复制时带进来的", EN: "it most likely came along from a web page or a chat"},
		exchange.Text{ZH: "请手工重新输入，或在数据源中清除零宽字符和控制字符", EN: "type it by hand, or clear zero-width and control characters in the source"})
}

var asText = exchange.Text{
	ZH: "粘贴前先把该列设为“文本”格式，或直接从数据库导出；丢失的数字无法恢复，须从原始数据重取",
	EN: "set the column to text (文本) before pasting, or export from the database; lost digits cannot be restored, take them from the original"}

func spreadsheetNumber(of subject) error {
	return refuse("YM-ID-0106", of,
		exchange.Text{ZH: "像是被 Excel 变成了数值", EN: "looks like Excel turned it into a number"},
		exchange.Text{ZH: "号码写成了小数或科学计数法", EN: "it is written with a decimal point or an exponent"},
		asText)
}

func spreadsheetZeros(of subject) error {
	return refuse("YM-ID-0106", of,
		exchange.Text{ZH: "像是被 Excel 变成了数值", EN: "looks like Excel turned it into a number"},
		exchange.Text{ZH: "校验位不符且末三位都是 0：Excel 只保留 15 位有效数字", EN: "its check digit is wrong and it ends in three zeros: Excel keeps 15 significant digits"},
		asText)
}

// punctuation refuses what stands around or between the characters of a number.
func punctuation(of subject, r rune, place int) error {
	switch {
	case strings.ContainsRune("'\"=`‘’“”′″", r):
		return armour(of)
	case r == '*':
		return refuse("YM-ID-0109", of,
			at("第 %d 位是星号", "has a star at place %d", place),
			exchange.Text{ZH: "数据源给出的是脱敏后的号码", EN: "the source gives it masked"},
			exchange.Text{ZH: "请数据源导出未脱敏的号码；脱敏的号码无法匹配", EN: "have the source export it unmasked; a masked number matches nothing"})
	case strings.ContainsRune("-_,./:;|\\−、。·・•＿", r), unicode.Is(unicode.Pd, r):
		return refuse("YM-ID-0108", of,
			at("第 %d 位是分隔符", "has a separator at place %d", place),
			exchange.Text{ZH: "号码各组之间不用连字符、逗号、句点等分隔", EN: "hyphens, commas, stops and the like do not belong between its groups"},
			exchange.Text{ZH: "请去掉分隔符；一格里有几个号码的，请先拆开", EN: "leave separators out; where a cell holds several numbers, split them first"})
	}
	return badCharacter(of, place)
}

func armour(of subject) error {
	return refuse("YM-ID-0107", of,
		exchange.Text{ZH: "带有表格软件的引号或等号", EN: "still wears a spreadsheet's quotes or equals sign"},
		exchange.Text{ZH: "Excel 用前置单引号或 =\"…\" 防止号码变成数值", EN: "Excel keeps numbers as text by a leading apostrophe or =\"…\""},
		exchange.Text{ZH: "请导出单元格的值而不是公式，或去掉这些符号", EN: "export the cell's value instead of its formula, or strip these signs"})
}

func undecodable(of subject) error {
	return refuse("YM-ID-0110", of,
		exchange.Text{ZH: "中有无法解码的字节", EN: "has bytes that could not be decoded"},
		exchange.Text{ZH: "文件的编码很可能判断错了", EN: "the file's encoding was most likely taken for another"},
		exchange.Text{ZH: "请写明数据源的编码（如 gb18030）", EN: "state the source's encoding (such as gb18030)"})
}

func unknownProvince(of subject) error {
	return refuse("YM-ID-0111", of,
		exchange.Text{ZH: "前两位不是省级代码", EN: "does not begin with a province"},
		exchange.Text{},
		compare)
}

func noSuchBirthDate(old bool) error {
	why := exchange.Text{ZH: "第 7 至 14 位应为 1840 至 2099 年间真实存在的日期", EN: "the digits 7 to 14 must be a day that exists, between 1840 and 2099"}
	if old {
		why = exchange.Text{ZH: "15 位旧号的第 7 至 12 位应为真实存在的日期（yymmdd，年份按 19yy）", EN: "in the old form the digits 7 to 12 must be a day that exists (yymmdd, read as 19yy)"}
	}
	return refuse("YM-ID-0112", citizenNumber,
		exchange.Text{ZH: "中的出生日期不存在", EN: "has a birth date that does not exist"}, why, compare)
}

// wrongCheck refuses a whole number whose last character does not fit the others.
func wrongCheck(code string, of subject, n string) error {
	if !of.dotted && onlyDigits(n) && strings.HasSuffix(n, "000") {
		return spreadsheetZeros(of)
	}
	return refuse(code, of,
		exchange.Text{ZH: "校验位不符", EN: "has a wrong check character"},
		exchange.Text{ZH: "多半是某一位抄错，或相邻两位颠倒", EN: "most likely one character is wrong, or two neighbours are swapped"},
		compare)
}

func wrongOrganisationCheck() error {
	return refuse("YM-ID-0122", creditCodeSubject,
		exchange.Text{ZH: "中的组织机构代码（第 9 至 17 位）校验位不符", EN: "holds an organisation code (places 9 to 17) with a wrong check character"},
		exchange.Text{ZH: "多半有几位抄错", EN: "most likely several characters are wrong"},
		compare)
}

func organisationCodeOnly() error {
	return refuse("YM-ID-0123", creditCodeSubject,
		exchange.Text{ZH: "只有 9 位，是组织机构代码", EN: "has 9 characters: it is an organisation code"},
		exchange.Text{ZH: "组织机构代码是统一社会信用代码的第 9 至 17 位，由它推不出全码", EN: "that is places 9 to 17 of a credit code, and the rest does not follow from it"},
		exchange.Text{ZH: "请提供 18 位统一社会信用代码", EN: "give the credit code of 18 characters"})
}

func noLicenceRoot() error {
	return refuse("YM-ID-0131", licenceID,
		exchange.Text{ZH: "不以根代码开头", EN: "does not begin with the root"},
		exchange.Text{ZH: "电子证照根代码固定为 1.2.156.3005.2", EN: "the root of licence identifiers is always 1.2.156.3005.2"},
		exchange.Text{ZH: "请填写完整的电子证照标识，不要填证照编号", EN: "give the whole identifier, not the certificate's number"})
}

func wrongPartCount(parts int) error {
	return refuse("YM-ID-0132", licenceID,
		at("在根代码之后有 %d 段", "has %d parts after the root", parts),
		exchange.Text{ZH: "应为 5 段：证照类型代码.颁发机构代码.流水号.版本号.校验位", EN: "there must be 5: type code, issuer, serial, version, check character"},
		compare)
}

var (
	typeCodePart = exchange.Text{ZH: "证照类型代码应为 18 位信用代码加 3 位数字", EN: "the type code must be a credit code of 18 characters and 3 digits"}
	issuerPart   = exchange.Text{ZH: "颁发机构代码应为 18 位信用代码或 6 位行政区划代码", EN: "the issuer must be a credit code of 18 characters or a division code of 6 digits"}
	serialPart   = exchange.Text{ZH: "流水号不能为空", EN: "the serial must not be empty"}
	versionPart  = exchange.Text{ZH: "版本号应为 3 位数字，从 001 起", EN: "the version must be 3 digits, from 001"}
	checkPart    = exchange.Text{ZH: "校验位应为 1 位", EN: "the check must be one character"}
)

func wrongPart(why exchange.Text) error {
	return refuse("YM-ID-0133", licenceID,
		exchange.Text{ZH: "有一段不合规则", EN: "has a part of the wrong form"}, why, compare)
}

func faultyLicence() error {
	return refuse("YM-ID-0135", licenceID,
		exchange.Text{ZH: "的校验位是按一种流传的错误算法算出的", EN: "has a check character computed by a faulty routine in circulation"},
		exchange.Text{ZH: "该算法把字母从 11 而不是 10 数起；标识其余部分很可能无误", EN: "the routine counts letters from 11 instead of 10; the rest of the identifier is most likely sound"},
		exchange.Text{ZH: "请签发系统改用 GB/T 17710 的 MOD 37,36 重新计算校验位并换发标识", EN: "have the issuing system compute the check character by MOD 37,36 (GB/T 17710) and reissue the identifier"})
}
