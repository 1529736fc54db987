package report

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"concord/engine"
	"concord/formats/csvscan"
)

// The columns of discrepancies.csv that tell a case from what it was, or let
// a person find the call.
const (
	cellID = iota
	cellClass
	cellAction
	cellFlags
	cellMicrosoftID
	cellCarrierIDs
	cellCorrelation
	cellCaller
	cellCallee
	cellMicrosoftStart
	cellCarrierStart
	cellMicrosoftSeconds
	cellCarrierSeconds
	cellDifference
	numCells
)

var cellNames = [numCells]string{
	"case_id", "class", "action", "flags", "microsoft_record_id", "carrier_record_ids", "correlation_id", "caller", "callee",
	"microsoft_start_utc", "carrier_start_utc", "microsoft_seconds", "carrier_seconds", "difference_seconds",
}

// cellSet is a set of these columns.
type cellSet uint32

// comparedCells make a case another one when they differ. File and row do not:
// a correction moves every row that it repeats. The difference follows from
// the seconds.
const comparedCells = 1<<cellClass | 1<<cellAction | 1<<cellFlags | 1<<cellMicrosoftID | 1<<cellCarrierIDs | 1<<cellCaller | 1<<cellCallee |
	1<<cellMicrosoftStart | 1<<cellCarrierStart | 1<<cellMicrosoftSeconds | 1<<cellCarrierSeconds

func (s cellSet) has(cell int) bool { return s&(1<<cell) != 0 }

// caseRow is one row of discrepancies.csv.
type caseRow struct {
	start int64 // by which it is sorted, in microseconds; the lowest without one
	cells [numCells][]byte
}

// differing returns the columns in which two rows differ.
func (r *caseRow) differing(o *caseRow) (s cellSet) {
	for i := range r.cells {
		if !bytes.Equal(r.cells[i], o.cells[i]) {
			s |= 1 << i
		}
	}
	return s
}

// ms returns a duration that was checked when it was read; an empty one is 0.
func (r *caseRow) ms(cell int) int64 {
	ms, _ := parseSeconds(r.cells[cell])
	return ms
}

func (r *caseRow) append(b []byte) []byte {
	b = binary.AppendVarint(b, r.start)
	for _, c := range r.cells {
		b = append(binary.AppendUvarint(b, uint64(len(c))), c...)
	}
	return b
}

// takeRow reads what append wrote, without a copy, and returns what follows.
func takeRow(b []byte) (r caseRow, rest []byte) {
	start, n := binary.Varint(b)
	r.start, b = start, b[n:]
	for i := range r.cells {
		size, n := binary.Uvarint(b)
		r.cells[i], b = b[n:n+int(size)], b[n+int(size):]
	}
	return r, b
}

// check reads the figures of a row.
func (r *caseRow) check() error {
	r.start = math.MinInt64
	for _, c := range []int{cellCarrierStart, cellMicrosoftStart} { // the latter decides
		if len(r.cells[c]) == 0 {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, string(r.cells[c]))
		if err != nil {
			return fmt.Errorf("%s is no time", cellNames[c])
		}
		r.start = t.UnixMicro()
	}
	for _, c := range []int{cellMicrosoftSeconds, cellCarrierSeconds, cellDifference} {
		if _, ok := parseSeconds(r.cells[c]); !ok {
			return fmt.Errorf("%s is no number of seconds", cellNames[c])
		}
	}
	if len(r.cells[cellID]) == 0 {
		return errors.New("case_id is empty")
	}
	return nil
}

// parseSeconds reads what appendSeconds writes, in milliseconds. Nothing is 0.
func parseSeconds(b []byte) (ms int64, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	whole, decimals, _ := bytes.Cut(bytes.TrimPrefix(b, []byte("-")), []byte("."))
	if len(whole) == 0 || len(whole) > 15 || len(decimals) > 3 {
		return 0, false
	}
	var digits [18]byte
	n := copy(digits[:], whole)
	copy(digits[n:], "000")
	copy(digits[n:], decimals)
	v, err := strconv.ParseUint(string(digits[:n+3]), 10, 63)
	if err != nil {
		return 0, false
	}
	if b[0] == '-' {
		return -int64(v), true
	}
	return int64(v), true
}

// caseReader reads the rows of discrepancies.csv one by one.
type caseReader struct {
	columns *columnReader
	known   cellSet // columns that the file has
	row     caseRow // valid until the next advance
	done    bool    // there is no row any more
	name    string  // what errors call the file
}

func newCaseReader(r io.Reader, name string) (*caseReader, error) {
	columns, err := newColumnReader(r, cellNames[:])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	c := &caseReader{columns: columns, name: name}
	for i, at := range columns.at {
		if at >= 0 {
			c.known |= 1 << i
		}
	}
	if !c.known.has(cellID) {
		return nil, fmt.Errorf("read %s: there is no column case_id", name)
	}
	return c, nil
}

func (c *caseReader) advance() error {
	ok, err := c.columns.next()
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", c.name, err)
	case !ok:
		c.done = true
		return nil
	}
	for i := range c.row.cells {
		c.row.cells[i] = c.columns.cell(i)
	}
	if err := c.row.check(); err != nil {
		return fmt.Errorf("read %s: row %d: %w", c.name, c.columns.row.Number, err)
	}
	return nil
}

// against compares the places of two rows; behind the last row is last.
func (c *caseReader) against(o *caseReader) int {
	switch {
	case c.done:
		return 1
	case o.done:
		return -1
	}
	return cmp.Or(cmp.Compare(c.row.start, o.row.start), bytes.Compare(c.row.cells[cellID], o.row.cells[cellID]))
}

// columnReader reads columns of a CSV of ours by their names.
type columnReader struct {
	csv   *csvscan.Reader
	split csvscan.Splitter
	chunk *csvscan.Chunk
	width int
	at    []int // where each column is; negative: the file does not have it
	row   csvscan.Row
}

// A cell of ours may hold the ids of all parts of a split call.
var ownCSV = csvscan.Options{MaxField: 16 << 20, MaxRecord: 32 << 20}

func newColumnReader(r io.Reader, names []string) (*columnReader, error) {
	c := &columnReader{csv: csvscan.NewReader(r, ownCSV), at: make([]int, len(names))}
	header, total, err := c.csv.Header(maxColumns)
	if err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	c.width = total
	where := make(map[string]int, len(header))
	for i, name := range header {
		where[name] = i
	}
	for i, name := range names {
		at, ok := where[name]
		if !ok {
			at = -1
		}
		c.at[i] = at
	}
	return c, nil
}

const maxColumns = 1000

// next goes to the next row; false when there is none.
func (c *columnReader) next() (bool, error) {
	for {
		if c.chunk != nil {
			row, ok := c.split.Next()
			if ok && row.Reason != "" {
				return false, fmt.Errorf("row %d: %s", row.Number, row.Reason)
			}
			if c.row = row; ok {
				return true, nil
			}
			c.close()
		}
		chunk, err := c.csv.Next()
		switch {
		case errors.Is(err, io.EOF) && !c.csv.Ended():
			return false, errors.New("it ends within a row")
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
		c.chunk = chunk
		c.split.Reset(chunk, c.width)
	}
}

// cell returns a cell of the row; it is nil when the file lacks the column.
func (c *columnReader) cell(i int) []byte {
	if at := c.at[i]; at >= 0 {
		return c.row.Fields[at]
	}
	return nil
}

func (c *columnReader) close() {
	if c.chunk != nil {
		c.chunk.Release()
		c.chunk = nil
	}
}

// classOrder is where reports list a class; those of other versions of the
// program come last.
func classOrder(name string) int {
	for i := range engine.NumClasses {
		if engine.Class(i).String() == name {
			return i
		}
	}
	return engine.NumClasses
}
