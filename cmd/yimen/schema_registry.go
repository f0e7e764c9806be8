package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/schemas/gate"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// registryAt is the schema registry that --server and --token name.
type registryAt struct{ exchangeAt }

func (s *session) registryFlags(f *pflag.FlagSet, at *registryAt) {
	s.exchangeFlags(f, &at.exchangeAt, both("管理员令牌 `TOKEN`", "the administrator's token `TOKEN`"))
}

func (at *registryAt) client(ctx context.Context) (*rest.Client, error) {
	base, bearer, err := at.reach(ctx)
	return &rest.Client{Base: base + node.RegistryPath, Token: bearer}, err
}

// subjectName is an argument that names a subject: an evidence type by its short name, others by their own.
type subjectName struct{ literal bool }

func (s *session) subjectFlag(f *pflag.FlagSet, name *subjectName) {
	f.BoolVar(&name.literal, "subject", false, s.t("名称就是主题名，不是证照类型", "the name is a subject's, not an evidence type's"))
}

// subject is the subject that the name stands for.
func (n subjectName) subject(name string) string {
	if n.literal || !exchange.ValidName(name) || strings.HasSuffix(name, "-value") || strings.HasSuffix(name, "-key") {
		return name
	}
	return registry.EvidenceSubject(exchange.EvidenceType(name))
}

// called is what people call a subject.
func called(subject string) string {
	if t := registry.EvidenceType(subject); t != "" {
		return string(t)
	}
	return subject
}

// fileFlag declares the schema that a verb is about.
func (s *session) fileFlag(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "file", "", s.t("Schema 文件 `FILE`，- 为标准输入", "the schema in `FILE`, - for standard input"))
	required(f, "file")
}

// schemaText reads a schema's file, or standard input for "-". What is longer than a schema may be is cut, and the gate
// says so.
func (s *session) schemaText(file string) ([]byte, error) {
	if file == "-" {
		if s.piped != "" {
			return nil, &usageError{onePipe("file", s.piped)}
		}
		return readSome(s.in, file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fileProblem(file, err)
	}
	defer f.Close()
	return readSome(f, file)
}

func readSome(from io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, longestDocument))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", shown(name), err)
	}
	return text, nil
}

// admitted is a version of a registry as the gate lets it pass, with what it refers to.
func admitted(ctx context.Context, from *rest.Client, v rest.Version) (*gate.Schema, error) {
	refs, err := referred(ctx, from, v.References)
	if err != nil {
		return nil, err
	}
	schema, err := gate.Admit([]byte(v.Schema), refs...)
	if err != nil {
		return nil, fmt.Errorf("%s v%d: %w", v.Subject, v.Version, err)
	}
	return schema, nil
}

// referred fetches what a schema refers to, and what that refers to, each name once.
func referred(ctx context.Context, from *rest.Client, wanted []registry.Reference) ([]gate.Reference, error) {
	var refs []gate.Reference
	known := map[string]bool{}
	for len(wanted) > 0 {
		next := wanted[0]
		wanted = wanted[1:]
		if known[next.Name] {
			continue
		}
		known[next.Name] = true
		v, err := from.Version(ctx, next.Subject, next.Version, true)
		if err != nil {
			return nil, err
		}
		refs = append(refs, gate.Reference{Name: next.Name, Text: []byte(v.Schema)})
		wanted = append(wanted, v.References...)
	}
	return refs, nil
}
