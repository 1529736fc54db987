package trace

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"concord/formats/parquetio"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Found is what was found in a file.
type Found struct {
	// Times is how often the number was seen. What stands in a file once may be
	// seen twice: packed and unpacked.
	Times int64 `json:"times,omitempty"`
	// Unread says what of the file could not be looked into; empty: nothing.
	Unread []string `json:"unread,omitempty"`
}

const (
	// mostDepth is how often what was unpacked is unpacked once more.
	mostDepth = 3
	// mostUnpacked bounds what is unpacked of one file, in bytes.
	mostUnpacked = 64 << 30
	// mostNotes bounds what is said of one file.
	mostNotes = 5
)

// Scan looks for the number in a file: in its bytes as they are, in what is
// packed in it (gzip, zstd, bzip2, zip, one in another), and in the values of a
// Parquet file. What is damaged is looked into as far as it goes. The error is
// one of reading, or of ctx.
func (n *Number) Scan(ctx context.Context, r io.ReaderAt, size int64) (Found, error) {
	s := &scan{ctx: ctx, n: n, left: mostUnpacked}
	failed := &watched{r: r}
	err := s.stream(io.NewSectionReader(failed, 0, size), 0)
	if err == nil {
		s.parts(failed, size)
	}
	return s.found, errors.Join(err, failed.err, ctx.Err())
}

// scan is one file that is looked into.
type scan struct {
	ctx   context.Context
	n     *Number
	found Found
	left  int64
}

func (s *scan) unread(format string, args ...any) {
	if len(s.found.Unread) < mostNotes {
		s.found.Unread = append(s.found.Unread, fmt.Sprintf(format, args...))
	}
}

// parts looks into what can only be opened from its end.
func (s *scan) parts(r io.ReaderAt, size int64) {
	head := make([]byte, 4)
	if _, err := r.ReadAt(head, 0); err != nil {
		return
	}
	switch {
	case bytes.Equal(head, []byte("PAR1")):
		if err := s.parquet(r, size); err != nil {
			s.unread("a part of the Parquet file: %v", err)
		}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		if err := s.zip(r, size); err != nil {
			s.unread("a part of the zip: %v", err)
		}
	}
}

// stream looks through bytes, and into them when they are packed.
func (s *scan) stream(r io.Reader, depth int) error {
	in := bufio.NewReaderSize(r, 256<<10)
	head, _ := in.Peek(6)
	open, name := unpacker(head)
	if open == nil || depth == mostDepth {
		return s.text(in)
	}
	// The packed bytes are looked through, too: they may only look packed.
	raw := &walked{r: in, w: walker{n: s.n}, s: s}
	inner, err := open(raw)
	if err == nil {
		err = errors.Join(s.stream(&limited{inner, &s.left}, depth+1), inner.Close())
	}
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if err != nil {
		s.unread("a part of what is packed with %s: %v", name, err)
	}
	return s.text(raw)
}

// walked looks through bytes on their way to an unpacker.
type walked struct {
	r  io.Reader
	w  walker
	s  *scan
	at int64
}

// Read implements io.Reader.
func (x *walked) Read(b []byte) (int, error) {
	k, err := x.r.Read(b)
	for _, c := range b[:k] {
		x.s.count(x.w.feed(x.at, c))
		x.at++
	}
	if errors.Is(err, io.EOF) {
		x.s.count(x.w.feed(x.at, ' '))
	}
	return k, err
}

func (s *scan) count(_, _ int64, found bool) {
	if found {
		s.found.Times++
	}
}

// text looks through bytes as they are.
func (s *scan) text(r io.Reader) error {
	x, ok := r.(*walked)
	if !ok {
		x = &walked{r: r, w: walker{n: s.n}, s: s}
	}
	buf := make([]byte, 64<<10)
	for {
		_, err := x.Read(buf)
		if err == nil {
			err = s.ctx.Err()
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

type opener func(io.Reader) (io.ReadCloser, error)

// unpacker returns how to unpack what begins like that; nil: it is not packed.
func unpacker(head []byte) (opener, string) {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }, "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return func(r io.Reader) (io.ReadCloser, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}, "zstd"
	case bytes.HasPrefix(head, []byte("BZh")):
		return func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(bzip2.NewReader(r)), nil }, "bzip2"
	}
	return nil, ""
}

// zip looks into every file of a zip, and at their names.
func (s *scan) zip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if s.n.In(f.Name) {
			s.found.Times++
		}
		in, err := f.Open()
		if err == nil {
			err = errors.Join(s.stream(&limited{in, &s.left}, 1), in.Close())
		}
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		if err != nil {
			s.unread("a part of the zip: %v", err)
		}
	}
	return nil
}

// parquet looks at every value.
func (s *scan) parquet(r io.ReaderAt, size int64) error {
	f, err := parquetio.Open(r, size, parquetio.Limits{})
	if err != nil {
		return err
	}
	if names := f.Ignored(); len(names) > 0 {
		s.unread("%d nested columns of the Parquet file", len(names))
	}
	for col, c := range f.Columns() {
		if s.n.In(c.Name) {
			s.found.Times++
		}
		for g := range f.Groups() {
			if err := s.column(f, g, col); err != nil {
				return err
			}
		}
	}
	return nil
}

// column looks at the values of one column of a row group.
func (s *scan) column(f *parquetio.File, group, col int) error {
	rows := f.Read(group, []int{col}, 0, f.GroupRows(group))
	defer rows.Close()
	same := s.n.figures()
	for {
		k, err := rows.Next(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err = errors.Join(err, s.ctx.Err()); err != nil {
			return err
		}
		s.batch(rows.Vector(0), k, same)
	}
}

func (s *scan) batch(v *parquetio.Vector, rows int, same map[int64]bool) {
	for i := range rows {
		if v.Nulls != nil && v.Nulls[i] {
			continue
		}
		from, at := &v.Values, i
		if v.Dict != nil {
			from, at = &v.Dict.Values, int(v.Index[i])
		}
		switch {
		case from.Spans != nil && s.n.In(from.Spans[at].In(from.Data)), from.Ints != nil && same[from.Ints[at]],
			from.Floats != nil && same[int64(from.Floats[at])]:
			s.found.Times++
		}
	}
}

// figures are the forms of the number as whole numbers.
func (n *Number) figures() map[int64]bool {
	same := map[int64]bool{}
	for _, f := range n.forms {
		if v, err := strconv.ParseInt(f, 10, 64); err == nil {
			same[v] = true
		}
	}
	return same
}

// limited reads no more than what is left for all.
type limited struct {
	r    io.Reader
	left *int64
}

var errLimit = errors.New("it unpacks to more than is looked through")

// Read implements io.Reader.
func (l *limited) Read(b []byte) (int, error) {
	if *l.left <= 0 {
		return 0, errLimit
	}
	n, err := l.r.Read(b)
	*l.left -= int64(n)
	return n, err
}

// watched remembers when reading itself failed, which a decoder may take for
// damage.
type watched struct {
	r   io.ReaderAt
	err error
}

// ReadAt implements io.ReaderAt.
func (w *watched) ReadAt(b []byte, off int64) (int, error) {
	n, err := w.r.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// ScanBytes is Scan for a file that must not be decoded: only its bytes as they
// are are looked through.
func (n *Number) ScanBytes(ctx context.Context, r io.ReaderAt, size int64) (Found, error) {
	s := &scan{ctx: ctx, n: n}
	err := s.text(io.NewSectionReader(r, 0, size))
	return s.found, err
}
