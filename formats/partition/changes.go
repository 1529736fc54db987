package partition

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"concord/engine/spill"
	"concord/formats"
	"concord/formats/csvscan"
)

// CallKey and QualityKey are the columns that name a record whatever its
// version.
func CallKey() []string    { return []string{"record_id"} }
func QualityKey() []string { return []string{"call_record_id", "stream_id"} }

// Comparison is what is new in a carrier's file beside the delivery before.
// Rows of the file are counted from 1. It holds three bits a row.
type Comparison struct {
	Rows       int64
	Superseded int64 // earlier rows of a record that comes again further down
	Added      int64 // records that were not in the delivery before
	Changed    int64 // records that were, with other content
	Removed    int64 // records that were, and are not there any more
	superseded bits
	added      bits
	changed    bits
}

// IsSuperseded reports whether a later row of the file is of the same record.
func (c *Comparison) IsSuperseded(row int64) bool { return c.superseded.has(row) }

// bits is a set of rows.
type bits []uint64

func (b bits) has(i int64) bool { return i>>6 < int64(len(b)) && b[i>>6]>>(i&63)&1 == 1 }

func (b *bits) add(i int64) {
	if need := int(i>>6) + 1; need > len(*b) {
		*b = append(*b, make([]uint64, need-len(*b))...)
	}
	(*b)[i>>6] |= 1 << (i & 63)
}

// hashSize is what is kept of an id and of a content: enough of a SHA-256 that
// nobody finds two of the same.
const hashSize = 16

// Files are what Compare reads and writes beside the delivered file.
type Files struct {
	Previous io.Reader // the index of the delivery before; nil: there was none
	Index    io.Writer // for the index of this one
	Removed  io.Writer // for the lines of WriteChanges about removed records
	Scratch  spill.Scratch
	Memory   int // bytes; what does not fit goes to Scratch
}

// Compare reads a delivered CSV file, finds the records that come more than
// once, of which the last row counts, and compares the others with the index
// of the delivery before.
func Compare(ctx context.Context, csv formats.Input, key []string, f Files) (_ *Comparison, err error) {
	c := new(Comparison)
	gone := &removals{w: f.Removed, n: &c.Removed}
	scratch, memory := f.Scratch, f.Memory
	sorter := spill.NewSorter(scratch, memory)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	var at []int
	names := func(header []string) error {
		for _, k := range key {
			i := slices.Index(header, k)
			if i < 0 {
				return fmt.Errorf("compare %s: it has no column %s", csv.Name, k)
			}
			at = append(at, i)
		}
		gone.columns, gone.at = len(header), at
		return nil
	}
	err = eachRow(ctx, csv, names, func(row *csvscan.Row) error {
		c.Rows++
		id := hashOf(row.Fields, at)
		content := hashOf(row.Fields, nil)
		k := binary.BigEndian.AppendUint64(id[:], uint64(row.Number))
		return sorter.Add(k, appendFields(content[:], row.Fields, at))
	})
	if err != nil {
		return nil, err
	}
	if err := c.merge(ctx, sorter, newIndexReader(f.Previous, gone.add), newIndexWriter(f.Index)); err != nil {
		return nil, err
	}
	return c, gone.flush()
}

// removals writes what a carrier is told of records that it does not have any
// more: the columns that name them.
type removals struct {
	w       io.Writer
	n       *int64
	columns int
	at      []int // of the columns that name a record
	buf     []byte
}

// add takes down one removed record.
func (r *removals) add(key []byte) error {
	*r.n++
	if r.w == nil {
		return nil
	}
	fields := make([]string, r.columns)
	for _, i := range r.at {
		n, k := binary.Uvarint(key)
		if k <= 0 || n > uint64(len(key)-k) {
			return ErrDamagedIndex
		}
		fields[i], key = string(key[k:k+int(n)]), key[k+int(n):]
	}
	r.buf = append(r.buf, changeRemoved...)
	for _, f := range fields {
		r.buf = formats.AppendCSV(append(r.buf, ','), f)
	}
	r.buf = append(r.buf, '\n')
	if len(r.buf) < 64<<10 {
		return nil
	}
	return r.flush()
}

func (r *removals) flush() error {
	if r.w == nil {
		return nil
	}
	_, err := r.w.Write(r.buf)
	r.buf = r.buf[:0]
	return err
}

// What became of a record, in the first column of a file of changes.
const (
	changeAdded   = "added"
	changeChanged = "changed"
	changeRemoved = "removed"
)

// appendFields appends fields, each behind its length.
func appendFields(b []byte, fields [][]byte, at []int) []byte {
	for _, i := range at {
		b = binary.AppendUvarint(b, uint64(len(fields[i])))
		b = append(b, fields[i]...)
	}
	return b
}

// hashOf hashes the fields at some places, or all of them. Lengths go in, too,
// so that no two rows are written alike.
func hashOf(fields [][]byte, at []int) (sum [hashSize]byte) {
	var room [512]byte
	b := room[:0]
	add := func(f []byte) {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	if at == nil {
		for _, f := range fields {
			add(f)
		}
	}
	for _, i := range at {
		add(fields[i])
	}
	full := sha256.Sum256(b)
	copy(sum[:], full[:])
	return sum
}

// merge walks both deliveries in the order of the ids.
func (c *Comparison) merge(ctx context.Context, sorter *spill.Sorter, before *indexReader, after *indexWriter) error {
	var now, next entry
	row, have := int64(0), false
	settle := func() error {
		if !have {
			return nil
		}
		if err := c.settle(before, &now, row); err != nil {
			return err
		}
		return after.add(&now)
	}
	for e, err := range spill.Sorted(sorter) {
		if err == nil {
			err = stopped(ctx)
		}
		if err != nil {
			return fmt.Errorf("sort records: %w", err)
		}
		next.take(e.Key, e.Val)
		if have && next.id == now.id {
			c.Superseded++
			c.superseded.add(row)
		} else if err := settle(); err != nil {
			return err
		}
		now, next = next, now
		row, have = int64(binary.BigEndian.Uint64(e.Key[hashSize:])), true
	}
	if err := settle(); err != nil {
		return err
	}
	for {
		err := before.pass()
		if errors.Is(err, io.EOF) {
			return after.close()
		}
		if err != nil {
			return err
		}
	}
}

// settle says what became of one record since the delivery before.
func (c *Comparison) settle(before *indexReader, now *entry, row int64) error {
	was, known, err := before.find(now.id)
	switch {
	case err != nil:
		return err
	case !known:
		c.Added++
		c.added.add(row)
	case was != now.content:
		c.Changed++
		c.changed.add(row)
	}
	return nil
}

// WriteChanges writes the rows of a delivered CSV file that were added or
// changed, with a column more in front that says which, and behind them what
// Compare wrote of removed records, of which only the columns are filled that
// name them.
func WriteChanges(ctx context.Context, csv formats.Input, c *Comparison, removed io.Reader, w io.Writer) error {
	var buf []byte
	line := func(first string, n int, field func(i int) string) error {
		buf = append(buf[:0], first...)
		for i := range n {
			buf = formats.AppendCSV(append(buf, ','), field(i))
		}
		_, err := w.Write(append(buf, '\n'))
		return err
	}
	header := func(names []string) error {
		return line("change", len(names), func(i int) string { return names[i] })
	}
	err := eachRow(ctx, csv, header, func(row *csvscan.Row) error {
		change := ""
		switch {
		case c.added.has(row.Number):
			change = changeAdded
		case c.changed.has(row.Number):
			change = changeChanged
		default:
			return nil
		}
		return line(change, len(row.Fields), func(i int) string { return string(row.Fields[i]) })
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, removed)
	return err
}

// eachRow reads a CSV file of our own. A row that is wrong is an error.
func eachRow(ctx context.Context, csv formats.Input, header func([]string) error, visit func(*csvscan.Row) error) error {
	scan := csvscan.NewReader(io.NewSectionReader(csv.R, 0, csv.Size), csvscan.Options{})
	const most = 1000
	names, total, err := scan.Header(most)
	if err == nil && total > most {
		err = errors.New("too many columns")
	}
	if err == nil {
		err = header(names)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", csv.Name, err)
	}
	var split csvscan.Splitter
	for {
		if err := stopped(ctx); err != nil {
			return err
		}
		chunk, err := scan.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", csv.Name, err)
		}
		split.Reset(chunk, total)
		for row, ok := split.Next(); ok; row, ok = split.Next() {
			if row.Reason != "" {
				return fmt.Errorf("read %s: line %d: %s", csv.Name, row.Line, row.Reason)
			}
			if err := visit(&row); err != nil {
				return err
			}
		}
		chunk.Release()
	}
}

// entry is one record of an index.
type entry struct {
	id, content [hashSize]byte
	key         []byte // the fields that name it, as appendFields has them
}

// take makes e the entry of an id and of what follows it.
func (e *entry) take(id, rest []byte) {
	copy(e.id[:], id)
	copy(e.content[:], rest)
	e.key = append(e.key[:0], rest[hashSize:]...)
}

func (e *entry) less(id [hashSize]byte) bool { return bytes.Compare(e.id[:], id[:]) < 0 }
