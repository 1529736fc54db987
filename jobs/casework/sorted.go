package casework

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"concord/engine/spill"
	"concord/formats/report"
	"concord/jobs"
)

// sortMemory is what is held of rows that are sorted; the rest goes to a scratch
// file.
const sortMemory = 16 << 20

// sorted are rows of versions in the order of their ids, and those of one id in
// the order of the versions: in that order a database finds its places quickly.
type sorted struct{ s *spill.Sorter }

func (c *Clerk) sorted() sorted {
	return sorted{spill.NewSorter(jobs.ScratchIn(c.Folder, c.Keys), sortMemory)}
}

// add takes in what a version says.
func (s sorted) add(version int, rows iter.Seq2[report.CaseRow, error]) error {
	var val []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		val = appendRow(binary.BigEndian.AppendUint64(val[:0], uint64(version)), &row)
		if err := s.s.Add([]byte(row.CaseID), val); err != nil {
			return fmt.Errorf("sort cases: %w", err)
		}
	}
	return nil
}

// rows yields the rows.
func (s sorted) rows() iter.Seq2[report.CaseRow, error] {
	return func(yield func(report.CaseRow, error) bool) {
		for e, err := range spill.Sorted(s.s) {
			var row report.CaseRow
			if err == nil {
				row, err = rowOf(e.Val[8:])
				row.CaseID = string(e.Key)
			}
			if err != nil {
				err = fmt.Errorf("sort cases: %w", err)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// unique leaves one row of each id: the last one.
func unique(rows iter.Seq2[report.CaseRow, error]) iter.Seq2[report.CaseRow, error] {
	return func(yield func(report.CaseRow, error) bool) {
		var last *report.CaseRow
		for row, err := range rows {
			if err != nil {
				yield(row, err)
				return
			}
			if last != nil && last.CaseID != row.CaseID && !yield(*last, nil) {
				return
			}
			last = &row
		}
		if last != nil {
			yield(*last, nil)
		}
	}
}

func (s sorted) close() error { return s.s.Close() }

func appendRow(b []byte, row *report.CaseRow) []byte {
	b = append(append(b, row.Event...), 0)
	for _, f := range []*report.CaseFigures{&row.Now, &row.Before} {
		b = append(append(b, f.Class...), 0)
		for _, n := range []int64{f.Start.UnixMicro(), f.MicrosoftMS, f.CarrierMS, f.DiffMS} {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

var errScratch = errors.New("a scratch file is not as it was written")

func rowOf(b []byte) (row report.CaseRow, err error) {
	word, b, ok := bytes.Cut(b, []byte{0})
	row.Event = string(word)
	for _, f := range []*report.CaseFigures{&row.Now, &row.Before} {
		if ok {
			word, b, ok = bytes.Cut(b, []byte{0})
			f.Class = string(word)
		}
		var start int64
		for _, n := range []*int64{&start, &f.MicrosoftMS, &f.CarrierMS, &f.DiffMS} {
			x, size := binary.Varint(b)
			if size <= 0 || !ok {
				return row, errScratch
			}
			*n, b = x, b[size:]
		}
		f.Start = time.UnixMicro(start).UTC()
	}
	return row, nil
}
