package enrol

import (
	"net/http"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
)

// Operations are enrolment and the administration of identities.
func Operations(cfg Config) []contract.Operation {
	h := &handler{cfg}
	day := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	joined := Joined{Identity: "spiffe://yimen/dept/scjg/adapter/licences", Until: day.Add(72 * time.Hour), Chain: [][]byte{{0x30}}, Roots: [][]byte{{0x30}},
		Exchange: Exchange{SealingKey: []byte{1}, Kafka: []string{"kafka-1.example.gov.cn:9093"}, KafkaTLS: true}}
	standing := roll.Standing{Identity: joined.Identity, Department: "scjg", Role: "adapter", Name: "licences", Principal: "scjg/licences", Issued: day, Until: joined.Until}
	revoked := revocation{Target: "scjg/licences", Reason: "key-lost"}
	badToken := &exchange.Problem{Code: "YM-ROL-0104", Kind: exchange.Unauthorised, What: text("一次性令牌无效", "the one-time token is not good"),
		Mend: text("请管理员用 yimen identity invite 重新签发", "have the administrator draw another with `yimen identity invite`")}
	guesses := &exchange.Problem{Code: "YM-ROL-0105", Kind: exchange.Limited, What: text("错误令牌过多，请稍后再试", "there were too many wrong tokens; try again later"),
		Mend: text("等一分钟；令牌请整段复制", "wait a minute, and copy the token as a whole")}
	all := []contract.Operation{
		{ID: "enrol", Method: http.MethodPost, Path: pathEnrolments, Open: true, Do: h.enrol, Name: text("入网", "enrol"),
			About: text("凭一次性令牌换取证书。令牌用过即废；私钥不离开本机。", "Gives a certificate for a one-time token, which is used up. The private key never leaves the machine."),
			Asked: enrolment{Token: "K7QX-…", Request: []byte{0x30}}, Answer: joined, Refusals: []error{contract.BadBody(text("正文为空", "it is empty"), sameVersion), badToken, guesses}},
		{ID: "renew", Method: http.MethodPost, Path: pathRenewals, Do: h.renew, Name: text("续期", "renew a certificate"),
			About: text("凭现有证书换取下一张。", "Gives the next certificate to whoever shows one."),
			Asked: renewal{Request: []byte{0x30}}, Answer: joined, Refusals: []error{noCertificate()}},
		{ID: "ownIdentity", Method: http.MethodGet, Path: pathOwn, Do: h.own, Name: text("查看自己的身份", "see one's own identity"),
			About:  text("出示的证书属于谁、状态如何；已被吊销或过期时说明原因和找谁。Kafka 拒绝服务时不说原因，可在此询问。", "Whose the certificate is that is shown, and how it stands; where it was revoked or is out of date, why and whom to ask. Kafka does not say why it refuses somebody: ask here."),
			Answer: standing, Refusals: []error{noCertificate()}},
		{ID: "listRoots", Method: http.MethodGet, Path: pathRoots, Open: true, Do: h.roots, Name: text("根证书", "roots"),
			About:  text("根证书及其指纹。它不证明什么：请与接入函上的指纹核对。", "The roots with their fingerprints. They prove nothing: compare them with the letter of access."),
			Answer: roots{Roots: [][]byte{{0x30}}, Fingerprints: []certs.Fingerprint{{}}}},
		{ID: "listIdentities", Method: http.MethodGet, Path: pathIdentities, Do: h.identities, Name: text("列出身份", "list identities"),
			About:  text("全部身份及其证书的状态。管理员可用。", "All identities and how their certificates stand. For administrators."),
			Answer: standings{[]roll.Standing{standing}}},
		{ID: "invite", Method: http.MethodPost, Path: pathInvitations, Do: h.invite, Repeats: contract.Changes, Name: text("邀请入网", "invite"),
			About: text("给一个身份签发一次性令牌，留下审计记录。管理员可用。", "Draws a one-time token for an identity, and leaves an audit entry. For administrators."),
			Asked: invitationRequest{Identity: "scjg/licences", Hours: 24}, Answer: Invitation{Identity: joined.Identity, Token: "K7QX-…", Until: day.Add(24 * time.Hour)}, Refusals: []error{badIdentity(), badHours()}},
		{ID: "revoke", Method: http.MethodPost, Path: pathRevocations, Do: h.revoke, Repeats: contract.Changes, Name: text("吊销", "revoke"),
			About: text("即刻拒绝一个部门、身份或证书，已打开的连接也在内。管理员可用。", "Refuses a department, an identity or a certificate at once, on open connections too. For administrators."),
			Asked: revoked, Answer: revoked, Refusals: []error{badTarget(), badReason()}},
		{ID: "restore", Method: http.MethodPost, Path: pathRestorations, Do: h.restore, Repeats: contract.Changes, Name: text("恢复", "restore"),
			About: text("撤回吊销。管理员可用。", "Lifts a revocation. For administrators."),
			Asked: revocation{Target: "scjg/licences"}, Answer: revocation{Target: "scjg/licences"}, Refusals: []error{badTarget()}},
	}
	for i := range all {
		all[i].Group = contract.Joining
	}
	return all
}
