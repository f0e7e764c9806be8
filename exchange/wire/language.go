package wire

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/onedoor/yimen/exchange"
)

var languages = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})

// Language is English where a request's Accept-Language prefers it, else Chinese.
func Language(h http.Header) exchange.Lang {
	wanted, _, err := language.ParseAcceptLanguage(strings.Join(h.Values("Accept-Language"), ","))
	if err != nil {
		return exchange.ZH
	}
	if _, at, sure := languages.Match(wanted...); at == 1 && sure > language.No { // who wants neither gets the default, not the nearest script
		return exchange.EN
	}
	return exchange.ZH
}
