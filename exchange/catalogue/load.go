package catalogue

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/onedoor/yimen/exchange"
)

// maxFile bounds a file of a catalogue, in bytes.
const maxFile = 1 << 20

// loader reads in the order of what refers to what: departments, evidence types, items, grants.
type loader struct {
	findings
	catalogue *Catalogue
	granted   map[int]string // index into the catalogue's grants → where it stands
}

// Load reads the files departments.yaml, evidence.yaml, items/*.yaml and grants.yaml of each file system,
// any of which may be missing. An entry of a later file system replaces the one of the same code before it;
// grants add up. The error joins everything that was found wrong, each an *exchange.Problem with file and line.
func Load(fsys ...fs.FS) (*Catalogue, error) {
	l := &loader{granted: map[int]string{}, catalogue: &Catalogue{
		departments: map[exchange.Department]Department{},
		evidence:    map[exchange.EvidenceType]Evidence{},
		services:    map[exchange.Item]Service{},
		places:      map[exchange.Item]place{},
	}}
	for _, stage := range []struct {
		pattern string
		read    func(*file, ast.Node, map[string]string)
	}{
		{"departments.yaml", l.departments},
		{"evidence.yaml", l.evidence},
		{"items/*.yaml", l.item},
		{"grants.yaml", l.grants},
	} {
		for _, files := range fsys {
			l.readAll(files, stage.pattern, stage.read)
		}
	}
	for _, files := range fsys {
		l.unread(files)
	}
	l.typeCodes()
	l.overlaps()
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.catalogue.finish()
}

func (c *Catalogue) finish() (*Catalogue, error) {
	c.order()
	var err error
	c.version, err = c.digest()
	return c, err
}

// order sorts the grants and lays them out by who asks for what.
func (c *Catalogue) order() {
	slices.SortStableFunc(c.grants, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.Department, b.Department), cmp.Compare(a.Item, b.Item),
			cmp.Compare(a.Evidence, b.Evidence), cmp.Compare(a.From, b.From))
	})
	c.asked = map[asker][]Grant{}
	for _, g := range c.grants {
		at := asker{g.Department, g.Item}
		c.asked[at] = append(c.asked[at], g)
	}
}

// readAll reads the files of one file system that match. The map notes where each code was defined, so that
// the same code twice within one file system is found.
func (l *loader) readAll(files fs.FS, pattern string, read func(*file, ast.Node, map[string]string)) {
	matches, err := fs.Glob(files, pattern)
	if err != nil {
		l.unreadable(pattern, err)
		return
	}
	defined := map[string]string{}
	for _, name := range matches {
		content, err := fs.ReadFile(files, name)
		if err == nil && len(content) > maxFile {
			err = fmt.Errorf("%d bytes, at most %d", len(content), maxFile)
		}
		if err != nil {
			l.unreadable(name, err)
			continue
		}
		f := &file{path: name, findings: &l.findings}
		if document := f.parse(content); document != nil {
			read(f, document, defined)
		}
	}
}

func (l *loader) unreadable(name string, err error) {
	l.add("YM-CAT-0107", name, 0, text("读不了："+err.Error(), "cannot be read: "+err.Error()),
		text("检查文件权限和大小", "check the file's permissions and size"))
}

// unread finds YAML files that nothing reads: a misspelt name must not silently mean "no grants".
func (l *loader) unread(files fs.FS) {
	known := []string{"departments.yaml", "evidence.yaml", "grants.yaml"}
	count := 0
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if item, _ := path.Match("items/*.yaml", name); item || slices.Contains(known, name) {
			count++
		} else if slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(path.Ext(name))) {
			l.add("YM-CAT-0106", name, 0, text("没有人会读这个文件", "nothing reads this file"), suggestion(name, known))
		}
		return nil
	})
	switch {
	case err != nil:
		l.unreadable("catalogue", err)
	case count == 0:
		l.unreadable("catalogue", errors.New("no departments.yaml, evidence.yaml, items/*.yaml or grants.yaml here"))
	}
}

// fresh says whether the code is new in this file system, and notes where it stands.
func (f *file) fresh(code string, at ast.Node, defined map[string]string) bool {
	if first, twice := defined[code]; twice {
		f.report("YM-CAT-0108", at, text(code+" 已在 "+first+" 定义", code+" is defined already at "+first),
			text("删去其中一处，或换一个代码", "remove one of them, or choose another code"))
		return false
	}
	defined[code] = fmt.Sprintf("%s:%d", f.path, line(at))
	return true
}

func (l *loader) departments(f *file, document ast.Node, defined map[string]string) {
	for _, e := range f.entries(document) {
		code := f.checkName(e.at, e.key)
		name := f.text(e.value)
		if code != "" && f.fresh(code, e.at, defined) {
			l.catalogue.departments[exchange.Department(code)] = Department{exchange.Department(code), name}
		}
	}
}

func (l *loader) evidence(f *file, document ast.Node, defined map[string]string) {
	for _, e := range f.entries(document) {
		found := f.fields(e.value, "name", "keeper", "stale_after", "sharing?", "sharing_basis?", "type_code?")
		evidence := Evidence{
			Type:       exchange.EvidenceType(f.checkName(e.at, e.key)),
			Name:       f.text(found["name"]),
			Keeper:     known(f, found["keeper"], department, l.catalogue.departments),
			StaleAfter: f.duration(found["stale_after"]),
			Sharing:    Conditional, // where nothing is declared the keeper is asked
			TypeCode:   f.typeCode(found["type_code"]),
		}
		f.sharing(e.value, found, &evidence)
		if evidence.Type != "" && f.fresh(e.key, e.at, defined) {
			l.catalogue.evidence[evidence.Type] = evidence
		}
	}
}

// sharing reads in which class a type is shared.
func (f *file) sharing(at ast.Node, found map[string]ast.Node, e *Evidence) {
	if found["sharing"] != nil {
		e.Sharing = Sharing(f.choice(found["sharing"], string(Unconditional), string(Conditional), string(NotShared)))
	}
	e.SharingBasis = f.text(found["sharing_basis"])
	if e.Sharing == NotShared && e.SharingBasis.ZH == "" {
		f.report("YM-CAT-0211", at, text("不予共享须写明依据的法律（政务数据共享条例第十五条）", "what is not shared must cite the law that says so (政务数据共享条例 art. 15)"),
			text("补上 sharing_basis，或改为 sharing: conditional", "add sharing_basis, or write sharing: conditional"))
	}
}

// The kinds of thing that other things name.
var (
	department   = text("部门", "department")
	evidenceType = text("证照类型", "evidence type")
	serviceItem  = text("事项", "item")
)

// known reads a code that must be in the catalogue already.
func known[K ~string, V any](f *file, n ast.Node, kind exchange.Text, all map[K]V) K {
	word := f.name(n)
	if word == "" {
		return ""
	}
	if _, ok := all[K(word)]; !ok {
		f.report("YM-CAT-0201", n, text("没有"+kind.ZH+" "+word, "there is no "+kind.EN+" "+word),
			suggestion(word, names(all)))
		return ""
	}
	return K(word)
}

func (l *loader) item(f *file, document ast.Node, defined map[string]string) {
	found := f.fields(document, "item", "name", "department", "applicant", "national?", "limits?", "fees?", "facts?", "materials")
	service := Service{
		Code:       exchange.Item(f.name(found["item"])),
		Name:       f.text(found["name"]),
		Department: known(f, found["department"], department, l.catalogue.departments),
	}
	if kind := f.choice(found["applicant"], "person", "org", "any"); kind != "any" {
		service.Applicant = exchange.HolderKind(kind)
	}
	service.National, service.Limits, service.Fees = f.national(found["national"]), f.limits(found["limits"]), f.fees(found["fees"])
	service.Facts = f.facts(found["facts"])
	codes := map[string]string{}
	at := place{f.path, line(found["item"]), map[string]int{}}
	for _, n := range f.list(found["materials"]) {
		m := l.material(f, n, codes)
		service.Materials, at.materials[m.Code] = append(service.Materials, m), line(n)
	}
	if found["materials"] != nil && len(service.Materials) == 0 {
		f.report("YM-CAT-0202", found["materials"], text("事项没有材料", "the item has no material"),
			text("至少写一项材料", "name at least one material"))
	}
	f.checkFacts(found["materials"], service)
	if service.Code != "" && f.fresh(string(service.Code), found["item"], defined) {
		l.catalogue.services[service.Code], l.catalogue.places[service.Code] = service, at
	}
}

func (l *loader) material(f *file, n ast.Node, codes map[string]string) Material {
	found := f.fields(n, "material", "name", "basis", "necessity", "deferrable?", "if?", "made_by?", "alternatives?")
	m := Material{
		Code:       f.name(found["material"]),
		Name:       f.text(found["name"]),
		Basis:      f.text(found["basis"]),
		Optional:   f.choice(found["necessity"], "required", "optional") == "optional",
		Deferrable: f.flag(found["deferrable"]),
		If:         f.condition(found["if"]),
	}
	if m.Code != "" {
		f.fresh(m.Code, found["material"], codes)
	}
	if m.Optional && m.Deferrable {
		f.report("YM-CAT-0203", found["deferrable"],
			text("非必要的材料谈不上容缺", "an optional material cannot be deferrable"),
			text("删去 deferrable，或改为 necessity: required", "remove deferrable, or write necessity: required"))
	}
	if (found["made_by"] == nil) == (found["alternatives"] == nil) {
		f.report("YM-CAT-0204", n,
			text("要么由申请人自备，要么由证照证明，二者取一", "a material is either made by the applicant or met by evidence"),
			text("写 made_by: applicant 或 alternatives，不能都写或都不写", "write made_by: applicant or alternatives, one of them"))
		return m
	}
	f.choice(found["made_by"], "applicant")
	m.Alternatives = l.alternatives(f, found["alternatives"])
	return m
}

func (l *loader) grants(f *file, document ast.Node, _ map[string]string) {
	for _, n := range f.list(document) {
		found := f.fields(n, "department", "evidence", "item", "fields?", "basis", "from", "until")
		g := Grant{
			Department: known(f, found["department"], department, l.catalogue.departments),
			Evidence:   known(f, found["evidence"], evidenceType, l.catalogue.evidence),
			Item:       known(f, found["item"], serviceItem, l.catalogue.services),
			Basis:      f.text(found["basis"]),
			From:       f.date(found["from"]),
			Until:      f.date(found["until"]),
		}
		for _, field := range f.list(found["fields"]) {
			g.Fields = append(g.Fields, f.word(field))
		}
		slices.Sort(g.Fields)
		g.Fields = slices.Compact(g.Fields)
		l.checkGrant(f, n, g)
		l.checkShared(f, n, g)
		l.granted[len(l.catalogue.grants)] = fmt.Sprintf("%s:%d", f.path, line(n))
		l.catalogue.grants = append(l.catalogue.grants, g)
	}
}

func (l *loader) checkGrant(f *file, at ast.Node, g Grant) {
	service, known := l.catalogue.services[g.Item]
	if known && g.Evidence != "" && !slices.Contains(service.Types(), g.Evidence) {
		needed := strings.Join(strings.Fields(fmt.Sprint(service.Types())), " ")
		f.report("YM-CAT-0301", at,
			text(fmt.Sprintf("事项 %s 不需要 %s", g.Item, g.Evidence), fmt.Sprintf("the item %s does not need %s", g.Item, g.Evidence)),
			text("删去这条授权；该事项需要的是 "+needed, "remove the grant; the item needs "+needed))
	}
	if g.From != "" && g.Until != "" && g.Until < g.From {
		f.report("YM-CAT-0302", at, text("授权的截止日期早于起始日期", "the grant ends before it begins"),
			text("查对 from 和 until", "check from and until"))
	}
}

// checkShared refuses a grant of what is not shared.
func (l *loader) checkShared(f *file, at ast.Node, g Grant) {
	if e := l.catalogue.evidence[g.Evidence]; e.Sharing == NotShared {
		f.report("YM-CAT-0304", at, text(fmt.Sprintf("%s 不予共享：%s", g.Evidence, e.SharingBasis.ZH), fmt.Sprintf("%s is not shared: %s", g.Evidence, e.SharingBasis.In(exchange.EN))),
			text("删去这条授权", "remove the grant"))
	}
}

// overlaps finds two grants for the same thing on the same day: which fields would then be allowed?
func (l *loader) overlaps() {
	type subject struct {
		Department exchange.Department
		Evidence   exchange.EvidenceType
		Item       exchange.Item
	}
	grants := l.catalogue.grants
	bySubject := map[subject][]int{}
	for i, g := range grants {
		if key := (subject{g.Department, g.Evidence, g.Item}); key.Department != "" && key.Evidence != "" && key.Item != "" {
			bySubject[key] = append(bySubject[key], i)
		}
	}
	for _, same := range slices.SortedFunc(maps.Values(bySubject), slices.Compare) {
		slices.SortStableFunc(same, func(a, b int) int { return cmp.Compare(grants[a].From, grants[b].From) })
		for i := 1; i < len(same); i++ {
			before, after := same[i-1], same[i]
			if grants[before].Until < grants[after].From {
				continue
			}
			l.add("YM-CAT-0303", l.granted[after], 0,
				text("与 "+l.granted[before]+" 的授权日期重叠", "overlaps in time with the grant at "+l.granted[before]),
				text("合并两条授权，或让其一先结束", "merge the two, or let one end before the other begins"))
		}
	}
}
