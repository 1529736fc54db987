package landing

import (
	"slices"
	"sort"
)

// extents are the ranges of a file that were written, sorted, apart from each
// other.
type extents []extent

type extent struct{ from, to int64 }

// maxExtents is more than any client has under way at once.
const maxExtents = 4096

// add joins [from, to) in and reports whether it still is a sane number.
func (e *extents) add(from, to int64) bool {
	s := *e
	i := sort.Search(len(s), func(i int) bool { return s[i].to >= from })
	j := i
	for ; j < len(s) && s[j].from <= to; j++ {
		from, to = min(from, s[j].from), max(to, s[j].to)
	}
	*e = slices.Replace(s, i, j, extent{from, to})
	return len(*e) <= maxExtents
}

// cut forgets what lies at size and beyond.
func (e *extents) cut(size int64) {
	s := *e
	for len(s) > 0 && s[len(s)-1].from >= size {
		s = s[:len(s)-1]
	}
	if n := len(s); n > 0 {
		s[n-1].to = min(s[n-1].to, size)
	}
	*e = s
}

// head returns how many bytes from the start are there without a gap.
func (e extents) head() int64 {
	if len(e) == 0 || e[0].from > 0 {
		return 0
	}
	return e[0].to
}

// gap returns how many of the first size bytes were not written.
func (e extents) gap(size int64) int64 {
	for _, x := range e {
		size -= x.to - x.from
	}
	return size
}
