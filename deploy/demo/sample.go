package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// Sample is a query worth showing.
type Sample struct {
	Item   exchange.Item
	Holder exchange.Holder
	Case   string
	Shows  exchange.Text // what there is to see
}

// searched is how many people or companies are looked at for a sample.
const searched = 20_000

// Samples are queries that show what the exchange answers, beginning with one of a person and one of a company that are
// mostly held. A village may lack some of them.
func (c *City) Samples() []Sample {
	var samples []Sample
	add := func(item exchange.Item, holder exchange.Holder, zh, en string) {
		if holder.Number == "" {
			return
		}
		samples = append(samples, Sample{Item: item, Holder: holder, Shows: exchange.Text{ZH: zh, EN: en},
			Case: fmt.Sprintf("demo-%s-%04d", c.today.in(packed), len(samples)+1)})
	}
	add("household-move", c.personWith(map[exchange.EvidenceType]int{"household-registration": 1, "marriage-certificate": 1,
		"property-title": 2}, ""),
		"户籍、婚姻已有；名下两处房产，请窗口核对", "household and marriage are held; two titles, so the window is asked which")
	add("food-licence-new", c.companyWith(map[exchange.EvidenceType]int{"business-licence": 1, "property-title": 2}, false),
		"营业执照已有；两处经营场所，待核对", "the business licence is held; two premises to check")
	add("public-rental-housing", c.personWith(map[exchange.EvidenceType]int{"household-registration": 1, "social-insurance": 1},
		"marriage-certificate"),
		"户籍、社保已有；婚姻登记的一行在隔离区，暂查不到", "household and insurance are held; the marriage's row is in quarantine: unknown")
	add("construction-safety-renewal", c.companyWith(map[exchange.EvidenceType]int{"business-licence": 1,
		"construction-safety-licence": 1}, false),
		"营业执照、安全生产许可证已有；社保数据只涉及个人，暂查不到", "both licences are held; insurance speaks of persons only: unknown")
	add("food-licence-new", c.companyWith(map[exchange.EvidenceType]int{"business-licence": 1, "property-title": 0}, false),
		"没有房产证，登记证明数据不完整：经营场所暂查不到", "no title, and registrations are incomplete: the premises are unknown")
	add("enterprise-deregistration", c.companyWith(map[exchange.EvidenceType]int{"business-licence": 1, "tax-clearance": 1}, true),
		"清税证明没有授权，需提交", "tax clearance without a grant: to supply")
	return samples
}

// personWith is the first person with so many good certificates of each type and, if a type is named, a spoilt row of
// that type which still names them.
func (c *City) personWith(good map[exchange.EvidenceType]int, spoilt exchange.EvidenceType) exchange.Holder {
	for index := range min(c.people, searched) {
		if p := c.Person(index); c.holds(p.Holdings, good) && (spoilt == "" || inQuarantine(p.Holdings, p.Holder, spoilt)) {
			return p.Holder
		}
	}
	return exchange.Holder{}
}

// companyWith is the first company, or business of one person, with so many good certificates of each type.
func (c *City) companyWith(good map[exchange.EvidenceType]int, sole bool) exchange.Holder {
	for index := banks; index < min(c.companies, searched); index++ {
		if f := c.Company(index); c.firm(index).sole == sole && c.holds(f.Holdings, good) {
			return f.Holder
		}
	}
	return exchange.Holder{}
}

// holds says whether there are so many certificates of each type, every one of them good.
func (c *City) holds(holdings []Holding, good map[exchange.EvidenceType]int) bool {
	found := map[exchange.EvidenceType]int{}
	for i := range holdings {
		h := &holdings[i]
		if _, asked := good[h.Type]; asked && !h.goodOn(c.today.date()) {
			return false
		}
		found[h.Type]++
	}
	for t, n := range good {
		if found[t] != n {
			return false
		}
	}
	return true
}

func (h *Holding) goodOn(day exchange.Date) bool {
	return h.Spoilt == "" && h.Status == exchange.Valid && h.From <= day && (h.Until == "" || day <= h.Until)
}

func inQuarantine(holdings []Holding, holder exchange.Holder, t exchange.EvidenceType) bool {
	return slices.ContainsFunc(holdings, func(h Holding) bool {
		return h.Type == t && h.Spoilt != "" && slices.Contains(h.Named, holder)
	})
}

//go:embed catalogue
var catalogueFiles embed.FS

// Catalogue has the grants of the demonstration, to be loaded after the exchange's built-in catalogue.
func Catalogue() fs.FS {
	files, err := fs.Sub(catalogueFiles, "catalogue")
	if err != nil {
		panic(err) // the name is fixed and valid
	}
	return files
}
