package parquetio

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
)

// File is an open Parquet file: its columns and row groups.
type File struct {
	r    io.ReaderAt
	size int64
	lim  Limits
	foot *footer

	chunks []*parquet.FileColumnChunk // by column; their pages come from a stream

	spare sync.Pool // of *stream
	large sync.Pool // of *[]byte, for pages as they are stored

	checked, unchecked atomic.Int64 // pages read, with and without a checksum
}

// Open checks the ends of the file and reads its footer. It never reads more
// than the footer's limit. The File does not close r.
func Open(r io.ReaderAt, size int64, lim Limits) (*File, error) {
	lim = lim.withDefaults()
	b, dataEnd, err := footerBytes(r, size, lim)
	if err != nil {
		return nil, err
	}
	foot, err := readFooter(b, dataEnd, lim)
	if err != nil {
		return nil, err
	}
	f := &File{r: r, size: size, lim: lim, foot: foot}
	err = guard(func() (err error) {
		f.chunks, err = rebuild(foot.cols)
		return err
	})
	return f, err
}

// footerBytes returns the footer, and where the pages before it end.
func footerBytes(r io.ReaderAt, size int64, lim Limits) ([]byte, int64, error) {
	const tail = 8 // footer length and magic
	if size < int64(len(magic))+tail {
		return nil, 0, fmt.Errorf("%w: it has %d bytes", ErrNotParquet, size)
	}
	var head [4]byte
	var end [tail]byte
	if err := readFull(r, head[:], 0); err != nil {
		return nil, 0, err
	}
	if err := readFull(r, end[:], size-tail); err != nil {
		return nil, 0, err
	}
	switch last := string(end[4:]); {
	case string(head[:]) == magicEncrypted || last == magicEncrypted:
		return nil, 0, fmt.Errorf("%w: encryption", ErrUnsupported)
	case string(head[:]) != magic:
		return nil, 0, fmt.Errorf("%w: it does not begin with %s", ErrNotParquet, magic)
	case last != magic:
		return nil, 0, fmt.Errorf("%w: it does not end with %s", ErrTruncated, magic)
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	switch {
	case n > size-tail-int64(len(magic)):
		return nil, 0, fmt.Errorf("%w: its footer would be longer than the file", ErrTruncated)
	case n > lim.Footer:
		return nil, 0, fmt.Errorf("%w: its footer has %d bytes, at most %d are accepted", ErrLimit, n, lim.Footer)
	}
	b := make([]byte, n)
	return b, size - tail - n, readFull(r, b, size-tail-n)
}

// readFull fills b from offset off; an end of the file before that is
// ErrTruncated.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF || err == nil:
		return fmt.Errorf("%w: it ends at byte %d", ErrTruncated, off+int64(n))
	}
	return fmt.Errorf("read at byte %d: %w", off, err)
}

// Columns returns the columns at the root of the schema.
func (f *File) Columns() []Column { return f.foot.cols }

// Ignored names the nested and repeated columns, which are not read.
func (f *File) Ignored() []string { return f.foot.ignored }

// Rows returns the number of rows that the footer claims and all row groups
// agree on.
func (f *File) Rows() int64 { return f.foot.rows }

// Groups returns the number of row groups.
func (f *File) Groups() int { return len(f.foot.groups) }

// GroupRows returns the number of rows of row group i, counted from 0.
func (f *File) GroupRows(i int) int64 { return f.foot.groups[i].rows }

// CreatedBy returns the name that the writing program left.
func (f *File) CreatedBy() string { return f.foot.created }

// Verified reports whether pages were read and every one of them carried a
// checksum, which agreed. The footer has none, nor have columns that were not
// read.
func (f *File) Verified() bool { return f.checked.Load() > 0 && f.unchecked.Load() == 0 }
