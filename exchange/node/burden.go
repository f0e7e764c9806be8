package node

import (
	"net/http"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/burden"
	"github.com/onedoor/yimen/exchange/contract"
)

// burdens tells which proofs need not be demanded today.
func (n *Node) burdens() []contract.Operation {
	sum := burden.Sum{Demanded: 3, Dropped: 1, Blocked: 1, Made: 1, After: 2}
	obstacle := burden.Obstacle{Evidence: "tax-clearance", Why: burden.NoGrant}
	return []contract.Operation{{ID: "getBurden", Method: http.MethodGet, Path: "/v1/burden", Group: contract.Items,
		Name: text("减证统计", "proofs that could be dropped"),
		About: text("对照各数源的实际覆盖和现行授权，逐部门、逐事项统计今天可以不再索要的证明。只数目录中的材料，不涉及任何人。管理员可用。",
			"Counts, by department and item, which proofs need not be demanded today, given what the sources cover and what is granted. It counts the catalogue's materials and speaks of nobody. For administrators."),
		Answer: burden.Report{At: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), Total: sum,
			Departments: []burden.Department{{Code: "scjg", Name: text("市场监督管理局", "Administration for Market Regulation"), Sum: sum}},
			Items: []burden.Item{{Code: "enterprise-deregistration", Name: text("企业注销登记", "Deregistration of an enterprise"), Department: "scjg", Sum: sum,
				Materials: []burden.Material{{Code: "tax-clearance", Name: text("清税证明", "Tax clearance certificate"), State: burden.Blocked, Obstacles: []burden.Obstacle{obstacle}}}}},
			Steps: []burden.Step{{Obstacle: obstacle, Keeper: "swj", Items: []exchange.Item{"enterprise-deregistration"}, Alone: 1, Blocks: 1}}},
		Do: n.forAdmins(func(*http.Request, string) (any, error) {
			var types []exchange.EvidenceType
			for _, e := range n.Current().EvidenceTypes() {
				types = append(types, e.Type)
			}
			return burden.Of(n.Current(), n.Index.Sources(types), n.around.Clock()), nil
		})}}
}
