package dialect

import (
	"slices"
	"strings"
)

// files reads how the files are named and laid out.
func (r *profileReader) files() {
	v, ok := r.root.get("files")
	if !ok || !v.isObject("{format: csv, delimiter: \";\"}") {
		return
	}
	f := &r.p.Files
	set := map[string]func(*yamlNode){
		"pattern":   func(y *yamlNode) { f.Pattern = y.pattern() },
		"format":    func(y *yamlNode) { f.Format = y.oneOf("csv", "parquet") },
		"delimiter": func(y *yamlNode) { f.Delimiter = y.delimiter() },
		"encoding":  func(y *yamlNode) { f.Encoding = y.encoding() },
		"quote":     func(y *yamlNode) { f.Quote, f.NoQuotes = y.quote() },
		"header":    func(y *yamlNode) { f.NoHeader = !y.boolean() },
		"columns":   func(y *yamlNode) { f.Columns = y.texts("[id, caller, callee]") },
		"skip":      func(y *yamlNode) { f.SkipLines = int(y.whole(0, 1000)) },
		"comment":   func(y *yamlNode) { f.Comment, _ = y.word(`"#"`) },

		"corrections": func(y *yamlNode) { f.Corrections, f.ReuseCorrects = y.corrections() },
		"policy":      func(y *yamlNode) { f.Policy = y.policy() },
		"quiet":       func(y *yamlNode) { f.Quiet = y.quiet() },
	}
	v.each(set)
	r.checkFiles(v)
	r.checkArrival(v)
}

// each calls the func of every key that is there, and reports the others.
func (y *yamlNode) each(set map[string]func(*yamlNode)) {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	y.only(names)
	for _, name := range names {
		if v, ok := y.get(name); ok {
			set[name](&v)
		}
	}
}

// checkFiles judges the settings together.
func (r *profileReader) checkFiles(v yamlNode) {
	f := &r.p.Files
	if f.NoHeader && len(f.Columns) == 0 {
		v.reportAt("columns", "required: without a header, list the names of all columns in order")
	}
	if c, ok := v.get("columns"); ok && !f.NoHeader && c.kind != yamlBroken {
		c.report("only for files without a header; add header: false, or remove it")
	}
	for i, name := range f.Columns {
		if name != "" && slices.Contains(f.Columns[:i], name) {
			v.reportAt("columns", "%q is there twice; give every column a name of its own", name)
		}
	}
	if f.Quote != 0 && f.Quote == f.Delimiter {
		v.reportAt("quote", "must differ from the delimiter")
	}
	if f.Format == "parquet" {
		for _, name := range []string{"delimiter", "encoding", "quote", "header", "skip", "comment"} {
			if c, ok := v.get(name); ok {
				c.report("has no meaning for Parquet; remove it")
			}
		}
	}
}

func (y *yamlNode) pattern() NamePattern {
	s, ok := y.word(`"FAB_{seq:06}_{date:20060102}.csv"`)
	if !ok {
		return NamePattern{}
	}
	p, err := ParseNamePattern(s)
	if err != nil {
		y.report("%v", err)
		return NamePattern{}
	}
	return p
}

// delimiter returns one character, which may be named.
func (y *yamlNode) delimiter() byte {
	s, ok := y.word(`";"`)
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
		y.report("%q is no delimiter; write one character, or tab", s)
		return 0
	}
	return s[0]
}

func (y *yamlNode) quote() (quote byte, none bool) {
	s, ok := y.word(`'"'`)
	switch {
	case !ok:
	case s == "none":
		return 0, true
	case len(s) == 1 && s[0] > ' ' && s[0] < 0x7f:
		return s[0], false
	default:
		y.report("%q is no quote; write one character, or none", s)
	}
	return 0, false
}

func (y *yamlNode) encoding() string {
	s, ok := y.word("windows-1252")
	if !ok {
		return ""
	}
	if _, err := Charset(s); err != nil {
		y.report("%v", err)
	}
	return strings.ToLower(s)
}

// trailer reads where the control totals are.
func (r *profileReader) trailer() {
	v, ok := r.root.get("trailer")
	if !ok || !v.isObject(`{prefix: "T;", count: 2, seconds: 3}`) {
		return
	}
	t := &r.p.Trailer
	v.each(map[string]func(*yamlNode){
		"prefix":  func(y *yamlNode) { t.Prefix, _ = y.word(`"T;"`) },
		"count":   func(y *yamlNode) { t.Count = int(y.whole(1, 1000)) },
		"seconds": func(y *yamlNode) { t.Seconds = int(y.whole(1, 1000)) },
	})
	if _, ok := v.get("prefix"); !ok {
		v.reportAt("prefix", "required: say what the trailer line begins with")
	}
	if t.Count != 0 && t.Count == t.Seconds {
		v.reportAt("seconds", "is the same field as count")
	}
	if r.p.Files.Format == "parquet" {
		v.report("has no meaning for Parquet; remove it")
	}
}

// rows reads which rows are left out.
func (r *profileReader) rows() {
	v, ok := r.root.get("rows")
	if !ok || !v.isObject("{where: {TYPE: call}}") {
		return
	}
	v.each(map[string]func(*yamlNode){
		"where":  func(y *yamlNode) { r.conditions(y, false) },
		"except": func(y *yamlNode) { r.conditions(y, true) },
	})
}

func (r *profileReader) conditions(y *yamlNode, except bool) {
	if !y.isObject("{TYPE: [call, conference]}") {
		return
	}
	for _, k := range y.keys {
		v := k.value
		if c := (condition{column: k.name, values: v.texts("[call, conference]"), except: except}); len(c.values) > 0 {
			r.p.where = append(r.p.where, c)
		} else if v.kind == yamlList {
			v.report("is empty; list at least one value")
		}
		r.inFile(&v, k.name)
	}
}

// inFile reports a column that a file without a header does not list.
func (r *profileReader) inFile(y *yamlNode, column string) {
	f := &r.p.Files
	if f.NoHeader && len(f.Columns) > 0 && !slices.Contains(f.Columns, column) {
		y.report("column %q is not one of files.columns", column)
	}
}
