package roll

import (
	"slices"
	"strings"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// Target is what a revocation strikes. Exactly one of its fields is set.
type Target struct {
	Identity    certs.Identity
	Department  exchange.Department // all its adapters, services and clerks
	Certificate certs.Fingerprint   // one certificate; its holder may still be issued others
}

// String writes the target as ParseTarget reads it.
func (t Target) String() string {
	switch {
	case t.Department != "":
		return string(t.Department)
	case t.Identity != (certs.Identity{}):
		return t.Identity.String()
	}
	return t.Certificate.String()
}

// ParseTarget reads a department's code, an identity in any of the forms of certs.ParsePrincipal, or a certificate's
// fingerprint.
func ParseTarget(city, text string) (Target, error) {
	switch {
	case strings.HasPrefix(strings.ToUpper(text), "SHA256:"):
		f, err := certs.ParseFingerprint(text)
		return Target{Certificate: f}, err
	case exchange.ValidName(text):
		return Target{Department: exchange.Department(text)}, nil
	}
	identity, err := certs.ParsePrincipal(city, text)
	if err != nil {
		return Target{}, badTarget()
	}
	return Target{Identity: identity}, nil
}

// Reason is why something was revoked.
type Reason string

// The reasons.
const (
	KeyCompromised Reason = "key_compromised"
	LeftService    Reason = "left_service"
	Misuse         Reason = "misuse"
	Superseded     Reason = "superseded"
	IssuedInError  Reason = "issued_in_error"
)

var reasons = map[Reason]exchange.Text{
	KeyCompromised: {ZH: "密钥泄露或可能泄露", EN: "the key is known to others, or may be"},
	LeftService:    {ZH: "人员离岗或系统下线", EN: "the person or the system has left service"},
	Misuse:         {ZH: "违规使用，暂停权限", EN: "it was misused"},
	Superseded:     {ZH: "已被另一个身份代替", EN: "another identity took its place"},
	IssuedInError:  {ZH: "误发", EN: "it was issued in error"},
}

// Reasons lists them.
func Reasons() []Reason {
	return []Reason{KeyCompromised, LeftService, Misuse, Superseded, IssuedInError}
}

// Text is the reason as people read it; a later version's is shown as its code.
func (r Reason) Text() exchange.Text {
	if text, known := reasons[r]; known {
		return text
	}
	return text(string(r), string(r))
}

func (r Reason) known() bool { return slices.Contains(Reasons(), r) }
