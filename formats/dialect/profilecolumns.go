package dialect

import (
	"slices"
	"strings"

	"concord/formats/yamltree"
)

// columns reads which column is which canonical field. Without it the columns
// are the canonical ones.
func (r *profileReader) columns() {
	v, ok := r.root.Get("columns")
	if !ok {
		r.p.canonicalColumns()
		r.p.trim = false
		return
	}
	if !v.IsObject("{start: BEGIN, duration: {column: SECONDS, unit: s}}") {
		return
	}
	for i := range v.Keys {
		r.column(v.Keys[i].Name, v.Keys[i].Value)
	}
	r.requiredColumns(v)
}

// column reads one field.
func (r *profileReader) column(name string, y *yamltree.Node) {
	id, ok := fieldNamed(name)
	if !ok {
		names := append(fieldNames(), "duration")
		if like := yamltree.Nearest(strings.ToLower(name), names); like != "" {
			y.Report("no such field; did you mean %s?", like)
		} else {
			y.Report("no such field; there are %s", strings.Join(names, ", "))
		}
		return
	}
	if r.p.columns[id] != nil {
		y.Report("give either duration or duration_ms")
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
func (r *profileReader) requiredColumns(v *yamltree.Node) {
	if r.p.columns[FieldStart] == nil {
		v.ReportAt("start", "required: say which column holds when the call started")
	}
	d := r.p.columns[FieldDuration]
	if d == nil {
		v.ReportAt("duration", "required: say which column holds the duration, or write duration: end - start")
		return
	}
	if d.minus == nil {
		return
	}
	for _, id := range d.minus {
		if r.p.columns[id] == nil {
			v.ReportAt("duration", "needs %s; add columns.%s", id, id)
		}
	}
}

// exprReader reads the expression of one field.
type exprReader struct {
	r  *profileReader
	id Field
	y  *yamltree.Node
	e  *expr
}

func (x *exprReader) read() {
	switch x.y.Kind {
	case yamltree.Text:
		if !x.difference(x.y.Text) {
			x.name(x.y)
		}
	case yamltree.Object:
		x.y.Each(x.keys())
		x.oneSource()
	case yamltree.Broken:
		return
	default:
		x.y.Report("is %s; write the name of a column, or an object such as {column: BEGIN}", x.y.Kind)
		return
	}
	x.check()
}

// name takes a text for the name of a column.
func (x *exprReader) name(y *yamltree.Node) {
	if s, ok := y.Word("BEGIN"); ok {
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
func (x *exprReader) keys() map[string]func(*yamltree.Node) {
	e := x.e
	set := map[string]func(*yamltree.Node){
		"column":   x.name,
		"columns":  x.names,
		"join":     func(y *yamltree.Node) { e.join, _ = y.AnyText(`" "`) },
		"const":    func(y *yamltree.Node) { e.constant = x.value(y) },
		"or":       func(y *yamltree.Node) { x.alternative(y) },
		"default":  func(y *yamltree.Node) { e.byDefault = x.raw(y) },
		"map":      x.values,
		"other":    func(y *yamltree.Node) { e.other = x.value(y) },
		"null":     func(y *yamltree.Node) { e.nulls = y.Texts(`["0", "-"]`) },
		"optional": func(y *yamltree.Node) { e.optional = y.Boolean() },
	}
	switch x.id.info().kind {
	case KindTime:
		set["layout"] = x.layouts
		set["zone"] = func(y *yamltree.Node) { e.zone = y.Zone() }
	case KindDuration:
		set["unit"] = x.unit
		set["divide"] = func(y *yamltree.Node) { e.divide = y.Whole(2, 1_000_000_000) }
		set["decimal"] = x.decimal
	case KindDecimal:
		set["divide"] = x.shift
		set["decimal"] = x.decimal
	}
	return set
}

// names reads the columns that are joined, by a space unless said.
func (x *exprReader) names(y *yamltree.Node) {
	x.e.columns = y.Texts("[DATE, TIME]")
	if y.Kind != yamltree.Broken && (len(x.e.columns) < 2 || slices.Contains(x.e.columns, "")) {
		y.Report("list two columns or more; for one write column")
	}
	if _, ok := x.y.Get("join"); !ok {
		x.e.join = " "
	}
	for _, c := range x.e.columns {
		x.r.inFile(y, c)
	}
}

func (x *exprReader) alternative(y *yamltree.Node) {
	if s, ok := y.Word("BEGIN"); ok {
		x.e.or = s
		x.r.inFile(y, s)
	}
}

func (x *exprReader) raw(y *yamltree.Node) *string {
	s, ok := y.AnyText("unknown")
	if !ok {
		return nil
	}
	return &s
}

// value reads a text that stands for the field as it is.
func (x *exprReader) value(y *yamltree.Node) *string {
	s := x.raw(y)
	if s == nil || *s == "" {
		return s
	}
	switch x.id.info().kind {
	case KindDirection:
		y.OneOf("in", "out", "unknown")
	case KindSource:
		y.OneOf("microsoft", "operator", "unknown")
	case KindBool:
		y.OneOf("true", "false")
	case KindInt:
		y.Whole(-1<<31, 1<<31-1)
	}
	return s
}

// values reads a map from the carrier's words to ours.
func (x *exprReader) values(y *yamltree.Node) {
	if !y.IsObject("{MO: out, MT: in}") {
		return
	}
	x.e.values = make(map[string]string)
	for i := range y.Keys {
		if s := x.value(y.Keys[i].Value); s != nil {
			x.e.values[y.Keys[i].Name] = *s
		}
	}
}

func (x *exprReader) unit(y *yamltree.Node) {
	names := unitNames()
	s := y.OneOf(names[1:]...)
	x.e.unit = unit(max(slices.Index(names[:], s), 0))
}

func (x *exprReader) decimal(y *yamltree.Node) { x.e.comma = y.OneOf(".", ",") == "," }

// shift reads a divisor that moves the decimal point.
func (x *exprReader) shift(y *yamltree.Node) {
	x.e.divide = y.Whole(1, 1_000_000_000)
	for v := x.e.divide; v > 1; v /= 10 {
		if v%10 != 0 {
			y.Report("write 10, 100, 1000 and so on: an amount is never rounded")
			return
		}
	}
}

// oneSource checks that the value comes from one place.
func (x *exprReader) oneSource() {
	var found []string
	for _, name := range []string{"column", "columns", "const"} {
		if _, ok := x.y.Get(name); ok {
			found = append(found, name)
		}
	}
	switch {
	case len(found) == 0:
		x.y.Report("names no column; add column: and its name")
	case len(found) > 1:
		x.y.Report("has %s; keep one of them", strings.Join(found, " and "))
	}
	if _, ok := x.y.Get("other"); ok && x.e.values == nil {
		x.y.ReportAt("other", "only with map; use default for an empty field")
	}
	if _, ok := x.y.Get("join"); ok && len(x.e.columns) < 2 {
		x.y.ReportAt("join", "only with columns")
	}
}
