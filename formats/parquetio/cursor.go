package parquetio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// cursor reads one column of one row group, page by page.
type cursor struct {
	col   *Column
	src   *stream
	pages *parquet.FilePages
	page  parquet.Page
	left  int    // rows of the page not yet handed out
	row   int    // of the page
	value int    // of the page: as row, without nulls
	level []byte // of the page: 1 for a value, 0 for a null; nil without nulls
	data  pageValues
	dict  *Dict
	nulls []bool // scratch
	work  Vector // scratch
	vec   Vector
}

func newCursor(f *File, group, col int, from int64) *cursor {
	c := &cursor{col: &f.foot.cols[col], src: newStream(f, group, col, from)}
	c.pages = f.chunks[col].PagesFrom(c.src)
	return c
}

func (c *cursor) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read column %q: %w", c.col.Name, err)
}

// avail returns how many values the current page has left, after going on to
// the next when there are none.
func (c *cursor) avail() (int, error) {
	for c.left == 0 {
		if err := c.load(); err != nil {
			return 0, err
		}
	}
	return c.left, nil
}

// load decodes the next page.
func (c *cursor) load() error {
	c.release()
	page, err := c.pages.ReadPage()
	if err != nil {
		return c.cause(err)
	}
	c.page = page
	h := &c.src.page
	if page.NumValues() != int64(h.values) {
		return errCounts
	}
	c.row, c.value, c.left, c.level = 0, 0, h.values, nil
	if c.src.present < h.values {
		c.level = page.DefinitionLevels()
		if bytes.Count(c.level, []byte{1}) != c.src.present {
			return errCounts
		}
	}
	if err := c.look(); err != nil {
		return err
	}
	c.drop(int(c.src.pass))
	c.src.pass = 0
	return nil
}

// cause returns why parquet-go could not read a page: what the stream found,
// or else its own error.
func (c *cursor) cause(err error) error {
	switch {
	case c.src.err != nil && c.src.err != io.EOF:
		return c.src.err
	case c.src.err == io.EOF && errors.Is(err, io.EOF):
		return fmt.Errorf("%w: a column has fewer values than its row group rows", ErrCorrupt)
	case errors.Is(err, encoding.ErrNotSupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: decode page: %w", ErrCorrupt, err)
}

// look prepares the values of a page for being handed out.
func (c *cursor) look() error {
	if d := c.page.Dictionary(); d != nil {
		if c.dict == nil {
			if err := c.learn(d); err != nil {
				return err
			}
		}
		return c.data.indexes(c.page.Data(), c.src.present, c.dict.N)
	}
	raw := 0
	if c.src.page.encoding == encPlain {
		raw = c.src.values
	}
	return c.data.plain(c.col, c.page.Data(), c.src.present, raw)
}

// learn keeps the dictionary of the column.
func (c *cursor) learn(d parquet.Dictionary) error {
	n := d.Len()
	if n != c.src.dictValues {
		return errCounts
	}
	var p pageValues
	page := d.Page()
	if err := p.plain(c.col, page.Data(), n, c.src.dictSize); err != nil {
		return err
	}
	var v Vector
	p.fill(c.col, &v, &v, 0, n)
	v.Ints, v.Floats, v.Data = slices.Clone(v.Ints), slices.Clone(v.Floats), bytes.Clone(v.Data)
	c.dict = &Dict{Values: v.Values, N: n}
	return nil
}

// drop passes over n rows of the page.
func (c *cursor) drop(n int) {
	c.value += n
	if c.level != nil {
		c.value -= bytes.Count(c.level[c.row:c.row+n], []byte{0})
	}
	c.row += n
	c.left -= n
}

// next hands out n values, at most what avail returned.
func (c *cursor) next(n int) {
	c.vec = Vector{}
	have := n
	if c.level != nil {
		have -= bytes.Count(c.level[c.row:c.row+n], []byte{0})
	}
	from := c.value
	if have == n {
		c.hand(&c.vec, from, n)
	} else {
		c.sparse(from, have, n)
	}
	c.value += have
	c.row += n
	c.left -= n
}

func (c *cursor) hand(v *Vector, from, n int) {
	if c.data.index != nil {
		v.Dict, v.Index = c.dict, c.data.index[from:from+n:from+n]
		return
	}
	c.data.fill(c.col, v, &c.work, from, n)
}

// sparse hands out n rows of which have are not null.
func (c *cursor) sparse(from, have, n int) {
	c.nulls = grow(c.nulls, n)
	for i, l := range c.level[c.row : c.row+n] {
		c.nulls[i] = l == 0
	}
	v := &c.vec
	c.hand(v, from, have)
	v.Nulls = c.nulls
	w := &c.work
	switch {
	case v.Dict != nil:
		v.Index = spread(&w.Index, v.Index, c.nulls)
	case c.col.Physical <= Int96:
		v.Ints = spread(&w.Ints, v.Ints, c.nulls)
	case c.col.Physical <= Double:
		v.Floats = spread(&w.Floats, v.Floats, c.nulls)
	default:
		v.Spans = spread(&w.Spans, v.Spans, c.nulls)
	}
}

func (c *cursor) finish() error {
	if c.left > 0 {
		return fmt.Errorf("%w: a column has more values than were read", ErrCorrupt)
	}
	return c.src.finish()
}

// release gives the page's memory back to parquet-go.
func (c *cursor) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page, c.vec, c.data = nil, Vector{}, pageValues{}
	}
}

func (c *cursor) close() {
	c.release()
	c.pages.Close()
	c.src.file.spare.Put(c.src)
}
