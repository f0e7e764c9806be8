package registry

import (
	"fmt"
	"strconv"
	"time"

	"github.com/onedoor/yimen/exchange"
)

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

// refuse makes a problem with one of Confluent's error codes.
func refuse(code int, kind exchange.Kind, what, why, mend exchange.Text) *exchange.Problem {
	return &exchange.Problem{Code: "YM-REG-" + strconv.Itoa(code), Kind: kind, What: what, Why: why, Mend: mend}
}

func noSubject(subject string) error {
	return refuse(40401, exchange.NotFound,
		text("没有 subject “"+subject+"”", "Subject '"+subject+"' not found."), exchange.Text{},
		text("列出所有 subject：GET /subjects；已删除的加 ?deleted=true", "GET /subjects lists all, with ?deleted=true the deleted ones as well"))
}

func noVersion(subject string, version int) error {
	return refuse(40402, exchange.NotFound,
		text(fmt.Sprintf("subject “%s” 没有版本 %d", subject, version), fmt.Sprintf("Version %d of subject '%s' not found.", version, subject)), exchange.Text{},
		text("列出版本：GET /subjects/{subject}/versions", "GET /subjects/{subject}/versions lists them"))
}

func noSchema() error {
	return refuse(40403, exchange.NotFound, text("没有这个 Schema", "Schema not found"), exchange.Text{},
		text("检查编号与登记处地址；GET /schemas 列出所有 Schema", "check the id and the registry's address; GET /schemas lists all"))
}

var deleteForGood = text("要彻底删除，加 ?permanent=true", "set permanent=true to delete it for good")

var deleteSoftly = text("先软删除，再彻底删除", "delete it softly first")

func subjectGone(subject string) error {
	return refuse(40404, exchange.NotFound, text("subject “"+subject+"” 已软删除", "Subject '"+subject+"' was soft deleted."), exchange.Text{}, deleteForGood)
}

func subjectStays(subject string) error {
	return refuse(40405, exchange.NotFound,
		text("subject “"+subject+"” 尚未软删除", "Subject '"+subject+"' was not deleted first before being permanently deleted."), exchange.Text{}, deleteSoftly)
}

func versionGone(subject string, version int) error {
	return refuse(40406, exchange.NotFound,
		text(fmt.Sprintf("subject “%s” 的版本 %d 已软删除", subject, version), fmt.Sprintf("Subject '%s' Version %d was soft deleted.", subject, version)),
		exchange.Text{}, deleteForGood)
}

func versionStays(subject string, version int) error {
	return refuse(40407, exchange.NotFound,
		text(fmt.Sprintf("subject “%s” 的版本 %d 尚未软删除", subject, version),
			fmt.Sprintf("Subject '%s' Version %d was not deleted first before being permanently deleted.", subject, version)), exchange.Text{}, deleteSoftly)
}

func readsOnly() error {
	return refuse(42205, exchange.Invalid, text("这里只能读取", "Changes are not permitted here."), exchange.Text{},
		text("通过交换平台的登记处改动", "change schemas through the exchange's registry"))
}

func noLevel(subject string) error {
	return refuse(40408, exchange.NotFound,
		text("subject “"+subject+"” 没有自己的兼容级别", "Subject '"+subject+"' does not have subject-level compatibility configured"), exchange.Text{},
		text("全局级别对它有效：GET /config", "the global one holds for it: GET /config"))
}

func noMode(subject string) error {
	return refuse(40409, exchange.NotFound,
		text("subject “"+subject+"” 没有自己的模式", "Subject '"+subject+"' does not have subject-level mode configured"), exchange.Text{},
		text("全局模式对它有效：GET /mode", "the global one holds for it: GET /mode"))
}

func incompatible(subject string, j Judgement) error {
	p := refuse(409, exchange.Conflict,
		text("Schema 与 subject “"+subject+"” 的已有版本不兼容", "Schema being registered is incompatible with an earlier schema for subject '"+subject+"'"),
		text("兼容级别 "+j.Level+"，策略 "+string(j.Policy), "its compatibility is "+j.Level+", policy "+string(j.Policy)),
		text("按每条发现的提示修改；确要断开兼容，另立 subject，或由管理员改级别", "change what each finding names; to break with the past use another subject, or have an administrator change the level"))
	p.Err = &Incompatible{Judgement: j}
	return p
}

func badSchema(err error) error {
	p := refuse(42201, exchange.Invalid, text("Schema 不可用", "Invalid schema"), exchange.Text{},
		text("按原因修改；yimen schema lint 指出所有问题", "change what the cause names; yimen schema lint tells all that is wrong"))
	p.Err = err
	return p
}

func badLevel() error {
	return refuse(42203, exchange.Invalid, text("兼容级别不可用", "Invalid compatibility level"), exchange.Text{},
		text("可用 NONE、BACKWARD、FORWARD、FULL 及后三者的 _TRANSITIVE；策略 STRICT 或 LENIENT",
			"valid are NONE, BACKWARD, FORWARD, FULL and the latter three with _TRANSITIVE; as policy STRICT and LENIENT"))
}

func badMode() error {
	return refuse(42204, exchange.Invalid, text("模式不可用", "Invalid mode"), exchange.Text{},
		text("可用 READWRITE、READONLY、READONLY_OVERRIDE、IMPORT、FORWARD", "valid are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT, FORWARD"))
}

func notInMode(subject, mode, needed string) error {
	return refuse(42205, exchange.Invalid,
		text("subject “"+subject+"” 的模式是 "+mode+"，不允许此操作", "Subject "+subject+" is in mode "+mode+", which does not permit this"), exchange.Text{},
		text("由管理员把模式改为 "+needed+"：PUT /mode", "have an administrator set the mode "+needed+": PUT /mode"))
}

func retired(subject string, from time.Time) error {
	return refuse(42205, exchange.Invalid,
		text("subject “"+subject+"” 已停用", "Subject "+subject+" is retired"),
		text("停用时间 "+from.Format(time.RFC3339), "from "+from.Format(time.RFC3339)+" on"),
		text("登记到接替它的 subject，或由管理员撤回停用", "register with the subject that took its place, or have an administrator take the retirement back"))
}

func notEmpty() error {
	return refuse(42205, exchange.Invalid,
		text("已有 Schema，不能改为 IMPORT", "Cannot import since found existing subjects"), exchange.Text{},
		text("先删除它们，或加 ?force=true", "delete them first, or set force=true"))
}

func versionTaken(subject string, version int) error {
	return refuse(42205, exchange.Invalid,
		text(fmt.Sprintf("subject “%s” 的版本 %d 已被占用", subject, version), fmt.Sprintf("Version %d of subject %s is taken", version, subject)), exchange.Text{},
		text("换一个版本号", "import it under another version"))
}

func badVersion(version int) error {
	return refuse(42202, exchange.Invalid, text(fmt.Sprintf("版本号 %d 不可用", version), fmt.Sprintf("The specified version '%d' is not a valid version id.", version)), exchange.Text{},
		text("用 1 到 2147483647 的整数", "use a whole number from 1 to 2147483647"))
}

func notNext(version, next int) error {
	return refuse(42202, exchange.Invalid,
		text(fmt.Sprintf("版本 %d 不是下一个版本", version), fmt.Sprintf("Version %d is not one more than the previous version", version)),
		text(fmt.Sprintf("下一个是 %d", next), fmt.Sprintf("the next one is %d", next)),
		text("不写版本号，或改为 IMPORT 模式", "leave the version out, or set the mode IMPORT"))
}

func noReference(ref Reference) error {
	return refuse(42206, exchange.Invalid,
		text(fmt.Sprintf("引用的 “%s” 版本 %d 不存在", ref.Subject, ref.Version), fmt.Sprintf("The reference '%s' names version %d of subject '%s', which is not there", ref.Name, ref.Version, ref.Subject)),
		exchange.Text{}, text("先登记被引用的 Schema，或改正 references", "register that schema first, or correct the references"))
}

func twoReferences(name string) error {
	return refuse(42201, exchange.Invalid,
		text("引用名 “"+name+"” 指两个不同的 Schema", "The reference name '"+name+"' stands for two different schemas"), exchange.Text{},
		text("给其中一个另取名字", "give one of them another name"))
}

func referenced(subject string, version int) error {
	return refuse(42206, exchange.Invalid,
		text(fmt.Sprintf("subject “%s” 的版本 %d 被其他 Schema 引用", subject, version), fmt.Sprintf("One or more references exist to the schema {subject=%s,version=%d}", subject, version)),
		exchange.Text{}, text("先删除引用它的 Schema：GET …/referencedby", "delete the schemas that refer to it first: GET …/referencedby lists them"))
}

func badID(id int) error {
	return refuse(42207, exchange.Invalid, text(fmt.Sprintf("编号 %d 不可用", id), fmt.Sprintf("The id %d is not valid", id)), exchange.Text{},
		text("用 1 到 2147483647 的整数", "use a whole number from 1 to 2147483647"))
}

func idTaken(id int) error {
	return refuse(42207, exchange.Invalid,
		text(fmt.Sprintf("编号 %d 已属于别的内容，或此内容已有别的编号", id), fmt.Sprintf("The id %d belongs to another schema, or this schema has another id", id)), exchange.Text{},
		text("导入到空的登记处", "import into an empty registry"))
}

func badSubject() error {
	return refuse(42208, exchange.Invalid, text("subject 名不可用", "The specified subject is not a valid subject."),
		text("为空、超过 249 个字符、不是 UTF-8，或含不可见字符", "it is empty, longer than 249 characters, not UTF-8, or holds characters that cannot be shown"),
		text("例如 {主题}-value", "use one such as {topic}-value"))
}

func personalSubject() error {
	return refuse(42208, exchange.Invalid, text("subject 名中有证件号码", "The specified subject holds the number of a person or a company."),
		text("名称会永久留在主题、日志和地址中", "names stay in topics, logs and addresses for ever"),
		text("改用不含号码的名称，例如 {主题}-value", "use a name without numbers of people, such as {topic}-value"))
}

func tooLarge(size int) error {
	return refuse(42209, exchange.Invalid, text("Schema 过大", "The schema is too large"),
		text(fmt.Sprintf("%d 字节，上限 %d", size, maxProposal), fmt.Sprintf("%d bytes, the limit is %d", size, maxProposal)),
		text("拆分 Schema，用 references 引用", "split the schema, and name its parts in references"))
}

func notUTF8() error {
	return refuse(42201, exchange.Invalid, text("内容不是 UTF-8", "The content is not UTF-8"), exchange.Text{}, text("改为 UTF-8", "write it in UTF-8"))
}

func exhausted() error {
	return refuse(42205, exchange.Invalid, text("编号或版本号已用尽", "There are no more ids or versions"), exchange.Text{},
		text("不要导入过大的编号和版本号", "import no schemas with huge ids or versions"))
}

func unavailable(code int, what exchange.Text, err error) error {
	p := refuse(code, exchange.Unavailable, what, exchange.Text{}, text("检查 Kafka 后重试；重复登记同一 Schema 无害", "check Kafka and try again; registering the same schema twice does no harm"))
	p.Err = err
	return p
}

func storeDown(err error) error {
	return unavailable(50001, text("登记处连不上消息总线", "the registry cannot reach the bus"), err)
}

func misjudged(operation string) error {
	return refuse(50001, exchange.Internal, text("改动未生效", "the change did not take effect"),
		text("本程序对 "+operation+" 的判断与登记处的次序不符", "this program judged the operation "+operation+" otherwise than the registry's order does"),
		text("各节点升级到同一版本后重试；仍不行请报告此错误", "bring all nodes to the same version and try again; if it stays, report it"))
}

func tooSlow(err error) error {
	return unavailable(50002, text("不能确定改动是否已生效", "it is not known whether the change took effect"), err)
}

func notOpen(err error) error {
	return unavailable(50002, text("登记处尚未读完已有的改动", "the registry has not read all changes so far yet"), err)
}

func noOpinion(err error) error {
	p := refuse(50001, exchange.Unavailable,
		text("第二校验器没有意见，证照 Schema 不能登记", "the second validator gives no opinion, without which no evidence schema is registered"), exchange.Text{},
		text("稍后重试；仍不行时查看服务日志", "try again; if it stays, look into the service's log"))
	p.Err = err
	return p
}
