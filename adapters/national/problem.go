package national

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// What ends a reading.
var (
	errChanged  = errors.New("the rows changed while they were read")
	errSamePage = errors.New("two pages are the same")
	errTooMuch  = errors.New("more than 512 MiB")
)

// explained is what ended a reading as people are told it. Nothing of an answer is repeated.
func (s *Source) explained(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p := &exchange.Problem{Code: "YM-SRC-0310", Kind: exchange.Unavailable, What: text("服务 "+s.own.Service+" 没有读成", "the service "+s.own.Service+" could not be read"),
		Mend: text("稍后会自动重读；持续的，核对网络和平台公告", "it is read again by itself; where it persists, check the network and the platform's notices")}
	var no refused
	switch {
	case errors.As(err, &no):
		p.Code, p.Kind, p.Why = "YM-SRC-0311", exchange.Denied, text("平台拒绝，代码 "+string(no), "the platform refused with code "+string(no))
		p.Mend = text("核对 requester、service、prefix、app_key_file，服务是否已授权给本部门，以及本机时钟", "check requester, service, prefix and app_key_file, whether the service was granted to your department, and this machine's clock")
	case errors.Is(err, errWrongKey):
		p.Code, p.Kind, p.Why = "YM-SRC-0312", exchange.Invalid, text("用 app_key_file 打不开平台给的密钥", "the secret that the platform gave does not open with app_key_file")
		p.Mend = text("核对服务授权码是否已换发", "check whether the app key was replaced")
	case errors.Is(err, errNoLease):
		p.Code, p.Kind, p.Why = "YM-SRC-0313", exchange.Invalid, text("刷新密钥的回答不是约定的形式", "the answer to a refresh has not the form agreed on")
		p.Mend = text("核对 source.refresh_url", "check source.refresh_url")
	case errors.Is(err, errNoRows), errors.Is(err, errNoTotal):
		p.Code, p.Kind, p.Why = "YM-SRC-0314", exchange.Invalid, text("回答中没有 source.rows 或 source.total 所指的内容", "the answer lacks what source.rows or source.total points to")
		p.Mend = text("对照服务文档改正这两个 JSON 指针", "mend the two JSON pointers by the service's documentation")
	case errors.Is(err, errSamePage):
		p.Code, p.Kind, p.Why = "YM-SRC-0315", exchange.Invalid, text("两页内容相同：服务没有理会分页参数", "two pages are the same: the service takes no notice of the paging parameters")
		p.Mend = text("对照服务文档改正 source.page 和 source.page_size", "mend source.page and source.page_size by the service's documentation")
	case errors.Is(err, errChanged):
		p.Code, p.Why = "YM-SRC-0316", text("翻页期间数据有变化，或总数与行数不符", "the data changed between pages, or the total is not the number of rows")
	case errors.Is(err, errTooMuch):
		p.Code, p.Kind, p.Why = "YM-SRC-0317", exchange.Invalid, text("超过 512 MiB", "there are more than 512 MiB")
		p.Mend = text("用 source.parameters 缩小范围，分成几个适配器", "narrow it by source.parameters, and use several adapters")
	default:
		p.Err = cause(err)
	}
	return p
}

// cause is an error without the address it names: parameters could stand there.
func cause(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// lacking says which columns of the mapping no row has, and that there are no rows where that would withdraw every record.
func (s *Source) lacking(rows []jsontext.Value) error {
	if len(rows) == 0 && s.complete {
		return &exchange.Problem{Code: "YM-SRC-0318", Kind: exchange.Invalid, What: text("服务一行数据也没有给", "the service gave no rows at all"),
			Why:  text("数据源声明为完整，据此会撤回全部记录", "the source is declared complete, so every record would be withdrawn"),
			Mend: text("核对 source.parameters；确实一条都没有的，先不要启用此适配器", "check source.parameters; where there really are none, do not run this adapter yet")}
	}
	missing := slices.Clone(s.columns)
	for _, row := range rows {
		var object map[string]jsontext.Value
		if len(missing) == 0 || gojson.Unmarshal(row, &object) != nil {
			continue
		}
		missing = slices.DeleteFunc(missing, func(column string) bool { _, has := object[column]; return has })
	}
	if len(rows) == 0 || len(missing) == 0 {
		return nil
	}
	all := strings.Join(missing, ", ")
	return &exchange.Problem{Code: "YM-SRC-0319", Kind: exchange.Invalid, What: text("没有一行有映射用到的字段 "+all, "no row has the fields that the mapping uses: "+all),
		Mend: text("对照服务文档改正 mapping（区分大小写）", "mend the mapping by the service's documentation (letter case counts)")}
}

func notAnObject() *exchange.Problem {
	return &exchange.Problem{Code: "YM-SRC-0320", Kind: exchange.Invalid, What: text("这一行不是 JSON 对象", "this row is no JSON object"),
		Mend: text("请服务提供方更正", "ask the service's provider to mend it")}
}

func badKey(path string, why exchange.Text, err error) error {
	return &exchange.Problem{Code: "YM-SRC-0301", Kind: exchange.Invalid, Err: err, Why: why, What: text("服务授权码文件不可用："+path, "the file of the app key cannot be used: "+path),
		Mend: text("把平台发的 appkey 存成一行，chmod 600", "put the app key that the platform gave you into it on one line, and chmod 600")}
}
