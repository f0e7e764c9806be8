package gate

import (
	"regexp/syntax"
	"strings"
)

// Loose says whether a pattern that compiles can match a part of a text. Patterns of JSON Schema match anywhere, so
// "[0-9]{6}" accepts any text with six digits in it; anchored are those where every match begins where the text begins
// and ends where it ends.
func Loose(pattern string) bool {
	translated, err := translate(pattern)
	if err != nil {
		return false
	}
	re, err := syntax.Parse(translated, syntax.Perl)
	return err == nil && !(bound(re, syntax.OpBeginText, true) && bound(re, syntax.OpEndText, false))
}

// bound says whether every match of re passes the anchor at its front (or at its back).
func bound(re *syntax.Regexp, anchor syntax.Op, front bool) bool {
	switch re.Op {
	case anchor:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return bound(re.Sub[0], anchor, front)
	case syntax.OpRepeat:
		return re.Min > 0 && bound(re.Sub[0], anchor, front)
	case syntax.OpConcat:
		if front {
			return bound(re.Sub[0], anchor, front)
		}
		return bound(re.Sub[len(re.Sub)-1], anchor, front)
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !bound(sub, anchor, front) {
				return false
			}
		}
		return true
	}
	return false
}

// patternHint says what to write instead of a pattern that does not compile.
func patternHint(pattern string) (zh, en string) {
	switch {
	case strings.Contains(pattern, "(?=") || strings.Contains(pattern, "(?!") || strings.Contains(pattern, "(?<"):
		return "不支持前后断言；改用 allOf 中的几个 pattern", "look-around is not supported: use several patterns in allOf"
	case strings.Contains(pattern, `\u`):
		return `\uXXXX 要写四位十六进制数，代理项要成对；汉字写 \p{Han}`, `\uXXXX takes four hexadecimal digits, surrogates come in pairs; write \p{Han} for Chinese characters`
	}
	for digit := '1'; digit <= '9'; digit++ {
		if strings.Contains(pattern, `\`+string(digit)) {
			return "不支持反向引用（\\1）；把各种情形写成分支", "back-references (\\1) are not supported: write the cases as alternatives"
		}
	}
	return "正则表达式使用 RE2 语法；重复次数最多 1000", "patterns use the RE2 syntax; a repetition counts to 1000 at most"
}
