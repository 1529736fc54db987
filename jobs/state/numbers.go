package state

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"concord/engine/numbers"
	"concord/jobs"
)

const (
	// numberWidth is how many columns a number has that is learned, and
	// numbersAtOnce how many of them go into one statement.
	numberWidth   = 8
	numbersAtOnce = 50
	// numbersPage is how many rows are read at once.
	numbersPage = 2000
)

// learn changes what is known of one source's numbers by a listing, and
// returns of how many lines it said something new. Both are walked beside each
// other, in the order of lines.
func (t tx) learn(ctx context.Context, x *jobs.Listing, how jobs.Taking, rows jobs.ListedRows) (learned int64, err error) {
	l := &learner{tx: t, listing: x, asOf: x.AsOf.UnixMicro()}
	nextKnown, stopKnown := iter.Pull2(byLine(t.ofSource(ctx, x.Carrier, x.Source), func(a numbers.Assignment) numbers.Line { return a.Line }))
	defer stopKnown()
	nextSaid, stopSaid := iter.Pull2(byLine(rows, func(r jobs.ListedRow) numbers.Line { return r.Line }))
	defer stopSaid()
	known, kerr, moreKnown := nextKnown()
	said, serr, moreSaid := nextSaid()
	for moreKnown || moreSaid {
		if err := firstOf(kerr, serr); err != nil {
			return 0, err
		}
		order := 0
		switch {
		case !moreKnown:
			order = 1
		case !moreSaid:
			order = -1
		default:
			order = known[0].Line.Compare(said[0].Line)
		}
		switch {
		case order < 0:
			if !how.Blind {
				err = l.line(ctx, known, nil)
			}
			known, kerr, moreKnown = nextKnown()
		case order > 0:
			err = l.line(ctx, nil, said)
			said, serr, moreSaid = nextSaid()
		default:
			err = l.line(ctx, known, said)
			known, kerr, moreKnown = nextKnown()
			said, serr, moreSaid = nextSaid()
		}
		if err != nil {
			return 0, err
		}
	}
	if l.removed >= jobs.FewRemoved && l.removed*100 > int64(how.MostRemoved)*l.present {
		return 0, fmt.Errorf("%w: %d of %d", jobs.ErrRemoves, l.removed, l.present)
	}
	return l.learned, l.flush(ctx)
}

// byLine groups rows of one line that follow each other. A group of an error
// is empty.
func byLine[T any](rows iter.Seq2[T, error], line func(T) numbers.Line) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var group []T
		for x, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(group) > 0 && line(group[0]) != line(x) {
				if !yield(group, nil) {
					return
				}
				group = nil
			}
			group = append(group, x)
		}
		if len(group) > 0 {
			yield(group, nil)
		}
	}
}

// learner writes down what is learned of lines, one after the other.
type learner struct {
	tx      tx
	listing *jobs.Listing
	asOf    int64
	learned int64
	present int64 // lines that were assigned
	removed int64 // and are not any more
	args    []any // of rows that are not written yet
}

// line learns of one line.
func (l *learner) line(ctx context.Context, known []numbers.Assignment, rows []jobs.ListedRow) error {
	was := assigned(known)
	l.present += was
	var said []numbers.Assignment
	for _, r := range rows {
		if r.Held {
			return nil
		}
		r.Source = l.listing.Source
		said = append(said, r.Assignment)
	}
	next := numbers.Learn(known, said, l.asOf)
	l.removed += max(0, was-assigned(next))
	if slices.Equal(known, next) {
		return nil
	}
	l.learned++
	for _, k := range known {
		if !slices.Contains(next, k) {
			if err := l.forget(ctx, k); err != nil {
				return err
			}
		}
	}
	for _, n := range next {
		if !slices.Contains(known, n) {
			if err := l.add(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// assigned returns 1 when a line is still assigned.
func assigned(rows []numbers.Assignment) int64 {
	if n := len(rows); n > 0 && rows[n-1].To == numbers.Open {
		return 1
	}
	return 0
}

// forget notes that a row is not what is known any more.
func (l *learner) forget(ctx context.Context, a numbers.Assignment) error {
	_, err := l.tx.exec(ctx, "UPDATE numbers SET known_to = $1 WHERE carrier = $2 AND source = $3 AND digits = $4 AND ext = $5 AND valid_from = $6 AND known_to IS NULL",
		l.listing.Position, l.listing.Carrier, a.Source, int64(a.Digits), a.Ext, time.UnixMicro(a.From))
	return err
}

func (l *learner) add(ctx context.Context, a numbers.Assignment) error {
	facts, err := json.Marshal(a.Facts)
	if err != nil {
		return err
	}
	var to any // NULL
	if a.To != numbers.Open {
		to = time.UnixMicro(a.To)
	}
	l.args = append(l.args, l.listing.Carrier, int64(a.Digits), a.Ext, a.Source, time.UnixMicro(a.From), to, l.listing.Position, string(facts))
	if len(l.args) < numbersAtOnce*numberWidth {
		return nil
	}
	return l.flush(ctx)
}

func (l *learner) flush(ctx context.Context) error {
	if len(l.args) == 0 {
		return nil
	}
	_, err := l.tx.exec(ctx, "INSERT INTO numbers (carrier, digits, ext, source, valid_from, valid_to, known_from, facts) VALUES "+
		tuples(len(l.args)/numberWidth, numberWidth), l.args...)
	l.args = l.args[:0]
	return err
}

// place is where a walk through numbers goes on.
type place struct {
	digits      int64
	ext, source string
	from        time.Time
}

// ofSource walks what is known of one source, page by page: rows that are
// written meanwhile lie behind it.
func (t tx) ofSource(ctx context.Context, carrier, source string) numbers.Rows {
	return pages(func(after place) ([]numbers.Assignment, error) {
		return t.numbers(ctx, "WHERE carrier = $1 AND source = $2 AND known_to IS NULL AND (digits, ext, valid_from) > ($3, $4, $5) ORDER BY digits, ext, valid_from LIMIT $6",
			carrier, source, after.digits, after.ext, edge(after.from), numbersPage)
	})
}

// KnownNumbers implements jobs.Numbers.
func (s *Store) KnownNumbers(ctx context.Context, at jobs.NumbersAt) numbers.Rows {
	rest := "WHERE carrier = $1 AND known_from <= $2 AND (known_to IS NULL OR known_to > $2)"
	if at.Present {
		rest += " AND valid_to IS NULL"
	}
	rest += " AND (digits, ext, source, valid_from) > ($3, $4, $5, $6) ORDER BY digits, ext, source, valid_from LIMIT $7"
	return pages(func(after place) (list []numbers.Assignment, err error) {
		err = s.read(ctx, "read numbers", func(t tx) (err error) {
			list, err = t.numbers(ctx, rest, text(at.Carrier), at.Position, after.digits, after.ext, after.source, edge(after.from), numbersPage)
			return err
		})
		return list, err
	})
}

// pages walks what read returns until that is less than a page.
func pages(read func(after place) ([]numbers.Assignment, error)) numbers.Rows {
	return func(yield func(numbers.Assignment, error) bool) {
		for after := (place{}); ; {
			list, err := read(after)
			if err != nil {
				yield(numbers.Assignment{}, err)
				return
			}
			for _, a := range list {
				if !yield(a, nil) {
					return
				}
			}
			if len(list) < numbersPage {
				return
			}
			last := &list[len(list)-1]
			after = place{digits: int64(last.Digits), ext: last.Ext, source: last.Source, from: time.UnixMicro(last.From).UTC()}
		}
	}
}

func (t tx) numbers(ctx context.Context, rest string, args ...any) (list []numbers.Assignment, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var a numbers.Assignment
		var from, to time.Time
		var digits int64
		err := scan(&digits, &a.Ext, &a.Source, moment{&from}, moment{&to}, document{&a.Facts})
		a.Digits, a.From, a.To = uint64(digits), from.UnixMicro(), numbers.Open
		if !to.IsZero() {
			a.To = to.UnixMicro()
		}
		list = append(list, a)
		return err
	}, "SELECT digits, ext, source, valid_from, valid_to, facts FROM numbers "+rest, args...)
	return list, err
}
