package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

func TestReason(t *testing.T) {
	unknownKey := yaml.UnmarshalWithOptions([]byte("a: 1\nb: 2\n"), &struct {
		A int `yaml:"a"`
	}{}, yaml.Strict())
	wrongType := yaml.Unmarshal([]byte("a: many\n"), &struct {
		A int `yaml:"a"`
	}{})
	for _, row := range []struct {
		err    error
		zh, en string
	}{
		{fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED), "连接被拒绝：那里没有程序在监听", "the connection was refused: nothing listens there"},
		{&net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, "地址已被占用", "the address is in use"},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, "没有这个主机名", "there is no host of that name"},
		{fmt.Errorf("ping: %w", context.DeadlineExceeded), "没有在时限内应答", "there was no answer in time"},
		{&os.PathError{Op: "open", Path: "/x", Err: syscall.EROFS}, "文件系统是只读的", "the file system is read-only"},
		{errors.New("Post: http: server gave HTTP response to HTTPS client"), "那里用的是 http，不是 https", "http is spoken there, not https"},
		{unknownKey, `第 2 行第 1 列：不认识的键 "b"`, `line 2, column 1: unknown key "b"`},
		{wrongType, "第 1 行第 4 列：值的类型不对", "line 1, column 4: the value is of the wrong type"},
		{errors.New("something else"), "something else", "something else"},
	} {
		for lang, want := range map[exchange.Lang]string{exchange.ZH: row.zh, exchange.EN: row.en} {
			if got := (&session{lang: lang}).reason(row.err); got != want {
				t.Errorf("%v in %s: %q, want %q", row.err, lang, got, want)
			}
		}
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"/var/lib/yimen": "/var/lib/yimen", "城市": "城市", "a b": "'a b'", "": "''", "it's": `'it'\''s'`, "$(rm x)": "'$(rm x)'", "a;b": "'a;b'", "~": "'~'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("%q is quoted %s, want %s", word, got, want)
		}
	}
}

func TestForSpreadsheet(t *testing.T) {
	for value, want := range map[string]string{
		"":                       "",
		"王示例":                    "王示例",
		"12345678901":            "12345678901",
		"123456789012":           `="123456789012"`,
		"43028119900101005X":     `="43028119900101005X"`,
		`="43028119900101005X"`:  `="43028119900101005X"`,
		`=""`:                    `'=""`,
		`="1"&cmd|'/c calc'!A0"`: `'="1"&cmd|'/c calc'!A0"`,
		"=1+1":                   "'=1+1",
		"@SUM(A1)":               "'@SUM(A1)",
		"+8613800138000":         "'+8613800138000",
		"\t=1":                   "'\t=1",
	} {
		if got := forSpreadsheet(value); got != want {
			t.Errorf("%q becomes %q, want %q", value, got, want)
		}
	}
}

func TestLineNumbers(t *testing.T) {
	for want, k := range map[string]adapters.Kind{
		"7":       {Count: 1, Lines: []int{7}},
		"2, 3, …": {Count: 9, Lines: []int{2, 3}},
		"":        {},
	} {
		if got := lineNumbers(k); got != want {
			t.Errorf("%v: %q, want %q", k, got, want)
		}
	}
}

func TestCodeOfForeignErrors(t *testing.T) {
	for _, row := range []struct {
		err  error
		want code
	}{
		{fmt.Errorf("read: %w", &os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}), exitNotFound},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, exitDenied},
		{&os.PathError{Op: "read", Path: "x", Err: syscall.EIO}, exitFailed},
		{errors.Join(&exchange.Problem{Kind: exchange.Invalid}, &exchange.Problem{Kind: exchange.Denied}), exitFailed},
	} {
		if got := codeOf(t.Context(), row.err); got != row.want {
			t.Errorf("%v: exit code %d, want %d", row.err, got, row.want)
		}
	}
}

func TestInterruptionIsAllThatIsSaid(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var talk strings.Builder
	got := run(ctx, surroundings(&strings.Builder{}, &talk), []string{"demo", "--people", "300", "--data", t.TempDir(), "--http", "127.0.0.1:0", "--kafka", "127.0.0.1:0"})
	if got != exitInterrupted || !strings.Contains(talk.String(), "YM-CLI-0130") || strings.Contains(talk.String(), "YM-BUS") {
		t.Errorf("exit code %d, said %s", got, talk.String())
	}
}
