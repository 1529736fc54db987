package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"concord/engine/spill"
)

// What became of a case between two versions.
const (
	Opened  = "opened"  // it is a discrepancy now and was none before
	Changed = "changed" // it is one in both, and says something else now
	Closed  = "closed"  // it was a discrepancy and is none now
)

// Changes say what a version says about the one that it supersedes.
type Changes struct {
	Opened  Moved          `json:"opened"`
	Changed Moved          `json:"changed"`
	Closed  Moved          `json:"closed"`
	Classes []ClassChanges `json:"classes"` // those with a change, as reports list classes
}

// ClassChanges are the changes of one class: that of the version, or of the
// version before where the case was closed.
type ClassChanges struct {
	Class   string `json:"class"`
	Opened  Moved  `json:"opened"`
	Changed Moved  `json:"changed"`
	Closed  Moved  `json:"closed"`
}

// Moved counts cases and adds them up, as they were and as they are.
type Moved struct {
	Cases  int64   `json:"cases"`
	Before CaseSum `json:"before"`
	Now    CaseSum `json:"now"`
}

// CaseSum adds up the durations of cases, in milliseconds. The difference is
// that of cases which both sides have.
type CaseSum struct {
	MicrosoftMS  int64 `json:"microsoft_milliseconds"`
	CarrierMS    int64 `json:"carrier_milliseconds"`
	DifferenceMS int64 `json:"difference_milliseconds"`
}

// differ finds the changes between two lists of discrepancies. Both are in
// the order of start and case id, so that nearly every case of one stands
// beside itself in the other; what is left over, because it came, went, or
// starts elsewhere now, is sorted by case id and looked at once more.
type differ struct {
	alone    *spill.Sorter // left over, by case id, those before first
	found    *spill.Sorter // changes by start and case id
	compared cellSet
	key, val []byte
}

// newDiffer returns a differ that holds about memory bytes.
func newDiffer(s spill.Scratch, memory int64) *differ {
	half := int(min(max(memory, minDiffMemory)/2, math.MaxInt32))
	return &differ{alone: spill.NewSorter(s, half), found: spill.NewSorter(s, half)}
}

const minDiffMemory = 1 << 20

func (d *differ) close() error { return errors.Join(d.alone.Close(), d.found.Close()) }

// run finds the changes. It does not rely on the order of the lists, which
// only makes it quick.
func (d *differ) run(ctx context.Context, before, now *caseReader) error {
	d.compared = comparedCells & before.known & now.known
	if err := errors.Join(before.advance(), now.advance()); err != nil {
		return err
	}
	for !before.done || !now.done {
		if err := d.step(before, now); err != nil {
			return err
		}
	}
	return d.pairAlone(ctx)
}

// step takes the first row of either list, or of both.
func (d *differ) step(before, now *caseReader) (err error) {
	c := before.against(now)
	switch {
	case c < 0:
		err = d.keep(sideBefore, &before.row)
	case c > 0:
		err = d.keep(sideNow, &now.row)
	default:
		err = d.judge(&before.row, &now.row)
	}
	if err == nil && c <= 0 {
		err = before.advance()
	}
	if err == nil && c >= 0 {
		err = now.advance()
	}
	return err
}

// The side of a row that stands alone sorts those before to the front.
const (
	sideBefore byte = iota
	sideNow
)

func (d *differ) keep(side byte, r *caseRow) error {
	d.val = r.append(append(d.val[:0], side))
	return d.alone.Add(r.cells[cellID], d.val)
}

// pairAlone brings the rows together that have one case id.
func (d *differ) pairAlone(ctx context.Context) error {
	var waiting caseRow // of the version before; empty when none waits
	var held []byte
	for e, err := range spill.Sorted(d.alone) {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		row, _ := takeRow(e.Val[1:])
		switch {
		case e.Val[0] == sideNow && bytes.Equal(waiting.cells[cellID], e.Key):
			err = d.judge(&waiting, &row)
			waiting = caseRow{}
		case e.Val[0] == sideNow:
			err = d.add(nil, &row)
		default:
			err = d.gone(&waiting)
			held = append(held[:0], e.Val[1:]...)
			waiting, _ = takeRow(held)
		}
		if err != nil {
			return err
		}
	}
	return d.gone(&waiting)
}

// gone adds a case that waits for its other half in vain.
func (d *differ) gone(r *caseRow) error {
	if len(r.cells[cellID]) == 0 {
		return nil
	}
	return d.add(r, nil)
}

// judge adds a case that both versions have if it changed.
func (d *differ) judge(before, now *caseRow) error {
	if before.differing(now)&d.compared == 0 {
		return nil
	}
	return d.add(before, now)
}

// add puts a change where its row belongs.
func (d *differ) add(before, now *caseRow) error {
	c := change{before: before, now: now}
	shown := c.shown()
	d.key = binary.BigEndian.AppendUint64(d.key[:0], uint64(shown.start)^1<<63)
	d.key = append(d.key, shown.cells[cellID]...)
	d.val = c.append(d.val[:0])
	return d.found.Add(d.key, d.val)
}

// change is a case as it was and as it is; either may be missing.
type change struct{ before, now *caseRow }

func (c change) event() string {
	switch {
	case c.before == nil:
		return Opened
	case c.now == nil:
		return Closed
	}
	return Changed
}

// shown is the row by which the case is found and sorted.
func (c change) shown() *caseRow {
	if c.now == nil {
		return c.before
	}
	return c.now
}

func (c change) append(b []byte) []byte {
	for _, r := range []*caseRow{c.before, c.now} {
		if r == nil {
			b = append(b, 0)
			continue
		}
		b = r.append(append(b, 1))
	}
	return b
}

func takeChange(b []byte) (c change) {
	for _, r := range []**caseRow{&c.before, &c.now} {
		there := b[0] == 1
		if b = b[1:]; there {
			var row caseRow
			row, b = takeRow(b)
			*r = &row
		}
	}
	return c
}

// count adds a change to the figures of its kind.
func (m *Moved) count(c change) {
	m.Cases++
	m.Before.add(c.before)
	m.Now.add(c.now)
}

func (s *CaseSum) add(r *caseRow) {
	if r == nil {
		return
	}
	s.MicrosoftMS += r.ms(cellMicrosoftSeconds)
	s.CarrierMS += r.ms(cellCarrierSeconds)
	s.DifferenceMS += r.ms(cellDifference)
}

// counter counts changes, also by class.
type counter struct {
	all     Changes
	classes map[string]*ClassChanges
}

func (n *counter) count(c change) {
	name := string(c.shown().cells[cellClass])
	class := n.classes[name]
	if class == nil {
		class = &ClassChanges{Class: name}
		n.classes[name] = class
	}
	switch c.event() {
	case Opened:
		n.all.Opened.count(c)
		class.Opened.count(c)
	case Closed:
		n.all.Closed.count(c)
		class.Closed.count(c)
	default:
		n.all.Changed.count(c)
		class.Changed.count(c)
	}
}

// changes returns what was counted, classes in the order of reports.
func (n *counter) changes() *Changes {
	n.all.Classes = make([]ClassChanges, 0, len(n.classes))
	for _, c := range n.classes {
		n.all.Classes = append(n.all.Classes, *c)
	}
	slices.SortFunc(n.all.Classes, func(a, b ClassChanges) int {
		return cmp.Or(cmp.Compare(classOrder(a.Class), classOrder(b.Class)), cmp.Compare(a.Class, b.Class))
	})
	return &n.all
}
