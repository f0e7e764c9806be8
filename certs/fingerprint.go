package certs

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// Fingerprint names a certificate: the SHA-256 of its DER. People compare it with the one on their letter of access.
type Fingerprint [sha256.Size]byte

const fingerprintKind = "SHA256:"

// FingerprintOf is the fingerprint of a certificate's DER.
func FingerprintOf(der []byte) Fingerprint { return sha256.Sum256(der) }

// String writes SHA256:3b:9e:… in full.
func (f Fingerprint) String() string {
	var b strings.Builder
	b.WriteString(fingerprintKind)
	for i := range f {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(hex.EncodeToString(f[i : i+1]))
	}
	return b.String()
}

// Hex is the fingerprint in plain hexadecimal, 64 digits.
func (f Fingerprint) Hex() string { return hex.EncodeToString(f[:]) }

// ParseFingerprint reads what String writes. It is typed from paper, so capitals and lacking colons do no harm; too few digits
// do, because a short fingerprint is easily met by another certificate.
func ParseFingerprint(text string) (Fingerprint, error) {
	kind, digits, _ := strings.Cut(strings.TrimSpace(text), ":")
	bytes, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if !strings.EqualFold(kind+":", fingerprintKind) || err != nil || len(bytes) != sha256.Size {
		return Fingerprint{}, &exchange.Problem{Code: "YM-KEY-0201", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "指纹的写法不对", EN: "this is no fingerprint"},
			Why:  exchange.Text{ZH: "应为 SHA256: 加 64 个十六进制数字", EN: "it must be SHA256: and 64 hexadecimal digits"},
			Mend: exchange.Text{ZH: "照接入函上的指纹完整抄写，例如 SHA256:3b:9e:…", EN: "copy all of it from the letter of access, such as SHA256:3b:9e:…"}}
	}
	return Fingerprint(bytes), nil
}

// MarshalText writes the fingerprint as String does.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads it as ParseFingerprint does.
func (f *Fingerprint) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFingerprint(string(text))
	return err
}
