package broker

import "github.com/onedoor/yimen/exchange"

// defaultAtOnce is eight times as many as a node is measured with. At 10,000 a second they are in hand for 50 ms; where the audit topic
// takes seconds, more would only wait, and be given up by those who ask before they are answered.
const defaultAtOnce = 512

// crowd are the places of queries in hand. Who finds none is told so at once: nothing is looked up, so there is no entry.
type crowd chan struct{}

func (c crowd) enter() (leave func(), err error) {
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	default:
		return nil, tooMany()
	}
}

func tooMany() error {
	return &exchange.Problem{Code: "YM-QRY-0305", Kind: exchange.Unavailable,
		What: text("同时核验的请求过多，这一次没有受理", "too many queries are in hand at once, this one was not taken"),
		Why:  text("本节点已达同时办理的上限；没有查找任何人，也不计入限额", "this node has as many in hand as it may; nobody was looked up, and nothing counts against a limit"),
		Mend: text("两秒后重发；经常如此，则增加节点，并查看 yimen_query_duration_seconds", "send it again in two seconds; if this lasts, add nodes and look at yimen_query_duration_seconds")}
}
