package enrol

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/durable"
)

// Place is where a machine keeps one identity: its credential, and what it knows of the exchange that it joined.
type Place struct{ dir string }

// PlaceOf is the place of an identity, named by its principal, below a data directory.
func PlaceOf(data, principal string) Place {
	return Place{filepath.Join(data, "identities", filepath.FromSlash(principal))}
}

// Membership is what a machine knows of the exchange that it joined.
type Membership struct {
	Server      string            `json:"server"`
	Fingerprint certs.Fingerprint `json:"fingerprint"` // of the root
	Exchange
}

const (
	credentialName = "identity"
	membershipFile = "exchange.json"
)

// Credential says where the credential lies; fill in clock and log.
func (p Place) Credential() certs.CredentialConfig {
	return certs.CredentialConfig{Dir: p.dir, Name: credentialName}
}

// Save keeps what the exchange told. The credential beside it makes the directory.
func (p Place) Save(m Membership) error {
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write membership: %w", err)
	}
	if err = os.MkdirAll(p.dir, 0o700); err == nil {
		err = durable.Replace(filepath.Join(p.dir, membershipFile), append(content, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write membership: %w", err)
	}
	return nil
}

// Membership reads what Save wrote. Where this machine has not joined, its Problem is of the kind NotFound.
func (p Place) Membership() (m Membership, err error) {
	path := filepath.Join(p.dir, membershipFile)
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &m)
	}
	if err == nil {
		return m, nil
	}
	problem := &exchange.Problem{Code: "YM-ENR-0206", Kind: exchange.Invalid, Err: err,
		What: text("入网记录不可用："+path, "what is known of the exchange cannot be read: "+path), Mend: text("重新运行 yimen enroll", "run `yimen enroll` again")}
	if errors.Is(err, fs.ErrNotExist) {
		problem.Kind, problem.Err = exchange.NotFound, nil
		name := strings.TrimPrefix(filepath.ToSlash(p.dir), filepath.ToSlash(filepath.Dir(filepath.Dir(filepath.Dir(p.dir))))+"/")
		problem.What = text("本机没有以这个身份入网："+name, "this machine has not enrolled as "+name)
		problem.Mend = text("向管理员索取一次性令牌，然后 yimen enroll；数据目录用 --data 指定", "ask the administrator for a one-time token, then `yimen enroll`; name the data directory with --data")
	}
	return Membership{}, problem
}
