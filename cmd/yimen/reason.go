package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml"

	"github.com/onedoor/yimen/exchange"
)

// reason says why something outside Yimen went wrong. What people meet often is said in their language; anything else is
// what the library says.
func (s *session) reason(err error) string {
	if wrong, ok := errors.AsType[yaml.Error](err); ok {
		return s.wrongYAML(wrong)
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return s.t("没有这个主机名", "there is no host of that name")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return s.t("对方的证书不受信任", "the certificate shown is not trusted")
	}
	if strings.HasSuffix(err.Error(), "server gave HTTP response to HTTPS client") { // http has no value for it
		return s.t("那里用的是 http，不是 https", "http is spoken there, not https")
	}
	for _, known := range causes() {
		if errors.Is(err, known.err) {
			return known.text.In(s.lang)
		}
	}
	return err.Error()
}

// cause is an error of the system in both languages.
type cause struct {
	err  error
	text exchange.Text
}

func causes() []cause {
	return []cause{
		{syscall.ECONNREFUSED, both("连接被拒绝：那里没有程序在监听", "the connection was refused: nothing listens there")},
		{syscall.EADDRINUSE, both("地址已被占用", "the address is in use")},
		{syscall.EADDRNOTAVAIL, both("本机没有这个地址", "this machine does not have the address")},
		{syscall.EAGAIN, both("另一个进程正占用它", "another process holds it")},
		{syscall.EROFS, both("文件系统是只读的", "the file system is read-only")},
		{syscall.ENOSPC, both("磁盘已满", "the disk is full")},
		{syscall.EISDIR, both("它是文件夹", "it is a folder")},
		{syscall.ENOTDIR, both("路径中有一段不是文件夹", "part of the path is not a folder")},
		{os.ErrDeadlineExceeded, both("没有在时限内应答", "there was no answer in time")},
		{context.DeadlineExceeded, both("没有在时限内应答", "there was no answer in time")},
		{fs.ErrNotExist, both("没有这个文件或文件夹", "there is no such file or folder")},
		{fs.ErrPermission, both("当前用户没有权限", "the current user may not")},
		{io.EOF, both("对方没有应答就关闭了连接", "the connection was closed without an answer")},
	}
}

// wrongYAML says where YAML is wrong. The library also shows the lines around it, which would be noise on one line, and
// the file may not be YAML at all.
func (s *session) wrongYAML(wrong yaml.Error) string {
	said, where := wrong.GetMessage(), ""
	if token := wrong.GetToken(); token != nil && token.Position != nil {
		where = fmt.Sprintf(s.t("第 %d 行第 %d 列：", "line %d, column %d: "), token.Position.Line, token.Position.Column)
	}
	if key, ok := strings.CutPrefix(said, "unknown field "); ok {
		return where + s.t("不认识的键 ", "unknown key ") + key
	}
	if strings.HasPrefix(said, "cannot unmarshal") || strings.HasSuffix(said, "is expected") {
		return where + s.t("值的类型不对", "the value is of the wrong type")
	}
	return where + s.t("不是正确的 YAML：", "this is not YAML: ") + said
}
