// Package test holds stories that need several packages or real servers, and what watches over the whole tree.
package test

import (
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/onedoor/yimen"

// TestArrows compares who imports whom with arrows.txt. A new arrow must be argued there, in the same commit.
func TestArrows(t *testing.T) {
	have, err := arrows("..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := allowed("arrows.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, arrow := range want {
		if slices.Contains(want[:i], arrow) {
			t.Errorf("arrow %q stands twice in test/arrows.txt: leave one, with its reason", arrow)
		}
	}
	for _, arrow := range have {
		if !slices.Contains(want, arrow) {
			t.Errorf("new arrow %q: is there a way without it? If not, add it to test/arrows.txt with the reason", arrow)
		}
	}
	for _, arrow := range want {
		if !slices.Contains(have, arrow) {
			t.Errorf("arrow %q is gone: take it out of test/arrows.txt", arrow)
		}
	}
}

// TestWordsNeedNoLibrary: what everybody imports, the words of the domain, brings nothing with it but the standard library.
func TestWordsNeedNoLibrary(t *testing.T) {
	files, err := filepath.Glob("../exchange/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if host, _, _ := strings.Cut(spec.Path.Value, "/"); strings.Contains(host, ".") {
				t.Errorf("%s imports %s: a package of its own is the place for what needs that", path, spec.Path.Value)
			}
		}
	}
}

// TestMapNamesEveryPackage: whoever looks for a package finds it in the layout of CONTRIBUTING.md. What only tests use (…test) stands
// beside what it tests.
func TestMapNamesEveryPackage(t *testing.T) {
	guide, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, layout, _ := strings.Cut(string(guide), "## Layout")
	layout, _, _ = strings.Cut(layout, "\n## ")
	for _, root := range []string{"exchange", "certs", "schemas", "adapters"} {
		packages, err := packagesBelow(filepath.Join("..", root))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range packages {
			parent, name := pathpkg.Split(path)
			beside := pathpkg.Base(parent) + "/" + name // `bus/embedded` stands in the row of `exchange/bus`
			if !strings.Contains(layout, "| `"+path+"` |") && !strings.Contains(layout, "; `"+beside+"` is") {
				t.Errorf("%s is not in the layout of CONTRIBUTING.md: add what its package comment says first", path)
			}
		}
	}
}

// packagesBelow lists the folders of root that hold Go files other than tests, named from the module's root.
func packagesBelow(root string) (paths []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
			return err
		}
		if folder := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), ".."+string(filepath.Separator))); !strings.HasSuffix(folder, "test") {
			paths = append(paths, folder)
		}
		return nil
	})
	slices.Sort(paths)
	return slices.Compact(paths), err
}

// arrows lists the imports among the module's own packages, as "from -> to". Tests and benchmarks are left out: they look
// at everything.
func arrows(root string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "bench" || strings.HasPrefix(entry.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		of, err := imports(path)
		if err != nil {
			return err
		}
		from, err := filepath.Rel(root, filepath.Dir(path))
		for _, to := range of {
			found = append(found, filepath.ToSlash(from)+" -> "+to)
		}
		return err
	})
	slices.Sort(found)
	return slices.Compact(found), err
}

// imports lists the module's packages that a file imports.
func imports(path string) (of []string, err error) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	for _, spec := range file.Imports {
		if to, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/"); ok {
			of = append(of, to)
		}
	}
	return of, nil
}

// allowed reads one arrow a line; # begins a comment.
func allowed(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var arrows []string
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			arrows = append(arrows, line)
		}
	}
	return arrows, nil
}
