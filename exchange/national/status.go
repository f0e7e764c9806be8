package national

import (
	"errors"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// status is the status of a head, as the convention numbers them.
type status int

// The statuses.
const (
	ok             status = 0   // 成功
	notOffered     status = 2   // 证照源未提供此服务
	noMatch        status = 10  // 未找到匹配的证照
	identityFailed status = 11  // 身份验证不通过
	valueMissing   status = 12  // 必填的值为空
	otherFault     status = 99  // 其他异常
	noRight        status = 100 // 无访问该证照类型的权限
	notBase64      status = 102 // contentType 应为 base64
	badHolderType  status = 103 // 持证主体代码类型代码不合规范
)

// fault is an error with the status that says it.
type fault struct {
	error
	status status
}

func (f fault) Unwrap() error { return f.error }

// as gives an error the status, unless it could only not be found out: then nothing is said of the request.
func as(s status, err error) error {
	if kind := exchange.KindOf(err); kind == exchange.Unavailable || kind == exchange.Internal {
		return err
	}
	return fault{err, s}
}

func statusOf(err error, kind exchange.Kind) status {
	var f fault
	switch {
	case errors.As(err, &f):
		return f.status
	case kind == exchange.Denied:
		return noRight
	}
	return otherFault
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func otherID() error {
	return &exchange.Problem{Code: "YM-NAT-0101", Kind: exchange.Denied, What: text("accessId 与令牌或证书不符", "accessId is not that of the token or certificate"),
		Mend: text("写部门代码和工号（服务名），以斜线相连，如 xzsp/0017", "write department and staff code (or the service's name) joined by a slash, such as xzsp/0017")}
}

func lacking(names []string) error {
	all := strings.Join(names, ", ")
	return fault{&exchange.Problem{Code: "YM-NAT-0102", Kind: exchange.Invalid, What: text("必填的值为空："+all, "required values are missing or empty: "+all),
		Mend: text("补上后再发", "give them and send it again")}, valueMissing}
}

// required says which of the named values is empty.
func required(pairs ...string) error {
	var names []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.TrimSpace(pairs[i+1]) == "" {
			names = append(names, pairs[i])
		}
	}
	if len(names) > 0 {
		return lacking(names)
	}
	return nil
}

func noSuchType() error {
	return fault{&exchange.Problem{Code: "YM-NAT-0103", Kind: exchange.NotFound, What: text("本平台没有登记这个证照类型", "this exchange knows no such type of licence"),
		Mend: text("核对 certTypeCode；也可写本平台的类型名，如 property-title；新的代码由管理员写进目录 evidence.yaml 的 type_code",
			"check certTypeCode; the exchange's own name of a type, such as property-title, serves too; an administrator enters new codes as type_code in the catalogue's evidence.yaml")}, notOffered}
}

func noGrant() error {
	return &exchange.Problem{Code: "YM-NAT-0104", Kind: exchange.Denied, What: text("没有该证照类型的共享授权", "there is no grant for this type of licence"),
		Mend: text("先向数源部门申请共享授权", "apply to its keeper for a grant first")}
}

func notServed(why, mend exchange.Text) error {
	return fault{&exchange.Problem{Code: "YM-NAT-0105", Kind: exchange.Invalid, What: text("本平台不提供此服务", "this exchange does not offer this service"), Why: why, Mend: mend}, notOffered}
}
