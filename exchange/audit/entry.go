package audit

import (
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// Decision says whether a query was answered.
type Decision string

// The decisions.
const (
	Answered Decision = "answered"
	Refused  Decision = "refused"
)

// Kind says what an entry tells of.
type Kind string

// The kinds. All but Query are decisions and events around queries, so that the log has them all in one order.
const (
	Query     Kind = ""          // a query for a case
	Rejection Kind = "rejection" // a request refused before it was a query: forged, replayed, of somebody unknown
	Access    Kind = "access"    // somebody asked the log about a subject: for its token, or who looked
	Act       Kind = "act"       // an act of an administrator's or the exchange's: invited, revoked, erased, lifted, handed over; Act names it
)

// Entry is one query or another event, as the log keeps it. ID, Time, Subject, Near and the parties' are set by Stamp.
type Entry struct {
	ID         string              `json:"id"`
	Kind       Kind                `json:"kind,omitempty"`
	Time       time.Time           `json:"time"`
	Department exchange.Department `json:"department"` // who asked
	Clerk      string              `json:"clerk"`      // the asker's staff code
	Case       string              `json:"case"`       // the case (办件) it was asked for
	Item       exchange.Item       `json:"item"`
	Subject    string              `json:"subject"` // the token of Holder
	Decision   Decision            `json:"decision"`
	Refusal    string              `json:"refusal,omitempty"` // a code, where it was refused
	// Near stands for the neighbourhood of the subject's number on that day (same division and birthday, or neighbouring
	// credit codes), so that walking numbers shows without any number being kept. It cannot be linked from day to day.
	Near  string `json:"near,omitempty"`
	Found bool   `json:"found,omitempty"` // whether anything at all is held of the subject among the types asked for
	Nonce string `json:"nonce,omitempty"` // of the request, against replay
	// Act and Target are an administrator's act, or one of the exchange's own, and whom or what it was about; never a person's number or
	// name. A rejection can have a Target too: the receipt of what was asked for.
	Act       string     `json:"act,omitempty"`
	Target    string     `json:"target,omitempty"`
	Materials []Material `json:"materials,omitempty"`
	// Mode, On and Chosen are what else was asked: how much the answer tells (empty: all of it), the day records must be valid on
	// (empty: that of Evaluated), and which of several records is meant.
	Mode   string                                      `json:"mode,omitempty"`
	On     exchange.Date                               `json:"on,omitempty"`
	Chosen map[exchange.EvidenceType]exchange.RecordID `json:"chosen,omitempty"`
	// Only is the one type of evidence that was wanted of all that the item asks for; empty: all of it.
	Only exchange.EvidenceType `json:"only,omitempty"`
	// Stated commits the exchange to what the applicant stated, which is not in the log; see Log.Commitment.
	Stated string `json:"stated,omitempty"`
	// Parties are those who were asked about beside the subject, by role, so that they see it as well and count as the subject does.
	Parties map[exchange.Role]Party `json:"parties,omitempty"`
	// Catalogue, Evaluated and Inputs are what the answer was made from, so that it can be made again.
	Catalogue string          `json:"catalogue"`
	Evaluated time.Time       `json:"evaluated"`
	Inputs    exchange.Inputs `json:"inputs,omitzero"`
	// Answers commits the exchange to the answers as they were told, which are not in the log; see Log.Commitment.
	Answers string `json:"answers,omitempty"`

	// Holder is whom the query was about. It is never written.
	Holder exchange.Holder `json:"-"`
	// Stating is what Stated commits to, in one fixed form. It is never written.
	Stating []byte `json:"-"`
	// Told is what Answers commits to, byte for byte. It is never written.
	Told []byte `json:"-"`
}

// Party is somebody who was asked about beside the subject. Its members say of them what those of the same names in Entry say of the
// subject: each is looked up at a moment of its own.
type Party struct {
	Subject string          `json:"subject"`
	Near    string          `json:"near,omitempty"`
	Found   bool            `json:"found,omitempty"`
	Inputs  exchange.Inputs `json:"inputs,omitzero"` // zero: nothing of theirs was granted, so they were not looked up

	// Holder is who it is. It is never written.
	Holder exchange.Holder `json:"-"`
}

// Material is what was answered for one material.
type Material struct {
	Material string           `json:"material"`
	Outcome  exchange.Outcome `json:"outcome"`
	Reason   exchange.Reason  `json:"reason,omitempty"`
	Evidence []Evidence       `json:"evidence,omitempty"`
}

// Evidence is one record, or the lack of one, that an answer rested on.
type Evidence struct {
	Type    exchange.EvidenceType `json:"type"`
	Of      exchange.Role         `json:"of,omitempty"` // which party's; empty: the subject's
	Outcome exchange.Outcome      `json:"outcome"`
	Reason  exchange.Reason       `json:"reason,omitempty"`
	Record  string                `json:"record,omitempty"`
	Version exchange.Version      `json:"version,omitempty"`
}

// CheckAsker says whether who asks and for which case can stand in the log. A citizen number typed into the
// wrong field would stay there for ever, so it is refused before anything is looked up.
func (e *Entry) CheckAsker() error {
	if !exchange.ValidName(string(e.Department)) {
		return &exchange.Problem{
			Code: "YM-QRY-0103", Kind: exchange.Unauthorised,
			What: text("不知道是哪个部门在查询", "it is not known which department asks"),
			Mend: text("用本部门的身份登录后再查", "log in as your department and ask again"),
		}
	}
	if err := checkCase(e.Case); err != nil {
		return err
	}
	return checkClerk(e.Clerk)
}

func checkCase(s string) error {
	return checkReference(s, 4, "YM-QRY-0101", text("收件号", "the case number"))
}

func checkClerk(s string) error {
	return checkReference(s, 1, "YM-QRY-0102", text("工号", "the staff code"))
}

const maxReference = 64

// checkReference checks a case number or a staff code: of ASCII only, because a name in the log would be worse than a number that must be
// rewritten. The refusals never repeat it.
func checkReference(s string, shortest int, code string, of exchange.Text) error {
	refuse := func(what, mend exchange.Text) error {
		return &exchange.Problem{Code: code, Kind: exchange.Invalid,
			What: text(of.ZH+what.ZH, of.EN+" "+what.EN), Mend: mend}
	}
	if len(s) < shortest || len(s) > maxReference || !spelt(s, "._/") {
		return refuse(text("的写法不对", "is not well formed"),
			text(fmt.Sprintf("用 %d 至 %d 个半角字母、数字和 - _ . /，如 LL-2026-1123-0041", shortest, maxReference),
				fmt.Sprintf("use %d to %d letters, digits and - _ . / of ASCII, such as LL-2026-1123-0041", shortest, maxReference)))
	}
	if !nationalCase(s) && identity.MentionsCitizen(s) {
		return refuse(text("里有公民身份号码", "contains a citizen number"),
			text("改用办件的收件号；若它本来由区划、日期和流水号连写而成，请用连字符隔开",
				"use the number of the case; if it is made of division, date and serial, put hyphens between them"))
	}
	return nil
}

const (
	nationalTask     = 31 // 实施编码, which begins with a credit code
	nationalCaseForm = nationalTask + len("20060102") + 4
)

// nationalCase says whether s has the national form: a task code of 31 characters, a day and four digits. Its last
// 18 characters look like a citizen number, and in one of eleven cases would pass for one.
func nationalCase(s string) bool {
	if len(s) != nationalCaseForm {
		return false
	}
	if _, err := identity.ParseCreditCode(s[:18]); err != nil {
		return false
	}
	_, err := time.Parse("20060102", s[nationalTask:nationalTask+8])
	return err == nil
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }
