package report

import (
	"sync/atomic"

	"concord/formats/parquetio"
)

// groupRows is how many rows a row group has. It bounds the memory of a writer
// and is part of what makes the bytes of a file: change it and every file
// changes.
const groupRows = 64 << 10

// parquetFile writes a table as Parquet, its pages with checksums, compressed
// with zstd.
type parquetFile struct {
	file   *stagedFile
	w      *parquetio.Writer
	page   rowCells
	failed atomic.Bool
}

// rowCells is where the cells of a row go.
type rowCells struct{ cols []pageColumn }

// pageColumn takes the cells of one column.
type pageColumn struct {
	w        *parquetio.ColumnWriter
	optional bool
	kind     kind
}

func newParquet(f *stagedFile, cols []column) (*parquetFile, error) {
	described := make([]parquetio.WriteColumn, len(cols))
	for i := range cols {
		described[i] = describe(&cols[i])
	}
	w, err := parquetio.NewWriter(f, described, parquetio.WriterOptions{Codec: parquetio.Zstd, RowGroupRows: groupRows})
	if err != nil {
		return nil, err
	}
	p := &parquetFile{file: f, w: w}
	for i := range cols {
		p.page.cols = append(p.page.cols, pageColumn{w: w.Column(i), optional: cols[i].optional, kind: cols[i].kind})
	}
	return p, nil
}

// describe states a column's type: strings, 64-bit counts, microseconds in
// UTC, seconds as DECIMAL(18, 3), calendar days.
func describe(c *column) parquetio.WriteColumn {
	d := parquetio.WriteColumn{Dictionary: c.few}
	d.Name, d.Optional, d.Physical = c.name, c.optional, parquetio.Int64
	switch c.kind {
	case text:
		d.Physical, d.Logical = parquetio.ByteArray, parquetio.String
	case instant:
		d.Logical, d.Unit, d.UTC = parquetio.Timestamp, parquetio.Micros, true
	case span:
		d.Logical, d.Scale, d.Precision = parquetio.Decimal, 3, 18
	case day:
		d.Physical, d.Logical = parquetio.Int32, parquetio.Date
	}
	return d
}

// end ends a row. An error stops the table by failed and is returned by close.
func (p *parquetFile) end() {
	if p.w.EndRow() != nil {
		p.failed.Store(true)
	}
}

// close writes the rest and returns the first error of writing.
func (p *parquetFile) close() error { return p.w.Close() }

// null leaves the cell empty.
func (c *pageColumn) null() {
	switch {
	case c.optional:
		c.w.Null()
	case c.kind == text:
		c.w.String("")
	default:
		c.w.Int(0)
	}
}

// text adds a string; an empty one is null where that is allowed.
func (c *pageColumn) text(s string) {
	if s == "" && c.optional {
		c.null()
		return
	}
	c.w.String(s)
}

// bytes adds text that is not empty.
func (c *pageColumn) bytes(b []byte) { c.w.Bytes(b) }

func (c *pageColumn) int64(v int64) { c.w.Int(v) }

func (c *pageColumn) int32(v int32) { c.w.Int(int64(v)) }
