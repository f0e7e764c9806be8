package schemas

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// anchored says whether every match of the pattern begins where the text begins and ends where it ends. Patterns of
// JSON Schema match anywhere, so "[0-9]{6}" accepts any text with six digits in it.
func anchored(pattern string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	return err == nil && bound(re, syntax.OpBeginText, true) && bound(re, syntax.OpEndText, false)
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
	case strings.Contains(pattern, `\u`):
		return `不支持 \uXXXX 写法；汉字写 \p{Han}，单个字符写 \x{4e00}`, `\uXXXX is not supported: write \p{Han} for Chinese characters, \x{4e00} for one character`
	case strings.Contains(pattern, "(?=") || strings.Contains(pattern, "(?!") || strings.Contains(pattern, "(?<"):
		return "不支持前后断言；改用 allOf 中的几个 pattern", "look-around is not supported: use several patterns in allOf"
	case strings.Contains(pattern, `\p{Script=`):
		return `\p{Script=Han} 写成 \p{Han}`, `write \p{Han} for \p{Script=Han}`
	}
	return "正则表达式使用 RE2 语法", "patterns use the RE2 syntax"
}

func compiles(pattern string) bool {
	_, err := regexp.Compile(pattern)
	return err == nil
}
