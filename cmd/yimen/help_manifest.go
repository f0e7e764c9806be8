package main

import (
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// manifestKeys are all keys of a manifest besides those within its mapping; a test holds them against adapters.Manifest.
func manifestKeys() []setting {
	return []setting{
		{"adapter", "", both("必填。部门/名称，如 scjg/licences", "required: department/name, such as scjg/licences")},
		{"evidence", "", both("必填。证照类型，见 yimen schema list", "required: the evidence type; see yimen schema list")},
		{"source.kind", "", both("必填。tabular：CSV 文件；national：国家数据共享交换平台（及沿用其写法的省平台）的一个服务", "required; tabular: a CSV file; national: a service of the national data sharing platform, or of a province's that copied it")},
		{"source.path", "", both("tabular 必填。文件，从清单所在文件夹算起", "required with tabular: the file, from the manifest's folder")},
		{"source.complete", "false", both("true：每次都是全部记录，少了的行会撤回", "true: each reading has all records, and one whose row is gone is withdrawn")},
		{"source.as_of", "modified", both("数据截至何时：modified 文件写成时，read 读取时", "up to when the data tell the truth: modified, the file's time, or read, the time of reading")},
		{"source.url", "", both("national 必填。平台的调用地址", "required with national: the platform's address for calls")},
		{"source.refresh_url", "", both("national 必填。刷新请求密钥的地址", "required with national: its address for refreshing the request secret")},
		{"source.insecure", "false", both("true：以上两个地址可以是别的机器上的 http，记录在网络上是明文；只在可信的网络中写", "true: these two may be http on another machine; rows then cross the network readable, so write it on a trusted network only")},
		{"source.requester", "", both("national 必填。请求者标识 rid", "required with national: the requester's id, rid")},
		{"source.service", "", both("national 必填。服务编码 sid，如 s_1200000900000_2108", "required with national: the service's code, sid, such as s_1200000900000_2108")},
		{"source.app_key_file", "", both("national 必填。服务授权码 appkey 的文件，须 chmod 600；授权码不写在清单里", "required with national: the file of the app key, chmod 600; the key never stands in the manifest")},
		{"source.prefix", "gjgxjhpt", both("四个请求头的前缀；省平台写其自己的，如 hnjhpt", "what the four headers begin with; a province's platform has its own, such as hnjhpt")},
		{"source.parameters", "", both("每次调用另带的参数 {名称: 值}", "what is sent with each call besides, {name: value}")},
		{"source.page", "pageNo", both("页号参数的名称，从 1 起", "the parameter that is the number of the page, from 1")},
		{"source.page_size", "pageSize", both("每页行数参数的名称", "the parameter that is how many rows a page has")},
		{"source.size", "100", both("每页多少行", "how many rows a page has")},
		{"source.rows", "/data", both("回答中行的列表在哪里（JSON 指针）", "where an answer has the list of rows, a JSON pointer")},
		{"source.total", "", both("回答中总行数在哪里；complete: true 时必填", "where an answer has the number of all rows; required with complete: true")},
		{"dialect.encoding", "", both("tabular 必填。utf-8 或 gb18030（含 GBK、GB2312、ANSI）；声明，不猜测", "required with tabular: utf-8 or gb18030 (GBK, GB2312 and ANSI too); declared, never guessed")},
		{"dialect.delimiter", `","`, both(`分隔符：","、"\t"、";" 或 "|"`, `what stands between values: ",", "\t", ";" or "|"`)},
		{"dialect.columns", "", both("应有的表头，按顺序；不符则拒绝整个文件", "the header expected, in order; a file with another is refused")},
		{"dialect.glyphs", "", both("本部门字库的私用区字符各是什么字", "which characters the private-use codes of the department's font stand for")},
		{"holders.kind", "", both("只涉及 person（自然人）或 org（法人）；不写为两者", "speaks of person or org only; left out, of both")},
		{"holders.divisions", "", both(`只涉及这些行政区划，如 ["430281"]；不写为不限`, `speaks of these divisions only, such as ["430281"]; left out, of all`)},
		{"tolerance.rows", "1000", both("一次最多隔离多少行，超过则停止；0 为不限", "rows of one reading that may go to quarantine before it stops; 0: any number")},
		{"tolerance.share", "0.05", both("同上，占所读行数的比例；0 为不限", "the same as a share of the rows read; 0: any share")},
		{"tolerance.unreadable", "0", both("有多少行认不出持证主体时，仍算完整", "rows whose holder cannot be read that leave the source complete all the same")},
		{"tolerance.withdrawn_share", "0.2", both("一次最多撤回的比例；yimen adapter run --allow-withdrawals 可放行一次", "share of the records that one reading may withdraw; yimen adapter run --allow-withdrawals lets one pass")},
		{"absent", "", both("表示“没有”的写法，如 N/A；空白格总是没有", "words that stand for no value, such as N/A; a blank cell always does")},
		{"every", "30s", both("yimen adapter run --watch 多久查看一次", "how often yimen adapter run --watch looks again")},
		{"mapping", "", both("必填。证照的每个字段从哪一列来，怎样读", "required: which column each field comes from, and how it is read")},
	}
}

// ruleKeys are the keys of a rule of a mapping; a test holds them against mapping.Rule.
func ruleKeys() []setting {
	return []setting{
		{"column", "", both("列名。只写列名时可简写为 字段: 列名", "the column; on its own it may be written field: column")},
		{"constant", "", both("每条记录都一样的值", "the same value in every record")},
		{"join", "", both("几列合在一起，空的略去", "several columns put together, blank ones left out")},
		{"with", "", both("合在一起时的间隔", "what stands between joined columns")},
		{"as", "text", both("怎样读，见下", "how it is read, see below")},
		{"currency", "", both("as: money 时，没写币种的金额是什么币种，如 CNY", "with as: money, what a figure without a currency is in, such as CNY")},
		{"open", "false", both("as: date 时，长期、永久算作没有期限", "with as: date, the words for unlimited mean that there is no date")},
		{"table", "", both("代码对照表 {代码: 值}；不在表中的代码算错", "what each code stands for, {code: value}; a code not in it is a fault")},
		{"otherwise", "", both("不在 table 中的代码一律算作它", "what all codes stand for that are not in the table")},
		{"split", "", both("按这个分隔符拆成列表", "makes a list, cut at this separator")},
		{"each", "", both("列表的每一项怎样读", "how each part of the list is read")},
		{"items", "", both("几列各自拆分，逐项组成对象", "several columns that are cut alike and make objects together")},
	}
}

// readings are the values of as; a test holds them against the mapping.
func readings() []setting {
	return []setting{
		{"text", "", both("文字，去掉首尾空白", "text without white space at its ends")},
		{"line", "", both("一行文字，其中的换行变成空格", "text on one line: breaks become spaces")},
		{"citizen-number", "", both("公民身份号码，核对校验位；旧的 15 位补成 18 位", "a citizen number, check digit and all; the old 15 digits become 18")},
		{"credit-code", "", both("统一社会信用代码，核对校验位", "a unified social credit code, check character and all")},
		{"licence-id", "", both("电子证照标识", "the identifier of an electronic licence")},
		{"holder-number", "", both("以上身份证号或信用代码，由写法分辨", "a citizen number or credit code, told by its form")},
		{"date", "", both("日期：2024-03-07、2024/3/7、2024年3月7日等", "a date: 2024-03-07, 2024/3/7 and other forms with the year first")},
		{"decimal", "", both("小数，保持原样的十进制文字", "a decimal number, kept as digits")},
		{"number", "", both("数字", "a number")},
		{"integer", "", both("整数", "a whole number")},
		{"boolean", "", both("是或否", "yes or no")},
		{"money", "", both("金额和币种；1200万 读作 12000000", "amount and currency, with the words for ten thousand and the like worked out")},
	}
}

// exampleManifest is a manifest for a register of health certificates, whose columns have the names given.
func exampleManifest(columns [8]string) string {
	names := make([]string, 0, 2*len(columns))
	for i, c := range columns {
		names = append(names, "$"+string(rune('a'+i)), c)
	}
	return strings.NewReplacer(names...).Replace(`adapter: wjw/health
evidence: health-certificate
source: {kind: tabular, path: health.csv, complete: true}
dialect: {encoding: gb18030, delimiter: ","}
absent: [N/A]
mapping:
  certificateNumber: $a
  citizenNumber: {column: $b, as: citizen-number}
  name: $c
  trade: {constant: $h}
  examinedOn: {column: $d, as: date}
  result: {column: $e, table: {"1": 合格, "2": 不合格}}
  validFrom: {column: $d, as: date}
  validUntil: {column: $f, as: date}
  issuingAuthority: $g
`)
}

func chineseManifest() string {
	return exampleManifest([8]string{"证号", "身份证号", "姓名", "检查日期", "结论", "有效期至", "体检机构", "食品"})
}

func englishManifest() string {
	manifest := exampleManifest([8]string{"number", "citizen", "person", "examined", "result", "until", "clinic", "food"})
	return strings.Replace(manifest, `{column: result, table: {"1": 合格, "2": 不合格}}`, "result", 1) // the schema's words are Chinese
}

func aboutManifest() exchange.Text {
	return both(`清单说明一个适配器的数据在哪里、怎样写成、各列对应证照的哪个字段。它是 YAML 文件（UTF-8），不写密码。
不认识的键会被拒绝。写好后先试读：yimen adapter check 清单文件

`+pages(manifestKeys()).ZH+`
mapping 的每条规则：键是字段（见 yimen schema show 类型），深处的字段用点连接：spouses.0.name

`+pages(ruleKeys()).ZH+`
as 的值：

`+pages(readings()).ZH+`
示例：

`+strings.TrimRight(indented(chineseManifest()), "\n"),
		`A manifest says where an adapter's data lie, how they are written, and which column fills which field of the
evidence. It is a YAML file (UTF-8) and holds no passwords. Unknown keys are refused. Try it with
yimen adapter check MANIFEST

`+pages(manifestKeys()).EN+`
A rule of the mapping: its key is a field (see yimen schema show TYPE), deeper ones with dots: spouses.0.name

`+pages(ruleKeys()).EN+`
Values of as:

`+pages(readings()).EN+`
An example:

`+strings.TrimRight(indented(englishManifest()), "\n"))
}
