package roll

import (
	"fmt"
	"strings"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
)

// ParseTarget reads what Target.String writes, and what people write for short: "scjg" is the department, "scjg/licences" its
// adapter, "xzsp/clerk/0017" a clerk, "SHA256:…" a certificate.
func ParseTarget(city, s string) (Target, error) {
	if department, ok := strings.CutPrefix(s, targetDepartment); ok || exchange.ValidName(s) {
		if !ok {
			department = s
		}
		if !exchange.ValidName(department) {
			return Target{}, fmt.Errorf("department is no valid name")
		}
		return Target{Department: exchange.Department(department)}, nil
	}
	if fingerprint, ok := strings.CutPrefix(s, targetCertificate); ok || strings.HasPrefix(strings.ToUpper(s), "SHA256:") {
		if !ok {
			fingerprint = s
		}
		f, err := certs.ParseFingerprint(fingerprint)
		return Target{Certificate: f}, err
	}
	who, err := certs.ParsePrincipal(city, s)
	return Target{Identity: who}, err
}
