package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/node"
)

// Files of the query to try.
const (
	applicantFile = "applicant.txt"
	queryFile     = "query.json"
	headerFile    = "clerk.header" // for curl: a token on its command line would be seen in the list of processes
)

// next says at which address to ask and which commands to try.
func (s *session) next(how demonstration, n *node.Node, samples []demo.Sample, clerk demoClerk) {
	if how.once || len(samples) == 0 {
		return
	}
	last := samples[len(samples)-1]
	body, err := json.Marshal(api.QueryRequest{Case: last.Case, Item: last.Item, Applicant: last.Holder.Number})
	err = errors.Join(err, os.WriteFile(filepath.Join(how.data, queryFile), append(body, '\n'), 0o600),
		os.WriteFile(filepath.Join(how.data, applicantFile), []byte(last.Holder.Number+"\n"), 0o600),
		os.WriteFile(filepath.Join(how.data, headerFile), []byte("Authorization: Bearer "+clerk.token+"\n"), 0o600))
	if err != nil {
		s.complain(err)
		return
	}
	file := func(name string) string { return quoted(filepath.Join(how.data, name)) }
	s.say("\n在浏览器中打开 %s   用户名 %s   口令 %s\n  可以试试：事项 %s，号码在 %s\n", "\nOpen %s in a browser   user %s   password %s\n  try: item %s, and the number in %s\n",
		n.URL(), demoUser, clerk.password, last.Item, file(applicantFile))
	s.say("\n服务地址 %s   部门地址 %s   Kafka %s   Ctrl-C 结束\n\n接下来可以试试（另开一个终端）：\n",
		"\nserving at %s   for departments at %s   Kafka %s   Ctrl-C ends it\n\nTry next, in another terminal:\n", n.URL(), n.DepartmentsURL(), n.KafkaAddr())
	self, data := s.self(), quoted(how.data)
	fmt.Fprintf(s.talk, "  %s query %s --case %s --applicant @%s --token @%s --server %s   # %s\n", self, last.Item, last.Case, file(applicantFile), file(tokenFile), n.URL(), last.Shows.In(s.lang))
	fmt.Fprintf(s.talk, "  curl -s -H @%s -d @%s %s/v1/queries\n", file(headerFile), file(queryFile), n.URL())
	fmt.Fprintf(s.talk, "  %s adapter status --data %s\n", self, data)
	fmt.Fprintf(s.talk, "  %s quarantine list --data %s\n", self, data)
	fmt.Fprintf(s.talk, "  %s item list --server %s\n", self, n.URL())
	at := " --token @" + file(adminFile) + " --server " + n.URL()
	fmt.Fprintf(s.talk, "  %s item burden%s   # %s\n", self, at, s.t("今天可以不再索要哪些证明", "which proofs need not be demanded any more"))
	fmt.Fprintf(s.talk, "  %s subject log --number @%s%s   # %s\n", self, file(applicantFile), at, s.t("谁看过我的数据", "who looked at my data"))
	fmt.Fprintf(s.talk, "  %s audit verify --log %s --key @%s\n", self, file("audit"), file(node.AuditKeyFile))
	fmt.Fprintf(s.talk, "  %s identity list%s\n", self, at)
	fmt.Fprintf(s.talk, "  %s schema history --server %s\n", self, n.URL())
	s.say("部门入网：yimen identity invite 部门/名称，然后 yimen enroll --server %s --fingerprint %s\n",
		"To enrol a machine: yimen identity invite DEPARTMENT/NAME, then yimen enroll --server %s --fingerprint %s\n", n.DepartmentsURL(), n.Fingerprint())
	s.say("Schema 登记处（Confluent 的 REST 接口）：%s%s   管理员令牌 @%s\n", "Schema registry (Confluent's REST API): %s%s   administrator's token @%s\n",
		n.URL(), node.RegistryPath, file(adminFile))
}

// self is how this program was started, so that the commands shown can be copied. The Go tool runs what it built from a
// folder of its own, which is gone afterwards.
func (s *session) self() string {
	self := quoted(os.Args[0])
	path, err := os.Executable()
	if folder := filepath.Base(filepath.Dir(path)); err != nil || folder == "exe" || strings.HasSuffix(folder, "-d") && strings.Contains(path, "go-build") {
		self = "go run ./cmd/yimen"
	}
	if s.lang != language("", s.env) {
		self += " --lang " + string(s.lang)
	}
	return self
}
