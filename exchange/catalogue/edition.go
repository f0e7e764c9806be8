package catalogue

import (
	"maps"

	"github.com/onedoor/yimen/exchange"
)

// ParseItem reads one item as a file items/*.yaml has it, for this catalogue's departments and evidence types. The error joins everything
// that was found wrong, each an *exchange.Problem with its line.
func (c *Catalogue) ParseItem(source string) (Service, error) {
	read := &Catalogue{departments: c.departments, evidence: c.evidence, services: map[exchange.Item]Service{}, places: map[exchange.Item]place{}}
	l := &loader{catalogue: read}
	f := &file{path: "item.yaml", findings: &l.findings}
	if document := f.parse([]byte(source)); document != nil {
		l.item(f, document, map[string]string{})
	}
	if err := l.err(); err != nil {
		return Service{}, err
	}
	for _, service := range read.services {
		return service, nil
	}
	return Service{}, noItem()
}

func noItem() error {
	return &exchange.Problem{Code: "YM-CAT-0111", Kind: exchange.Invalid, What: text("其中没有事项", "there is no item in it"),
		Mend: text("写成 items 文件夹里文件的样子，可由 yimen item show 参照", "write it as a file in the folder items, see `yimen item show`")}
}

// WithItems is the same catalogue with some items replaced, added or, where there is none, left out. Its version stays that of what was read.
func (c *Catalogue) WithItems(changed map[exchange.Item]*Service) *Catalogue {
	other := *c
	other.services = maps.Clone(c.services)
	for code, service := range changed {
		if service == nil {
			delete(other.services, code)
		} else {
			other.services[code] = *service
		}
	}
	return &other
}
