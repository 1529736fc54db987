package state

import (
	"strconv"
	"strings"
	"time"

	"concord/jobs"
)

// where builds the conditions of a query.
type where struct {
	conditions []string
	args       []any
}

// add adds a condition, in which each ? stands for one of args.
func (w *where) add(condition string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// equal adds that a column has a value, unless that is empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.add(column+" = ?", text(value))
	}
}

// among adds that a column has one of the values, unless there are none.
func (w *where) among(column string, values []string) {
	if condition, args := oneOf(column, values); condition != "" {
		w.add(condition, args...)
	}
}

// oneOf is the condition that a column has one of the values; empty: there are
// none.
func oneOf(column string, values []string) (condition string, args []any) {
	if len(values) == 0 {
		return "", nil
	}
	for _, v := range values {
		args = append(args, text(v))
	}
	return column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", args
}

// named adds that a period is called so, by its text or its edges, unless the name
// is empty. The columns of the period are those of a table.
func (w *where) named(table, name string) {
	if p, ok := jobs.ByEdges(name); ok {
		w.add(table+"period_from = ?", edge(p.From))
		w.add(table+"period_to = ?", edge(p.To))
		return
	}
	w.equal(table+"period", name)
}

func (w *where) text() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// limit is the clause for at most n rows; 0: all.
func (w *where) limit(n int) string {
	if n <= 0 {
		return ""
	}
	return " LIMIT " + strconv.Itoa(n)
}

// tuples are n lists of parameters, such as ($1, $2), ($3, $4).
func tuples(n, width int) string {
	var b strings.Builder
	for i := range n * width {
		switch {
		case i == 0:
			b.WriteString("($")
		case i%width == 0:
			b.WriteString("), ($")
		default:
			b.WriteString(", $")
		}
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteString(")")
	return b.String()
}

// period selects what is about one period, if any, and what has a part between
// two times, of which a zero one says nothing.
func (w *where) period(p *jobs.Period, from, to time.Time) {
	if p != nil {
		w.add("period_from = ?", edge(p.From))
		w.add("period_to = ?", edge(p.To))
	}
	if !from.IsZero() {
		w.add("period_to > ?", from)
	}
	if !to.IsZero() {
		w.add("period_from < ?", to)
	}
}
