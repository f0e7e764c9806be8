package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// code is an exit code. A verb returns one as its error when it has already said everything there is to say.
type code int

// The exit codes; exitCodes says what they mean.
const (
	exitOK           code = 0
	exitFailed       code = 1
	exitUsage        code = 2
	exitQuarantined  code = 3
	exitLogin        code = 4
	exitNotFound     code = 5
	exitDenied       code = 6
	exitUnchanged    code = 9
	exitIncompatible code = 10
	exitHeld         code = 11
	exitDown         code = 12
	exitInterrupted  code = 130
)

// Error names the code, for logs and tests; run prints nothing for it.
func (c code) Error() string { return "exit code " + strconv.Itoa(int(c)) }

// codeOf is the one place where errors become exit codes.
func codeOf(ctx context.Context, err error) code {
	if err == nil {
		return exitOK
	}
	if c, ok := errors.AsType[code](err); ok {
		return c
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*registry.Incompatible](err); ok {
		return exitIncompatible
	}
	switch problemsOf(err)[0].Kind {
	case exchange.Unauthorised:
		return exitLogin
	case exchange.NotFound:
		return exitNotFound
	case exchange.Denied, exchange.Limited:
		return exitDenied
	case exchange.Conflict:
		return exitHeld
	case exchange.Unavailable:
		return exitDown
	default:
		return exitFailed
	}
}

// meaning is one line of the documented table.
type meaning struct {
	code code
	text exchange.Text
}

// exitCodes is the documented table: "yimen help exit-codes" prints it and a test holds codeOf against it.
func exitCodes() []meaning {
	return []meaning{
		{exitOK, both("成功", "done")},
		{exitFailed, both("失败", "failed")},
		{exitUsage, both("命令行写法不对", "the command line is wrong")},
		{exitQuarantined, both("完成，但有数据行进了隔离区", "finished, but rows were quarantined")},
		{exitLogin, both("需要登录", "login needed")},
		{exitNotFound, both("找不到", "not found")},
		{exitDenied, both("没有权限，或查询达到上限", "not allowed, or a limit was reached")},
		{exitUnchanged, both("没有要做的（仅在 --exit-code 时）", "there was nothing to do (with --exit-code only)")},
		{exitIncompatible, both("Schema 不兼容", "the schema is incompatible")},
		{exitHeld, both("另一个实例正占用该适配器", "another instance holds the adapter")},
		{exitDown, both("依赖的服务不可用（Kafka、Vault、数据库）", "a dependency is down (Kafka, Vault, database)")},
		{exitInterrupted, both("被中断", "interrupted")},
	}
}
