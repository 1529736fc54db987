package numbers

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sort"
)

// Tenure is a time during which a number was assigned, or may have been: of the
// time before the first listing of a source nothing is known of the numbers
// that it names. A tenure without length says that one is over.
type Tenure struct {
	Digits   uint64
	From, To int64
}

// Window is the time that tenures are asked for, and what is known of it at
// all.
type Window struct {
	From, To int64 // To is not included
	// Sources are the times of the first listings, by source.
	Sources map[string]int64
}

// Begin returns from when on a number is known not to be assigned that no source
// names: the time of the first listing of all, within the window. When it is
// To, nothing is known.
func (w Window) Begin() int64 {
	begin := w.To
	for _, at := range w.Sources {
		begin = min(begin, at)
	}
	return max(begin, w.From)
}

// Tenures returns the tenures that have a part in the window, in the order of
// numbers and times, cut to it. Lines that share a number share its tenures.
// The rows come in the order of their numbers, and of one number in the order
// of lines, sources and beginnings. What cannot tell any call apart is left
// out, so that equal tenures mean equal answers; the rows of one number are in
// memory at a time.
func Tenures(rows Rows, w Window) iter.Seq2[Tenure, error] {
	return func(yield func(Tenure, error) bool) {
		t := tenant{w: w, begin: w.Begin()}
		for a, err := range rows {
			if err != nil {
				yield(Tenure{}, err)
				return
			}
			if len(t.spans) > 0 && a.Digits != t.last.Digits && !t.hand(yield) {
				return
			}
			t.add(a)
		}
		t.hand(yield)
	}
}

// tenant gathers the tenures of one number.
type tenant struct {
	w     Window
	begin int64
	last  Assignment
	spans []Tenure
}

func (t *tenant) add(a Assignment) {
	first := len(t.spans) == 0 || t.last.Line != a.Line || t.last.Source != a.Source
	s := Tenure{a.Digits, a.From, a.To}
	if at, listed := t.w.Sources[a.Source]; first && (!listed || a.From <= at) {
		s.From = math.MinInt64
	}
	t.spans, t.last = append(t.spans, s), a
}

// hand yields the tenures of the number and forgets them.
func (t *tenant) hand(yield func(Tenure, error) bool) bool {
	spans := t.cut(merged(t.spans))
	t.spans = t.spans[:0]
	for _, s := range spans {
		if !yield(s, nil) {
			return false
		}
	}
	return true
}

// merged joins tenures that overlap or follow each other at once.
func merged(list []Tenure) []Tenure {
	slices.SortFunc(list, func(a, b Tenure) int { return cmp.Compare(a.From, b.From) })
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// cut leaves what the window needs.
func (t *tenant) cut(list []Tenure) []Tenure {
	out := list[:0]
	for i, s := range list {
		if i == 0 && s.From <= t.begin { // nobody was known not to have it before
			s.From = t.w.From
		}
		over := s.To <= t.w.From
		s.From, s.To = min(max(s.From, t.w.From), t.w.To), min(max(s.To, t.w.From), t.w.To)
		switch n := len(out); {
		case s.From == t.w.To, over && t.begin <= t.w.From:
		case n > 0 && out[n-1].To >= s.From:
			out[n-1].To = max(out[n-1].To, s.To)
		default:
			out = append(out, s)
		}
	}
	if len(out) == 1 && t.begin == t.w.To && out[0].To == t.w.To {
		return nil // it was never known not to be assigned
	}
	return out
}

// Holders answers whether numbers were assigned. It does not change once it is
// filled, and may then be asked by several goroutines at once. It takes 28
// bytes for a number of one tenure, and 16 for each further one.
type Holders struct {
	begin    int64
	digits   []uint64 // each number once, ascending
	first    []uint32 // of digits[i] in from and to; one more at the end
	from, to []int64
}

// NewHolders returns Holders that know no number yet, and that all of them are
// unassigned from begin on.
func NewHolders(begin int64) *Holders { return &Holders{begin: begin, first: []uint32{0}} }

// Add adds a tenure, in the order of numbers and times.
func (h *Holders) Add(t Tenure) {
	if n := len(h.digits); n == 0 || h.digits[n-1] != t.Digits {
		h.digits, h.first = append(h.digits, t.Digits), append(h.first, h.first[n])
	}
	h.from, h.to = append(h.from, t.From), append(h.to, t.To)
	h.first[len(h.digits)]++
}

// Len returns how many numbers it knows.
func (h *Holders) Len() int { return len(h.digits) }

// Unassigned reports whether it is known that a number was not assigned at a
// time: no tenure of it holds, and one of it was over or all numbers are known.
func (h *Holders) Unassigned(digits uint64, at int64) bool {
	i, found := slices.BinarySearch(h.digits, digits)
	if !found {
		return at >= h.begin
	}
	first, end := int(h.first[i]), int(h.first[i+1])
	j := first + sort.Search(end-first, func(k int) bool { return h.from[first+k] > at }) - 1
	if j < first {
		return at >= h.begin
	}
	return at >= h.to[j]
}
