package dialect

import (
	"slices"
	"strings"
)

// columns reads which column is which canonical field. Without it the columns
// are the canonical ones.
func (r *profileReader) columns() {
	v, ok := r.root.get("columns")
	if !ok {
		r.p.canonicalColumns()
		r.p.trim = false
		return
	}
	if !v.isObject("{start: BEGIN, duration: {column: SECONDS, unit: s}}") {
		return
	}
	for i := range v.keys {
		r.column(v.keys[i].name, v.keys[i].value)
	}
	r.requiredColumns(v)
}

// column reads one field.
func (r *profileReader) column(name string, y yamlNode) {
	id, ok := fieldNamed(name)
	if !ok {
		names := append(fieldNames(), "duration")
		if like := nearest(strings.ToLower(name), names); like != "" {
			y.report("no such field; did you mean %s?", like)
		} else {
			y.report("no such field; there are %s", strings.Join(names, ", "))
		}
		return
	}
	if r.p.columns[id] != nil {
		y.report("give either duration or duration_ms")
		return
	}
	x := exprReader{r: r, id: id, y: y, e: &expr{}}
	if name == "duration_ms" {
		x.e.unit = unitMS
	}
	x.read()
	r.p.columns[id] = x.e
}

// requiredColumns checks the fields that every carrier must send.
func (r *profileReader) requiredColumns(v yamlNode) {
	if r.p.columns[FieldStart] == nil {
		v.reportAt("start", "required: say which column holds when the call started")
	}
	d := r.p.columns[FieldDuration]
	if d == nil {
		v.reportAt("duration", "required: say which column holds the duration, or write duration: end - start")
		return
	}
	if d.minus == nil {
		return
	}
	for _, id := range d.minus {
		if r.p.columns[id] == nil {
			v.reportAt("duration", "needs %s; add columns.%s", id, id)
		}
	}
}

// exprReader reads the expression of one field.
type exprReader struct {
	r  *profileReader
	id Field
	y  yamlNode
	e  *expr
}

func (x *exprReader) read() {
	switch x.y.kind {
	case yamlText:
		if !x.difference(x.y.text) {
			x.name(&x.y)
		}
	case yamlObject:
		x.y.each(x.keys())
		x.oneSource()
	case yamlBroken:
		return
	default:
		x.y.report("is %s; write the name of a column, or an object such as {column: BEGIN}", x.y.kind)
		return
	}
	x.check()
}

// name takes a text for the name of a column.
func (x *exprReader) name(y *yamlNode) {
	if s, ok := y.word("BEGIN"); ok {
		x.e.columns = []string{s}
		x.r.inFile(y, s)
	}
}

// difference reads "end - start".
func (x *exprReader) difference(s string) bool {
	f := strings.Fields(s)
	if x.id != FieldDuration || len(f) != 3 || f[1] != "-" {
		return false
	}
	a, ok1 := fieldNamed(f[0])
	b, ok2 := fieldNamed(f[2])
	if !ok1 || !ok2 || a.info().kind != KindTime || b.info().kind != KindTime || a == b {
		return false
	}
	x.e.minus = &[2]Field{a, b}
	return true
}

// keys maps the words of an expression to what they set: some for every
// field, some for its kind.
func (x *exprReader) keys() map[string]func(*yamlNode) {
	e := x.e
	set := map[string]func(*yamlNode){
		"column":   x.name,
		"columns":  x.names,
		"join":     func(y *yamlNode) { e.join, _ = y.anyText(`" "`) },
		"const":    func(y *yamlNode) { e.constant = x.value(y) },
		"or":       func(y *yamlNode) { x.alternative(y) },
		"default":  func(y *yamlNode) { e.byDefault = x.raw(y) },
		"map":      x.values,
		"other":    func(y *yamlNode) { e.other = x.value(y) },
		"null":     func(y *yamlNode) { e.nulls = y.texts(`["0", "-"]`) },
		"optional": func(y *yamlNode) { e.optional = y.boolean() },
	}
	switch x.id.info().kind {
	case KindTime:
		set["layout"] = x.layouts
		set["zone"] = func(y *yamlNode) { e.zone = y.zone() }
	case KindDuration:
		set["unit"] = x.unit
		set["divide"] = func(y *yamlNode) { e.divide = y.whole(2, 1_000_000_000) }
		set["decimal"] = x.decimal
	case KindDecimal:
		set["divide"] = x.shift
		set["decimal"] = x.decimal
	}
	return set
}

// names reads the columns that are joined, by a space unless said.
func (x *exprReader) names(y *yamlNode) {
	x.e.columns = y.texts("[DATE, TIME]")
	if y.kind != yamlBroken && (len(x.e.columns) < 2 || slices.Contains(x.e.columns, "")) {
		y.report("list two columns or more; for one write column")
	}
	if _, ok := x.y.get("join"); !ok {
		x.e.join = " "
	}
	for _, c := range x.e.columns {
		x.r.inFile(y, c)
	}
}

func (x *exprReader) alternative(y *yamlNode) {
	if s, ok := y.word("BEGIN"); ok {
		x.e.or = s
		x.r.inFile(y, s)
	}
}

func (x *exprReader) raw(y *yamlNode) *string {
	s, ok := y.anyText("unknown")
	if !ok {
		return nil
	}
	return &s
}

// value reads a text that stands for the field as it is.
func (x *exprReader) value(y *yamlNode) *string {
	s := x.raw(y)
	if s == nil || *s == "" {
		return s
	}
	switch x.id.info().kind {
	case KindDirection:
		y.oneOf("in", "out", "unknown")
	case KindSource:
		y.oneOf("microsoft", "operator", "unknown")
	case KindBool:
		y.oneOf("true", "false")
	case KindInt:
		y.whole(-1<<31, 1<<31-1)
	}
	return s
}

// values reads a map from the carrier's words to ours.
func (x *exprReader) values(y *yamlNode) {
	if !y.isObject("{MO: out, MT: in}") {
		return
	}
	x.e.values = make(map[string]string)
	for i := range y.keys {
		if s := x.value(&y.keys[i].value); s != nil {
			x.e.values[y.keys[i].name] = *s
		}
	}
}

func (x *exprReader) unit(y *yamlNode) {
	names := unitNames()
	s := y.oneOf(names[1:]...)
	x.e.unit = unit(max(slices.Index(names[:], s), 0))
}

func (x *exprReader) decimal(y *yamlNode) { x.e.comma = y.oneOf(".", ",") == "," }

// shift reads a divisor that moves the decimal point.
func (x *exprReader) shift(y *yamlNode) {
	x.e.divide = y.whole(1, 1_000_000_000)
	for v := x.e.divide; v > 1; v /= 10 {
		if v%10 != 0 {
			y.report("write 10, 100, 1000 and so on: an amount is never rounded")
			return
		}
	}
}

// oneSource checks that the value comes from one place.
func (x *exprReader) oneSource() {
	var found []string
	for _, name := range []string{"column", "columns", "const"} {
		if _, ok := x.y.get(name); ok {
			found = append(found, name)
		}
	}
	switch {
	case len(found) == 0:
		x.y.report("names no column; add column: and its name")
	case len(found) > 1:
		x.y.report("has %s; keep one of them", strings.Join(found, " and "))
	}
	if _, ok := x.y.get("other"); ok && x.e.values == nil {
		x.y.reportAt("other", "only with map; use default for an empty field")
	}
	if _, ok := x.y.get("join"); ok && len(x.e.columns) < 2 {
		x.y.reportAt("join", "only with columns")
	}
}
