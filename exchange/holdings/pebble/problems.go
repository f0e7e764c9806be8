package pebble

import (
	"errors"
	"strings"
	"syscall"

	"github.com/onedoor/yimen/exchange"
)

// locked tells a directory that is in use from one that cannot be used.
func locked(dir string, err error) error {
	if !errors.Is(err, syscall.EAGAIN) && !strings.Contains(err.Error(), "lock held by current process") {
		return unusable(dir, err)
	}
	return &exchange.Problem{Code: "YM-IDX-0201", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "索引目录 " + dir + " 正被另一个进程使用", EN: "index directory " + dir + " is in use by another process"},
		Why:  exchange.Text{ZH: "目录中的 LOCK 文件已被锁定", EN: "its file LOCK is locked"},
		Mend: exchange.Text{ZH: "停止另一个进程，或为本进程配置另一个索引目录", EN: "stop the other process, or give this one another index directory"},
		Err:  err}
}

func unusable(dir string, err error) error {
	return &exchange.Problem{Code: "YM-IDX-0202", Kind: exchange.Internal,
		What: exchange.Text{ZH: "无法打开索引目录 " + dir, EN: "cannot open index directory " + dir},
		Mend: exchange.Text{ZH: "检查目录权限和磁盘；若文件已损坏或由其他版本写成，可删除该目录，索引会从主题重建",
			EN: "check its permissions and the disk; if it is damaged or was written by another version, delete it: the index is rebuilt from the topics"},
		Err: err}
}
