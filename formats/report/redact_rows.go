package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"concord/formats/parquetio"
)

// cell is a value of a table, without the number.
type cell struct {
	null  bool
	text  string
	value int64
}

// columnsOf returns the columns that this program writes into a Parquet file.
func columnsOf(name string) ([]column, bool) {
	tables := map[string][]column{"discrepancies.parquet": discrepancyColumns, "verdicts.parquet": verdictColumns, "usage.parquet": usageColumns}
	cols, known := tables[name]
	return cols, known
}

// parquet writes a table anew, as the program writes it.
func (r *redactor) parquet(ctx context.Context, e entry) error {
	cols, known := columnsOf(e.Name)
	if !known {
		return fmt.Errorf("it is no table of this program: %w", errors.ErrUnsupported)
	}
	var out *stagedFile
	var p *parquetFile
	err := r.table(ctx, e, func() (err error) {
		if out, err = r.folder.open(e.Name); err == nil {
			p, err = newParquet(out, cols)
		}
		return err
	}, func(row []cell) error {
		for i := range row {
			row[i].put(p.page.cols[i].w, cols[i].kind)
		}
		return p.w.EndRow()
	})
	if p != nil {
		err = errors.Join(err, p.w.Close())
	}
	if out == nil {
		return err
	}
	return r.end(out, e, err)
}

// put writes a value.
func (c *cell) put(w *parquetio.ColumnWriter, k kind) {
	switch {
	case c.null:
		w.Null()
	case k == text:
		w.String(c.text)
	default:
		w.Int(c.value)
	}
}

// show shows a value in a sheet.
func (c *cell) show(g *grid, k kind) {
	switch {
	case c.null:
		g.null()
	case k == text:
		g.text(c.text)
	case k == count:
		g.count(c.value)
	case k == instant:
		g.instant(c.value)
	case k == span:
		g.span(c.value)
	default:
		g.day(time.Unix(c.value*86400, 0).UTC().Format(time.DateOnly))
	}
}

// table reads a table of the version: begin is called once it is known to be as
// it was written, and each with every row, which is valid until it
// returns.
func (r *redactor) table(ctx context.Context, e entry, begin func() error, each func(row []cell) error) error {
	f, size, err := r.whole(ctx, e)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	src, err := parquetio.Open(f.(io.ReaderAt), size, parquetio.Limits{})
	if err != nil {
		return err
	}
	if err := begin(); err != nil {
		return err
	}
	cols, _ := columnsOf(e.Name)
	return r.groups(ctx, src, cols, each)
}

// whole opens a file of the version once it is known to be as it was written.
func (r *redactor) whole(ctx context.Context, e entry) (fs.File, int64, error) {
	if err := r.untouched(ctx, e.Name); err != nil {
		return nil, 0, err
	}
	f, err := r.archive.open(e.Name)
	if err != nil {
		return nil, 0, err
	}
	if _, ok := f.(io.ReaderAt); !ok {
		return nil, 0, errors.Join(errors.ErrUnsupported, f.Close())
	}
	return f, e.Bytes, nil
}

// untouched fails when a file is not as it was written.
func (r *redactor) untouched(ctx context.Context, name string) error {
	return r.archive.use(ctx, name, func(io.Reader) error { return nil })
}

func (r *redactor) groups(ctx context.Context, src *parquetio.File, cols []column, each func(row []cell) error) error {
	have := src.Columns()
	at := make([]int, len(cols))
	for i := range cols {
		if len(have) != len(cols) || have[i].Name != cols[i].name {
			return fmt.Errorf("its columns are those of another version of the program: %w", errors.ErrUnsupported)
		}
		at[i] = i
	}
	for g := range src.Groups() {
		rows := src.Read(g, at, 0, src.GroupRows(g))
		err := r.batches(ctx, rows, cols, each)
		rows.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *redactor) batches(ctx context.Context, rows *parquetio.Reader, cols []column, each func(row []cell) error) error {
	row := make([]cell, len(cols))
	for {
		n, err := rows.Next(1024)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		for i := range n {
			for c := range cols {
				row[c] = r.value(&cols[c], rows.Vector(c), i)
			}
			if err := each(row); err != nil {
				return err
			}
		}
	}
}

// value reads one value.
func (r *redactor) value(c *column, v *parquetio.Vector, i int) cell {
	if v.Nulls != nil && v.Nulls[i] {
		return cell{null: true}
	}
	from := &v.Values
	if v.Dict != nil {
		from, i = &v.Dict.Values, int(v.Index[i])
	}
	if c.kind == text {
		return cell{text: r.cell(c.name, from.Spans[i].In(from.Data))}
	}
	return cell{value: from.Ints[i]}
}
