package door

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// Callers are those a file lists: who may ask, known by a token of which only the hash is kept, and what they may do besides.
type Callers struct {
	byToken map[[sha256.Size]byte]Caller
	byUser  map[string]account       // who signs in with a password
	byName  map[broker.Caller]Caller // everybody listed, for those who come with a certificate or another's token
}

// callerEntry is one entry of a callers file.
type callerEntry struct {
	Department exchange.Department `yaml:"department"`
	Clerk      string              `yaml:"clerk"`        // the staff code (工号), not a name
	Token      string              `yaml:"token_sha256"` // of the token, in hexadecimal; none: known by a certificate or a login
	User       string              `yaml:"user"`         // the name to sign in with at the window's page
	Password   string              `yaml:"password"`     // its argon2id hash, as of `yimen password`
	Schemas    bool                `yaml:"schemas"`
	Admin      bool                `yaml:"admin"`
	Supervisor bool                `yaml:"supervisor"`
	Auditor    bool                `yaml:"auditor"`
	Citizens   bool                `yaml:"citizens"`
	Grants     bool                `yaml:"grants"`
	Items      bool                `yaml:"items"`
}

func (e callerEntry) caller() Caller {
	return Caller{Caller: broker.Caller{Department: e.Department, Clerk: e.Clerk},
		roles: map[Role]bool{Schemas: e.Schemas, Admin: e.Admin, Supervisor: e.Supervisor, Auditor: e.Auditor, Citizens: e.Citizens, Grants: e.Grants, Items: e.Items}}
}

// TokenHash is a token's hash as a callers file keeps it. A token is random and long, so a plain hash tells nothing of it.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// LoadCallers reads a callers file: a YAML list of department, clerk, token_sha256, user and password, and what the caller may do
// besides asking, each role true. check, unless nil, says whether a caller can be one; its errors must not repeat the clerk. The error joins everything that was found wrong, each a Problem with its
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
	callers := &Callers{byToken: map[[sha256.Size]byte]Caller{}, byUser: map[string]account{}, byName: map[broker.Caller]Caller{}}
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
	if !exchange.ValidName(string(entry.Department)) || entry.Clerk == "" {
		return text("缺少 department 或 clerk", "department or clerk is missing")
	}
	caller := entry.caller()
	if why := c.addAccount(entry, caller); why != (exchange.Text{}) {
		return why
	}
	if entry.Token != "" {
		hash, err := hex.DecodeString(entry.Token)
		if err != nil || len(hash) != sha256.Size {
			return text("token_sha256 不是 64 位十六进制", "token_sha256 is not 64 hexadecimal digits")
		}
		key := [sha256.Size]byte(hash)
		if key == sha256.Sum256(nil) || key == sha256.Sum256([]byte("\n")) {
			return text("token_sha256 是空令牌的散列", "token_sha256 is that of an empty token")
		}
		if _, twice := c.byToken[key]; twice {
			return text("token_sha256 重复", "token_sha256 stands twice")
		}
		c.byToken[key] = caller
	}
	if _, twice := c.byName[caller.Caller]; twice && entry.Token == "" && entry.User == "" {
		return text("同一个 department 和 clerk 重复，且没有 token_sha256", "department and clerk stand twice, without a token_sha256")
	}
	c.byName[caller.Caller] = caller
	return exchange.Text{}
}

// addAccount takes the local account of an entry that has one.
func (c *Callers) addAccount(entry callerEntry, caller Caller) exchange.Text {
	switch _, twice := c.byUser[entry.User]; {
	case entry.User == "" && entry.Password == "":
		return exchange.Text{}
	case entry.User == "" || entry.Password == "":
		return text("user 与 password 须同时写明", "user and password go together")
	case twice:
		return text("user 重复", "user stands twice")
	case !soundHash(entry.Password):
		return text("password 不是可用的 argon2id 散列", "password is no argon2id hash that can be used")
	}
	c.byUser[entry.User] = account{caller, entry.Password}
	return exchange.Text{}
}

// named finds what somebody may do who is known by other means than a token of the file.
func (c *Callers) named(who broker.Caller) Caller {
	if listed, ok := c.byName[who]; ok {
		return listed
	}
	return Caller{Caller: who}
}

// find looks up the hash of the token, not the token, so that timing tells nothing of a token.
func (c *Callers) find(token string) (Caller, bool) {
	caller, ok := c.byToken[sha256.Sum256([]byte(token))]
	return caller, ok
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
		Mend: text("每项写 department、clerk（工号）、token_sha256（令牌的 SHA-256，如 printf %s 令牌 | sha256sum）；网页登录用 user 和 password（yimen password 给出的散列）；另可写 schemas、admin、supervisor、auditor、citizens、grants、items: true",
			"write department, clerk (staff code) and token_sha256 (SHA-256 of the token, as by: printf %s TOKEN | sha256sum) for each; to sign in at the page, user and password (the hash that yimen password gives); schemas, admin, supervisor, auditor, citizens, grants and items may be true")}
}
