package door

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

func TestCallersFile(t *testing.T) {
	hash, other := TokenHash("a"), TokenHash("b")
	entry := "- {department: xzsp, clerk: '0017', token_sha256: " + hash + "}\n"
	tests := []struct {
		name, content string
		want          []string // found wrong; none: the file is good
	}{
		{"one", entry, nil},
		{"in lines, with comments", "# windows\n-\n  department: xzsp # 行政审批\n  clerk: '0017'\n  token_sha256: " + hash + "\n", nil},
		{"byte order mark", "\ufeff" + entry, nil},
		{"hash in capitals", "- {department: xzsp, clerk: 0017a, token_sha256: '" + strings.ToUpper(hash) + "'}", nil},
		{"account", "- {department: xzsp, clerk: '0017', user: zhang, password: '" + nobodys + "'}", nil},
		{"account and token apart", entry + "- {department: xzsp, clerk: '0017', user: zhang, password: '" + nobodys + "'}", nil},
		{"password without a user", "- {department: xzsp, clerk: '0017', password: '" + nobodys + "'}", []string{"callers.yaml:1; user and password go together"}},
		{"the password itself", "- {department: xzsp, clerk: '0017', user: zhang, password: secret}", []string{"callers.yaml:1; password is no argon2id hash"}},
		{"user of two", strings.Repeat("- {department: xzsp, clerk: '0017', user: zhang, password: '"+nobodys+"'}\n", 2), []string{"callers.yaml:2; user stands twice"}},
		{"nobody", "[]", nil},
		{"empty", "", []string{"callers.yaml; it is no readable YAML list"}},
		{"comment only", "# nobody\n", []string{"callers.yaml; it is no readable YAML list"}},
		{"no list", "department: xzsp\n", []string{"callers.yaml:1; it is no readable YAML list"}},
		{"not YAML", entry + "- {department\n", []string{"it is no readable YAML list"}},
		{"two documents", entry + "---\n" + entry, []string{"callers.yaml:3; it is no readable YAML list"}},
		{"entry of text", entry + "- secret\n", []string{"callers.yaml:2; a key is unknown"}},
		{"unknown key", entry + "- department: a\n  secret: 1\n", []string{"callers.yaml:3; a key is unknown"}},
		{"key twice", "- {department: a, department: secret, clerk: b, token_sha256: " + hash + "}", []string{"callers.yaml:1"}},
		{"list for a clerk", "- {department: a, clerk: [secret], token_sha256: " + hash + "}", []string{"callers.yaml:1; a key is unknown, stands twice or has a value of another type"}},
		{"the token itself", "- {department: a, clerk: b, token_sha256: secret}", []string{"callers.yaml:1; token_sha256 is not 64 hexadecimal digits"}},
		{"half a hash", "- {department: a, clerk: b, token_sha256: '" + hash[:32] + "'}", []string{"callers.yaml:1; token_sha256 is not 64 hexadecimal digits"}},
		{"empty token", "- {department: a, clerk: b, token_sha256: " + TokenHash("") + "}", []string{"callers.yaml:1; token_sha256 is that of an empty token"}},
		{"line break alone", "- {department: a, clerk: b, token_sha256: " + TokenHash("\n") + "}", []string{"callers.yaml:1; token_sha256 is that of an empty token"}},
		{"no clerk", "- {department: a, token_sha256: " + hash + "}", []string{"callers.yaml:1; department or clerk is missing"}},
		{"department with capitals", "- {department: A, clerk: b, token_sha256: " + hash + "}", []string{"callers.yaml:1; department or clerk is missing"}},
		{"token of two", entry + strings.Replace(entry, "0017", "0018", 1), []string{"callers.yaml:2; token_sha256 stands twice"}},
		{"refused by the check", "- {department: nobody, clerk: b, token_sha256: " + hash + "}", []string{"callers.yaml:1; this cannot be a caller: no such department"}},
		{"several", "- {department: nobody, clerk: b, token_sha256: " + hash + "}\n- secret\n- {department: a, clerk: b, token_sha256: " + other + "}\n- {}\n",
			[]string{"callers.yaml:1; this cannot be a caller", "callers.yaml:2; a key", "callers.yaml:4; department or clerk is missing"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "callers.yaml")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			callers, err := LoadCallers(path, known)
			if len(test.want) == 0 {
				if err != nil || callers == nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || callers != nil {
				t.Fatal("it was taken")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) || strings.Contains(err.Error(), "secret") || exchange.KindOf(err) != exchange.Invalid {
				t.Errorf("found %v", err)
			}
			for i, want := range test.want {
				if i < len(lines) && !strings.Contains(lines[i], want) {
					t.Errorf("%s\nlacks %s", lines[i], want)
				}
			}
		})
	}
	if _, err := LoadCallers(filepath.Join(t.TempDir(), "none"), nil); exchange.KindOf(err) != exchange.Invalid || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func known(c broker.Caller) error {
	if c.Department == "nobody" {
		return errors.New("no such department")
	}
	return nil
}

func FuzzCallers(f *testing.F) {
	for _, seed := range []string{"", "[]", "- {department: a, clerk: b, token_sha256: " + TokenHash("x") + "}", "- &a {clerk: *a}", "- ? : -", "---\n- a\n---\n", "- !!binary x", "a: [", "- |\n", "- <<: {a: 1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		callers, err := parseCallers("callers.yaml", content, nil)
		if (callers == nil) != (err != nil) {
			t.Fatalf("%v %v", callers, err)
		}
		if err != nil {
			if exchange.KindOf(err) != exchange.Invalid {
				t.Fatal(err)
			}
			return
		}
		for _, c := range callers.byName {
			if c.Clerk == "" || !exchange.ValidName(string(c.Department)) {
				t.Fatalf("caller %+v", c)
			}
		}
	})
}

func TestSchemaWriter(t *testing.T) {
	callers, err := parseCallers("c.yaml", []byte("- {department: xzsp, clerk: '0017', token_sha256: "+TokenHash("clerk")+"}\n"+
		"- {department: xzsp, clerk: '0001', token_sha256: "+TokenHash("admin")+", schemas: true}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	basic := func(user, password string) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	tests := []struct {
		name, authorization, by string
		kind                    exchange.Kind
	}{
		{"bearer", "Bearer admin", "xzsp/0001", ""},
		{"basic", basic("anybody", "admin"), "xzsp/0001", ""},
		{"basic without a user", basic("", "admin"), "xzsp/0001", ""},
		{"may only ask", "Bearer clerk", "", exchange.Denied},
		{"unknown token", "Bearer adminn", "", exchange.Unauthorised},
		{"token as the user", basic("admin", ""), "", exchange.Unauthorised},
		{"nothing", "", "", exchange.Unauthorised},
		{"broken basic", "Basic admin", "", exchange.Unauthorised},
		{"another scheme", "Digest admin", "", exchange.Unauthorised},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/subjects/x/versions", nil)
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			by, err := New(Config{Callers: callers}).With(Schemas)(r)
			if by != test.by || (err == nil) != (test.kind == "") || err != nil && exchange.KindOf(err) != test.kind {
				t.Errorf("%q %v", by, err)
			}
			if err != nil && strings.Contains(err.Error(), "admin") && !strings.Contains(err.Error(), "administrator") {
				t.Errorf("shows the token: %v", err)
			}
		})
	}
}
