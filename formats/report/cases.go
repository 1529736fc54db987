package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
)

// CaseFigures are what a version says of a case, without what may be a number.
type CaseFigures struct {
	Class       string // empty: it is no case there
	Start       time.Time
	MicrosoftMS int64 // 0: the side has no call
	CarrierMS   int64
	DiffMS      int64 // 0 unless both sides have the call
}

// CaseRow is a row of discrepancies.csv, which opens the case, or of changes.csv.
// A closed case has figures of before only.
type CaseRow struct {
	Event       string // Opened, Changed or Closed
	CaseID      string
	Now, Before CaseFigures
	// Place is where the records are, by their files and rows; of discrepancies.csv only.
	Place string
}

// figureColumns are in either file, the others in one of them.
var (
	figureColumns = []string{"case_id", "class", "microsoft_start_utc", "carrier_start_utc", "microsoft_seconds", "carrier_seconds", "difference_seconds"}
	placeColumns  = append(slices.Clone(figureColumns), "microsoft_row", "carrier_row", "microsoft_file", "carrier_file")
	beforeColumns = append(slices.Clone(figureColumns), "change", "class_before", "microsoft_seconds_before", "carrier_seconds_before", "difference_seconds_before", "differs")
)

// ReadCases reads discrepancies.csv or, with changes, changes.csv, in the order
// of the file. It ends with the first error, which is about r or says that the
// file is none that Write made.
func ReadCases(r io.Reader, changes bool) iter.Seq2[CaseRow, error] {
	return func(yield func(CaseRow, error) bool) {
		if err := readCases(r, changes, func(c CaseRow) bool { return yield(c, nil) }); err != nil {
			yield(CaseRow{}, fmt.Errorf("read cases: %w", err))
		}
	}
}

func readCases(r io.Reader, changes bool, yield func(CaseRow) bool) error {
	names := beforeColumns
	if !changes {
		names = placeColumns
	}
	c, err := newColumnReader(r, names)
	if err != nil {
		return err
	}
	defer c.close()
	needed := c.at
	if !changes {
		needed = c.at[:len(placeColumns)-2] // who leaves the files out has rows of one for each side
	}
	if i := slices.IndexFunc(needed, func(at int) bool { return at < 0 }); i >= 0 {
		return fmt.Errorf("there is no column %s", names[i])
	}
	for {
		ok, err := c.next()
		if err != nil || !ok {
			return err
		}
		row, err := c.caseRow(changes)
		if err != nil {
			return fmt.Errorf("row %d: %w", c.row.Number, err)
		}
		if !yield(row) {
			return nil
		}
	}
}

func (c *columnReader) caseRow(changes bool) (CaseRow, error) {
	row := CaseRow{Event: Opened, CaseID: string(c.cell(0))}
	var ok [3]bool
	f := CaseFigures{Class: string(c.cell(1)), Start: c.start()}
	f.MicrosoftMS, ok[0] = parseSeconds(c.cell(4))
	f.CarrierMS, ok[1] = parseSeconds(c.cell(5))
	f.DiffMS, ok[2] = parseSeconds(c.cell(6))
	if ok != [3]bool{true, true, true} {
		return row, errNoSeconds
	}
	row.Now = f
	if !changes {
		row.Place = fmt.Sprintf("%s %s %q %q", c.cell(7), c.cell(8), c.cell(9), c.cell(10))
		return row, nil
	}
	row.Event = string(c.cell(7))
	return row, c.before(&row)
}

var errNoSeconds = errors.New("a duration or a difference is no number of seconds")

// start is Microsoft's, else the carrier's; zero: the case has none.
func (c *columnReader) start() time.Time {
	for _, i := range []int{2, 3} {
		if t, err := time.Parse(time.RFC3339Nano, string(c.cell(i))); err == nil {
			return t
		}
	}
	return time.Time{}
}

// before fills in what the case was. Durations of before are told where they
// differ.
func (c *columnReader) before(row *CaseRow) error {
	b := row.Now
	b.Class = string(c.cell(8))
	var ok bool
	if b.DiffMS, ok = parseSeconds(c.cell(11)); !ok {
		return errNoSeconds
	}
	differs := bytes.Fields(c.cell(12))
	for i, ms := range []*int64{&b.MicrosoftMS, &b.CarrierMS} {
		if slices.ContainsFunc(differs, func(d []byte) bool { return string(d) == figureColumns[4+i] }) {
			if *ms, ok = parseSeconds(c.cell(9 + i)); !ok {
				return errNoSeconds
			}
		}
	}
	switch row.Event {
	case Opened:
	case Changed:
		row.Before = b
	case Closed:
		row.Before, row.Now = b, CaseFigures{}
	default:
		return errors.New("change is neither opened, changed nor closed")
	}
	return nil
}
