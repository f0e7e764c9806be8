package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// Callers are those who may ask, each known by a token of which only the hash is kept.
type Callers struct {
	of map[[sha256.Size]byte]listed
}

// listed is one of them.
type listed struct {
	broker.Caller
	schemas bool // may change the schema registry
}

// callerEntry is one entry of a callers file.
type callerEntry struct {
	Department exchange.Department `yaml:"department"`
	Clerk      string              `yaml:"clerk"`        // the staff code (工号), not a name
	Token      string              `yaml:"token_sha256"` // of the token, in hexadecimal
	Schemas    bool                `yaml:"schemas"`      // may change the schema registry
}

// TokenHash is a token's hash as a callers file keeps it. A token is random and long, so a plain hash tells nothing of it.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// LoadCallers reads a callers file: a YAML list of department, clerk, token_sha256 and, for administrators of schemas,
// schemas: true. check, unless nil, says whether a caller
// can be one; its errors must not repeat the clerk. The error joins everything that was found wrong, each a Problem with its
// line, and holds nothing of the file: a token may stand there by mistake.
func LoadCallers(path string, check func(broker.Caller) error) (*Callers, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, callersProblem(path, 0, text("无法读取", "it cannot be read"), err)
	}
	return parseCallers(path, content, check)
}

func parseCallers(path string, content []byte, check func(broker.Caller) error) (*Callers, error) {
	entries, line := entriesOf(content)
	if entries == nil {
		return nil, callersProblem(path, line, text("不是可读的 YAML 列表", "it is no readable YAML list"), nil)
	}
	callers := &Callers{of: map[[sha256.Size]byte]listed{}}
	var found []error
	for _, node := range entries.Values {
		line = node.GetToken().Position.Line
		var entry callerEntry
		if err := yaml.NodeToValue(node, &entry, yaml.Strict()); err != nil {
			found = append(found, callersProblem(path, max(line, lineOf(err)), text("有不认识、重复或类型不符的键", "a key is unknown, stands twice or has a value of another type"), nil))
			continue
		}
		if why := callers.add(entry); why != (exchange.Text{}) {
			found = append(found, callersProblem(path, line, why, nil))
		} else if err := checked(entry, check); err != nil {
			found = append(found, callersProblem(path, line, text("不能作为调用方", "this cannot be a caller"), err))
		}
	}
	if len(found) > 0 {
		return nil, errors.Join(found...)
	}
	return callers, nil
}

// entriesOf is the list that the file is, or nil and the line where it stops being one.
func entriesOf(content []byte) (list *ast.SequenceNode, line int) {
	parsed, err := parser.ParseBytes(bytes.TrimPrefix(content, []byte("\ufeff")), 0) // Windows' Notepad writes the mark
	if err != nil {
		return nil, lineOf(err)
	}
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		body, ok := doc.Body.(*ast.SequenceNode)
		if !ok || list != nil {
			return nil, doc.Body.GetToken().Position.Line
		}
		list = body
	}
	return list, 0
}

// lineOf is where YAML went wrong. The rest of such an error repeats the file.
func lineOf(err error) int {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		return at.GetToken().Position.Line
	}
	return 0
}

// add takes an entry, or says why not.
func (c *Callers) add(entry callerEntry) exchange.Text {
	hash, err := hex.DecodeString(entry.Token)
	if err != nil || len(hash) != sha256.Size {
		return text("token_sha256 不是 64 位十六进制", "token_sha256 is not 64 hexadecimal digits")
	}
	if !exchange.ValidName(string(entry.Department)) || entry.Clerk == "" {
		return text("缺少 department 或 clerk", "department or clerk is missing")
	}
	key := [sha256.Size]byte(hash)
	if key == sha256.Sum256(nil) || key == sha256.Sum256([]byte("\n")) {
		return text("token_sha256 是空令牌的散列", "token_sha256 is that of an empty token")
	}
	if _, twice := c.of[key]; twice {
		return text("token_sha256 重复", "token_sha256 stands twice")
	}
	c.of[key] = listed{broker.Caller{Department: entry.Department, Clerk: entry.Clerk}, entry.Schemas}
	return exchange.Text{}
}

func checked(entry callerEntry, check func(broker.Caller) error) error {
	if check == nil {
		return nil
	}
	return check(broker.Caller{Department: entry.Department, Clerk: entry.Clerk})
}

func callersProblem(path string, line int, why exchange.Text, err error) error {
	if line > 0 {
		path = fmt.Sprintf("%s:%d", path, line)
	}
	return &exchange.Problem{Code: "YM-API-0301", Kind: exchange.Invalid, Err: err, Why: why,
		What: text("调用方文件不可用："+path, "callers file cannot be used: "+path),
		Mend: text("每项写 department、clerk（工号）、token_sha256（令牌的 SHA-256，如 printf %s 令牌 | sha256sum）；管理 Schema 的另写 schemas: true",
			"write department, clerk (staff code) and token_sha256 (SHA-256 of the token, as by: printf %s TOKEN | sha256sum) for each, and schemas: true for administrators of schemas")}
}

// caller finds out who sent a request.
func (c *Callers) caller(r *http.Request) (broker.Caller, error) {
	found, err := c.find(r)
	return found.Caller, err
}

// SchemaWriter finds out which administrator of schemas sent a request, as department/clerk. Stock Kafka clients know
// Basic authentication best: its password is the token, its user name does not count.
func (c *Callers) SchemaWriter(r *http.Request) (string, error) {
	found, err := c.find(r)
	if err != nil {
		return "", err
	}
	if !found.schemas {
		return "", &exchange.Problem{Code: "YM-API-0403", Kind: exchange.Denied, What: text("该调用方不能改动 Schema", "this caller may not change schemas"),
			Mend: text("请管理员在调用方文件中为其写上 schemas: true", "ask the administrator to write schemas: true for it in the callers file")}
	}
	return string(found.Department) + "/" + found.Clerk, nil
}

// find looks up the hash of the token, not the token, so that timing tells nothing of a token.
func (c *Callers) find(r *http.Request) (listed, error) {
	stated := r.Header.Values("Authorization")
	if len(stated) > 1 {
		return listed{}, unauthorised(text("有多个 Authorization", "there is more than one Authorization"))
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if _, password, basic := r.BasicAuth(); basic {
		token = password
	} else if !strings.EqualFold(scheme, "Bearer") {
		return listed{}, unauthorised(text("缺少 Authorization: Bearer 令牌", "there is no Authorization: Bearer token"))
	}
	found, ok := c.of[sha256.Sum256([]byte(strings.TrimSpace(token)))]
	if !ok {
		return listed{}, unauthorised(text("令牌不认识或已更换", "the token is not known, or no longer"))
	}
	return found, nil
}

func unauthorised(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-API-0401", Kind: exchange.Unauthorised, Why: why, What: text("不知道是谁在查询", "it is not known who is asking"),
		Mend: text("向交换平台管理员申请令牌；命令行用 --token @文件", "ask the exchange's administrator for a token; on the command line use --token @FILE")}
}
