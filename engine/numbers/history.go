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
	from   []int64  // of rows, close together: searching takes few cache lines
	rows   []Assignment
}

// NewHistory takes the assignments of any lines and sources over, in any
// order.
func NewHistory(rows []Assignment) *History {
	slices.SortFunc(rows, compare)
	h := &History{rows: rows}
	h.from = make([]int64, len(rows))
	for i := range rows {
		h.from[i] = rows[i].From
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
	for from, end := h.first[i], h.first[i+1]; from < end; {
		next := h.nextLine(from, end)
		if a := h.latest(from, next, at); a != nil {
			return a
		}
		from = next
	}
	return nil
}

// nextLine returns where the rows of one line end, which begin at from.
func (h *History) nextLine(from, end int) int {
	ext := h.rows[from].Ext
	if h.rows[end-1].Ext == ext { // nearly always
		return end
	}
	return from + sort.Search(end-from, func(k int) bool { return h.rows[from+k].Ext != ext })
}

// latest returns the assignment of one line, the rows in [from, end), that is
// valid at a time and began last.
func (h *History) latest(from, end int, at int64) *Assignment {
	i := from + sort.Search(end-from, func(k int) bool { return h.from[from+k] > at })
	for i--; i >= from; i-- {
		if h.rows[i].To > at {
			return &h.rows[i]
		}
	}
	return nil
}
