package national

import (
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/exchange"
)

// settings are the keys under source in the manifest, besides kind and complete.
type settings struct {
	URL        string         `yaml:"url"`         // where calls go
	RefreshURL string         `yaml:"refresh_url"` // where the next request secret comes from
	Insecure   bool           `yaml:"insecure"`    // both may be http on another machine: rows then cross the network readable
	Requester  string         `yaml:"requester"`   // who calls (rid)
	Service    string         `yaml:"service"`     // which service (sid)
	AppKeyFile string         `yaml:"app_key_file"`
	Prefix     string         `yaml:"prefix"`     // of the four values' names
	Parameters map[string]any `yaml:"parameters"` // sent with each call
	Page       string         `yaml:"page"`       // the parameter that is the number of the page, from 1
	PageSize   string         `yaml:"page_size"`  // the parameter that is how many rows a page has
	Size       int            `yaml:"size"`       // rows in a page
	Rows       string         `yaml:"rows"`       // JSON pointer to the list of rows in an answer
	Total      string         `yaml:"total"`      // JSON pointer to the number of all rows; empty: the service does not say
}

// defaults are those of the national platform.
func defaults() settings {
	return settings{Prefix: "gjgxjhpt", Page: "pageNo", PageSize: "pageSize", Size: 100, Rows: "/data"}
}

// serviceForm is s_<digits>_<n>; the middle also has letters where an authority's code has them.
var (
	serviceForm = regexp.MustCompile(`^s_[0-9A-Za-z]+(_[0-9A-Za-z]+)*$`)
	prefixForm  = regexp.MustCompile(`^[a-z][a-z0-9]{1,31}$`)
)

const maxPage = 10_000

func check(m *adapters.Manifest, own settings) error {
	var findings adapters.Findings
	refuse := func(code string, wrong bool, what, mend exchange.Text) {
		if wrong {
			findings = append(findings, &exchange.Problem{Code: code, Kind: exchange.Invalid, What: what, Mend: mend})
		}
	}
	refuse("YM-MAN-0170", !webAddress(own.URL) || !webAddress(own.RefreshURL), text("source.url 或 source.refresh_url 不是网址", "source.url or source.refresh_url is no web address"),
		text("写平台告知的调用地址和刷新密钥的地址，如 https://…/httpproxy", "write the addresses that the platform told you for calls and for refreshing secrets, such as https://…/httpproxy"))
	refuse("YM-MAN-0178", !own.Insecure && (inTheClear(own.URL) || inTheClear(own.RefreshURL)), text("source.url 或 source.refresh_url 是 http：读到的记录和签名在网络上是明文", "source.url or source.refresh_url is http: rows and signatures would cross the network in plain"),
		text("改写 https 地址；平台只有 http，且所经网络可信的，写 source.insecure: true", "write the https address; where the platform has http only, and the network to it is trusted, write source.insecure: true"))
	refuse("YM-MAN-0171", own.Requester == "" || strings.ContainsFunc(own.Requester, notPrinted), text("source.requester 不可用", "source.requester cannot be used"),
		text("写平台发给本部门的请求者标识（rid）", "write the requester's id (rid) that the platform gave your department"))
	refuse("YM-MAN-0172", !serviceForm.MatchString(own.Service), text("source.service 不是服务编码", "source.service is no code of a service"),
		text("写平台目录中的服务编码（sid），如 s_1200000900000_2108", "write the code (sid) that the platform's catalogue has, such as s_1200000900000_2108"))
	refuse("YM-MAN-0173", own.AppKeyFile == "", text("source 没有写明 app_key_file", "source has no app_key_file"),
		text("把服务授权码（appkey）单独存成一个只有本人可读的文件，在此写其路径", "put the app key into a file that only its owner can read, and name the file here"))
	refuse("YM-MAN-0174", !prefixForm.MatchString(own.Prefix), text("source.prefix 的写法不对", "source.prefix is not well formed"),
		text("国家平台不必写；省平台写其前缀，如 hnjhpt", "leave it out for the national platform; for a province's write its prefix, such as hnjhpt"))
	refuse("YM-MAN-0175", own.Size < 1 || own.Size > maxPage || own.Page == "" || own.PageSize == "" || own.Page == own.PageSize, text("source 的分页写法不对", "source does not say well how to page"),
		text("page 和 page_size 写服务的两个分页参数名，size 写 1 至 10000", "page and page_size are the names of the service's two parameters, size is 1 to 10000"))
	refuse("YM-MAN-0176", !pointer(own.Rows) || !pointer(own.Total), text("source.rows 或 source.total 不是 JSON 指针", "source.rows or source.total is no JSON pointer"),
		text("写成如 /data/rows、/data/total", "write them like /data/rows and /data/total"))
	refuse("YM-MAN-0177", m.Source.Complete && own.Total == "", text("source.complete 须有 source.total", "source.complete needs source.total"),
		text("写明回答中总行数的位置；服务不给总数的，不能声明完整：读少了会撤回其余记录", "say where an answer has the number of all rows; where the service tells none, it cannot be declared complete: what is not read would be withdrawn"))
	return findings.Problem()
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// inTheClear tells an http address on another machine than this.
func inTheClear(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func pointer(s string) bool { return s == "" || strings.HasPrefix(s, "/") }

func notPrinted(r rune) bool { return r <= ' ' || r > '~' }

// appKey reads the key, which nobody else may read.
func appKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", badKey(path, text("没有这个文件，或不能读取", "it is not there, or cannot be read"), err)
	}
	if !info.Mode().IsRegular() || info.Size() > 4096 {
		return "", badKey(path, text("不是几十个字的普通文件", "it is no plain file of a few dozen characters"), nil)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", &exchange.Problem{Code: "YM-SRC-0302", Kind: exchange.Invalid, What: text("别人也能读 "+path, "others can read "+path),
			Mend: text("chmod 600 "+path+"，若可能已被看到，向平台申请换发", "chmod 600 "+path+"; where it may have been seen, have the platform give you another")}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", badKey(path, text("不能读取", "it cannot be read"), err)
	}
	key := strings.TrimSpace(string(content))
	if key == "" || strings.ContainsFunc(key, notPrinted) {
		return "", badKey(path, text("其中不是一个服务授权码", "it holds no app key"), nil)
	}
	return key, nil
}
