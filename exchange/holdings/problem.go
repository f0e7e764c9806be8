package holdings

import (
	"fmt"

	"github.com/onedoor/yimen/exchange"
)

func misconfigured(zh, en string) error {
	return &exchange.Problem{Code: "YM-IDX-0100", Kind: exchange.Invalid,
		What: exchange.Text{ZH: "索引配置不完整：" + zh, EN: "index is not configured: " + en},
		Mend: exchange.Text{ZH: "补全索引配置", EN: "complete the index's configuration"}}
}

func otherFormat(format int) error {
	return &exchange.Problem{Code: "YM-IDX-0101", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "索引由其他版本的程序写成", EN: "the index was written by another version of this program"},
		Why: exchange.Text{ZH: fmt.Sprintf("索引格式为 %d，本程序使用 %d", format, indexFormat),
			EN: fmt.Sprintf("its format is %d, this program's is %d", format, indexFormat)},
		Mend: exchange.Text{ZH: "删除索引目录后重新启动，索引会从主题重建", EN: "delete the index directory and start again: the index is rebuilt from the topics"}}
}

func otherKeys() error {
	return &exchange.Problem{Code: "YM-IDX-0102", Kind: exchange.Conflict,
		What: exchange.Text{ZH: "索引是用另一组密钥写成的", EN: "the index was written under other keys"},
		Why:  exchange.Text{ZH: "标记密钥或封存密钥与索引中的校验值不符", EN: "the token key or the seal key does not fit the check value in the index"},
		Mend: exchange.Text{ZH: "恢复原来的密钥；若密钥已更换，删除索引目录后重新启动，索引会从主题重建",
			EN: "restore the former keys; if they were changed on purpose, delete the index directory and start again: the index is rebuilt from the topics"}}
}

func damaged(err error) error {
	return &exchange.Problem{Code: "YM-IDX-0103", Kind: exchange.Internal,
		What: exchange.Text{ZH: "索引中有一行已损坏", EN: "a row of the index is damaged"},
		Why:  exchange.Text{ZH: "该行无法解封或不完整", EN: "it does not open or is incomplete"},
		Mend: exchange.Text{ZH: "删除索引目录后重新启动，索引会从主题重建；并检查磁盘", EN: "delete the index directory and start again: the index is rebuilt from the topics; and check the disk"},
		Err:  err}
}

func notObeyed() error {
	return &exchange.Problem{Code: "YM-IDX-0104", Kind: exchange.Unavailable,
		What: exchange.Text{ZH: "索引暂不能回答", EN: "the index cannot answer yet"},
		Why:  exchange.Text{ZH: "遗忘令主题 erasures 尚未折叠到启动时的末尾", EN: "it has not folded the orders to forget up to where the topic erasures ended at the start"},
		Mend: exchange.Text{ZH: "稍后重试；若持续，检查 Kafka 是否可用", EN: "retry in a moment; if it persists, check that Kafka is up"}}
}
