package exchange

// Assurance is the trust that an electronic material deserves (国办函〔2016〕108号), from A, the most, to D.
type Assurance string

// The levels.
const (
	AssuranceA Assurance = "A" // the keeper issued it electronically and signed it
	AssuranceB Assurance = "B" // a window compared it with the original
	AssuranceC Assurance = "C" // another than the keeper passed it on
	AssuranceD Assurance = "D" // the applicant made it
)

var assurances = map[Assurance]Text{
	AssuranceA: {ZH: "数源部门签发", EN: "issued by the keeper"},
	AssuranceB: {ZH: "窗口已核对原件", EN: "compared with the original"},
	AssuranceC: {ZH: "由其他部门转来", EN: "passed on by another department"},
	AssuranceD: {ZH: "申请人自备", EN: "made by the applicant"},
}

// Text is the level as people read it.
func (a Assurance) Text() Text { return assurances[a] }
