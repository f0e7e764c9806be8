// Package catalogue says what a service item needs and who may ask for it.
//
// Its nouns are departments, evidence types with their keeper, service items (事项) with their materials (材料), and
// grants (共享授权). They are read once from YAML files by Load, checked against each other, and never change
// afterwards; a Catalogue is safe for concurrent use. The exchange brings departments, types and items of
// an ordinary county-level city (Builtin); grants are each city's own decision, so none are built in.
package catalogue

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/condition"
)

// Department is one department of the city.
type Department struct {
	Code exchange.Department `json:"code"`
	Name exchange.Text       `json:"name"`
}

// Evidence is one kind of certificate, with the one department that may publish it.
type Evidence struct {
	Type   exchange.EvidenceType `json:"type"`
	Name   exchange.Text         `json:"name"`
	Keeper exchange.Department   `json:"keeper"`
	// StaleAfter is how old a keeper's word may be before an answer must not rest on it alone.
	StaleAfter time.Duration `json:"stale_after"`
	// Sharing is the class in which the keeper declared it, and SharingBasis the law that says so; NotShared must cite one.
	Sharing      Sharing       `json:"sharing"`
	SharingBasis exchange.Text `json:"sharing_basis,omitzero"`
	// TypeCode is the national code of the type (证照类型代码, GB/T 36904), by which nodes outside the city ask; empty: not registered.
	TypeCode string `json:"type_code,omitempty"`
}

// Sharing (共享属性) is one of the three classes of 政务数据共享条例 art. 14. It says how soon a request is to be answered.
type Sharing string

// The classes.
const (
	Unconditional Sharing = "unconditional" // 无条件共享
	Conditional   Sharing = "conditional"   // 有条件共享
	NotShared     Sharing = "not-shared"    // 不予共享
)

// Service is one service item.
type Service struct {
	Code       exchange.Item       `json:"code"`
	Name       exchange.Text       `json:"name"`
	Department exchange.Department `json:"department"` // who decides on it
	Applicant  exchange.HolderKind `json:"applicant"`  // who may apply; empty: persons and organisations
	National   *National           `json:"national,omitempty"`
	Limits     Limits              `json:"limits,omitzero"`
	Fees       []Fee               `json:"fees,omitempty"` // none: free of charge
	Facts      []Fact              `json:"facts,omitempty"`
	Materials  []Material          `json:"materials"`
	Edition    *Edition            `json:"edition,omitempty"` // none: as the city's files have it
}

// Edition (版) says which of an item's editions it is.
type Edition struct {
	Number int           `json:"number"` // 1 is the first that was published
	From   exchange.Date `json:"from"`   // the first day it counts
}

// Fact is something the applicant is asked, on which conditions of the item rest.
type Fact struct {
	Code    string        `json:"code"`
	Name    exchange.Text `json:"name"`
	Kind    FactKind      `json:"kind"`
	Choices []string      `json:"choices,omitempty"` // of a Choice: what may be answered
}

// FactKind is what a fact looks like.
type FactKind string

// The kinds of fact.
const (
	Flag   FactKind = "flag"   // yes or no
	Words  FactKind = "text"   // a few words
	Number FactKind = "number" // a number
	Day    FactKind = "date"   // a day, as 2026-12-31
	Choice FactKind = "choice" // one of a few words
)

// Material is one thing an item requires.
type Material struct {
	Code       string        `json:"code"`
	Name       exchange.Text `json:"name"`
	Basis      exchange.Text `json:"basis"`      // the law that lets the item ask for it
	Optional   bool          `json:"optional"`   // 非必要
	Deferrable bool          `json:"deferrable"` // 容缺后补: the item may be accepted before it is there
	// If says in which cases the item asks for it; where it fails the material is not asked for, and where it cannot be
	// told, it is.
	If condition.Condition `json:"if,omitzero"`
	// Alternatives: any one suffices. Without any the applicant makes the material, such as a form or a floor plan.
	Alternatives []Alternative `json:"alternatives,omitempty"`
}

// Alternative is a set of evidence of which all is needed.
type Alternative []Need

// Need is one piece of evidence of an alternative.
type Need struct {
	Evidence exchange.EvidenceType `json:"evidence"`
	Of       exchange.Role         `json:"of,omitempty"`  // whose it must be; empty: the applicant's
	When     condition.Condition   `json:"when,omitzero"` // what a record must be like to serve
}

// Grant lets one department see some fields of one evidence type for one item.
type Grant struct {
	Department exchange.Department   `json:"department"`
	Evidence   exchange.EvidenceType `json:"evidence"`
	Item       exchange.Item         `json:"item"`
	Fields     []string              `json:"fields"` // top-level properties of the document; none: only whether it is held
	Basis      exchange.Text         `json:"basis"`
	From       exchange.Date         `json:"from"`
	Until      exchange.Date         `json:"until"` // the last day it holds
}

// Catalogue is everything Load read, checked.
type Catalogue struct {
	departments map[exchange.Department]Department
	evidence    map[exchange.EvidenceType]Evidence
	services    map[exchange.Item]Service
	grants      []Grant
	asked       map[asker][]Grant // grants by who asks for what
	version     string
	places      map[exchange.Item]place
	upTo        int64 // of Topic
}

// asker is a department with an item that it asks for.
type asker struct {
	department exchange.Department
	item       exchange.Item
}

// place is where an item was read.
type place struct {
	file      string
	line      int
	materials map[string]int // code → line
}

// Accepts says whether an applicant of that kind may apply for the item.
func (s Service) Accepts(kind exchange.HolderKind) bool {
	return s.Applicant == "" || s.Applicant == kind
}

// Fact finds a fact that the item asks for by its code.
func (s Service) Fact(code string) (Fact, bool) {
	for _, f := range s.Facts {
		if f.Code == code {
			return f, true
		}
	}
	return Fact{}, false
}

// Types are the evidence types that any of the item's materials can be met with, sorted.
func (s Service) Types() []exchange.EvidenceType {
	types := make([]exchange.EvidenceType, 0, len(s.Materials))
	for _, m := range s.Materials {
		for _, set := range m.Alternatives {
			for _, need := range set {
				types = append(types, need.Evidence)
			}
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// Department finds a department by its code.
func (c *Catalogue) Department(code exchange.Department) (Department, bool) {
	d, ok := c.departments[code]
	return d, ok
}

// Departments are all departments, sorted by code.
func (c *Catalogue) Departments() []Department { return sorted(c.departments) }

// Evidence finds an evidence type by its name.
func (c *Catalogue) Evidence(t exchange.EvidenceType) (Evidence, bool) {
	e, ok := c.evidence[t]
	return e, ok
}

// ByType are all evidence types by their codes. The map is the catalogue's own: it is to be read only.
func (c *Catalogue) ByType() map[exchange.EvidenceType]Evidence { return c.evidence }

// Named finds an evidence type by its national code, or by its name.
func (c *Catalogue) Named(code string) (Evidence, bool) {
	for _, e := range c.evidence {
		if code != "" && e.TypeCode == code {
			return e, true
		}
	}
	return c.Evidence(exchange.EvidenceType(code))
}

// EvidenceTypes are all evidence types, sorted by name.
func (c *Catalogue) EvidenceTypes() []Evidence { return sorted(c.evidence) }

// Service finds an item by its code.
func (c *Catalogue) Service(code exchange.Item) (Service, bool) {
	s, ok := c.services[code]
	return s, ok
}

// Place is the file and line where an item, or one of its materials, was read; material "": the item.
func (c *Catalogue) Place(code exchange.Item, material string) (file string, line int) {
	p := c.places[code]
	if line, ok := p.materials[material]; ok {
		return p.file, line
	}
	return p.file, p.line
}

// Has says whether there is such an item.
func (c *Catalogue) Has(code exchange.Item) bool {
	_, known := c.services[code]
	return known
}

// Services are all items, sorted by code.
func (c *Catalogue) Services() []Service { return sorted(c.services) }

// Grants are all grants, in force or not, sorted.
func (c *Catalogue) Grants() []Grant { return slices.Clone(c.grants) }

// Permit finds the grant that lets the department see the type for the item on that day. There is at most one.
func (c *Catalogue) Permit(department exchange.Department, item exchange.Item, t exchange.EvidenceType, day exchange.Date) (Grant, bool) {
	all := c.asked[asker{department, item}]
	for i := range all {
		if g := &all[i]; g.Evidence == t && g.holdsOn(day) {
			return *g, true
		}
	}
	return Grant{}, false
}

// MayAsk says whether the department has any business with the item that day: it decides on it, or has
// a grant for it.
func (c *Catalogue) MayAsk(department exchange.Department, item exchange.Item, day exchange.Date) bool {
	service, known := c.services[item]
	if !known {
		return false
	}
	return service.Department == department || slices.ContainsFunc(c.asked[asker{department, item}], func(g Grant) bool { return g.holdsOn(day) })
}

// WithGrants is the same catalogue with the grants that follow from Topic up to an offset. They are not checked. Its version stays
// that of what was read: with it and UpTo it can be made again.
func (c *Catalogue) WithGrants(grants []Grant, upTo int64) *Catalogue {
	other := *c
	other.grants, other.upTo = slices.Clone(grants), upTo
	other.order()
	return &other
}

// UpTo is the offset on Topic up to which grants are folded into it; 0: none is.
func (c *Catalogue) UpTo() int64 { return c.upTo }

// Nearest is the item code most like the one given, "" if none is.
func (c *Catalogue) Nearest(item string) exchange.Item {
	return exchange.Item(exchange.Nearest(item, names(c.services)))
}

// Version is a digest of the content: equal content has an equal version, whatever files it came from.
func (c *Catalogue) Version() string { return c.version }

func (g Grant) holdsOn(day exchange.Date) bool { return g.From <= day && day <= g.Until }

func sorted[K ~string, V any](m map[K]V) []V {
	all := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[key])
	}
	return all
}

func names[K ~string, V any](m map[K]V) []string {
	all := make([]string, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, string(key))
	}
	return all
}

// digest is the hash of the content in one fixed form.
func (c *Catalogue) digest() (string, error) {
	content, err := json.Marshal([]any{c.Departments(), c.EvidenceTypes(), c.Services(), c.grants})
	if err != nil {
		return "", fmt.Errorf("digest catalogue: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

// Topic is where the catalogue's changes stand, one partition and never cleaned. Each entry names its kind.
const Topic = "catalogue"

//go:embed city
var city embed.FS

// Builtin has the departments, evidence types and items the exchange brings with it, for Load.
func Builtin() fs.FS {
	files, err := fs.Sub(city, "city")
	if err != nil {
		panic(err) // the name is fixed and valid
	}
	return files
}
