package workdays

import "github.com/onedoor/yimen/exchange"

// notice is what the General Office of the State Council (国务院办公厅) published for a year.
type notice struct {
	year   int
	number string // 发文字号
	off    []span
	work   []exchange.Date // weekend days on which people work
}

// span is from one day to another, both included.
type span struct{ from, to exchange.Date }

// notices are the calendars that are known. That of a year is published in the November before it: add it here, and the tests compare it with
// two libraries.
var notices = []notice{
	{2024, "国办发明电〔2023〕7号", []span{
		{"2024-01-01", "2024-01-01"}, // 元旦
		{"2024-02-10", "2024-02-17"}, // 春节
		{"2024-04-04", "2024-04-06"}, // 清明节
		{"2024-05-01", "2024-05-05"}, // 劳动节
		{"2024-06-10", "2024-06-10"}, // 端午节
		{"2024-09-15", "2024-09-17"}, // 中秋节
		{"2024-10-01", "2024-10-07"}, // 国庆节
	}, []exchange.Date{"2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11", "2024-09-14", "2024-09-29", "2024-10-12"}},
	{2025, "国办发明电〔2024〕12号", []span{
		{"2025-01-01", "2025-01-01"},
		{"2025-01-28", "2025-02-04"},
		{"2025-04-04", "2025-04-06"},
		{"2025-05-01", "2025-05-05"},
		{"2025-05-31", "2025-06-02"},
		{"2025-10-01", "2025-10-08"}, // 国庆节、中秋节
	}, []exchange.Date{"2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"}},
	{2026, "国办发明电〔2025〕7号", []span{
		{"2026-01-01", "2026-01-03"},
		{"2026-02-15", "2026-02-23"},
		{"2026-04-04", "2026-04-06"},
		{"2026-05-01", "2026-05-05"},
		{"2026-06-19", "2026-06-21"},
		{"2026-09-25", "2026-09-27"},
		{"2026-10-01", "2026-10-07"},
	}, []exchange.Date{"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}},
}
