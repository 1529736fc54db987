package numbers

import (
	"slices"
	"sort"
)

// History finds the assignment of a number at a time. It does not change, and
// may be asked by several goroutines at once.
type History struct {
	digits []uint64 // each number once, ascending
	first  []int    // of digits[i] in rows; one more at the end
	rows   []Assignment
}

// NewHistory takes the assignments of any lines and sources over, in any
// order.
func NewHistory(rows []Assignment) *History {
	slices.SortFunc(rows, compare)
	h := &History{rows: rows}
	for i := range rows {
		if i == 0 || rows[i].Digits != rows[i-1].Digits {
			h.digits = append(h.digits, rows[i].Digits)
			h.first = append(h.first, i)
		}
	}
	h.first = append(h.first, len(rows))
	return h
}

// Len returns the number of assignments.
func (h *History) Len() int { return len(h.rows) }

// At returns the assignment of a number that was valid at a time; nil: there
// was none. A call shows no extension: when only lines with extensions have the
// number, that of the lowest one is returned. When several sources say that
// they have a line, the one whose assignment began last is right: the number
// has moved to it.
func (h *History) At(digits uint64, at int64) *Assignment {
	i, found := slices.BinarySearch(h.digits, digits)
	if !found {
		return nil
	}
	rows := h.rows[h.first[i]:h.first[i+1]]
	for len(rows) > 0 {
		n := sort.Search(len(rows), func(k int) bool { return rows[k].Ext != rows[0].Ext })
		if a := latest(rows[:n], at); a != nil {
			return a
		}
		rows = rows[n:]
	}
	return nil
}

// latest returns the assignment of one line that is valid at a time and began
// last.
func latest(rows []Assignment, at int64) *Assignment {
	n := sort.Search(len(rows), func(k int) bool { return rows[k].From > at })
	for n--; n >= 0; n-- {
		if rows[n].To > at {
			return &rows[n]
		}
	}
	return nil
}
