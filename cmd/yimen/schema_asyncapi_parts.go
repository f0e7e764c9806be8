package main

import "github.com/onedoor/yimen/exchange/notice"

// member is a schema with what it means in both languages.
func member(kind, zh, en string, more asyncObject) asyncObject {
	schema := asyncObject{"type": kind, "description": inBoth(zh, en)}
	for name, value := range more {
		schema[name] = value
	}
	return schema
}

// eventHeaders are the headers of every signed message: those of CloudEvents in binary mode.
func eventHeaders(content string, kinds ...string) asyncObject {
	return asyncObject{
		"ce_specversion": member("string", "CloudEvents 版本", "The version of CloudEvents", asyncObject{"const": "1.0"}),
		"ce_id":          member("string", "消息的键，十六进制", "The message's key in hexadecimal", nil),
		"ce_source":      member("string", "适配器，如 /scjg/licences", "The adapter, such as /scjg/licences", nil),
		"ce_type":        member("string", "事件种类", "The kind of event", asyncObject{"enum": kinds}),
		"ce_time":        member("string", "读取数据源的时间", "When the source was read", asyncObject{"format": "date-time"}),
		"content-type":   member("string", "值的类型", "The type of the value", asyncObject{"const": content}),
		"batch-signature": member("string", "批次的签名和本条消息的证明（RFC 6962）", "The batch's signature, with this message's proof (RFC 6962)",
			asyncObject{"format": "binary"}),
		"ce_traceparent": traceParent,
	}
}

// traceParent is the header that readings which are traced put on their messages; it is not signed.
var traceParent = member("string", "链路追踪的位置（W3C traceparent）；不追踪则没有，也不在签名之内", "The place in a trace (W3C traceparent); absent where nothing is traced, and not part of what is signed", nil)

// asyncSchemas are the headers and values that do not depend on an evidence type.
func asyncSchemas() map[string]any {
	record := eventHeaders(sealedContent, "yimen.record.stated", "yimen.record.withdrawn")
	record["ce_contentdigest"] = member("string", "内容的带密钥摘要，十六进制", "A keyed digest of the content in hexadecimal", nil)
	record["__value_schema_id"] = member("string", "0x01 和 Schema 的 GUID，共 17 字节", "0x01 and the schema's GUID, 17 bytes", asyncObject{"format": "binary"})
	row := eventHeaders(sealedContent, "yimen.row.rejected", "yimen.row.resolved")
	row["reason-code"] = member("string", "原因代码，如 YM-ID-0102", "The reason's code, such as YM-ID-0102", nil)
	row["__connect.errors.connector.name"] = member("string", "适配器", "The adapter", nil)
	row["__connect.errors.stage"] = member("string", "失败的阶段", "The stage that failed", nil)
	row["__connect.errors.exception.message"] = member("string", "原因代码", "The reason's code", nil)
	required := []string{"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "batch-signature"}
	return map[string]any{
		"recordHeaders":   asyncObject{"type": "object", "required": append([]string{"ce_contentdigest", "__value_schema_id"}, required...), "properties": record},
		"rowHeaders":      asyncObject{"type": "object", "required": append([]string{"reason-code"}, required...), "properties": row},
		"coverageHeaders": asyncObject{"type": "object", "required": required, "properties": eventHeaders("application/json", "yimen.coverage.stated")},
		"plainHeaders": asyncObject{"type": "object", "properties": asyncObject{
			"content-type": member("string", "值的类型", "The type of the value", asyncObject{"const": "application/json"}), "traceparent": traceParent}},
		"sealed": member("string", "密文，只有交换平台能解封", "Sealed: the exchange alone opens it", asyncObject{"format": "binary"}),
		"coverage": asyncObject{"type": "object", "required": []string{"adapter", "type", "holders", "alive"}, "properties": asyncObject{
			"adapter":        member("string", "适配器", "The adapter", nil),
			"type":           member("string", "证照类型", "The evidence type", nil),
			"holders":        member("object", "覆盖哪些主体", "For which holders it speaks", nil),
			"alive":          member("string", "声明的时间", "When it was stated", asyncObject{"format": "date-time"}),
			"complete_up_to": member("string", "完整到什么时候；没有则从未完整", "Up to when it is complete; absent: it never was", asyncObject{"format": "date-time"}),
			"end":            member("object", "所依据的证照主题位移", "Offsets of the evidence topic that it rests on", nil),
			"rejected":       member("object", "所依据的隔离区位移", "Offsets of the quarantine that it rests on", nil),
			"read":           member("integer", "上次读到的行数", "Rows of the last reading", nil),
			"published":      member("integer", "已发布的记录数", "Records that stand published", nil),
			"quarantined":    member("integer", "隔离区的行数", "Rows in quarantine", nil),
			"unreadable":     member("integer", "其中读不出主体的行数", "Of them, rows whose holder could not be read", nil),
			"key":            member("string", "部门密钥的名称", "The name of the department's key", nil),
			"tolerance":      member("integer", "部门容许的读不出的行数", "Unreadable rows that the department bears", nil),
		}},
		"noticeHeaders": asyncObject{"type": "object", "required": []string{"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type"}, "properties": asyncObject{
			"ce_specversion": member("string", "CloudEvents 版本", "The version of CloudEvents", asyncObject{"const": "1.0"}),
			"ce_id":          member("string", "编号，相同即同一件事", "The id: the same one is the same news", nil),
			"ce_source":      member("string", "交换平台，如 urn:yimen:liling", "The exchange, such as urn:yimen:liling", nil),
			"ce_type":        member("string", "证照怎么了", "What has become of the record", asyncObject{"enum": noticeTypes()}),
			"ce_subject":     member("string", "收件号", "The case", nil),
			"ce_time":        member("string", "变化写入主题的时间", "When the change was written to its topic", asyncObject{"format": "date-time"}),
			"content-type":   member("string", "值的类型", "The type of the value", asyncObject{"const": "application/json"})}},
		"notice": asyncObject{"type": "object", "required": []string{"department", "case", "entry"}, "properties": asyncObject{
			"department":    member("string", "部门", "The department", nil),
			"case":          member("string", "收件号", "The case", nil),
			"entry":         member("string", "审计记录编号", "The id of the audit entry", nil),
			"record":        member("string", "证照编号，十六进制；以 verify 或 predicates 作答的，record、evidence_type、relied、now 均不写", "The record's id in hexadecimal; of answers by verify or predicates there is no record, evidence_type, relied and now", nil),
			"evidence_type": member("string", "证照类型", "The evidence type", nil),
			"relied":        member("object", "当时所依据的版本和状态", "The version and status that were relied on", nil),
			"now":           member("object", "现在的版本和状态；删除的没有", "The version and status now; none where it is erased", nil),
		}},
		"proposal":       member("object", "一个改动、所依据的版本和判定", "A change, the versions it was judged against, and the verdict", nil),
		"registryRecord": member("object", "Confluent 的值格式；空值为彻底删除", "Confluent's value format; none: deleted for good", nil),
		"registryKey": asyncObject{"type": "object", "required": []string{"keytype", "magic"}, "description": inBoth("Confluent 的键格式，成员次序固定。", "Confluent's key format; the order of the members is fixed."),
			"properties": asyncObject{
				"keytype": asyncObject{"type": "string", "enum": []string{"SCHEMA", "CONFIG", "MODE", "DELETE_SUBJECT", "CLEAR_SUBJECT", "NOOP"}},
				"subject": asyncObject{"type": []string{"string", "null"}}, "version": asyncObject{"type": "integer"}, "magic": asyncObject{"type": "integer"}}},
		"auditEntry": asyncObject{"type": "object", "required": []string{"id", "time", "department", "clerk", "case", "item", "subject", "decision"}, "properties": asyncObject{
			"id":         member("string", "记录编号，按时间排列", "The entry's id, in the order of time", nil),
			"time":       member("string", "时间", "When", asyncObject{"format": "date-time"}),
			"department": member("string", "谁查询", "Who asked", nil),
			"clerk":      member("string", "工号", "The staff code", nil),
			"case":       member("string", "收件号", "The case", nil),
			"item":       member("string", "事项", "The service item", nil),
			"subject":    member("string", "被查询人的令牌，只有审计密钥能生成", "The token of whom it was about; only the audit key makes it", nil),
			"decision":   member("string", "是否作答", "Whether it was answered", asyncObject{"enum": []string{"answered", "refused"}}),
			"refusal":    member("string", "拒绝的代码", "Why it was refused", nil),
			"materials":  member("array", "各材料的结论", "What was answered for each material", asyncObject{"items": asyncObject{"type": "object"}}),
			"catalogue":  member("string", "目录的版本", "The version of the catalogue", nil),
			"evaluated":  member("string", "按什么时间判断", "The time it was decided for", asyncObject{"format": "date-time"}),
			"inputs":     member("object", "所依据的主题位移", "Offsets of the topics it rests on", nil),
		}},
	}
}

// noticeTypes are those of events.
func noticeTypes() (all []string) {
	for _, k := range notice.Kinds() {
		all = append(all, k.EventType())
	}
	return all
}

// asyncMessages are the messages that do not depend on an evidence type.
func asyncMessages() map[string]asyncMessage {
	key := func(schema any) asyncObject {
		return asyncObject{"kafka": asyncObject{"key": schema, "bindingVersion": bindingVersion}}
	}
	payload := func(name string) asyncRef { return asyncRef{"#/components/schemas/" + name} }
	return map[string]asyncMessage{
		"coverage": {"coverage", "覆盖声明", inBoth("数据覆盖谁、完整到什么时候。", "For whom the data is complete, and up to when."), "application/json",
			payload("coverageHeaders"), payload("coverage"), key(member("string", "适配器", "The adapter", nil))},
		"rejection": {"rejection", "隔离的数据行", inBoth("不能发布的一行，密封。", "A row that could not be published, sealed."), sealedContent,
			payload("rowHeaders"), payload("sealed"), key(member("string", "行的编号，16 字节", "The row's id, 16 bytes", asyncObject{"format": "binary"}))},
		"proposal": {"proposal", "Schema 变更", inBoth("登记处的一个改动。", "One change of the registry."), "application/json",
			nil, payload("proposal"), key(member("string", "主题名", "The subject", nil))},
		"registryRecord": {"registryRecord", "登记处的记录", inBoth("Confluent 格式的一条记录。", "One record in Confluent's format."), "application/json",
			nil, payload("registryRecord"), key(payload("registryKey"))},
		"notice": {"notice", "通知", inBoth("一次回答所依据的一张证照有变。", "A record that an answer relied on has changed."), "application/json",
			payload("noticeHeaders"), payload("notice"), key(member("string", "收件号", "The case", nil))},
		"auditEntry": {"auditEntry", "审计记录", inBoth("一次核验。", "One query."), "application/json",
			payload("plainHeaders"), payload("auditEntry"), key(member("string", "记录编号", "The entry's id", nil))},
	}
}
