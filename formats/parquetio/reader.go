package parquetio

import (
	"fmt"
	"io"
)

// Reader reads a range of rows of one row group, a batch at a time.
type Reader struct {
	cols  []*cursor
	left  int64 // rows to hand out
	whole bool  // the range ends with the row group
	err   error
}

// Read begins with row from (counted from 0) of the row group and reads n
// rows of the given columns, by their positions in Columns. Pages before the
// range are passed over by their headers.
func (f *File) Read(group int, cols []int, from, n int64) *Reader {
	r := &Reader{left: n, whole: from+n == f.GroupRows(group)}
	for _, i := range cols {
		r.cols = append(r.cols, newCursor(f, group, i, from))
	}
	return r
}

// Next decodes up to limit rows and returns how many, or io.EOF after the
// last. It stops where a page of any column ends. What Vector returned before
// is no longer valid. After an error every call returns it.
func (r *Reader) Next(limit int) (n int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.left == 0 {
		r.err = r.finish()
		return 0, r.err
	}
	n = int(min(int64(limit), r.left))
	for _, c := range r.cols {
		err := guard(func() error {
			k, err := c.avail()
			n = min(n, k)
			return err
		})
		if r.err = c.wrap(err); r.err != nil {
			return 0, r.err
		}
	}
	for _, c := range r.cols {
		c.next(n)
	}
	r.left -= int64(n)
	return n, nil
}

// finish returns io.EOF when nothing is left over.
func (r *Reader) finish() error {
	if !r.whole {
		return io.EOF
	}
	for _, c := range r.cols {
		if err := c.wrap(guard(c.finish)); err != nil {
			return err
		}
	}
	return io.EOF
}

// Vector returns the values of the i-th column asked for, in the batch that
// Next decoded last.
func (r *Reader) Vector(i int) *Vector { return &r.cols[i].vec }

// Close releases the Reader. Strings from it are no longer valid.
func (r *Reader) Close() {
	for _, c := range r.cols {
		c.close()
	}
	r.cols, r.left, r.err = nil, 0, io.EOF
}

// guard turns a panic into an error: decoders are other people's code.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: decoding it failed: %v", ErrCorrupt, p)
		}
	}()
	return f()
}
