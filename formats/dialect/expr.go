package dialect

import "time"

// expr says how one canonical field is made of a row's columns. Exactly one
// of columns, constant and minus is set.
type expr struct {
	columns   []string // more than one are joined
	join      string   // between joined columns
	or        string   // the column taken when the first is null; empty: none
	constant  *string
	minus     *[2]Field // the first less the second
	layouts   []string
	zone      *time.Location // nil when not given
	unit      unit
	divide    int64 // 0 or 1: not divided
	comma     bool  // the decimal mark is a comma
	values    map[string]string
	other     *string  // for a value that values does not hold; nil: a bad row
	byDefault *string  // for a null; nil: it stays null
	nulls     []string // nil: the profile's
	optional  bool     // the column may be absent
}

// plain reports whether the text of a single column is taken as it is.
func (e *expr) plain() bool {
	return len(e.columns) == 1 && e.or == "" && e.values == nil && e.nulls == nil && e.byDefault == nil && e.divide <= 1 && !e.comma
}

// needs returns every column the expression reads.
func (e *expr) needs() []string {
	if e.or == "" {
		return e.columns
	}
	return append(e.columns[:len(e.columns):len(e.columns)], e.or)
}
