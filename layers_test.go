package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "concord"

// rooms lists every folder that holds Go code and which of our packages it may
// import. A pattern that ends in /... stands for a room and its subpackages.
// ARCHITECTURE.md says why.
var rooms = map[string][]string{
	".":                     {"jobs/cli"},
	"engine":                {"engine/..."},
	"engine/quality":        {"engine"},
	"engine/numbers":        {},
	"engine/spill":          {},
	"exchange":              {},
	"exchange/atrest":       {},
	"exchange/httpd":        {"exchange/landing"},
	"exchange/landing":      {},
	"exchange/pgp":          {},
	"exchange/sftpc":        {"exchange"},
	"exchange/sftpd":        {"exchange/landing"},
	"exchange/exchangetest": {"exchange", "exchange/..."},

	"exchange/exchangetest/peerbench": {"exchange", "exchange/..."},
	"formats":                         {"engine", "engine/numbers", "formats/...", "formats/inert"},
	"formats/csvscan":                 {},
	"formats/inert":                   {},
	"formats/dialect":                 {"engine", "formats/yamltree"},
	"formats/parquetio":               {},
	"formats/partition":               {"engine", "engine/quality", "engine/spill", "formats", "formats/csvscan", "formats/parquetio", "formats/qualityio"},
	"formats/qualityio":               {"engine", "engine/quality", "formats", "formats/csvscan", "formats/dialect", "formats/parquetio"},
	"formats/records":                 {"engine", "engine/spill", "formats", "formats/parquetio"},
	"formats/report/page":             {},
	"formats/report/xlsx":             {},
	"formats/report":                  {"engine", "engine/spill", "formats", "formats/...", "formats/inert"},
	"formats/trace":                   {"engine", "formats/parquetio"},
	"formats/yamltree":                {},
	"jobs":                            {"engine", "engine/numbers", "engine/quality", "formats/...", "exchange/...", "jobs/schedule"},
	"jobs/config":                     {"formats/dialect", "formats/yamltree", "exchange/atrest", "exchange/landing", "exchange/pgp", "exchange/sftpc", "exchange/sftpd", "jobs/schedule"},
	"jobs/casework":                   {"engine/spill", "exchange/atrest", "formats/report", "jobs"},
	"jobs/alert":                      {"exchange/landing", "jobs", "jobs/config", "jobs/schedule"},
	"jobs/api":                        {"exchange/landing", "jobs", "jobs/config", "jobs/control"},
	"jobs/control":                    {"exchange/atrest", "exchange/landing", "formats/trace", "formats/yamltree", "jobs", "jobs/config", "jobs/schedule", "formats/report", "jobs/casework"},
	"jobs/console":                    {"exchange/landing", "formats/report", "jobs", "jobs/accounts", "jobs/config", "jobs/control"},
	"jobs/accounts":                   {"exchange/sftpd", "jobs", "jobs/config"},
	"jobs/accounts/oidctest":          {},
	"jobs/crash":                      {"jobs", "jobs/...", "exchange/..."},
	"jobs/calls":                      {"exchange", "exchange/atrest", "exchange/landing", "formats/partition", "jobs", "jobs/dispatch"},
	"jobs/cli":                        {"engine", "formats/...", "exchange/...", "jobs/..."},
	"jobs/dispatch":                   {"jobs"},
	"jobs/doctor":                     {"exchange/...", "jobs", "jobs/..."},
	"jobs/feed":                       {"jobs", "exchange/landing"},
	"jobs/fetch":                      {"exchange", "exchange/landing", "jobs"},
	"jobs/graph":                      {"exchange", "jobs"},
	"jobs/jobstest":                   {"engine/numbers", "jobs", "exchange/..."},
	"jobs/numbering":                  {"engine", "engine/numbers", "exchange", "exchange/atrest", "exchange/landing", "formats", "jobs", "jobs/dispatch"},
	"jobs/peers":                      {"engine", "exchange/...", "jobs", "jobs/...", "formats/..."},
	"jobs/privacy":                    {"exchange", "exchange/landing", "jobs"},
	"jobs/reconcile":                  {"engine", "exchange", "exchange/atrest", "formats/records", "formats/report", "jobs", "jobs/dispatch"},
	"jobs/schedule":                   {},
	"jobs/service":                    {"engine", "engine/numbers", "formats/partition", "formats/parquetio", "formats/trace", "jobs", "jobs/...", "exchange/..."},
	"jobs/state":                      {"engine/numbers", "jobs", "exchange/landing"},
	"jobs/state/pgtest":               {},
	"jobs/usage":                      {"engine", "exchange", "exchange/atrest", "formats/report", "jobs", "jobs/dispatch", "jobs/reconcile"},
	"jobs/subject":                    {"engine", "exchange", "exchange/atrest", "exchange/landing", "exchange/pgp", "formats/records", "formats/report", "formats/trace", "jobs", "jobs/casework", "jobs/numbering", "jobs/reconcile"},
	"fixtures":                        {"engine", "formats/..."},
	"fixtures/gen":                    {"engine", "formats/...", "fixtures/..."},
	"fixtures/deliver":                {"engine", "formats", "formats/partition"},
	"fixtures/hostile":                {"engine", "formats/...", "fixtures/..."},
	"fixtures/program":                {},
	"fixtures/scripts":                {"fixtures/..."},
}

// standardOnly are the rooms whose product code imports nothing from outside.
var standardOnly = []string{"engine", "engine/numbers", "engine/quality", "engine/spill"}

// notInEngine are the parts of the standard library that the engine must do
// without: it touches no files, network, database, log or process.
var notInEngine = []string{"os", "net", "database", "log", "syscall", "flag", "embed", "plugin"}

// vagueNames are package names that say nothing of what is inside.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "misc", "internal"}

const (
	maxFileLines     = 400
	maxFunctionLines = 60
)

// source is one parsed Go file of the module.
type source struct {
	path string // from the root, with slashes
	file *ast.File
	fset *token.FileSet
}

func (s source) dir() string          { return path.Dir(s.path) }
func (s source) isTest() bool         { return strings.HasSuffix(s.path, "_test.go") }
func (s source) isTable() bool        { return strings.HasSuffix(s.path, "_table.go") }
func (s source) isDemo() bool         { return strings.HasPrefix(path.Base(s.path), "demo") }
func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }

func TestImportsGoOneWay(t *testing.T) {
	for _, s := range sources(t) {
		allowed, listed := rooms[s.dir()]
		if !listed {
			t.Errorf("%s: the folder %s is not a room of ARCHITECTURE.md", s.path, s.dir())
			continue
		}
		for _, spec := range s.file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if reason := refused(s, allowed, name); reason != "" {
				t.Errorf("%s:%d: imports %s: %s", s.path, s.line(spec.Pos()), name, reason)
			}
		}
	}
}

// refused says why the file may not import the package, or "".
func refused(s source, allowed []string, name string) string {
	ours, isOurs := strings.CutPrefix(name, modulePath+"/")
	outside := strings.Contains(strings.Split(name, "/")[0], ".")
	switch {
	case isOurs && !mayImport(s, allowed, ours):
		return "the rooms do not allow it"
	case s.isTest() || !slices.Contains(standardOnly, s.dir()):
		return ""
	case outside:
		return "the engine uses the standard library only"
	case !isOurs && slices.Contains(notInEngine, strings.Split(name, "/")[0]):
		return "the engine knows no files, network, database or log"
	}
	return ""
}

func mayImport(s source, allowed []string, ours string) bool {
	if matches(allowed, ours) {
		return true
	}
	if s.isTest() {
		return ours == s.dir() || matches([]string{"fixtures/...", "exchange/exchangetest"}, ours) ||
			s.dir() == "exchange/sftpc" && matches([]string{"exchange/..."}, ours) ||
			s.dir() == "jobs/console" && ours == "engine" ||
			matches([]string{"jobs/accounts", "jobs/console"}, s.dir()) && ours == "jobs/accounts/oidctest" ||
			strings.HasPrefix(s.dir(), "jobs/") && ours == "jobs/jobstest" ||
			matches([]string{"jobs/casework", "jobs/state"}, s.dir()) && ours == "jobs/state/pgtest" ||
			s.dir() == "jobs/calls" && ours == "jobs/feed" ||
			matches([]string{"jobs/alert", "jobs/api", "jobs/calls", "jobs/casework", "jobs/console", "jobs/control", "jobs/graph", "jobs/numbering", "jobs/subject"}, s.dir()) && ours == "jobs/state"
	}
	return s.dir() == "jobs/cli" && s.isDemo() && matches([]string{"fixtures/..."}, ours)
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		room, tree := strings.CutSuffix(p, "/...")
		return name == room || tree && strings.HasPrefix(name, room+"/")
	})
}

func TestEngineHasNoClock(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || !matches([]string{"engine/..."}, s.dir()) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && isClock(sel) {
				t.Errorf("%s:%d: time.%s: the engine has no clock", s.path, s.line(n.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

func isClock(sel *ast.SelectorExpr) bool {
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker", "Tick"}, sel.Sel.Name)
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if slices.Contains(vagueNames, s.file.Name.Name) {
			t.Errorf("%s: package %s: the name says nothing of what is inside", s.path, s.file.Name.Name)
		}
		if !s.isTest() {
			documented[s.dir()] = documented[s.dir()] || s.file.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment states the contract", dir)
		}
	}
}

func TestNothingRunsAtInitialisation(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s:%d: init function", s.path, s.line(f.Pos()))
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.line(s.file.FileEnd); n > maxFileLines+1 && !s.isTable() {
			t.Errorf("%s: %d lines, at most %d", s.path, n-1, maxFileLines)
		}
	}
}

func TestFunctionsAreShort(t *testing.T) {
	var all, long int
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			n := s.functionLines(f)
			if n > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, at most %d", s.path, s.line(f.Pos()), f.Name.Name, n, maxFunctionLines)
			}
			if all++; n >= 40 {
				long++
			}
		}
	}
	if long*10 > all {
		t.Errorf("%d of %d functions have 40 lines or more, at most one in ten may", long, all)
	}
}

// functionLines counts the lines of a function without those of the tables in
// it.
func (s source) functionLines(f *ast.FuncDecl) int {
	n := s.line(f.End()) - s.line(f.Pos()) + 1
	ast.Inspect(f.Body, func(node ast.Node) bool {
		table, ok := node.(*ast.CompositeLit)
		if ok {
			n -= s.line(table.End()) - s.line(table.Pos())
		}
		return !ok
	})
	return n
}

// sources parses every Go file of this module; nested modules have their own
// checks.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(name):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(name), file, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func skipped(dir string) bool {
	if dir == "." {
		return false
	}
	base := filepath.Base(dir)
	if base[0] == '.' || slices.Contains([]string{"testdata", "bin", "out", "demo"}, base) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
