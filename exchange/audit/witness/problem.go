package witness

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

func held(dir string, err error) error {
	if !errors.Is(err, syscall.EAGAIN) && !strings.Contains(err.Error(), "lock held by current process") {
		return unusable(dir, err)
	}
	return &exchange.Problem{Code: "YM-WIT-0201", Kind: exchange.Conflict, Err: err,
		What: text("见证目录 "+dir+" 正被另一个进程使用", "another process uses the witness's directory "+dir),
		Why:  text("目录中的 LOCK 文件已被锁定；两个进程可能签下互相矛盾的检查点", "its file LOCK is locked; two processes could sign checkpoints that contradict each other"),
		Mend: text("停止另一个进程", "stop the other process")}
}

func badName() error {
	return &exchange.Problem{Code: "YM-WIT-0104", Kind: exchange.Invalid,
		What: text("见证人的名称不可用", "the witness's name cannot be used"),
		Why:  text("名称为空，或含空格、加号", "it is empty, or has a space or a plus sign"),
		Mend: text("用 --name 指定，例如 liling.yimen/witness", "name it with --name, such as liling.yimen/witness")}
}

// unusable says so of a file, but for errors that say more themselves.
func unusable(path string, err error) error {
	if _, told := errors.AsType[*exchange.Problem](err); told {
		return err
	}
	return &exchange.Problem{Code: "YM-WIT-0301", Kind: exchange.Unavailable, Err: err,
		What: text("见证目录无法使用："+path, "the witness's directory cannot be used: "+path),
		Mend: text("检查该目录的权限与磁盘空间", "check its permissions and the free space on its disk")}
}

func damaged(path string) error {
	return &exchange.Problem{Code: "YM-WIT-0102", Kind: exchange.Conflict,
		What: text("见证人的文件已损坏："+path, "a file of the witness is damaged: "+path),
		Why:  text("它不是本程序写下的样子：磁盘出错，或有人改动", "it is not as this program wrote it: a fault of the disk, or somebody changed it"),
		Mend: text("查明原因；私钥从备份恢复。检查点不能从旧备份恢复：先用 yimen audit verify 核验该日志，再删除此文件",
			"find out why; restore a key from a backup. A checkpoint must not come from an old backup: verify the log with `yimen audit verify`, then delete the file")}
}

// private refuses a key that others can read.
func private(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return unusable(path, err)
	}
	if info.Mode().Perm()&0o077 == 0 && info.Mode()&fs.ModeSymlink == 0 {
		return nil
	}
	return &exchange.Problem{Code: "YM-WIT-0103", Kind: exchange.Invalid,
		What: text("见证人私钥可能被他人读取："+path, "the witness's key can be read by others: "+path),
		Why:  text("权限为 "+info.Mode().String(), "its mode is "+info.Mode().String()),
		Mend: text("chmod 600 "+path+"；如他人可能已读取，请更换密钥", "chmod 600 "+path+"; if others may have read it, replace the key")}
}
