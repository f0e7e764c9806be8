package main

import (
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// both is a text in both languages.
func both(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// t is a text in the session's language.
func (s *session) t(zh, en string) string { return both(zh, en).In(s.lang) }

// language is Chinese unless the flag, YIMEN_LANG or else the locale says English.
func language(flag string, env func(string) string) exchange.Lang {
	for _, wish := range []string{flag, env("YIMEN_LANG"), locale(env)} {
		switch wish = strings.ToLower(wish); {
		case strings.HasPrefix(wish, "en"):
			return exchange.EN
		case strings.HasPrefix(wish, "zh"):
			return exchange.ZH
		}
	}
	return exchange.ZH
}

// locale is the locale of messages by POSIX's order.
func locale(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := env(name); value != "" {
			return value
		}
	}
	return ""
}
