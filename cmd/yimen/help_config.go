package main

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/node"
)

// setting is one key of a file that people write.
type setting struct {
	key     string // dotted
	initial string // what holds where it is left out
	text    exchange.Text
}

// settings are all keys of the configuration; a test holds them against node.Config.
func settings() []setting {
	return append([]setting{
		{"data", "", both("必填。密钥、索引和内嵌 Kafka 所在的目录", "required: the directory of keys, index and embedded Kafka")},
		{"callers", "", both("必填。调用方文件：谁可以查询", "required: the file of those who may ask")},
		{"http", node.DefaultHTTP, both("HTTP 地址；端口 0 为自动选择", "the HTTP address; port 0 picks a free one")},
		{"tls.cert", "", both("HTTPS 证书（PEM）；与 tls.key 一起写。都不写则为 HTTP，只用于本机", "certificate for HTTPS (PEM), along with tls.key; without both it is HTTP, for this machine only")},
		{"tls.key", "", both("HTTPS 证书的私钥（PEM）", "the certificate's private key (PEM)")},
		{"city", node.DefaultCity, both("全市身份的信任域；别市的证书在这里不认", "the trust domain of all identities; another city's certificates are strangers here")},
		{"crypto", "standard", both("新入网的适配器用哪套算法签名和封装：standard（国际）或 national（国密 SM2、SM3、SM4）；入网时由平台告知，各节点须一致", "the algorithms by which adapters that enrol sign and seal: standard, or national (SM2, SM3, SM4); they are told at enrolment; the same on all nodes")},
		{"name", "main", both("本节点的名称", "this node's name")},
		{"departments", node.DefaultDepartments, both("部门地址：本市 CA 的 HTTPS，凭证书访问，也在此入网", "the address for departments: HTTPS under the city's own CA, with certificates; machines enrol there")},
		{"hosts", "", both("列表：部门访问本节点用的主机名和地址，写入节点证书", "a list of names and addresses by which departments reach this node, for its certificate")},
		{"help_phone", "", both("窗口页面上显示的求助电话", "the number that the clerk's page names for help")},
		{"login.issuer", "", both("OpenID Connect 登录服务的地址；不写则没有", "the address of an OpenID Connect login service; left out, there is none")},
		{"login.audience", "", both("它为本平台签发令牌时写的 audience", "what its tokens for this exchange are issued for")},
		{"login.department_claim", "department", both("令牌中写部门代码的字段", "the claim with the department's code")},
		{"login.clerk_claim", "staff_code", both("令牌中写工号的字段", "the claim with the staff code")},
		{"login.ca", "", both("登录服务的根证书文件（PEM）", "the file of the login service's root (PEM)")},
		{"proxies", "", both("列表：本市反向代理的地址或网段", "a list of addresses or networks of the city's own reverse proxies")},
		{"audit.witness", "", both("见证服务的地址（yimen witness）；不写则没有见证", "the address of a witness (yimen witness); left out, there is none")},
		{"audit.witness_key", "", both("见证服务的公钥", "the witness's verifier key")},
		{"audit.stale_after", "4h", both("检查点多久没有公布就停止答复", "how long answers go on while no checkpoint is published")},
		{"audit.delays", "", both("按事项代码：法律要求时，多久之后才告知本人，如 {item: 720h}", "by item: how long a holder is not told of a query, where the law says so, such as {item: 720h}")},
		{"vault.address", "", both("Vault 的地址（https://主机:端口）；不写则密钥是 data 下的文件", "Vault's address (https://host:port); left out, keys are files under data")},
		{"vault.ca", "", both("Vault 证书的根（PEM）", "the root of Vault's certificate (PEM)")},
		{"vault.pki", "yimen-pki", both("签发证书的挂载点；以下各项的默认值即 deploy/vault/setup.sh 所建", "the mount that certifies; these defaults are what deploy/vault/setup.sh sets up")},
		{"vault.transit", "yimen-transit", both("加封密钥的挂载点", "the mount that wraps secrets")},
		{"vault.key", "yimen", both("加封所用的 transit 密钥", "the transit key that wraps them")},
		{"vault.kv", "yimen-kv", both("存放加封后密钥的挂载点", "the mount that keeps wrapped secrets")},
		{"vault.login.kind", "approle", both("登录方式：approle 或 cert", "how to log in: approle or cert")},
		{"vault.login.mount", "", both("登录方式的挂载点；不写则与方式同名", "the login's mount; left out, it is named as its kind")},
		{"vault.login.role", "yimen-node", both("登录的角色", "the role to log in to")},
		{"vault.login.role_id", "", both("AppRole 的 role_id", "the AppRole's role_id")},
		{"vault.login.secret_id", "", both("包装令牌的文件，用一次即删；每次启动需要新的", "the file of a wrapping token, used once and removed: each start needs a new one")},
		{"vault.login.cert", "", both("本机证书（PEM），cert 方式用", "the machine's certificate (PEM), for cert")},
		{"vault.login.cert_key", "", both("其私钥（PEM）", "its private key (PEM)")},
		{"vault.hold", "15m", both("Vault 中断后，密钥在内存中可用多久，至多 1h", "how long keys may serve from memory without Vault, at most 1h")},
		{"vault.refresh", "30s", both("多久向 Vault 核对一次；不超过 hold 的一半", "how often Vault is asked; at most half of hold")},
		{"vault.timeout", "500ms", both("等 Vault 一次应答多久", "how long Vault may take for one answer")},
		{"traces.endpoint", "", both("接收链路追踪的地址（OTLP/HTTP），如 http://127.0.0.1:4318；不写则不产生，但调用方的 traceparent 照样传下去", "where the spans of traces go (OTLP over HTTP), such as http://127.0.0.1:4318; left out, there are none, and callers' traceparent goes on all the same")},
		{"traces.ca", "", both("其根证书文件（PEM）", "the file of its root (PEM)")},
		{"traces.sample", "1", both("本平台发起的链路中发送的比例；调用方已发起的由其决定", "the share of traces begun here that is sent; of those that callers began, they decide")},
		{"kafka.brokers", "", both("Kafka 集群的地址列表；不写则用内嵌 Kafka", "addresses of a Kafka cluster; left out, Kafka is embedded")},
		{"kafka.tls.ca", "", both("Kafka 代理证书的根（PEM），即本市的根证书；不写则为明文", "the root of the brokers' certificates (PEM), which is the city's; left out, Kafka speaks plain text")},
		{"kafka.tls.cert", "", both("节点出示给 Kafka 的证书（PEM），由 yimen certify 签发；更新后无需重启", "the certificate that the node shows to Kafka (PEM), as yimen certify issues it; renewed without a restart")},
		{"kafka.tls.key", "", both("该证书的私钥（PEM），权限 600", "its private key (PEM), mode 600")},
		{"kafka.listen", node.DefaultKafka, both("内嵌 Kafka 的地址，只能是本机；端口 0 为自动选择", "the embedded Kafka's address, on this machine only; port 0 picks a free one")},
		{"kafka.partitions", "4", both("新建证照主题的分区数", "partitions of an evidence topic that is made")},
		{"kafka.replicas", "1", both("新建主题的副本数；三个以上代理时写 3", "replicas of a topic that is made; write 3 where there are three brokers or more")},
		{"kafka.erase_within", "24h", both("删除后多久之内字节从真实 Kafka 的主题上消失：一半时间 Kafka 放着不动，另一半留给清理，故至少写 5m；改后运行 yimen topics apply",
			"within what time the bytes of what was erased leave a real Kafka: half of it Kafka waits, half is for its cleaner, so write 5m at least; then run yimen topics apply")},
		{"kafka.pending", "336h", both("签名后多久未写入 Kafka 即不再接受；负数为不限，也不比对时钟", "how long a signed batch may wait for Kafka; below 0 for ever, and clocks are not compared")},
		{"kafka.wait", "1m", both("启动时等 Kafka 应答多久", "how long a start waits for Kafka to answer")},
		{"webhooks.allow", "", both("列表：通知可发往的地址或网段，如 10.20.0.0/16；不写域名，其余一律不连；不写则没有 Webhook", "a list of addresses or networks that notices may be sent to, such as 10.20.0.0/16; no names, and nothing else is dialled; left out, there are no webhooks")},
		{"webhooks.ca", "", both("接收方证书的根（PEM），在本机信任的之外", "roots of receivers' certificates (PEM), besides those this machine trusts")},
		{"webhooks.give_up", "72h", both("一次投递反复尝试多久", "how long a delivery is tried")},
		{"webhooks.standby", "0s", both("先让其他节点投递多久，之后补做剩下的；多个节点时，除一个外都写，如 10m", "how long notices are left to other nodes before this one does what is left undone; of several nodes write it on all but one, such as 10m")},
		{"catalogue", "", both("文件夹列表：本地的部门、事项和授权，覆盖内置的", "folders of a site's departments, items and grants, over the built-in ones")},
		{"schemas", "", both("文件夹列表：本地的证照 Schema", "folders of a site's evidence schemas")},
		{"cache_mib", "128", both("索引可用的缓存（MiB）", "memory for the index's cache, in MiB")},
	}, limitSettings()...)
}

// exampleConfig is a configuration as sites write it.
const exampleConfig = `data: /var/lib/yimen
callers: /etc/yimen/callers.yaml
http: 10.0.0.5:7080
tls: {cert: /etc/yimen/server.pem, key: /etc/yimen/server.key}
kafka:
  brokers: ["10.0.0.11:9093", "10.0.0.12:9093", "10.0.0.13:9093"]
  tls: {ca: /etc/yimen/kafka/roots.crt, cert: /etc/yimen/kafka/identity.key, key: /etc/yimen/kafka/identity.key}
  replicas: 3
catalogue: [/etc/yimen/catalogue]
`

// exampleCallers is a file of callers; nobody has a token with such a hash.
const exampleCallers = `- department: xzsp
  clerk: "0017"
  token_sha256: "0000000000000000000000000000000000000000000000000000000000000000"
  user: zhang.wei
  password: "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
- department: xzsp
  clerk: "0001"
  token_sha256: "1111111111111111111111111111111111111111111111111111111111111111"
  schemas: true
  admin: true
`

func aboutConfig() exchange.Text {
	return both(`yimen serve --config 读取的配置是一个 YAML 文件。不认识的键会被拒绝；相对路径从配置文件所在
的文件夹算起。

`+pages(settings()).ZH+`
示例：

`+indented(exampleConfig)+`
callers 文件是一个列表，每位办事人员一项：部门、工号（不写姓名）、令牌的 SHA-256。令牌本身只交给本人。
要在网页上登录的，再写 user 和 password：用户名，以及 yimen password 给出的口令散列。
schemas 可登记和改动 Schema，admin 管理身份、限额和删除，supervisor 查本部门的审计记录，
auditor 查全部，citizens 代本人查询谁看过其数据；items 起草和决定本部门的事项，grants 申请和决定
共享授权、答复疑义：

`+indented(exampleCallers)+`
生成令牌和它的 SHA-256：

  openssl rand -hex 32 > clerk.token
  tr -d '\n' < clerk.token | sha256sum`,
		`The configuration that yimen serve --config reads is a YAML file. Unknown keys are refused; relative
paths begin in the file's folder.

`+pages(settings()).EN+`
An example:

`+indented(exampleConfig)+`
The file of callers is a list with one entry for each clerk: department, staff code (not a name), SHA-256
of the token. The token itself goes to that clerk only. Who signs in at the page also has user and password: a name, and the
hash that yimen password gives. schemas lets them change schemas, admin manage identities, limits
and erasures, supervisor search their department's audit entries, auditor read all, citizens ask for a holder who looked;
items drafts and decides on the department's service items, grants asks for and decides on grants and answers doubts:

`+indented(exampleCallers)+`
To make a token and its SHA-256:

  openssl rand -hex 32 > clerk.token
  tr -d '\n' < clerk.token | sha256sum`)
}

// pages lists settings in both languages.
func pages(all []setting) exchange.Text {
	width := 0
	for _, s := range all {
		width = max(width, len(s.key))
	}
	var zh, en strings.Builder
	for _, s := range all {
		zhInitial, enInitial := "", ""
		if s.initial != "" {
			zhInitial, enInitial = "（默认 "+s.initial+"）", " (default "+s.initial+")"
		}
		fmt.Fprintf(&zh, "  %-*s  %s%s\n", width, s.key, s.text.ZH, zhInitial)
		fmt.Fprintf(&en, "  %-*s  %s%s\n", width, s.key, s.text.EN, enInitial)
	}
	return both(zh.String(), en.String())
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}
