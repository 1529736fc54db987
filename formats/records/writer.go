package records

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"slices"

	"concord/engine"
	"concord/formats"
	"concord/formats/parquetio"
)

// FS is what a Writer needs of a file system.
type FS interface {
	// Create makes a file, or empties the one that is there.
	Create(name string) (File, error)
	// Rename gives a file another name in one step, in the place of what may
	// have that name.
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes the names in a folder last.
	SyncDir(name string) error
}

// File is one file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Writer writes one file of records. Write and Reject are called by one
// goroutine, in the order of the rows; Finish or Abort ends it. It holds about
// 40 MiB, whatever is written and in whatever order of days.
type Writer struct {
	fsys FS
	path string
	side engine.Side
	file File
	buf  *bufio.Writer
	out  *summed
	days *dayBuffers
	bad  buffer
	nbad int64
	last int64 // row
	err  error
	over bool // it is finished or given up
	// anyOrder says that rows come by their days, as a Reader gives them.
	anyOrder bool
}

// Unfinished is the name of a file of records while it is written.
func Unfinished(path string) string { return path + ".part" }

// Create begins the file of records at path, of a file of one side. Scratch
// takes what does not fit in memory.
func Create(fsys FS, path string, side engine.Side, scratch engine.Scratch) (*Writer, error) {
	f, err := fsys.Create(Unfinished(path))
	if err != nil {
		return nil, fmt.Errorf("create records: %w", err)
	}
	w := &Writer{fsys: fsys, path: path, side: side, file: f, buf: bufio.NewWriterSize(f, 256<<10)}
	w.out = &summed{w: w.buf}
	calls, err := parquetio.NewWriter(w.out, callColumns(), parquetio.WriterOptions{RowGroupRows: noLimit})
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	w.days = newDayBuffers(calls, scratch)
	return w, nil
}

// noLimit is more rows than any group has: groups end where a day does.
const noLimit = 1 << 40

// Write adds accepted rows. It keeps nothing of calls. After an error every
// call returns it.
func (w *Writer) Write(calls []engine.Call) error {
	for i := range calls {
		if w.err == nil {
			w.err = w.inOrder(calls[i].Row)
		}
		if w.err == nil {
			w.err = w.days.add(&calls[i])
		}
		if w.err != nil {
			return w.err
		}
	}
	return nil
}

// Reject adds a rejected row.
func (w *Writer) Reject(e *engine.RowError) error {
	if w.err == nil {
		w.err = w.inOrder(e.Row)
	}
	if w.err != nil {
		return w.err
	}
	w.nbad++
	w.bad.data = appendRejected(w.bad.data, e)
	if len(w.bad.data) >= spillBytes {
		w.err = w.bad.spill(w.days.blobs)
	}
	return w.err
}

func (w *Writer) inOrder(row int64) error {
	if row <= w.last && !w.anyOrder {
		return fmt.Errorf("write records: row %d comes after row %d", row, w.last)
	}
	w.last = row
	return nil
}

// Days returns what was written of each day, in order. It is complete after
// Finish.
func (w *Writer) Days() []Day { return w.days.tallies() }

// Finish completes the file: info describes the one that was received, after
// it was read to its end. When it returns without an error, the file is at its
// path and stays there. When it fails, there is nothing new.
func (w *Writer) Finish(info formats.FileInfo) error {
	if w.err == nil {
		w.err = w.finish(info)
	}
	if w.err != nil {
		return errors.Join(fmt.Errorf("write records of %s: %w", info.Name, w.err), w.Abort())
	}
	if w.err = w.days.close(); w.err != nil {
		return errors.Join(fmt.Errorf("write records of %s: %w", info.Name, w.err), w.Abort())
	}
	if w.err = w.fsys.Rename(Unfinished(w.path), w.path); w.err != nil {
		return errors.Join(fmt.Errorf("name the records of %s: %w", info.Name, w.err), w.Abort())
	}
	w.err, w.over = errOver, true
	if err := w.fsys.SyncDir(filepath.Dir(w.path)); err != nil {
		return fmt.Errorf("flush the folder of the records of %s: %w", info.Name, err)
	}
	return nil
}

// finish writes the file to its end and closes it.
func (w *Writer) finish(info formats.FileInfo) error {
	groups, err := w.days.finish()
	if err != nil {
		return err
	}
	x := &index{Side: w.side.String(), Received: receivedOf(info), Groups: groups}
	if err := w.agrees(x); err != nil {
		return err
	}
	if x.Calls, err = w.end(w.days.calls, 0); err != nil {
		return err
	}
	if x.Rejected, err = w.rejected(x.Calls.Size); err != nil {
		return err
	}
	tail, err := appendIndex(nil, x)
	if err != nil {
		return err
	}
	_, err = w.out.Write(tail)
	if err = errors.Join(err, w.buf.Flush()); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	f := w.file
	w.file = nil
	return f.Close()
}

// agrees compares what was written with what is known of the file.
func (w *Writer) agrees(x *index) error {
	var rows, ms int64
	for _, g := range x.Groups {
		rows, ms = rows+g.Rows, ms+g.DurationMS
	}
	in := &x.Received
	if rows != in.Accepted || ms != in.DurationMS || w.nbad != in.Rejected {
		return fmt.Errorf("%d rows of %d ms and %d rejected ones were given, the file has %d of %d ms and %d",
			rows, ms, w.nbad, in.Accepted, in.DurationMS, in.Rejected)
	}
	return nil
}

// end completes a section.
func (w *Writer) end(p *parquetio.Writer, offset int64) (section, error) {
	w.out.mark()
	s := section{Offset: offset, Footer: w.out.n}
	err := p.Close()
	s.Size, s.CRC = w.out.n-offset, w.out.sum
	return s, err
}

// rejected writes the section of rejected rows, which is empty when there are
// none.
func (w *Writer) rejected(offset int64) (section, error) {
	if w.nbad == 0 {
		return section{Offset: offset, Footer: offset}, nil
	}
	p, err := parquetio.NewWriter(w.out, rejectedColumns(), parquetio.WriterOptions{})
	if err != nil {
		return section{}, err
	}
	err = w.bad.each(w.days.blobs, func(rows waiting) error {
		var e engine.RowError
		for len(rows) > 0 {
			rows.rejected(&e)
			if err := writeRejected(p, &e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return section{}, err
	}
	if err := p.EndGroup(); err != nil {
		return section{}, err
	}
	return w.end(p, offset)
}

// Abort gives the file up. Nothing of it stays, but what was at its path
// before. After Finish it does nothing.
func (w *Writer) Abort() error {
	if w.over {
		return nil
	}
	w.over = true
	var errs []error
	if w.days != nil {
		errs = append(errs, w.days.close())
	}
	if w.file != nil {
		errs = append(errs, w.file.Close())
		w.file = nil
	}
	if w.err == nil {
		w.err = errOver
	}
	return errors.Join(append(errs, w.fsys.Remove(Unfinished(w.path)))...)
}

var errOver = errors.New("the records are finished or given up")

// summed counts the bytes written, and sums those since the last mark.
type summed struct {
	w   io.Writer
	n   int64
	sum uint32
}

func (s *summed) mark() { s.sum = 0 }

// Write implements io.Writer.
func (s *summed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	s.sum = crc32.Update(s.sum, castagnoli, p[:n])
	return n, err
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[int32]V) []int32 {
	keys := make([]int32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
