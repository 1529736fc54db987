package parquetio

import (
	"fmt"
	"io"
)

// readAhead is how many bytes a window reads at once: large enough that the
// calls cost nothing, small enough that ten columns fit a cache.
const readAhead = 128 << 10

// maxPageHeader bounds a page's header. Statistics of wide values make them
// long.
const maxPageHeader = 1 << 20

// window reads a range of a file forwards through one buffer.
type window struct {
	r        io.ReaderAt
	pos, end int64  // what is left of the range
	buf      []byte // bytes of the file from base on
	base     int64
}

// peek returns the next n bytes of the range without consuming them. They are
// valid until the next call.
func (w *window) peek(n int) ([]byte, error) {
	if int64(n) > w.end-w.pos {
		return nil, errBeyond
	}
	if w.pos+int64(n) > w.base+int64(len(w.buf)) || w.pos < w.base {
		if err := w.fill(n); err != nil {
			return nil, err
		}
	}
	i := int(w.pos - w.base)
	return w.buf[i : i+n : i+n], nil
}

// take returns the next n bytes of the range and consumes them. Many of them
// go into *large, so that a window's own buffer stays small. They are valid
// until the next call.
func (w *window) take(n int, large *[]byte) ([]byte, error) {
	if n <= readAhead {
		b, err := w.peek(n)
		w.pos += int64(len(b))
		return b, err
	}
	if int64(n) > w.end-w.pos {
		return nil, errBeyond
	}
	*large = grow(*large, n)
	have := 0
	if i := w.pos - w.base; i >= 0 && i < int64(len(w.buf)) {
		have = copy(*large, w.buf[i:])
	}
	if err := readFull(w.r, (*large)[have:], w.pos+int64(have)); err != nil {
		return nil, err
	}
	w.pos += int64(n)
	return *large, nil
}

// fill moves what is left to the front and reads on behind it.
func (w *window) fill(n int) error {
	var have int
	if i := w.pos - w.base; i >= 0 && i < int64(len(w.buf)) {
		have = copy(w.buf, w.buf[i:])
	}
	want := int(min(int64(max(n, readAhead)), w.end-w.pos))
	if cap(w.buf) < want {
		b := make([]byte, want)
		copy(b, w.buf[:have])
		w.buf = b
	}
	w.buf, w.base = w.buf[:want], w.pos
	if err := readFull(w.r, w.buf[have:], w.pos+int64(have)); err != nil {
		w.buf = w.buf[:0]
		return err
	}
	return nil
}

func (w *window) skip(n int64) { w.pos += n }

// header reads the page header at the front of the window and consumes it.
func (w *window) header() (pageHeader, error) {
	for n := 256; ; n *= 8 {
		n = int(min(int64(n), w.end-w.pos, maxPageHeader))
		b, err := w.peek(n)
		if err != nil {
			return pageHeader{}, err
		}
		t := &thrift{b: b}
		h := readPageHeader(t)
		if t.short && int64(n) < min(w.end-w.pos, maxPageHeader) {
			continue
		}
		if t.err != nil {
			return h, fmt.Errorf("read page header: %w", t.err)
		}
		w.skip(int64(t.pos))
		return h, nil
	}
}
