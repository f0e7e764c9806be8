package exchange

// Role says whose evidence a material asks for.
type Role string

// The roles.
const (
	Self           Role = "self"           // 申请人本人 or the applying organisation
	Spouse         Role = "spouse"         // 配偶
	Representative Role = "representative" // 法定代表人
	Agent          Role = "agent"          // 代办人
)

var roles = map[Role]Text{
	Self:           {ZH: "申请人", EN: "applicant"},
	Spouse:         {ZH: "配偶", EN: "spouse"},
	Representative: {ZH: "法定代表人", EN: "legal representative"},
	Agent:          {ZH: "代办人", EN: "agent"},
}

// Text is the role as people read it, empty for one that there is not.
func (r Role) Text() Text { return roles[r] }
