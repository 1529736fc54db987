package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"concord/engine/spill"
)

// changeColumns are written as CSV only. A column that ends in _before is
// filled where a changed case had another value, but for class and difference,
// which are always there.
var changeColumns = []column{
	{name: "change"}, {name: "case_id"}, {name: "class_before"}, {name: "class"},
	{name: "difference_seconds_before"}, {name: "difference_seconds"},
	{name: "microsoft_record_id"}, {name: "carrier_record_ids"}, {name: "correlation_id"}, {name: "caller"}, {name: "callee"},
	{name: "microsoft_start_utc"}, {name: "carrier_start_utc"}, {name: "microsoft_seconds"}, {name: "carrier_seconds"},
	{name: "flags"}, {name: "differs"},
	{name: "microsoft_record_id_before"}, {name: "carrier_record_ids_before"}, {name: "caller_before"}, {name: "callee_before"},
	{name: "microsoft_start_utc_before"}, {name: "carrier_start_utc_before"}, {name: "microsoft_seconds_before"}, {name: "carrier_seconds_before"},
	{name: "flags_before"},
}

// shownCells and beforeCells are the columns between the first six and the
// end, in their order.
var (
	shownCells = []int{cellMicrosoftID, cellCarrierIDs, cellCorrelation, cellCaller, cellCallee,
		cellMicrosoftStart, cellCarrierStart, cellMicrosoftSeconds, cellCarrierSeconds, cellFlags}
	beforeCells = []int{cellMicrosoftID, cellCarrierIDs, cellCaller, cellCallee,
		cellMicrosoftStart, cellCarrierStart, cellMicrosoftSeconds, cellCarrierSeconds, cellFlags}
)

// writeChanges writes what d found and counts it.
func (w *writer) writeChanges(ctx context.Context, d *differ) (*Changes, error) {
	t, err := w.folder.table("changes", changeColumns, false)
	if err != nil {
		return nil, err
	}
	n := counter{classes: make(map[string]*ClassChanges)}
	for e, err := range spill.Sorted(d.found) {
		if err != nil {
			return nil, t.abandon(fmt.Errorf("read changes: %w", err))
		}
		c := takeChange(e.Val)
		n.count(c)
		writeChange(t, c, d.compared)
		if err := t.end(ctx); err != nil {
			return nil, t.abandon(err)
		}
	}
	return n.changes(), t.close()
}

func writeChange(t *table, c change, compared cellSet) {
	var none caseRow
	before, now, shown := c.before, c.now, c.shown()
	if before == nil {
		before = &none
	}
	if now == nil {
		now = &none
	}
	t.own(c.event())
	t.cell(cellID, shown)
	t.cell(cellClass, before)
	t.cell(cellClass, now)
	t.cell(cellDifference, before)
	t.cell(cellDifference, now)
	for _, i := range shownCells {
		t.cell(i, shown)
	}
	var differs cellSet
	if c.event() == Changed {
		differs = before.differing(now) & compared
	}
	t.own(differs.String())
	for _, i := range beforeCells {
		if !differs.has(i) {
			t.null()
			continue
		}
		t.cell(i, before)
	}
}

// String returns the names of the columns, joined by spaces.
func (s cellSet) String() string {
	var names []string
	for i, name := range cellNames {
		if s.has(i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// cell adds a cell of discrepancies.csv, where text is neutralised already:
// doing it again changes nothing, and whoever wrote that file need not be
// trusted.
func (t *table) cell(i int, r *caseRow) {
	b := r.cells[i]
	switch {
	case i >= cellMicrosoftSeconds, (i == cellCaller || i == cellCallee) && plainNumber(b):
		t.own(string(b)) // a sign before digits begins no formula
	default:
		t.outside(string(b))
	}
}

// plainNumber says whether a cell holds an E.164 number with its plus.
func plainNumber(b []byte) bool {
	if len(b) < 2 || len(b) > 16 || b[0] != '+' {
		return false
	}
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Change is what became of one case.
type Change struct {
	Event         string // Opened, Changed or Closed
	CaseID        string
	Class, Before string // in this version and in the one before; empty where there is no case
	DiffMS        int64  // carrier less Microsoft; 0 unless both sides have the call
	BeforeMS      int64  // the same in the version before
}

var readColumns = []string{"change", "case_id", "class", "class_before", "difference_seconds", "difference_seconds_before"}

// ReadChanges reads changes.csv, in the order of the file. It ends with the
// first error, which is about r or says that the file is none that Write made.
func ReadChanges(r io.Reader) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		if err := readChanges(r, func(c Change) bool { return yield(c, nil) }); err != nil {
			yield(Change{}, fmt.Errorf("read changes: %w", err))
		}
	}
}

func readChanges(r io.Reader, yield func(Change) bool) error {
	c, err := newColumnReader(r, readColumns)
	if err != nil {
		return err
	}
	defer c.close()
	for i, at := range c.at {
		if at < 0 {
			return fmt.Errorf("there is no column %s", readColumns[i])
		}
	}
	for {
		ok, err := c.next()
		if err != nil || !ok {
			return err
		}
		change, err := c.change()
		if err != nil {
			return fmt.Errorf("row %d: %w", c.row.Number, err)
		}
		if !yield(change) {
			return nil
		}
	}
}

func (c *columnReader) change() (Change, error) {
	now, ok := parseSeconds(c.cell(4))
	before, okBefore := parseSeconds(c.cell(5))
	if !ok || !okBefore {
		return Change{}, errors.New("a difference is no number of seconds")
	}
	change := Change{
		Event: string(c.cell(0)), CaseID: string(c.cell(1)),
		Class: string(c.cell(2)), Before: string(c.cell(3)), DiffMS: now, BeforeMS: before,
	}
	switch change.Event {
	case Opened, Changed, Closed:
		return change, nil
	}
	return Change{}, errors.New("change is neither opened, changed nor closed")
}
