package adapters

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
)

// Findings are all that is wrong with a manifest; as an error they are one a line.
type Findings []*exchange.Problem

// Error lists the findings in English.
func (f Findings) Error() string { return f.In(exchange.EN) }

// In lists the findings in the language.
func (f Findings) In(lang exchange.Lang) string {
	lines := make([]string, len(f))
	for i, p := range f {
		lines[i] = p.In(lang)
	}
	return strings.Join(lines, "\n")
}

// Problem is the findings as one problem that wraps them, nil where there are none.
func (f Findings) Problem() error {
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0]
	}
	return &exchange.Problem{Code: "YM-MAN-0100", Kind: exchange.Invalid, Err: f,
		What: text(fmt.Sprintf("清单有 %d 处错误", len(f)), fmt.Sprintf("the manifest has %d mistakes", len(f))),
		Mend: text("请逐条修改后再试", "mend each of them and try again")}
}

func (f *Findings) add(code, where string, what, mend exchange.Text) {
	*f = append(*f, &exchange.Problem{Code: code, Kind: exchange.Invalid, Mend: mend,
		What: exchange.Text{ZH: where + "：" + what.ZH, EN: where + ": " + what.EN}})
}

func text(zh, en string) exchange.Text { return exchange.Text{ZH: zh, EN: en} }

var (
	division   = regexp.MustCompile(`^[1-9][0-9]([0-9]{2}){0,2}$`)
	privateUse = regexp.MustCompile(`^U\+([0-9A-F]{4,6})$`)
	secretKey  = regexp.MustCompile(`(?i)(passw|passphrase|pwd$|secret|token|credential|api_?key|private_?key|密码|口令|密钥)`)
	secretFile = regexp.MustCompile(`(?i)(_file|_env)$`)
	secretURL  = regexp.MustCompile(`://[^/@\s]*:[^/@\s]+@`)
)

// Validate says everything that is wrong with the manifest, as one *exchange.Problem that wraps Findings if it is more than
// one thing. What a kind of source needs is checked by the source when it is opened.
func (m *Manifest) Validate() error { return m.findings().Problem() }

func (m *Manifest) findings() Findings {
	var f Findings
	if !exchange.ValidAdapter(string(m.Adapter)) {
		f.add("YM-MAN-0121", m.at.of("adapter"), text("adapter 应为 部门/名称", "adapter must be department/name"),
			text("用小写字母、数字和连字符，例如 scjg/licences", "use small letters, digits and hyphens, such as scjg/licences"))
	}
	if !exchange.ValidName(string(m.Evidence)) {
		f.add("YM-MAN-0122", m.at.of("evidence"), text("evidence 应为证照类型的短名", "evidence must be the short name of an evidence type"),
			text("例如 business-licence；用 yimen schema list 查看", "such as business-licence; see `yimen schema list`"))
	}
	if !exchange.ValidName(m.Source.Kind) {
		f.add("YM-MAN-0123", m.at.of("source", "kind"), text("source 应写明 kind", "source must say its kind"), text("例如 kind: tabular（CSV 文件）", "such as kind: tabular (CSV files)"))
	}
	if m.Every < time.Second {
		f.add("YM-MAN-0124", m.at.of("every"), text("every 不得短于 1 秒", "every must be at least one second"), text("例如 every: 30s", "such as every: 30s"))
	}
	m.checkSecrets(&f, m.Source.settings)
	m.checkDialect(&f)
	m.checkHolders(&f)
	m.checkTolerance(&f)
	m.checkMapping(&f)
	return f
}

func (m *Manifest) checkDialect(f *Findings) {
	d := m.Dialect
	if d.Encoding != "" && d.Encoding != "utf-8" && d.Encoding != "gb18030" {
		f.add("YM-MAN-0131", m.at.of("dialect", "encoding"), text("dialect.encoding 应为 utf-8 或 gb18030", "dialect.encoding must be utf-8 or gb18030"),
			text("GBK、GB2312 与 ANSI（简体中文 Windows）写 gb18030", "write gb18030 for GBK, GB2312 and the ANSI of a Chinese Windows"))
	}
	if d.Delimiter != "" && !slices.Contains([]string{",", "\t", ";", "|"}, d.Delimiter) {
		f.add("YM-MAN-0132", m.at.of("dialect", "delimiter"), text("dialect.delimiter 应为 , \\t ; | 之一", "dialect.delimiter must be one of , \\t ; |"),
			text("制表符请写成双引号中的 \"\\t\"", `write a tab as "\t" in double quotes`))
	}
	seen := map[string]bool{}
	for _, c := range d.Columns {
		if strings.TrimSpace(c) == "" || seen[c] {
			f.add("YM-MAN-0133", m.at.of("dialect", "columns"), text("dialect.columns 有空的或重复的列名", "dialect.columns has a blank or repeated name"), text("请照抄文件的表头", "copy the file's header"))
			break
		}
		seen[c] = true
	}
	for code, glyph := range d.Glyphs {
		if !isPrivateUse(code) || !isGlyph(glyph) {
			f.add("YM-MAN-0134", m.at.of("dialect", "glyphs", code), text("dialect.glyphs 应把私用区编码对应到一个正式编码的字", "dialect.glyphs must give a private-use code the character it stands for"),
				text("例如 glyphs: {U+E000: 㼆}", "such as glyphs: {U+E000: 㼆}"))
		}
	}
}

func isPrivateUse(code string) bool {
	found := privateUse.FindStringSubmatch(code)
	if found == nil {
		return false
	}
	var r rune
	_, err := fmt.Sscanf(found[1], "%X", &r)
	return err == nil && unicode.Is(unicode.Co, r)
}

func isGlyph(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && utf8.ValidString(s) && len(s) <= 16 && !unicode.In(r, unicode.Co, unicode.Cc) && r != utf8.RuneError
}

func (m *Manifest) checkHolders(f *Findings) {
	if k := m.Holders.Kind; k != "" && k != exchange.Person && k != exchange.Organisation {
		f.add("YM-MAN-0141", m.at.of("holders", "kind"), text("holders.kind 应为 person 或 org", "holders.kind must be person or org"), text("两类都有的，不写 kind", "leave it out where there are both"))
	}
	for _, d := range m.Holders.Divisions {
		if !division.MatchString(d) {
			f.add("YM-MAN-0142", m.at.of("holders", "divisions"), text("holders.divisions 应为 2、4 或 6 位行政区划代码", "holders.divisions must be division codes of 2, 4 or 6 digits"),
				text("例如 [\"43\"] 或 [\"430281\"]，请加引号", `such as ["43"] or ["430281"], in quotes`))
		}
	}
}

func (m *Manifest) checkTolerance(f *Findings) {
	t := m.Tolerance
	for key, n := range map[string]int64{"rows": t.Rows, "unreadable": t.Unreadable} {
		if n < 0 {
			f.add("YM-MAN-0151", m.at.of("tolerance", key), text("tolerance."+key+" 不得为负", "tolerance."+key+" must not be negative"), text("写 0 或更大的整数", "write 0 or more"))
		}
	}
	for key, share := range map[string]float64{"share": t.Share, "withdrawn_share": t.WithdrawnShare} {
		if !(share >= 0 && share <= 1) {
			f.add("YM-MAN-0152", m.at.of("tolerance", key), text("tolerance."+key+" 应在 0 与 1 之间", "tolerance."+key+" must lie between 0 and 1"), text("百分之五写 0.05", "write five per cent as 0.05"))
		}
	}
}

func (m *Manifest) checkMapping(f *Findings) {
	_, err := mapping.Compile(m.Mapping, m.Absent)
	var faults mapping.Faults
	if !errors.As(err, &faults) {
		return
	}
	for _, fault := range faults {
		f.add(fault.Code, m.at.of("mapping", strings.ReplaceAll(strings.TrimPrefix(fault.Target, "/"), "/", ".")), fault.What, fault.Mend)
	}
}

// checkSecrets refuses what looks like a secret: manifests are copied, mailed and kept under version control.
func (m *Manifest) checkSecrets(f *Findings, settings map[string]any) {
	for key, value := range settings {
		word, isText := value.(string)
		if secretKey.MatchString(key) && !secretFile.MatchString(key) || isText && secretURL.MatchString(word) {
			f.add("YM-MAN-0125", m.at.of("source", key), text("source."+key+" 像是写了密码或密钥", "source."+key+" looks like a secret"),
				text("清单中不写密码：放进只有适配器可读的文件，以 "+key+"_file 写明路径", "manifests hold no secrets: put it into a file that only the adapter can read, and name that file with "+key+"_file"))
		}
		if inner, ok := value.(map[string]any); ok {
			m.checkSecrets(f, inner)
		}
	}
}
