package numbers

import "iter"

// Rows is a sequence of assignments. Its first error ends it.
type Rows = iter.Seq2[Assignment, error]

// Kind says what became of a line.
type Kind string

// Kinds of changes.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is what became of a line from one listing to the next.
type Change struct {
	Kind
	Assignment          // as it is; of a removed line, as it was
	Fields     []string // of a changed line: the facts that differ
}

// Changes compares two listings: each a sequence of lines in ascending order,
// each line once. It holds one row of either. Beginnings, ends and sources are
// not compared: a carrier is told what it has to do, not how we came to know.
func Changes(old, now Rows) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		a, b := pull(old), pull(now)
		defer a.stop()
		defer b.stop()
		for a.more() || b.more() {
			if err := firstOf(a.err, b.err); err != nil {
				yield(Change{}, err)
				return
			}
			if c, is := step(a, b); is && !yield(c, nil) {
				return
			}
		}
		if err := firstOf(a.err, b.err); err != nil {
			yield(Change{}, err)
		}
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// step compares the next line, and reports whether it is a change.
func step(a, b *head) (Change, bool) {
	order := 0
	switch {
	case !a.ok:
		order = 1
	case !b.ok:
		order = -1
	default:
		order = a.row.Line.Compare(b.row.Line)
	}
	switch {
	case order < 0:
		c := Change{Kind: Removed, Assignment: a.row}
		a.next()
		return c, true
	case order > 0:
		c := Change{Kind: Added, Assignment: b.row}
		b.next()
		return c, true
	}
	c := Change{Kind: Changed, Assignment: b.row, Fields: a.row.Differ(&b.row.Facts)}
	a.next()
	b.next()
	return c, len(c.Fields) > 0
}

// Differ returns the names of the facts that are not the same.
func (f *Facts) Differ(g *Facts) (names []string) {
	if *f == *g {
		return nil
	}
	a, b := f.Fields(), g.Fields()
	for i, name := range FactNames() {
		if *a[i] != *b[i] {
			names = append(names, name)
		}
	}
	return names
}

// head is the row that a sequence stands at.
type head struct {
	row  Assignment
	ok   bool
	err  error
	pull func() (Assignment, error, bool)
	stop func()
}

func pull(rows Rows) *head {
	h := new(head)
	h.pull, h.stop = iter.Pull2(rows)
	h.next()
	return h
}

func (h *head) next() {
	h.row, h.err, h.ok = h.pull()
	h.ok = h.ok && h.err == nil
}

// more reports whether there is a row, and no error.
func (h *head) more() bool { return h.ok && h.err == nil }

// Present reduces what is known, in the order of lines, to the lines that are
// assigned now, each once: when several sources have one, the assignment that
// began last.
func Present(known Rows) Rows {
	return func(yield func(Assignment, error) bool) {
		var held Assignment
		has := false
		for a, err := range known {
			switch {
			case err != nil:
				yield(Assignment{}, err)
				return
			case a.To != Open:
				continue
			case has && held.Line != a.Line:
				if !yield(held, nil) {
					return
				}
			case has && (held.From > a.From || held.From == a.From && held.Source > a.Source):
				continue
			}
			held, has = a, true
		}
		if has {
			yield(held, nil)
		}
	}
}
