package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"
)

// version is which build this is.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"` // the work tree differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (s *session) versionVerb() verb {
	var materials bool
	return verb{
		use:   "version",
		short: both("显示版本", "show the version"),
		long: both("显示版本。--sbom 输出软件物料清单（CycloneDX 1.6，JSON）：编进本程序的每个模块及其 go.sum 校验值，供漏洞扫描工具使用。",
			"Shows the version. --sbom prints the bill of materials (CycloneDX 1.6, JSON): every module that is in this program with its sum of go.sum, for tools that look for known vulnerabilities."),
		example: "yimen version\nyimen version -o json\nyimen version --sbom > yimen.cdx.json",
		lists:   true,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&materials, "sbom", false, s.t("输出软件物料清单", "print the bill of materials"))
		},
		run: func(context.Context, []string) error {
			if materials {
				return s.bill()
			}
			v := versionOf(s.build)
			return s.object(v.Version, v, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "yimen %s (%s, %s)\n", v.Version, v.Go, v.Platform)
				if err == nil && s.format == asWide && v.Revision != "" {
					_, err = fmt.Fprintf(w, "%s %s\n", v.Revision, v.Time)
				}
				return err
			})
		},
	}
}

// versionOf reads what the Go tool wrote into the binary.
func versionOf(build *debug.BuildInfo) version {
	v := version{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build == nil {
		return v
	}
	if build.Main.Version != "" {
		v.Version = build.Main.Version
	}
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.time":
			v.Time = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}
