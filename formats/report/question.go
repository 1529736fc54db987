package report

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"concord/engine"
	"concord/formats/parquetio"
)

// Question selects discrepancies; a zero field selects all.
type Question struct {
	Case          string // the one with this id
	Class, Action string
	Flag          string
	// Text is part of an id or of a file's name, as it is written. Four digits
	// are also the last ones of a number: more of a number is not searched.
	Text string
	// Shown is what is shown of an id or a name: a Text with digits must be in
	// that, too, so that nothing can be guessed bit by bit. nil: all of it.
	Shown func(string) string
	// ShownNumber is what is shown of a number, with the same rule. nil: its last
	// four digits, whatever they are.
	ShownNumber func(string) string
	Order       Order
	Offset      int // rows of the answer to pass over
	Limit       int
}

// Order is that of an answer.
type Order string

// Orders. Within the same value rows are in the order of the table.
const (
	ByStart     Order = ""          // that of the table
	ByEffect    Order = "effect"    // the largest EffectMS first, whichever side it favours
	ByMicrosoft Order = "microsoft" // Microsoft's longest calls first
	ByCarrier   Order = "carrier"   // the carrier's longest calls first
)

// Known reports whether there is such an order.
func (o Order) Known() bool {
	return slices.Contains([]Order{ByStart, ByEffect, ByMicrosoft, ByCarrier}, o)
}

// MostOrdered is how deep an answer in another order than the table's can be
// paged: Offset and Limit together.
const MostOrdered = 10_000

// Answer is what a question finds.
type Answer struct {
	Rows  []Discrepancy
	Total int64 // of which Rows are a part
}

// Find answers a question. Its memory is bounded by Offset and Limit.
func (c *Cases) Find(ctx context.Context, q Question) (Answer, error) {
	switch {
	case !q.Order.Known():
		return Answer{}, fmt.Errorf("discrepancies cannot be ordered by %q", q.Order)
	case q.Order != ByStart && q.Offset+q.Limit > MostOrdered:
		return Answer{}, fmt.Errorf("at most %d discrepancies can be put in this order", MostOrdered)
	}
	p := &pick{q: q, tests: testsOf(&q)}
	if len(p.tests) == 0 && q.Order == ByStart {
		p.skip(c.Rows())
	} else if err := c.scan(ctx, p); err != nil {
		return Answer{}, err
	}
	rows, err := c.rows(ctx, p.numbers())
	return Answer{Rows: rows, Total: p.total}, err
}

// test is what a question asks of a row: one of some columns must agree.
type test struct {
	cols  []int
	agree func(col int, text []byte) bool
}

func testsOf(q *Question) (all []test) {
	same := func(col int, want string) {
		if want != "" {
			all = append(all, test{[]int{col}, func(_ int, text []byte) bool { return string(text) == want }})
		}
	}
	same(colID, q.Case)
	same(colClass, q.Class)
	same(colAction, q.Action)
	if q.Flag != "" {
		all = append(all, test{[]int{colFlags}, func(_ int, text []byte) bool {
			for f := range bytes.FieldsSeq(text) {
				if string(f) == q.Flag {
					return true
				}
			}
			return false
		}})
	}
	if q.Text != "" {
		all = append(all, textTest([]byte(q.Text), q.Shown, q.ShownNumber))
	}
	return all
}

// textTest looks into numbers only for what is shown of a masked one.
func textTest(part []byte, show, showNumber func(string) string) test {
	t := test{cols: []int{colID, colMicrosoftID, colCarrierIDs, colCorrelation, colTenant, colMicrosoftFile, colCarrierFile}}
	const shown = 4
	if len(part) == shown && len(bytes.Trim(part, "0123456789")) == 0 {
		t.cols = append(t.cols, colCaller, colCallee)
	}
	whole := show == nil || !bytes.ContainsAny(part, "0123456789")
	t.agree = func(col int, text []byte) bool {
		if col == colCaller || col == colCallee {
			return bytes.HasSuffix(text, part) && (showNumber == nil || strings.HasSuffix(showNumber(string(text)), string(part)))
		}
		return bytes.Contains(text, part) && (whole || strings.Contains(show(string(text)), string(part)))
	}
	return t
}

// hit is a row that agrees, and the value by which it is ordered.
type hit struct{ row, key int64 }

// before reports whether a comes before b in the answer.
func (a hit) before(b hit) bool { return a.key > b.key || a.key == b.key && a.row < b.row }

// pick keeps those hits that the answer shows.
type pick struct {
	q     Question
	tests []test
	total int64
	hits  last
}

// last are the hits so far, the one that gives way first at the root.
type last []hit

func (l last) Len() int           { return len(l) }
func (l last) Less(i, j int) bool { return l[j].before(l[i]) }
func (l last) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *last) Push(x any) { *l = append(*l, x.(hit)) }

// Pop implements heap.Interface.
func (l *last) Pop() any {
	x := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return x
}

// take adds hits, which come in the order of the table.
func (p *pick) take(hits []hit) {
	if p.q.Order == ByStart {
		from, to := int64(p.q.Offset)-p.total, int64(p.q.Offset+p.q.Limit)-p.total
		n := int64(len(hits))
		p.total += n
		p.hits = append(p.hits, hits[min(max(from, 0), n):min(max(to, 0), n)]...)
		return
	}
	p.total += int64(len(hits))
	most := p.q.Offset + p.q.Limit
	for _, h := range hits {
		switch {
		case len(p.hits) < most:
			heap.Push(&p.hits, h)
		case most > 0 && h.before(p.hits[0]):
			p.hits[0] = h
			heap.Fix(&p.hits, 0)
		}
	}
}

// skip answers without looking at a row.
func (p *pick) skip(rows int64) {
	p.total = rows
	for i := int64(p.q.Offset); i < min(int64(p.q.Offset+p.q.Limit), rows); i++ {
		p.hits = append(p.hits, hit{row: i})
	}
}

// numbers returns the rows to show.
func (p *pick) numbers() (rows []int64) {
	if p.q.Order != ByStart {
		slices.SortFunc(p.hits, func(a, b hit) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		p.hits = p.hits[min(p.q.Offset, len(p.hits)):]
	}
	for _, h := range p.hits {
		rows = append(rows, h.row)
	}
	return rows
}

// scan looks at all row groups, some at once, and takes what agrees in order.
func (c *Cases) scan(ctx context.Context, p *pick) error {
	atOnce := max(runtime.GOMAXPROCS(0), 1)
	for from := 0; from < c.f.Groups(); from += atOnce {
		found := make([][]hit, min(atOnce, c.f.Groups()-from))
		var tasks []func() error
		for i := range found {
			tasks = append(tasks, func() (err error) {
				found[i], err = c.scanGroup(ctx, from+i, p)
				return err
			})
		}
		if err := together(ctx, tasks); err != nil {
			return err
		}
		for _, hits := range found {
			p.take(hits)
		}
	}
	return nil
}

// together does tasks, as many at once as there are processors.
func together(ctx context.Context, tasks []func() error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := make(chan func() error)
	for range min(len(tasks), max(runtime.GOMAXPROCS(0), 1)) {
		wg.Go(func() {
			for task := range next {
				err := context.Cause(ctx)
				if err == nil {
					err = task()
				}
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	for _, task := range tasks {
		next <- task
	}
	close(next)
	wg.Wait()
	return first
}

// scanGroup returns the rows of a row group that agree.
func (c *Cases) scanGroup(ctx context.Context, group int, p *pick) ([]hit, error) {
	n := int(c.f.GroupRows(group))
	agree := bytes.Repeat([]byte{1}, n)
	some := make([]byte, n)
	for _, t := range p.tests {
		clear(some)
		for _, col := range t.cols {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			if err := c.compare(group, col, &t, some); err != nil {
				return nil, err
			}
		}
		for i := range agree {
			agree[i] &= some[i]
		}
		if bytes.IndexByte(agree, 1) < 0 {
			return nil, nil
		}
	}
	keys, err := c.keys(group, p.q.Order)
	if err != nil {
		return nil, err
	}
	hits := make([]hit, 0, bytes.Count(agree, []byte{1}))
	for i, ok := range agree {
		if ok == 0 {
			continue
		}
		h := hit{row: c.first[group] + int64(i)}
		if keys != nil {
			h.key = keys[i]
		}
		hits = append(hits, h)
	}
	return hits, nil
}

// each reads a column of a row group. see is given the values, and the number of
// the first.
func (c *Cases) each(group, col int, see func(v *parquetio.Vector, at, n int)) error {
	rows := c.f.GroupRows(group)
	r := c.f.Read(group, []int{c.at[col]}, 0, rows)
	defer r.Close()
	for at := 0; int64(at) < rows; {
		n, err := r.Next(int(rows))
		if err != nil {
			return fmt.Errorf("read discrepancies: %w", err)
		}
		see(r.Vector(0), at, n)
		at += n
	}
	return nil
}

// compare marks the rows whose text in a column agrees.
func (c *Cases) compare(group, col int, t *test, some []byte) error {
	var dict *parquetio.Dict
	var known []byte // by word of dict: whether it agrees
	return c.each(group, col, func(v *parquetio.Vector, at, n int) {
		if v.Dict != nil && v.Dict != dict {
			dict, known = v.Dict, make([]byte, v.Dict.N)
			for i := range known {
				s := dict.Spans[i]
				known[i] = bit(t.agree(col, dict.Data[s.Off:][:s.Len]))
			}
		}
		for i := range n {
			switch {
			case v.Nulls != nil && v.Nulls[i]:
			case v.Dict != nil:
				some[at+i] |= known[v.Index[i]]
			case some[at+i] == 0:
				s := v.Spans[i]
				some[at+i] = bit(t.agree(col, v.Data[s.Off:][:s.Len]))
			}
		}
	})
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// keys returns the values by which rows are ordered; nil: they are not. Rows
// without a value come last.
func (c *Cases) keys(group int, o Order) ([]int64, error) {
	if o == ByStart {
		return nil, nil
	}
	keys := slices.Repeat([]int64{-1}, int(c.f.GroupRows(group)))
	set := func(col int, want func(row int) bool) error {
		return c.each(group, col, func(v *parquetio.Vector, at, n int) {
			for i := range n {
				if (v.Nulls == nil || !v.Nulls[i]) && want(at+i) {
					keys[at+i] = max(intOf(v, i), -intOf(v, i))
				}
			}
		})
	}
	always := func(int) bool { return true }
	switch o {
	case ByMicrosoft:
		return keys, set(colMicrosoftSeconds, always)
	case ByCarrier:
		return keys, set(colCarrierSeconds, always)
	}
	return keys, c.effects(group, set, always)
}

// effects sets the keys of rows by EffectMS.
func (c *Cases) effects(group int, set func(col int, want func(row int) bool) error, always func(int) bool) error {
	lacks := map[string]int{engine.MissingAtCarrier.String(): colMicrosoftSeconds, engine.MissingAtMicrosoft.String(): colCarrierSeconds}
	whole := make([]byte, c.f.GroupRows(group)) // by row: the column that counts whole
	for class, col := range lacks {
		some := make([]byte, len(whole))
		t := test{agree: func(_ int, text []byte) bool { return string(text) == class }}
		if err := c.compare(group, colClass, &t, some); err != nil {
			return err
		}
		for i, is := range some {
			whole[i] |= is * byte(col)
		}
	}
	for _, col := range lacks {
		if err := set(col, func(row int) bool { return int(whole[row]) == col }); err != nil {
			return err
		}
	}
	return set(colDifference, always)
}
