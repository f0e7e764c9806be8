package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// check says whether an entry may stand in the log: what its kind needs is there, and in no field is there room for a person's
// number or name. Its errors repeat nothing of the entry.
func (e *Entry) check() error {
	if err := e.checkFields(); err != nil {
		return err
	}
	switch e.Kind {
	case Query:
		return e.checkQuery()
	case Rejection:
		if e.Decision != Refused || e.Refusal == "" {
			return errors.New("audit entry of a rejection that refused nothing")
		}
		return e.checkPlain()
	case Access:
		return errors.Join(e.checkAccess(), e.checkPlain())
	case Act:
		return e.checkAct()
	}
	return errors.New("audit entry of no known kind")
}

func (e *Entry) checkQuery() error {
	switch {
	case e.Department == "" || e.Clerk == "" || e.Case == "":
		return e.CheckAsker()
	case e.Item == "":
		return errors.New("audit entry without an item")
	case e.Holder.Number == "":
		return errors.New("audit entry without a holder")
	case e.Act != "" || e.Target != "":
		return errors.New("audit entry of a query that is an act")
	}
	return e.checkDecision()
}

func (e *Entry) checkAccess() error {
	switch {
	case e.Department == "" || e.Clerk == "":
		return errors.New("audit entry of an access by nobody")
	case e.Holder.Number == "" && !ValidToken(e.Subject):
		return errors.New("audit entry of an access to nobody's data")
	case e.Target != "":
		return errors.New("audit entry of an access that is an act")
	}
	return e.checkDecision()
}

func (e *Entry) checkAct() error {
	switch {
	case e.Clerk == "":
		return errors.New("audit entry of an act by nobody")
	case !exchange.ValidName(e.Act):
		return errors.New("audit entry of an act without its name")
	case e.answers():
		return errors.New("audit entry of an act that answers")
	}
	return nil
}

// answers says whether the entry tells of an answer.
func (e *Entry) answers() bool { return e.Materials != nil || !e.Inputs.IsZero() || e.Told != nil }

func (e *Entry) checkPlain() error {
	if e.answers() || e.Act != "" || e.Mode+string(e.On)+string(e.Only)+e.Stated != "" || e.Chosen != nil || e.Parties != nil {
		return errors.New("audit entry says more than its kind may")
	}
	return nil
}

func (e *Entry) checkDecision() error {
	switch {
	case e.Decision != Answered && e.Decision != Refused:
		return errors.New("audit entry without a decision")
	case (e.Decision == Refused) != (e.Refusal != ""):
		return fmt.Errorf("audit entry %s with or without a refusal", e.Decision)
	}
	return nil
}

// The longest target of an act and nonce: addresses of identities and digests are longer than case numbers.
const maxTarget, maxNonce = 256, 128

// checkFields holds each field that is there to its form, whatever the kind.
func (e *Entry) checkFields() error {
	names := e.Department == "" || exchange.ValidName(string(e.Department))
	switch {
	case !names || !bounded(string(e.Department), maxReference, ""):
		return errors.New("audit entry with a department that is none")
	case e.Item != "" && !exchange.ValidName(string(e.Item)) || !bounded(string(e.Item), maxReference, ""):
		return errors.New("audit entry with an item that is none")
	case !bounded(e.Refusal, maxReference, "._-"):
		return errors.New("audit entry with a refusal that is no code")
	case !bounded(e.Target, maxTarget, "._/:@-"):
		return errors.New("audit entry of an act on what may not be named")
	case e.Subject != "" && !ValidToken(e.Subject):
		return errors.New("audit entry with a subject that is no token")
	case e.Answers != "" && !ValidToken(e.Answers):
		return errors.New("audit entry with a commitment that is none")
	case !bounded(e.Nonce, maxNonce, "._/:+=~-"):
		return errors.New("audit entry with a nonce that may not stand there")
	}
	if err := e.checkAsked(); err != nil {
		return err
	}
	if e.Case != "" {
		if err := checkCase(e.Case); err != nil {
			return err
		}
	}
	if e.Clerk != "" {
		return checkClerk(e.Clerk)
	}
	return nil
}

// checkAsked holds to their forms what a query asks beside the item.
func (e *Entry) checkAsked() error {
	if e.On != "" {
		if _, err := exchange.ParseDate(string(e.On)); err != nil {
			return errors.New("audit entry with a day that is none")
		}
	}
	if e.Only != "" && !exchange.ValidName(string(e.Only)) || !bounded(string(e.Only), maxReference, "") {
		return errors.New("audit entry that wants no type of evidence")
	}
	if e.Mode != "" && (!exchange.ValidName(e.Mode) || !bounded(e.Mode, maxReference, "")) {
		return errors.New("audit entry with a mode that is none")
	}
	if e.Stated != "" && !ValidToken(e.Stated) {
		return errors.New("audit entry with a commitment that is none")
	}
	for t := range e.Chosen {
		if !exchange.ValidName(string(t)) || !bounded(string(t), maxReference, "-") {
			return errors.New("audit entry with a chosen record of no type")
		}
	}
	for role, p := range e.Parties {
		if role.Text() == (exchange.Text{}) || p.Holder.Number == "" && !ValidToken(p.Subject) {
			return errors.New("audit entry with a party that is none")
		}
	}
	return nil
}

// bounded says whether s is short, of ASCII letters, digits and the signs only, and holds no citizen number.
func bounded(s string, longest int, signs string) bool {
	return len(s) <= longest && spelt(s, signs) && !identity.ContainsCitizen(s)
}

// spelt says whether s has ASCII letters, digits, the hyphen and the signs only.
func spelt(s, signs string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
		case strings.IndexByte(signs, c) < 0:
			return false
		}
	}
	return true
}

// ValidToken says whether s has the form of what Token gives.
func ValidToken(s string) bool {
	if len(s) != hex.EncodedLen(minKey) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
