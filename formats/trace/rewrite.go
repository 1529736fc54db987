package trace

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"concord/formats/parquetio"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ErrForm says that a file is in a form that Rewrite cannot write: it is packed
// with bzip2 or zip, of wide characters, or a Parquet file with nested columns
// or values of fixed width.
var ErrForm = errors.New("it is in a form that cannot be written anew")

// Rewrite writes a file anew with other digits in the place of the number: text,
// plain or packed with gzip or zstd, or a Parquet file of plain columns. Rows and
// their order stay. Within longer words the digits of the number in E.164 are
// replaced, too: they are ids of its calls. ErrForm.
func (n *Number) Rewrite(ctx context.Context, dst io.Writer, r io.ReaderAt, size int64, digits string) error {
	x := &rewriting{ctx: ctx, n: n, digits: digits, left: mostUnpacked}
	head := make([]byte, 6)
	k, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:k]
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return x.parquet(dst, r, size)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return ErrForm
	}
	return x.stream(dst, bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 256<<10), head)
}

// rewriting is one file that is written anew.
type rewriting struct {
	ctx    context.Context
	n      *Number
	digits string
	left   int64
	narrow bool // the number stood where the digits do not fit
}

func (x *rewriting) replaced(s string) string {
	return strings.ReplaceAll(x.n.Replace(s, x.digits), x.n.digits, x.digits)
}

// stream writes bytes that may be packed once, and packs them alike.
func (x *rewriting) stream(dst io.Writer, r io.Reader, head []byte) error {
	open, name := unpacker(head)
	if open == nil {
		return x.text(dst, r)
	}
	pack, err := packer(dst, name)
	if err != nil {
		return err
	}
	in, err := open(r)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrForm, err)
	} else {
		err = errors.Join(x.text(pack, damaged{&limited{in, &x.left}}), in.Close())
	}
	return errors.Join(err, pack.Close())
}

// damaged is a reader of what was packed, of which every error is one of its form.
type damaged struct{ io.Reader }

// Read implements io.Reader.
func (d damaged) Read(b []byte) (int, error) {
	n, err := d.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrForm, err)
	}
	return n, err
}

func packer(dst io.Writer, name string) (io.WriteCloser, error) {
	switch name {
	case "gzip":
		return gzip.NewWriter(dst), nil
	case "zstd":
		return zstd.NewWriter(dst, zstd.WithEncoderConcurrency(1))
	}
	return nil, ErrForm
}

// mostPiece is how much of a text is looked at together. No number is as long.
const mostPiece = 1 << 20

// text writes a text piece by piece, each of which ends where no number can be
// under way.
func (x *rewriting) text(dst io.Writer, r io.Reader) error {
	buf := make([]byte, 0, mostPiece)
	for {
		k, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+k]
		cut, end := len(buf), errors.Is(err, io.EOF)
		if !end {
			cut = lastEnd(buf)
		}
		switch {
		case err != nil && !end:
			return err
		case bytes.IndexByte(buf[:cut], 0) >= 0, cut == 0 && len(buf) == cap(buf):
			return ErrForm
		}
		if _, err := io.WriteString(dst, x.replaced(string(buf[:cut]))); err != nil || end {
			return err
		}
		buf = buf[:copy(buf, buf[cut:])]
		if err := x.ctx.Err(); err != nil {
			return err
		}
	}
}

// lastEnd returns behind which byte of a text no number is under way.
func lastEnd(b []byte) int {
	for i := len(b); i > 0; i-- {
		if c := b[i-1]; (c < '0' || c > '9') && !between(c) {
			return i
		}
	}
	return 0
}

// parquet writes a table anew.
func (x *rewriting) parquet(dst io.Writer, r io.ReaderAt, size int64) error {
	src, err := parquetio.Open(r, size, parquetio.Limits{})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	var cols []parquetio.WriteColumn
	var all []int
	for i, c := range src.Columns() {
		w, ok := writable(c)
		if !ok {
			return ErrForm
		}
		w.Name = x.replaced(w.Name)
		cols, all = append(cols, w), append(all, i)
	}
	if len(src.Ignored()) > 0 {
		return ErrForm
	}
	out, err := parquetio.NewWriter(dst, cols, parquetio.WriterOptions{Codec: parquetio.Zstd})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	for g := range src.Groups() {
		if err := x.group(out, cols, src.Read(g, all, 0, src.GroupRows(g))); err != nil {
			return err
		}
	}
	if x.narrow {
		return ErrForm
	}
	return out.Close()
}

// writable is a column as it can be written.
func writable(c parquetio.Column) (parquetio.WriteColumn, bool) {
	w := parquetio.WriteColumn{Column: c}
	switch c.Physical {
	case parquetio.Boolean, parquetio.Double:
	case parquetio.Int32, parquetio.Int64:
		if c.Logical == parquetio.Time || c.Unsigned {
			return w, false
		}
	case parquetio.Float:
		w.Physical = parquetio.Double
	case parquetio.ByteArray:
		w.Dictionary = true
		if c.Logical != parquetio.String && c.Logical != parquetio.None {
			return w, false
		}
	default:
		return w, false
	}
	return w, true
}

func (x *rewriting) group(out *parquetio.Writer, cols []parquetio.WriteColumn, rows *parquetio.Reader) error {
	defer rows.Close()
	same := x.n.figures()
	for {
		k, err := rows.Next(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err = errors.Join(err, x.ctx.Err()); err != nil {
			return err
		}
		for i := range k {
			for c := range cols {
				x.value(out.Column(c), &cols[c], rows.Vector(c), i, same)
			}
			if err := out.EndRow(); err != nil {
				return err
			}
		}
	}
}

func (x *rewriting) value(w *parquetio.ColumnWriter, c *parquetio.WriteColumn, v *parquetio.Vector, i int, same map[int64]bool) {
	if v.Nulls != nil && v.Nulls[i] {
		w.Null()
		return
	}
	from := &v.Values
	if v.Dict != nil {
		from, i = &v.Dict.Values, int(v.Index[i])
	}
	switch c.Physical {
	case parquetio.ByteArray:
		w.String(x.replaced(from.Spans[i].In(from.Data)))
	case parquetio.Double:
		w.Float(x.figure(from.Floats[i], same))
	default:
		v := x.whole(from.Ints[i], same)
		x.narrow = x.narrow || c.Physical == parquetio.Int32 && v != from.Ints[i]
		w.Int(v)
	}
}

func (x *rewriting) whole(v int64, same map[int64]bool) int64 {
	if !same[v] {
		return v
	}
	d, _ := strconv.ParseInt(x.digits, 10, 64) // 15 digits
	return d
}

func (x *rewriting) figure(v float64, same map[int64]bool) float64 {
	if w := x.whole(int64(v), same); w != int64(v) {
		return float64(w)
	}
	return v
}
