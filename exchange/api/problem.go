package api

import "github.com/onedoor/yimen/exchange"

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// noSuchItem never repeats what was asked for: it could be a number.
func noSuchItem(near exchange.Item) error {
	p := &exchange.Problem{Code: "YM-API-0201", Kind: exchange.NotFound, What: text("没有这个事项", "no such service item"),
		Mend: text("GET /v1/items 列出所有事项", "GET /v1/items lists all items")}
	if near != "" {
		p.Mend = text("是不是 "+string(near)+"？", "did you mean "+string(near)+"?")
	}
	return p
}
