package report

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"concord/engine"
)

// kind is the type of a column.
type kind uint8

const (
	text    kind = iota // UTF-8
	count               // int64
	instant             // microseconds UTC
	span                // milliseconds, shown as decimal seconds
	day                 // a calendar day
)

// column describes one column of a table.
type column struct {
	name     string
	kind     kind
	optional bool // may be empty, which is null in Parquet
	few      bool // has few different values
}

// table writes the rows of one table as CSV and, when asked, as Parquet. The
// cells of a row are given in the order of the columns, then end.
type table struct {
	folder *files
	csv    *csvFile
	pq     *parquetFile // nil when there is none
	grids  []*grid      // that show the rows in workbooks
	col    int
	rows   int64
}

// table begins NAME.csv and, with parquet, NAME.parquet.
func (d *files) table(name string, cols []column, parquet bool) (*table, error) {
	f, err := d.open(name + ".csv")
	if err != nil {
		return nil, err
	}
	t := &table{folder: d}
	if parquet {
		p, err := d.open(name + ".parquet")
		if err != nil {
			return nil, errors.Join(err, f.f.Close())
		}
		if t.pq, err = newParquet(p, cols); err != nil {
			return nil, errors.Join(err, f.f.Close(), p.f.Close())
		}
	}
	t.csv = newCSV(f, cols)
	return t, nil
}

// next begins a cell.
func (t *table) next() *pageColumn {
	i := t.col
	t.csv.sep(i)
	t.col++
	if t.pq == nil {
		return nil
	}
	return &t.pq.page.cols[i]
}

// null leaves a cell empty.
func (t *table) null() {
	if c := t.next(); c != nil {
		c.null()
	}
	for _, g := range t.grids {
		g.null()
	}
}

// own adds text of ours that needs no quotes: a class, a flag.
func (t *table) own(s string) {
	c := t.next()
	t.csv.row = append(t.csv.row, s...)
	if c != nil {
		c.text(s)
	}
	for _, g := range t.grids {
		g.text(s)
	}
}

// outside adds text that came from a file.
func (t *table) outside(s string) {
	c := t.next()
	s = valid(s)
	t.csv.row = appendOutside(t.csv.row, s)
	if c != nil {
		c.text(s)
	}
	for _, g := range t.grids {
		g.text(s)
	}
}

func (t *table) number(n engine.Number) {
	c := t.next()
	before := len(t.csv.row)
	t.csv.row = appendNumber(t.csv.row, n)
	switch {
	case c == nil:
	case n.E164Digits() != 0:
		c.bytes(t.csv.row[before:])
	default:
		c.text(valid(n.Full()))
	}
	if len(t.grids) == 0 {
		return
	}
	full := valid(n.Full())
	for _, g := range t.grids {
		g.text(full)
	}
}

// utc adds a time in microseconds since 1970.
func (t *table) utc(us int64) {
	c := t.next()
	t.csv.row = appendUTC(t.csv.row, us)
	if c != nil {
		c.int64(us)
	}
	for _, g := range t.grids {
		g.instant(us)
	}
}

// seconds adds a time span in milliseconds.
func (t *table) seconds(ms int64) {
	c := t.next()
	t.csv.row = appendSeconds(t.csv.row, ms)
	if c != nil {
		c.int64(ms)
	}
	for _, g := range t.grids {
		g.span(ms)
	}
}

func (t *table) count(v int64) {
	c := t.next()
	t.csv.row = strconv.AppendInt(t.csv.row, v, 10)
	if c != nil {
		c.int64(v)
	}
	for _, g := range t.grids {
		g.count(v)
	}
}

// countOr adds a count, or nothing when it is 0: places count from 1.
func (t *table) countOr(v int64) {
	if v == 0 {
		t.null()
		return
	}
	t.count(v)
}

// date adds a day such as 2026-10-01.
func (t *table) date(s string) {
	c := t.next()
	t.csv.row = append(t.csv.row, s...)
	for _, g := range t.grids {
		g.day(s)
	}
	if c == nil {
		return
	}
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		c.null()
		return
	}
	c.int32(int32(d.Unix() / 86400))
}

// end ends the row. It fails when writing has, or when ctx is done.
func (t *table) end(ctx context.Context) error {
	t.col = 0
	t.rows++
	t.csv.end()
	if t.pq != nil {
		t.pq.end()
	}
	for _, g := range t.grids {
		g.end()
	}
	if t.rows%1024 != 0 {
		return nil
	}
	if t.csv.failed.Load() || t.pq != nil && t.pq.failed.Load() || slices.ContainsFunc(t.grids, (*grid).stopped) {
		return errStopped
	}
	return context.Cause(ctx)
}

// errStopped stands for the error that close returns.
var errStopped = errors.New("stopped")

// stop ends the goroutines and returns their errors.
func (t *table) stop() error {
	err := t.csv.close()
	if t.pq != nil {
		err = errors.Join(err, t.pq.close())
	}
	for _, g := range t.grids {
		err = errors.Join(err, g.close())
	}
	return err
}

// abandon gives the table up because of err.
func (t *table) abandon(err error) error {
	if err == errStopped {
		err = nil
	}
	err = errors.Join(err, t.stop())
	return errors.Join(err, t.release())
}

// release closes the files of a table that is given up.
func (t *table) release() error {
	err := t.csv.file.f.Close()
	if t.pq != nil {
		err = errors.Join(err, t.pq.file.f.Close())
	}
	return err
}

// close completes the files.
func (t *table) close() error {
	if err := t.stop(); err != nil {
		return errors.Join(err, t.release())
	}
	err := t.folder.finish(t.csv.file, t.rows)
	if t.pq != nil {
		err = errors.Join(err, t.folder.finish(t.pq.file, t.rows))
	}
	return err
}
