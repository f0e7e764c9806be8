package node

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/contract"
)

// secrets are those of the exchange, and why most never rotate: what was made with them is kept, and could not be made again.
var secrets = []struct {
	name  string
	use   exchange.Text
	fixed exchange.Text // why it never rotates; empty: it does
}{
	{name: sealingKey, use: text("记录封装给它", "records are sealed to it")},
	{name: ordersKey, use: text("签名名册、目录、疑义、订阅的条目和删除指令", "signs entries of the roll, the catalogue, doubts and subscriptions, and orders to erase")},
	{tokenKey, text("索引中代表持证主体", "stands for holders in the index"),
		text("索引和删除指令都按它查找持证主体；换了就谁也找不到，被删除的人也会重新可见", "index and orders to erase find holders by it: under another nobody is found, and who was erased shows again")},
	{indexKey, text("加封索引的行", "seals the index's rows"),
		text("各节点的索引都由它加封；换了就打不开，须全部删除、从主题重建", "every node's index is sealed under it: under another none opens, and all must be deleted and folded anew")},
	{auditKey, text("审计日志中代表当事人", "stands for people in the audit log"),
		text("审计日志不改写；换了就查不出以前谁看过某人的数据", "the audit log is never rewritten: under another nobody finds who looked at somebody's data before")},
	{doubtsKey, text("加封疑义中所写的话", "seals what is written of doubts"),
		text("主题 doubts 不改写；换了就读不出以前所写的", "the topic doubts is never rewritten: under another nobody reads what was written before")},
	{signatureKey, text("签名回执", "signs receipts"),
		text("已发出的回执由它验证，验证方只认一把公钥", "receipts that were handed out are verified by it, and verifiers know one key")},
	{noticesKey, text("签名发往 Webhook 的通知", "signs what webhooks are sent"),
		text("接收方按订阅时告知的公钥（whpk_…）验证", "receivers verify it by the public key they were told when they subscribed (whpk_…)")},
	{copiesKey, text("签名加注件", "signs copies of records"),
		text("已发出的加注件由它核验（verifyFile）", "copies that were handed out are checked by it (verifyFile)")},
	{copyCodesKey, text("加封加注件上的查询码", "seals the codes on copies"),
		text("已发出的加注件上的码由它读", "the codes on copies that were handed out are read by it")},
	{logKey, text("签名审计日志的检查点", "signs the audit log's checkpoints"),
		text("见证服务和验证方由它（audit.vkey）认这份日志；换了就是另一份日志", "witnesses and verifiers know the log by it (audit.vkey): under another it is another log")},
}

// KeyRing is one of the exchange's secrets as administrators see it; no secret stands in it.
type KeyRing struct {
	Name     string        `json:"name"`
	Use      exchange.Text `json:"use"`
	Versions int           `json:"versions"`
	Made     time.Time     `json:"made"`           // when the newest version was drawn
	InUse    int           `json:"in_use"`         // the version that things are made with
	From     time.Time     `json:"from,omitzero"`  // when the newest comes into use, while it is not
	Fixed    exchange.Text `json:"fixed,omitzero"` // why it never rotates; empty: it does
}

// KeyRotation is the body of POST /v1/keys/rotations. A dry run says what would come of it.
type KeyRotation struct {
	Name   string `json:"name"`
	DryRun bool   `json:"dry_run,omitzero"`
}

// keyRing is the ring of one of the secrets.
func (n *Node) keyRing(ctx context.Context, name string) (KeyRing, error) {
	var names []string
	for _, s := range secrets {
		if names = append(names, s.name); s.name != name {
			continue
		}
		ring, err := n.Authority.Ring(ctx, name)
		if err != nil {
			return KeyRing{}, err
		}
		k := KeyRing{Name: name, Use: s.use, Fixed: s.fixed}
		k.add(ring, n.around.Clock())
		return k, nil
	}
	return KeyRing{}, noSuchSecret(strings.Join(names, ", "))
}

func noSuchSecret(known string) error {
	return &exchange.Problem{Code: "YM-KEY-0402", Kind: exchange.NotFound, What: text("没有这个密钥", "there is no such secret"),
		Mend: text("可写："+known, "it is one of: "+known)}
}

// add says how the versions of a ring stand now.
func (k *KeyRing) add(ring []certs.Key, now time.Time) {
	newest := ring[len(ring)-1]
	k.Versions, k.Made = len(ring), newest.Made
	k.InUse, k.From = newest.Version, time.Time{}
	if k.Fixed != (exchange.Text{}) {
		return // all nodes use the one that there is
	}
	if k.InUse = certs.InUse(ring, now).Version; k.InUse != newest.Version {
		k.From = newest.Made.Add(certs.Seasoning)
	}
}

// Rotate draws the next version of a secret. Every node that answers holds it before anything is made with it, so none is restarted.
func (n *Node) Rotate(ctx context.Context, by string, asked KeyRotation) (KeyRing, error) {
	k, err := n.keyRing(ctx, asked.Name)
	if err != nil {
		return KeyRing{}, err
	}
	if err := k.mayRotate(); err != nil {
		return KeyRing{}, err
	}
	if asked.DryRun {
		k.Versions, k.From = k.Versions+1, n.around.Clock().Add(certs.Seasoning).Truncate(time.Minute) // about when
		return k, nil
	}
	if err := n.act(ctx, by, "key-rotate", asked.Name); err != nil {
		return KeyRing{}, err
	}
	if _, err := n.Authority.Rotate(ctx, asked.Name); err != nil {
		return KeyRing{}, err
	}
	return n.keyRing(ctx, asked.Name)
}

func (k *KeyRing) mayRotate() error {
	if k.Fixed != (exchange.Text{}) {
		return &exchange.Problem{Code: "YM-KEY-0401", Kind: exchange.Denied, What: text("密钥 "+k.Name+" 不能更换", "the secret "+k.Name+" must not be rotated"), Why: k.Fixed,
			Mend: text("可以更换的是 sealing 和 orders，见 yimen key list", "those that rotate are sealing and orders; see `yimen key list`")}
	}
	if !k.From.IsZero() {
		at := k.From.In(exchange.China).Format(time.DateTime)
		return &exchange.Problem{Code: "YM-KEY-0403", Kind: exchange.Conflict, What: text("密钥 "+k.Name+" 刚更换过", "the secret "+k.Name+" was rotated just now"),
			Why:  text(fmt.Sprintf("第 %d 版 %s 启用", k.Versions, at), fmt.Sprintf("version %d comes into use at %s", k.Versions, at)),
			Mend: text("等它启用后再更换", "wait until it is in use")}
	}
	return nil
}

// keyRings are GET /v1/keys and POST /v1/keys/rotations.
func (n *Node) keyRings() []contract.Operation {
	ring := KeyRing{Name: sealingKey, Use: secrets[0].use, Versions: 1, Made: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), InUse: 1}
	return []contract.Operation{
		{ID: "listKeys", Method: http.MethodGet, Path: "/v1/keys", Group: contract.Joining, Name: text("列出密钥", "list keys"),
			About: text("平台的密钥及其版本，不含密钥本身。管理员可用。", "The exchange's secrets and their versions, never the secrets themselves. For administrators."), Answer: []KeyRing{ring},
			Do: n.forAdmins(func(r *http.Request, _ string) (any, error) {
				all := make([]KeyRing, len(secrets))
				for i, s := range secrets {
					var err error
					if all[i], err = n.keyRing(r.Context(), s.name); err != nil {
						return nil, err
					}
				}
				return all, nil
			})},
		{ID: "rotateKey", Method: http.MethodPost, Path: "/v1/keys/rotations", Group: contract.Joining, Repeats: contract.Changes, Name: text("更换密钥", "rotate a key"),
			About: text("启用一个密钥的新版本，留下审计记录。管理员可用。", "Has a secret's next version come into use, and leaves an audit entry. For administrators."), Asked: KeyRotation{Name: ring.Name, DryRun: true}, Answer: ring,
			Refusals: []error{noSuchSecret("sealing, orders"), (&KeyRing{Name: sealingKey, Versions: 2, From: ring.Made}).mayRotate()},
			Do: n.forAdmins(func(r *http.Request, who string) (any, error) {
				asked, err := contract.Read[KeyRotation](r, text("用同版本的 yimen key rotate", "use `yimen key rotate` of the same version"))
				if err != nil {
					return nil, err
				}
				return n.Rotate(r.Context(), who, asked)
			})},
	}
}
