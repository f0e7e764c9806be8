package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

// patience bounds how long an entry may take to stand on the topic and be folded here.
const patience = 15 * time.Second

// Add signs an entry and appends it, waits until it is folded here, and gives why it changed nothing, if so. id is what the book's
// Fold will give for it; it must be random, so that nobody else's is taken for it.
func (j *Journal) Add(ctx context.Context, id string, m exchange.Message) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	key, err := j.cfg.Keys.Signer(ctx)
	if err != nil {
		return err
	}
	m.Topic = j.cfg.Topic
	envelope.SignOrder(key, &m)
	j.await(id)
	defer j.verdict(id)
	messages := []exchange.Message{m}
	if err := j.cfg.Topics.Append(ctx, j.cfg.Topic, messages); err != nil {
		return j.notWritten(err)
	}
	if err := j.Until(ctx, messages[0].Offset+1); err != nil {
		return j.notWritten(fmt.Errorf("wait for the entry: %w", err))
	}
	return j.verdict(id)
}

var errUnread = errors.New("no book took the entry for one of its own")

func (j *Journal) await(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.told[id] = errUnread
}

// verdict is what the fold said of an awaited entry, which is awaited no more.
func (j *Journal) verdict(id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.told[id]
	delete(j.told, id)
	return err
}

func (j *Journal) notWritten(err error) error {
	return &exchange.Problem{Code: "YM-JNL-0301", Kind: exchange.Unavailable, Err: err, What: text("没有写成", "it could not be written"),
		Why:  text("主题 "+j.cfg.Topic+" 没有在时限内确认", "the topic "+j.cfg.Topic+" did not confirm it in time"),
		Mend: text("先看是否已生效（用相应的 list 命令），再重试；若持续，检查 Kafka", "see first whether it counts (by the list command), then retry; if it persists, check Kafka")}
}

func (j *Journal) severalPartitions(n int) error {
	return &exchange.Problem{Code: "YM-JNL-0302", Kind: exchange.Conflict, What: text("主题 "+j.cfg.Topic+" 的分区数不是一", "the topic "+j.cfg.Topic+" has not one partition"),
		Why:  text(fmt.Sprintf("共 %d 个分区；其中的条目须有唯一的次序", n), fmt.Sprintf("it has %d; its entries need one order", n)),
		Mend: text("以一个分区重建该主题", "create the topic anew with one partition")}
}
