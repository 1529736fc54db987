package dialect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"concord/engine"
)

// BindOption changes what a plan reads.
type BindOption func(*Plan)

// WithDetails makes the plan read every canonical field and fill
// Call.Details. Without it fields that matching does not need are not read.
func WithDetails(pl *Plan) { pl.details = true }

// Bind compiles the profile against the columns of one file. The error names
// every required column that is missing.
func (p *Profile) Bind(side engine.Side, columns []string, options ...BindOption) (*Plan, error) {
	pl := &Plan{Carrier: p.Carrier, side: side, profile: p}
	for _, o := range options {
		o(pl)
	}
	b := binder{plan: pl, names: columns, slot: make(map[int]int), asked: make([]bool, len(columns))}
	for i := range numFields {
		b.field(i)
	}
	b.required(side)
	b.conditions()
	if err := b.err(); err != nil {
		return nil, err
	}
	b.unknown()
	pl.typed = make([]TypedTime, len(pl.columns))
	return pl, nil
}

// binder looks up the columns of one file.
type binder struct {
	plan    *Plan
	names   []string
	slot    map[int]int // column of the file -> field of Decode
	asked   []bool      // by column: some field of the profile is in it
	missing []string
	errs    []error
}

// field binds one canonical field, if the profile has it.
func (b *binder) field(id Field) {
	p := b.plan.profile
	e, info := p.columns[id], id.info()
	if e == nil {
		return
	}
	s := step{field: id, kind: info.kind, expr: e, or: -1, nulls: p.nulls}
	if e.nulls != nil {
		s.nulls = e.nulls
	}
	found, unread := b.resolve(e)
	if !found || unread {
		return
	}
	if info.detail && !b.plan.details && !b.wanted(id) {
		return
	}
	for _, name := range e.columns {
		s.from = append(s.from, b.take(name))
	}
	if e.or != "" {
		s.or = b.take(e.or)
	}
	b.plan.steps = append(b.plan.steps, s)
}

// wanted reports whether a detail field is needed to compute the duration, or to
// tell whose a call of Microsoft's is.
func (b *binder) wanted(id Field) bool {
	if id == FieldCarrier && b.plan.side == engine.Microsoft {
		return true
	}
	d := b.plan.profile.columns[FieldDuration]
	return d != nil && d.minus != nil && (d.minus[0] == id || d.minus[1] == id)
}

// resolve checks that the columns of an expression are in the file and marks
// them as asked for. unread is set when one is absent that may be.
func (b *binder) resolve(e *expr) (found, unread bool) {
	found = true
	for _, name := range e.needs() {
		switch i := b.find(name); {
		case i >= 0:
			b.asked[i] = true
		case e.optional:
			unread = true
		default:
			found = false
			b.miss(name)
		}
	}
	return found, unread
}

func (b *binder) miss(name string) {
	if !slices.Contains(b.missing, name) {
		b.missing = append(b.missing, name)
	}
}

// find returns the index of a column: its exact name, else the only one that
// differs in case or in spaces around it; -1 when there is none.
func (b *binder) find(name string) int {
	exact := slices.Index(b.names, name)
	if exact >= 0 {
		b.unique(name, exact, func(s string) bool { return s == name })
		return exact
	}
	alike := func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), strings.TrimSpace(name)) }
	i := slices.IndexFunc(b.names, alike)
	if i >= 0 {
		b.unique(name, i, alike)
	}
	return i
}

// unique reports a column that is there more than once.
func (b *binder) unique(name string, first int, same func(string) bool) {
	if !slices.ContainsFunc(b.names[first+1:], same) {
		return
	}
	err := fmt.Errorf("column %q is there more than once; ask the sender to name every column once", name)
	if !slices.ContainsFunc(b.errs, func(e error) bool { return e.Error() == err.Error() }) {
		b.errs = append(b.errs, err)
	}
}

// take returns the place of a column among the fields of Decode.
func (b *binder) take(name string) int {
	i := b.find(name)
	at, ok := b.slot[i]
	if !ok {
		at = len(b.plan.columns)
		b.slot[i] = at
		b.plan.columns = append(b.plan.columns, i)
		b.plan.names = append(b.plan.names, b.names[i])
	}
	return at
}

// required checks the fields that every record of the side must have.
func (b *binder) required(side engine.Side) {
	need := []Field{FieldStart, FieldDuration}
	if side == engine.Microsoft {
		need = []Field{FieldRecordID, FieldStart, FieldDuration}
	}
	for _, id := range need {
		e := b.plan.profile.columns[id]
		switch {
		case e == nil:
			b.errs = append(b.errs, fmt.Errorf("the profile does not say which column is %s; add columns.%s", id, id))
		case e.optional && !b.has(id):
			b.miss(e.columns[0])
		}
	}
}

func (b *binder) has(id Field) bool {
	return slices.ContainsFunc(b.plan.steps, func(s step) bool { return s.field == id })
}

// conditions binds the row filter.
func (b *binder) conditions() {
	for _, c := range b.plan.profile.where {
		i := b.find(c.column)
		if i < 0 {
			b.miss(c.column)
			continue
		}
		b.asked[i] = true
		b.plan.filters = append(b.plan.filters, filter{at: b.take(c.column), values: c.values, except: c.except})
	}
}

// unknown lists the columns that no field is in.
func (b *binder) unknown() {
	for i, name := range b.names {
		if !b.asked[i] {
			b.plan.unknown = append(b.plan.unknown, name)
		}
	}
}

// err returns everything that is wrong.
func (b *binder) err() error {
	switch len(b.missing) {
	case 0:
	case 1:
		b.errs = append(b.errs, fmt.Errorf("column %q is missing", b.missing[0]))
	default:
		b.errs = append(b.errs, fmt.Errorf("columns %s are missing", quoteList(b.missing)))
	}
	return errors.Join(b.errs...)
}

// quoteList writes names in quotes, joined by commas.
func quoteList(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
