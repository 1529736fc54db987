package state

import (
	"strconv"
	"strings"
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
