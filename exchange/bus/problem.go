package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

func badAddress(address string) error {
	return &exchange.Problem{
		Code: "YM-BUS-0101", Kind: exchange.Invalid,
		What: exchange.Text{ZH: fmt.Sprintf("Kafka 地址“%s”不可用", address), EN: fmt.Sprintf("the Kafka address %q cannot be used", address)},
		Why:  exchange.Text{ZH: "地址须写成 主机:端口", EN: "an address is host:port"},
		Mend: exchange.Text{ZH: "检查 kafka.brokers，例如 kafka1.example.gov.cn:9093", EN: "check kafka.brokers; an example is kafka1.example.gov.cn:9093"},
	}
}

func tooLarge(topic string, index, size int) error {
	return &exchange.Problem{
		Code: "YM-BUS-0102", Kind: exchange.Invalid,
		What: exchange.Text{
			ZH: fmt.Sprintf("发往主题 %s 的第 %d 条消息过大，一条也未发出", topic, index+1),
			EN: fmt.Sprintf("message %d for topic %s is too large; nothing was sent", index+1, topic),
		},
		Why: exchange.Text{
			ZH: fmt.Sprintf("消息 %d 字节，上限 %d 字节", size, MaxMessage),
			EN: fmt.Sprintf("it has %d bytes, the limit is %d", size, MaxMessage),
		},
		Mend: exchange.Text{
			ZH: "缩小该记录：附件、图片存放在原系统，记录中只留链接",
			EN: "make the record smaller: leave attachments and images where they are and publish a link",
		},
	}
}

func (b *Bus) shut() error {
	return &exchange.Problem{
		Code: "YM-BUS-0103", Kind: exchange.Unavailable, Err: errClosed,
		What: exchange.Text{ZH: "与 Kafka 的连接已关闭", EN: "the connection to Kafka is closed"},
		Why:  exchange.Text{ZH: "本进程正在停止", EN: "this process is stopping"},
		Mend: exchange.Text{ZH: "重新启动后再试", EN: "start it again and retry"},
	}
}

// missing: nobody creates topics by using them.
func (b *Bus) missing(topic string, err error) error {
	return &exchange.Problem{
		Code: "YM-BUS-0104", Kind: exchange.NotFound, Err: err,
		What: exchange.Text{ZH: "没有主题 " + topic, EN: "there is no topic " + topic},
		Why: exchange.Text{
			ZH: "Kafka（" + b.brokers + "）没有列出它：尚未创建，或此身份无权查看",
			EN: "Kafka (" + b.brokers + ") does not list it: it was not created, or this identity may not see it",
		},
		Mend: exchange.Text{
			ZH: "先启动交换节点，主题由它创建；主题已有时检查本身份的 ACL",
			EN: "start the exchange node first, it creates the topics; if the topic is there, check the ACL of this identity",
		},
	}
}

// unreachable tells what could not be done because Kafka did not answer, or refused.
func (b *Bus) unreachable(what exchange.Text, err error) error {
	var problem *exchange.Problem
	if errors.As(err, &problem) {
		return problem
	}
	if refusal := b.refused(what, err); refusal != nil {
		return refusal
	}
	why, mend := b.silence(err)
	return &exchange.Problem{
		Code: "YM-BUS-0105", Kind: exchange.Unavailable, Err: err,
		What: exchange.Text{ZH: what.ZH + "未成功", EN: "could not " + what.EN},
		Why:  why,
		Mend: mend,
	}
}

// unsettled is the error of an Append that began to send.
func (b *Bus) unsettled(topic string, count int, err error) error {
	var problem *exchange.Problem
	if errors.As(err, &problem) {
		return problem
	}
	if refusal := b.refused(exchange.Text{ZH: "向主题 " + topic + " 追加", EN: "append to topic " + topic}, err); refusal != nil {
		return refusal
	}
	why, mend := b.silence(err)
	return &exchange.Problem{
		Code: "YM-BUS-0106", Kind: exchange.Unavailable, Err: err,
		What: exchange.Text{
			ZH: fmt.Sprintf("不能确定 %d 条消息是否已追加到主题 %s", count, topic),
			EN: fmt.Sprintf("it is not known whether %d messages were appended to topic %s", count, topic),
		},
		Why: why,
		Mend: exchange.Text{
			ZH: mend.ZH + "；然后把这些消息原样重发，重复会被识别",
			EN: mend.EN + "; then send the same messages again, duplicates are recognised",
		},
	}
}

// refused is the Problem for an answer that is Kafka's last word, nil for everything else.
func (b *Bus) refused(what exchange.Text, err error) error {
	var answer kafka.Error
	if !errors.As(err, &answer) || !final(err) {
		return nil
	}
	p := &exchange.Problem{
		Code: "YM-BUS-0107", Kind: exchange.Internal, Err: err,
		What: exchange.Text{ZH: "Kafka 拒绝" + what.ZH, EN: "Kafka refused to " + what.EN},
		Why:  exchange.Text{ZH: "应答：" + answer.Title(), EN: "it answered: " + answer.Title()},
		Mend: exchange.Text{ZH: "查看代理 " + b.brokers + " 的日志", EN: "read the log of the broker " + b.brokers},
	}
	switch answer {
	case kafka.TopicAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.GroupAuthorizationFailed:
		p.Kind = exchange.Denied
		p.Mend = exchange.Text{ZH: "请管理员检查本身份在该主题上的 ACL", EN: "have an administrator check the ACL of this identity on the topic"}
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		p.Kind = exchange.Invalid
		p.Mend = exchange.Text{ZH: "把主题的 max.message.bytes 设为 1048588 或更大", EN: "set max.message.bytes of the topic to 1048588 or more"}
	case kafka.InvalidRecord, kafka.InvalidTopic, kafka.InvalidTimestamp:
		p.Kind = exchange.Invalid
		p.Mend = exchange.Text{ZH: "压缩主题上的消息必须有键；检查主题名与消息", EN: "messages of a compacted topic need a key; check the topic's name and the messages"}
	}
	return p
}

// silence says why there was no answer, and what mends it.
func (b *Bus) silence(err error) (why, mend exchange.Text) {
	if why, mend, known := distrust(b.tls, err, time.Now()); known {
		return exchange.Text{ZH: why.ZH + "（" + b.brokers + "）", EN: why.EN + " (" + b.brokers + ")"}, mend
	}
	mend = exchange.Text{
		ZH: "检查代理 " + b.brokers + " 是否在运行、网络与 TLS 证书是否正常",
		EN: "check that the broker " + b.brokers + " runs, that the network reaches it, and the TLS certificates",
	}
	switch {
	case errors.Is(err, errClosed):
		return exchange.Text{ZH: "本进程正在停止", EN: "this process is stopping"}, mend
	case errors.Is(err, context.Canceled):
		return exchange.Text{ZH: "操作被取消时代理 " + b.brokers + " 尚未应答", EN: "the call was cancelled before the broker " + b.brokers + " answered"}, mend
	case errors.Is(err, context.DeadlineExceeded):
		return exchange.Text{ZH: "代理 " + b.brokers + " 未在限时内应答", EN: "the broker " + b.brokers + " did not answer in time"}, mend
	}
	return exchange.Text{ZH: "代理 " + b.brokers + " 没有应答", EN: "the broker " + b.brokers + " did not answer"}, mend
}
