package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/onedoor/yimen/exchange"
)

// bill is a bill of materials as CycloneDX 1.6 has it, as far as it is used here.
type bill struct {
	Schema      string       `json:"$schema"`
	Format      string       `json:"bomFormat"`
	SpecVersion string       `json:"specVersion"`
	Version     int          `json:"version"`
	Metadata    billMetadata `json:"metadata"`
	Components  []material   `json:"components"`
}

type billMetadata struct {
	Component material `json:"component"`
}

// material is one module, or the program itself.
type material struct {
	Type       string     `json:"type"`
	Reference  string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Locator    string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// goSum is the property that holds a module's sum: it is over a tree of files, so none of CycloneDX's hashes.
const goSum = "go.sum"

// bill prints what this program is made of.
func (s *session) bill() error {
	if s.build == nil || len(s.build.Deps) == 0 {
		return &exchange.Problem{Code: "YM-CLI-0819", Kind: exchange.NotFound,
			What: both("这个程序里没有物料清单", "this program holds no bill of materials"),
			Why:  both("它不是以 Go 模块方式构建的", "it was not built with Go modules"),
			Mend: both("用 go build ./cmd/yimen 构建", "build it with go build ./cmd/yimen")}
	}
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(billOf(s.build))
}

// billOf reads what the Go tool wrote into the binary.
func billOf(build *debug.BuildInfo) bill {
	b := bill{Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: billMetadata{moduleOf("application", build.Main.Path, versionOf(build).Version, "")}}
	b.Components = append(b.Components, moduleOf("library", "std", strings.TrimPrefix(runtime.Version(), "go"), ""))
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Components = append(b.Components, moduleOf("library", m.Path, m.Version, m.Sum))
	}
	return b
}

func moduleOf(kind, path, version, sum string) material {
	m := material{Type: kind, Name: path, Version: version, Locator: "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")}
	m.Reference = m.Locator
	if sum != "" {
		m.Properties = []property{{goSum, sum}}
	}
	return m
}
