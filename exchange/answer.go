package exchange

import (
	"encoding/json"
	"time"
)

// Outcome is what an answer (结论) says of one material.
type Outcome string

// The outcomes. Unknown never reads as "not held".
const (
	Held     Outcome = "held"     // 已有: government holds it, the applicant need not bring it
	Check    Outcome = "check"    // 待核对: something was found that a person must look at
	Supply   Outcome = "supply"   // 需提交: the applicant brings it
	Unknown  Outcome = "unknown"  // 暂查不到: it could not be found out
	Received Outcome = "received" // 已收原件: the window has taken the original (cases only)
)

// Reason is the code that explains an outcome; empty for a plain "held".
type Reason string

// The reasons.
const (
	NotHeld            Reason = "not_held"
	Expired            Reason = "expired"
	IsSuspended        Reason = "suspended"
	IsRevoked          Reason = "revoked"
	IsSuperseded       Reason = "superseded"
	ConditionNotMet    Reason = "condition_not_met"
	PartyNotStated     Reason = "party_not_stated"
	PartyUnproven      Reason = "party_unproven"
	NoFactsStated      Reason = "no_facts_stated"
	NoGrant            Reason = "no_grant"
	ApplicantMade      Reason = "applicant_made"
	SourceStale        Reason = "source_stale"
	CoverageIncomplete Reason = "coverage_incomplete"
	Ambiguous          Reason = "ambiguous"
	FactsDiffer        Reason = "facts_differ"
)

// Answer says, for one material of a service item, whether the applicant must bring it.
type Answer struct {
	Material string     `json:"material"`
	Name     Text       `json:"name"`
	Basis    Text       `json:"basis"` // why the item may ask for it
	Outcome  Outcome    `json:"outcome"`
	Reason   Reason     `json:"reason,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"` // what the outcome rests on
	// Deferrable says whether the item may be accepted before the material is there (容缺受理).
	Deferrable bool `json:"deferrable,omitzero"`
	// Assurance is that of the weakest piece the outcome rests on; empty where there is none.
	Assurance Assurance `json:"assurance,omitempty"`
	// Ask has the questions whose answers, sent along as the chosen records, settle what is ambiguous.
	Ask []Question `json:"ask,omitempty"`
	// Unstated are the codes of facts that were not stated and may change this answer.
	Unstated []string `json:"unstated_facts,omitempty"`
	// Met is all that an answer in predicates says of the outcome: yes, no, or absent where it is not known.
	Met *bool `json:"met,omitempty"`
}

// Question is put back to the applicant where several records fit and nothing tells which of them is meant.
type Question struct {
	Type    EvidenceType `json:"type"`
	Choices []Choice     `json:"choices"`
}

// Choice is one of the records a question is about.
type Choice struct {
	Record string `json:"record"`
	Until  Date   `json:"valid_until,omitempty"`
	// Fields has those the grant allows in which the choices differ, each value as it was published.
	Fields json.RawMessage `json:"fields,omitempty"`
}

// Difference is one stated fact that the record does not bear out (校核比对).
type Difference struct {
	Field string `json:"field"`
	Kind  Gap    `json:"kind"`
	// Held is the record's value, as it was published; absent where there is none or the grant does not allow the field.
	Held json.RawMessage `json:"held,omitempty"`
}

// Gap says in what way a record does not bear out a stated fact.
type Gap string

// The gaps. Only the first two make an answer "facts differ".
const (
	Differs   Gap = "differs"     // the record says something else
	Absent    Gap = "absent"      // the record says nothing of it
	NameOnly  Gap = "name"        // a name is written otherwise: a notice, for people are told apart by their numbers
	Unchecked Gap = "not_granted" // the grant does not allow the field, so it was not compared
)

var gaps = map[Gap]Text{
	Differs:   {ZH: "%s 不一致", EN: "%s differs"},
	Absent:    {ZH: "记录中没有 %s", EN: "the record has no %s"},
	NameOnly:  {ZH: "%s 用字不同，不影响身份认定", EN: "%s is spelt otherwise, which does not matter"},
	Unchecked: {ZH: "%s 不在授权范围内，没有比对", EN: "%s was not compared: the grant does not allow it"},
}

// Text says it to people; %s is the field's name.
func (g Gap) Text() Text { return gaps[g] }

// Evidence is one type that was looked for, with the record that was found, if any, and no more of it than
// the caller's grant allows.
type Evidence struct {
	Type    EvidenceType `json:"type"`
	Of      Role         `json:"of,omitempty"` // whose it is; empty: the applicant's
	Outcome Outcome      `json:"outcome"`
	Reason  Reason       `json:"reason,omitempty"`
	Keeper  Department   `json:"keeper"`
	AsOf    time.Time    `json:"as_of,omitzero"` // up to when the keeper vouches for this
	Record  string       `json:"record,omitempty"`
	Version Version      `json:"version,omitzero"`
	Until   Date         `json:"valid_until,omitempty"`
	// Fields is a JSON object of what the grant allows of the document, each value as it was published.
	Fields json.RawMessage `json:"fields,omitempty"`
	// Assurance says how far the record can stand for the original.
	Assurance Assurance `json:"assurance,omitempty"`
	// Differences has what the applicant stated and the record does not bear out.
	Differences []Difference `json:"differences,omitempty"`
	// Result answers a query that only verifies; nil where it was not asked or cannot be told.
	Result *Verification `json:"result,omitempty"`
}

var outcomes = map[Outcome]Text{
	Held:     {ZH: "已有", EN: "held"},
	Check:    {ZH: "待核对", EN: "to check"},
	Supply:   {ZH: "需提交", EN: "to supply"},
	Unknown:  {ZH: "暂查不到", EN: "not known"},
	Received: {ZH: "已收原件", EN: "original received"},
}

// Text is the outcome as people read it.
func (o Outcome) Text() Text { return outcomes[o] }

var reasons = map[Reason]Text{
	NotHeld:            {ZH: "政府没有此项记录", EN: "government holds no record of it"},
	Expired:            {ZH: "已过有效期", EN: "it has expired"},
	IsSuspended:        {ZH: "已被暂停", EN: "it is suspended"},
	IsRevoked:          {ZH: "已被吊销或注销", EN: "it was revoked"},
	IsSuperseded:       {ZH: "已被新证替代", EN: "it was superseded"},
	NoFactsStated:      {ZH: "没有给出待核验的信息", EN: "no facts were given to verify"},
	PartyUnproven:      {ZH: "与申请人的关系没有记录可证，请核对", EN: "no record shows how they belong to the applicant: look at proof of it"},
	PartyNotStated:     {ZH: "没有说明是谁（配偶、法定代表人或代办人），因此没有查", EN: "who the other party is was not stated (spouse, representative or agent), so nobody was looked up"},
	ConditionNotMet:    {ZH: "与本事项的条件不符", EN: "it does not meet the item's condition"},
	NoGrant:            {ZH: "本部门没有该项数据的共享授权", EN: "this department has no grant for it"},
	ApplicantMade:      {ZH: "由申请人自备", EN: "the applicant makes it"},
	SourceStale:        {ZH: "来源数据过旧，不代表没有", EN: "the source is out of date; this does not mean that there is none"},
	CoverageIncomplete: {ZH: "来源数据不完整，不代表没有", EN: "the source is incomplete; this does not mean that there is none"},
	Ambiguous:          {ZH: "查到多条，请向申请人核对是哪一条", EN: "several were found: ask the applicant which one it is"},
	FactsDiffer:        {ZH: "与申请人所述不一致", EN: "it differs from what the applicant stated"},
}

// Text is the reason of such an outcome as people read it. Where a person must check whether a condition is met, it could not be told.
func (r Reason) Text(of Outcome) Text {
	if r == ConditionNotMet && of == Check {
		return Text{ZH: "是否符合本事项的条件无法判断，请核对", EN: "whether it meets the item's condition cannot be told: look at it"}
	}
	return reasons[r]
}
