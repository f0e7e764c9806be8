package api

import (
	"net/http"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
)

func readQuery(r *http.Request) (QueryRequest, error) {
	asked, err := contract.Read[QueryRequest](r, queryForm)
	if err != nil {
		return QueryRequest{}, err
	}
	var lacking []string
	for _, member := range []struct{ name, value string }{{"case", asked.Case}, {"item", string(asked.Item)}, {"applicant", asked.Applicant}} {
		if member.value == "" {
			lacking = append(lacking, member.name)
		}
	}
	if len(lacking) > 0 {
		names := strings.Join(lacking, ", ")
		return QueryRequest{}, badBody(text("缺少 "+names, names+" missing or empty"))
	}
	return asked, nil
}

var queryForm = text(`正文应为 {"case":"收件号","item":"事项代码","applicant":"身份证号或统一社会信用代码"}`,
	`send {"case":"case number","item":"item code","applicant":"citizen number or credit code"}`)

func badBody(why exchange.Text) error { return contract.BadBody(why, queryForm) }
