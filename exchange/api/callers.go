package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// Callers are those who may ask, each known by a token of which only the hash is kept.
type Callers struct {
	of map[[sha256.Size]byte]broker.Caller
}

// callerEntry is one entry of a callers file.
type callerEntry struct {
	Department exchange.Department `yaml:"department"`
	Clerk      string              `yaml:"clerk"`        // the staff code (工号), not a name
	Token      string              `yaml:"token_sha256"` // of the token, in hexadecimal
}

// TokenHash is a token's hash as a callers file keeps it. A token is random and long, so a plain hash tells nothing of it.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// LoadCallers reads a callers file: a YAML list of department, clerk and token_sha256.
func LoadCallers(path string) (*Callers, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, callersProblem(path, exchange.Text{ZH: "文件无法读取", EN: "the file cannot be read"}, err)
	}
	var entries []callerEntry
	if err := yaml.UnmarshalWithOptions(content, &entries, yaml.Strict()); err != nil {
		return nil, callersProblem(path, exchange.Text{ZH: "不是所需格式的 YAML", EN: "it is not YAML of the form needed"}, err)
	}
	callers := &Callers{of: map[[sha256.Size]byte]broker.Caller{}}
	for i, entry := range entries {
		if err := callers.add(entry); err != nil {
			why := exchange.Text{ZH: fmt.Sprintf("第 %d 项：", i+1), EN: fmt.Sprintf("entry %d: ", i+1)}
			return nil, callersProblem(path, why, err)
		}
	}
	return callers, nil
}

func (c *Callers) add(entry callerEntry) error {
	hash, err := hex.DecodeString(entry.Token)
	if err != nil || len(hash) != sha256.Size {
		return fmt.Errorf("token_sha256 is not 64 hexadecimal digits")
	}
	if !exchange.ValidName(string(entry.Department)) || entry.Clerk == "" {
		return fmt.Errorf("department or clerk is missing")
	}
	if _, twice := c.of[[sha256.Size]byte(hash)]; twice {
		return fmt.Errorf("token_sha256 stands twice")
	}
	c.of[[sha256.Size]byte(hash)] = broker.Caller{Department: entry.Department, Clerk: entry.Clerk}
	return nil
}

func callersProblem(path string, why exchange.Text, err error) error {
	return &exchange.Problem{Code: "YM-API-0301", Kind: exchange.Invalid, Err: err, Why: why,
		What: exchange.Text{ZH: "调用方文件不可用：" + path, EN: "callers file cannot be used: " + path},
		Mend: exchange.Text{ZH: "每项写 department、clerk（工号）、token_sha256（令牌的 SHA-256）", EN: "write department, clerk (staff code) and token_sha256 (SHA-256 of the token) for each"}}
}

// caller finds out who sent a request. The hash is looked up, not the token, so that timing tells nothing of a token.
func (c *Callers) caller(r *http.Request) (broker.Caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return broker.Caller{}, unauthorised(exchange.Text{ZH: "缺少 Authorization: Bearer 令牌", EN: "there is no Authorization: Bearer token"})
	}
	caller, known := c.of[sha256.Sum256([]byte(strings.TrimSpace(token)))]
	if !known {
		return broker.Caller{}, unauthorised(exchange.Text{ZH: "令牌不认识或已更换", EN: "the token is not known, or no longer"})
	}
	return caller, nil
}

func unauthorised(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, Why: why,
		What: exchange.Text{ZH: "不知道是谁在查询", EN: "it is not known who is asking"},
		Mend: exchange.Text{ZH: "向交换平台管理员申请令牌；命令行用 --token @文件", EN: "ask the exchange's administrator for a token; on the command line use --token @FILE"}}
}
