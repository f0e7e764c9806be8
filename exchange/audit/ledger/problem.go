package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// held tells a directory that is in use from one that cannot be used.
func held(dir string, err error) error {
	if !errors.Is(err, syscall.EAGAIN) && !strings.Contains(err.Error(), "lock held by current process") {
		return unusable(dir, err)
	}
	return &exchange.Problem{Code: "YM-AUD-0201", Kind: exchange.Conflict, Err: err,
		What: text("审计日志目录 "+dir+" 正被另一个进程使用", "another process keeps the audit log in "+dir),
		Why:  text("目录中的 LOCK 文件已被锁定；同一份日志只能有一个进程写入", "its file LOCK is locked; one process at a time may write to a log"),
		Mend: text("停止另一个进程，或给本进程另一个目录", "stop the other process, or give this one another directory")}
}

func unusable(dir string, err error) error {
	return &exchange.Problem{Code: "YM-AUD-0302", Kind: exchange.Unavailable, Err: err,
		What: text("审计日志目录 "+dir+" 无法使用", "the directory of the audit log, "+dir+", cannot be used"),
		Mend: text("检查该目录的权限与磁盘空间", "check its permissions and the free space on its disk")}
}

func badIndex(dir string, err error) error {
	return &exchange.Problem{Code: "YM-AUD-0303", Kind: exchange.Internal, Err: err,
		What: text("审计索引 "+dir+" 无法打开", "the audit index "+dir+" cannot be opened"),
		Mend: text("停止平台，删除该目录后重新启动：索引会从日志重建", "stop the exchange, delete the directory and start again: the index is made anew of the log")}
}

func damaged(dir string, err error) error {
	return &exchange.Problem{Code: "YM-AUD-0304", Kind: exchange.Internal, Err: err,
		What: text("审计日志 "+dir+" 已损坏", "the audit log "+dir+" is damaged"),
		Why:  text("日志文件不是本平台写下的样子：磁盘出错，或有人改动", "its files are not as the exchange wrote them: a fault of the disk, or somebody changed them"),
		Mend: text("保留现场，用 yimen audit verify 查明范围；从备份恢复 "+filepath.Join(dir, logDir)+"，或删除整个目录，由主题重新生成同样的日志",
			"keep it as it is and see with `yimen audit verify` how far it goes; restore "+filepath.Join(dir, logDir)+" from a backup, or delete the directory: the topic makes the same log again")}
}

// cut means that the log is shorter than it was.
func cut(dir string, was, is uint64) error {
	return &exchange.Problem{Code: "YM-AUD-0202", Kind: exchange.Conflict,
		What: text("审计日志 "+dir+" 比以前短", "the audit log "+dir+" is shorter than it was"),
		Why: text(fmt.Sprintf("现有 %d 条，曾有 %d 条：恢复了旧备份，或有人截短", is, was),
			fmt.Sprintf("it has %d leaves and had %d: an old backup was restored, or somebody cut it", is, was)),
		Mend: text("查明原因；确系恢复备份的，删除 "+filepath.Join(dir, indexDir)+" 和 "+filepath.Join(dir, logDir, "checkpoint")+" 后启动：缺少的由主题补齐，见证人会核对是否相同",
			"find out why; where a backup was restored, delete "+filepath.Join(dir, indexDir)+" and "+filepath.Join(dir, logDir, "checkpoint")+" and start: the topic fills what is missing, and the witness sees whether it is the same")}
}

// otherTopic means that the topic is not the one that the log was made of.
func otherTopic(offset int64) error {
	return &exchange.Problem{Code: "YM-AUD-0203", Kind: exchange.Conflict,
		What: text("主题 audit 与审计日志不符", "the topic audit is not the one the audit log was made of"),
		Why: text(fmt.Sprintf("日志已含偏移量 %d 之前的全部记录，主题上却没有，或内容不同", offset),
			fmt.Sprintf("the log has all that came before offset %d, and the topic has not, or has something else", offset)),
		Mend: text("核对 kafka.brokers；主题被删除或重建的，保留日志作为证据，并查明是谁所为",
			"check kafka.brokers; where the topic was deleted or made anew, keep the log as evidence and find out who did it")}
}

func manyPartitions(n int) error {
	return &exchange.Problem{Code: "YM-AUD-0204", Kind: exchange.Conflict,
		What: text("主题 audit 的分区数不是一", "the topic audit has not one partition"),
		Why:  text(fmt.Sprintf("共 %d 个分区；日志须有唯一的次序", n), fmt.Sprintf("it has %d; a log needs one order", n)),
		Mend: text("以一个分区重建该主题", "create the topic anew with one partition")}
}

func forked(err error) error {
	return &exchange.Problem{Code: "YM-AUD-0205", Kind: exchange.Conflict, Err: err,
		What: text("审计日志与已公布的检查点矛盾，因此不再公布", "the audit log contradicts the checkpoint that was published, so nothing is published"),
		Why:  text("日志文件被改动过，或恢复了不同的备份", "its files were changed, or another backup was restored"),
		Mend: text("保留现场，用 yimen audit verify 查明", "keep it as it is and find out with `yimen audit verify`")}
}

func badCheckpoint(path string, err error) error {
	return &exchange.Problem{Code: "YM-AUD-0305", Kind: exchange.Conflict, Err: err,
		What: text("检查点文件已损坏："+path, "the checkpoint file is damaged: "+path),
		Why:  text("它不是任何日志的检查点", "it is no checkpoint of any log"),
		Mend: text("查明是谁改动；从备份恢复该文件", "find out who changed it; restore the file from a backup")}
}

func stale(limit time.Duration) error {
	return &exchange.Problem{Code: "YM-AUD-0301", Kind: exchange.Unavailable,
		What: text("审计记录久未得到见证，因此不给结论", "audit entries have gone unwitnessed for too long, so there is no answer"),
		Why:  text("已有记录等待公布超过 "+limit.String(), "entries have waited to be published for more than "+limit.String()),
		Mend: text("请管理员检查见证人是否运行（yimen witness）、审计目录的磁盘是否可写，以及本节点日志",
			"have the administrator see whether the witness runs (yimen witness), whether the disk of the audit log can be written to, and what this node's log says")}
}

// NoSuchEntry is said of an entry that is not there, and of one that is not for whoever asks: the two cannot be told apart. It never repeats
// what was asked for.
func NoSuchEntry() error {
	return &exchange.Problem{Code: "YM-AUD-0401", Kind: exchange.NotFound,
		What: text("审计日志中没有这条记录", "the audit log has no such entry"),
		Mend: text("核对回执编号；只能查看本部门的回执", "check the receipt's id; a department sees its own receipts only")}
}

func notYet() error {
	return &exchange.Problem{Code: "YM-AUD-0306", Kind: exchange.Unavailable,
		What: text("证明尚未生成", "there is no proof yet"),
		Why:  text("记录已经写入，证明在 10 秒内随下一个检查点公布", "the entry is durable; its proof comes with the next checkpoint, within 10 seconds"),
		Mend: text("稍后再取；若持续，请管理员检查见证人", "ask again in a moment; if it persists, have the administrator check the witness")}
}

func unreadable(err error) error {
	return &exchange.Problem{Code: "YM-AUD-0307", Kind: exchange.Unavailable, Err: err,
		What: text("审计日志读不了", "the audit log could not be read"),
		Mend: text("稍后重试；若持续，查看本节点的日志和磁盘", "retry later; if it persists, see this node's log and disk")}
}

func badFilter(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-AUD-0101", Kind: exchange.Invalid, Why: why,
		What: text("查询条件不对", "the search is not well formed"),
		Mend: text("用 yimen audit search --help 查看写法", "see yimen audit search --help")}
}

func denied() error {
	return &exchange.Problem{Code: "YM-AUD-0403", Kind: exchange.Denied,
		What: text("无权查看这部分审计日志", "you may not see this part of the audit log"),
		Mend: text("向管理员申请相应角色：主管看本部门，审计员看全部，窗口可代办事人查询", "apply to the administrator for the role: supervisors see their department, auditors everything, windows ask for holders")}
}

func noSuchFile() error {
	return &exchange.Problem{Code: "YM-AUD-0402", Kind: exchange.NotFound,
		What: text("审计日志没有这个文件", "the audit log has no such file"),
		Mend: text("路径见 c2sp.org/tlog-tiles：checkpoint、tile/层/序号、tile/entries/序号", "paths are those of c2sp.org/tlog-tiles: checkpoint, tile/LEVEL/N, tile/entries/N")}
}

func badNumber() error {
	return &exchange.Problem{Code: "YM-AUD-0104", Kind: exchange.Invalid,
		What: text("请求正文无法读取", "the request's body cannot be read"),
		Mend: numberForm}
}

var numberForm = text(`正文应为 {"number":"身份证号或统一社会信用代码"}`, `send {"number":"citizen number or credit code"}`)
