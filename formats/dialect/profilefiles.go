package dialect

import (
	"slices"
	"strings"

	"concord/formats/yamltree"
)

// files reads how the files are named and laid out.
func (r *profileReader) files() {
	v, ok := r.root.Get("files")
	if !ok || !v.IsObject("{format: csv, delimiter: \";\"}") {
		return
	}
	f := &r.p.Files
	set := map[string]func(*yamltree.Node){
		"pattern":   func(y *yamltree.Node) { f.Pattern = readPattern(y) },
		"format":    func(y *yamltree.Node) { f.Format = y.OneOf("csv", "parquet") },
		"delimiter": func(y *yamltree.Node) { f.Delimiter = readDelimiter(y) },
		"encoding":  func(y *yamltree.Node) { f.Encoding = readEncoding(y) },
		"quote":     func(y *yamltree.Node) { f.Quote, f.NoQuotes = readQuote(y) },
		"header":    func(y *yamltree.Node) { f.NoHeader = !y.Boolean() },
		"columns":   func(y *yamltree.Node) { f.Columns = y.Texts("[id, caller, callee]") },
		"skip":      func(y *yamltree.Node) { f.SkipLines = int(y.Whole(0, 1000)) },
		"comment":   func(y *yamltree.Node) { f.Comment, _ = y.Word(`"#"`) },

		"corrections": func(y *yamltree.Node) { f.Corrections, f.ReuseCorrects = readCorrections(y) },
		"policy":      func(y *yamltree.Node) { f.Policy = readPolicy(y) },
		"quiet":       func(y *yamltree.Node) { f.Quiet = readQuiet(y) },
	}
	v.Each(set)
	r.checkFiles(v)
	r.checkArrival(v)
}

// checkFiles judges the settings together.
func (r *profileReader) checkFiles(v *yamltree.Node) {
	f := &r.p.Files
	if f.NoHeader && len(f.Columns) == 0 {
		v.ReportAt("columns", "required: without a header, list the names of all columns in order")
	}
	if c, ok := v.Get("columns"); ok && !f.NoHeader && c.Kind != yamltree.Broken {
		c.Report("only for files without a header; add header: false, or remove it")
	}
	for i, name := range f.Columns {
		if name != "" && slices.Contains(f.Columns[:i], name) {
			v.ReportAt("columns", "%q is there twice; give every column a name of its own", name)
		}
	}
	if f.Quote != 0 && f.Quote == f.Delimiter {
		v.ReportAt("quote", "must differ from the delimiter")
	}
	if f.Format == "parquet" {
		for _, name := range []string{"delimiter", "encoding", "quote", "header", "skip", "comment"} {
			if c, ok := v.Get(name); ok {
				c.Report("has no meaning for Parquet; remove it")
			}
		}
	}
}

func readPattern(y *yamltree.Node) NamePattern {
	s, ok := y.Word(`"FAB_{seq:06}_{date:20060102}.csv"`)
	if !ok {
		return NamePattern{}
	}
	p, err := ParseNamePattern(s)
	if err != nil {
		y.Report("%v", err)
		return NamePattern{}
	}
	return p
}

// readDelimiter returns one character, which may be named.
func readDelimiter(y *yamltree.Node) byte {
	s, ok := y.Word(`";"`)
	if !ok {
		return 0
	}
	switch s {
	case "tab", `\t`:
		return '\t'
	case "comma":
		return ','
	case "semicolon":
		return ';'
	case "pipe":
		return '|'
	}
	if len(s) != 1 || strings.ContainsAny(s, "\r\n\x00") || s[0] >= 0x80 {
		y.Report("%q is no delimiter; write one character, or tab", s)
		return 0
	}
	return s[0]
}

func readQuote(y *yamltree.Node) (quote byte, none bool) {
	s, ok := y.Word(`'"'`)
	switch {
	case !ok:
	case s == "none":
		return 0, true
	case len(s) == 1 && s[0] > ' ' && s[0] < 0x7f:
		return s[0], false
	default:
		y.Report("%q is no quote; write one character, or none", s)
	}
	return 0, false
}

func readEncoding(y *yamltree.Node) string {
	s, ok := y.Word("windows-1252")
	if !ok {
		return ""
	}
	if _, err := Charset(s); err != nil {
		y.Report("%v", err)
	}
	return strings.ToLower(s)
}

// trailer reads where the control totals are.
func (r *profileReader) trailer() {
	v, ok := r.root.Get("trailer")
	if !ok || !v.IsObject(`{prefix: "T;", count: 2, seconds: 3}`) {
		return
	}
	t := &r.p.Trailer
	v.Each(map[string]func(*yamltree.Node){
		"prefix":  func(y *yamltree.Node) { t.Prefix, _ = y.Word(`"T;"`) },
		"count":   func(y *yamltree.Node) { t.Count = int(y.Whole(1, 1000)) },
		"seconds": func(y *yamltree.Node) { t.Seconds = int(y.Whole(1, 1000)) },
	})
	if _, ok := v.Get("prefix"); !ok {
		v.ReportAt("prefix", "required: say what the trailer line begins with")
	}
	if t.Count != 0 && t.Count == t.Seconds {
		v.ReportAt("seconds", "is the same field as count")
	}
	if r.p.Files.Format == "parquet" {
		v.Report("has no meaning for Parquet; remove it")
	}
}

// rows reads which rows are left out.
func (r *profileReader) rows() {
	v, ok := r.root.Get("rows")
	if !ok || !v.IsObject("{where: {TYPE: call}}") {
		return
	}
	v.Each(map[string]func(*yamltree.Node){
		"where":  func(y *yamltree.Node) { r.conditions(y, false) },
		"except": func(y *yamltree.Node) { r.conditions(y, true) },
	})
}

func (r *profileReader) conditions(y *yamltree.Node, except bool) {
	if !y.IsObject("{TYPE: [call, conference]}") {
		return
	}
	for _, k := range y.Keys {
		v := k.Value
		if c := (condition{column: k.Name, values: v.Texts("[call, conference]"), except: except}); len(c.values) > 0 {
			r.p.where = append(r.p.where, c)
		} else if v.Kind == yamltree.List {
			v.Report("is empty; list at least one value")
		}
		r.inFile(v, k.Name)
	}
}

// inFile reports a column that a file without a header does not list.
func (r *profileReader) inFile(y *yamltree.Node, column string) {
	f := &r.p.Files
	if f.NoHeader && len(f.Columns) > 0 && !slices.Contains(f.Columns, column) {
		y.Report("column %q is not one of files.columns", column)
	}
}
