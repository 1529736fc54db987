package formats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/parquetio"
)

// parquetReader reads a Parquet file. Its parts are row groups; a large row
// group is cut into several, which each pass over the pages before theirs.
type parquetReader struct {
	job     *job
	file    *parquetio.File
	plan    *dialect.Plan
	names   []string
	cols    []int    // columns of the file that the plan reads, in its order
	typed   []setter // not nil: values go into calls without becoming text
	texts   []texter // else: how values become the text that Decode takes
	notes   []string
	group   int   // where next is
	from    int64 // row of the group
	first   int64 // data row of the file, from 1
	tally   tally
	spare   sync.Pool // of *textWork
	hash    *fileHash
	sum     string
	started sync.Once
}

const (
	// A row group of more than maxPartRows is read in parts of partRows, so
	// that several workers can share a file of one row group.
	maxPartRows = 1 << 20
	partRows    = 1 << 19
	// batchRows is how many rows are decoded at once: little enough that
	// their columns stay in the processor's cache.
	batchRows = 1024
	// freeRows is how many rows a file may claim whatever its size.
	freeRows = 1 << 24
	// leastParquet is the least that a file has besides its content: the magic
	// at both ends and the length of the footer, in bytes.
	leastParquet = 12
)

// openParquet reads the footer and binds the profile to the columns.
func openParquet(_ context.Context, j *job) (fileReader, error) {
	l := &j.opts.Limits
	f, err := parquetio.Open(j.R, j.Size, parquetio.Limits{Footer: l.Footer, Page: l.Page, Rows: l.Rows})
	if err != nil {
		return nil, parquetError(j, err)
	}
	r := &parquetReader{job: j, file: f, first: 1}
	for _, c := range f.Columns() {
		r.names = append(r.names, c.Name)
	}
	if len(r.names) > l.Columns {
		return nil, j.errorf("", "it has %d columns, more than the %d allowed", len(r.names), l.Columns)
	}
	if f.Rows() > freeRows && f.Rows()/l.Ratio > j.Size {
		return nil, j.errorf("", "it claims more rows than %d for each of its bytes", l.Ratio)
	}
	return r, r.bind()
}

// bind finds out what the columns are and how they are read.
func (r *parquetReader) bind() (err error) {
	p := r.job.opts.Profile
	if p == nil {
		p = dialect.Canonical()
	}
	if p.Files.Format == "csv" {
		return r.job.errorf("correct files.format in the profile, or ask for CSV", "it is a Parquet file")
	}
	if r.plan, err = p.Bind(r.job.side, r.names, r.job.bindOptions()...); err != nil {
		return r.job.errorf(foundColumns(r.names), "%v", err)
	}
	r.plan.Carrier = r.job.carrier(r.plan.Carrier)
	r.cols = r.plan.Columns()
	if r.typed = typedSetters(r.plan, r.file.Columns(), r.job); r.typed != nil {
		return nil
	}
	return r.bindTexts()
}

// bindTexts says for each column how its values become text.
func (r *parquetReader) bindTexts() error {
	for i, s := range r.plan.Specs() {
		c := r.file.Columns()[s.Column]
		if err := r.fits(c, s); err != nil {
			return err
		}
		t := texterOf(c)
		if len(s.Uses) > 0 {
			t.field = s.Uses[0].Field.String()
		}
		if t.typed != dialect.NotTyped {
			r.plan.SetTyped(i, t.typed)
		}
		r.texts = append(r.texts, t)
		if c.Physical == parquetio.Float || c.Physical == parquetio.Double {
			r.notes = append(r.notes, fmt.Sprintf("column %q holds floating-point numbers: their shortest decimal form is read", c.Name))
		}
	}
	return nil
}

// fits refuses a column of whole numbers for a time when nothing says what
// they count: every row would be bad.
func (r *parquetReader) fits(c parquetio.Column, s dialect.Spec) error {
	plain := c.Logical == parquetio.None && (c.Physical == parquetio.Int32 || c.Physical == parquetio.Int64)
	for _, u := range s.Uses {
		if plain && u.Kind == dialect.KindTime && u.Canonical {
			return r.job.errorf("say in a profile what it counts, such as layout: unix_ms",
				"column %q holds whole numbers, not times", c.Name)
		}
	}
	return nil
}

// parquetError makes the error that rejects the file of what parquetio found.
func parquetError(j *job, err error) error {
	hint := askAgain
	switch {
	case errors.Is(err, parquetio.ErrTruncated), j.Size < leastParquet:
		return j.truncatedf(hint, "%v", err)
	case errors.Is(err, parquetio.ErrCorrupt), errors.Is(err, parquetio.ErrNotParquet):
	case errors.Is(err, parquetio.ErrUnsupported):
		hint = "ask for it without encryption, or written by another program"
	case errors.Is(err, parquetio.ErrLimit):
		hint = ""
	default:
		return fmt.Errorf("read %s: %w", j.Name, err)
	}
	return j.errorf(hint, "%v", err)
}

// next implements fileReader.
func (r *parquetReader) next(ctx context.Context) (engine.Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.started.Do(func() { r.hash = startHash(context.WithoutCancel(ctx), r.job.Input) })
	for r.group < r.file.Groups() && r.from == r.file.GroupRows(r.group) {
		r.group, r.from = r.group+1, 0
	}
	if r.group == r.file.Groups() {
		return nil, io.EOF
	}
	n := r.file.GroupRows(r.group) - r.from
	if n > maxPartRows {
		n = partRows
	}
	p := parquetPart{r: r, group: r.group, place: engine.Place{File: r.job.index, First: r.first, Rows: n}}
	p.rows = r.file.Read(r.group, r.cols, r.from, n)
	r.from += n
	r.first += n
	if r.typed != nil {
		return newTypedPart(p), nil
	}
	return newTextPart(p), nil
}

// finish implements fileReader.
func (r *parquetReader) finish(ctx context.Context) (err error) {
	r.started.Do(func() { r.hash = startHash(context.WithoutCancel(ctx), r.job.Input) })
	if r.sum, err = r.hash.wait(); err != nil {
		return err
	}
	if r.tally.rows() != r.file.Rows() {
		return r.job.errorf(askAgain, "row counts are not consistent: %d rows were read, the footer says %d", r.tally.rows(), r.file.Rows())
	}
	if r.file.Rows() == 0 {
		r.notes = append(r.notes, "no rows: nothing to report")
	}
	return r.tally.check(r.job)
}

// info implements fileReader.
func (r *parquetReader) info() FileInfo {
	i := FileInfo{
		Name: r.job.Name, SHA256: r.sum, Bytes: r.job.Size, Format: "parquet",
		IntegrityVerified: r.file.Verified(), Notes: r.notes, OwnEnd: true,
	}
	unknown := append([]string(nil), r.plan.Unknown()...)
	for _, n := range r.file.Ignored() {
		unknown = append(unknown, n+" (nested)")
	}
	i.UnknownColumns = showNames(unknown)
	r.tally.fill(&i)
	return i
}

// close implements fileReader.
func (r *parquetReader) close() error {
	if r.hash != nil {
		r.hash.cancel()
	}
	return nil
}

// parquetPart is what both kinds of part have in common.
type parquetPart struct {
	r     *parquetReader
	rows  *parquetio.Reader // nil once closed
	group int
	place engine.Place
	tally partTally
	n, at int   // rows of the batch, and how many of them are done
	done  int64 // rows of the batches before
}

// Place implements engine.Part.
func (p *parquetPart) Place() engine.Place { return p.place }

// advance decodes the next batch when the last one is done.
func (p *parquetPart) advance(ctx context.Context, limit int) (fresh bool, err error) {
	if p.at < p.n {
		return false, nil
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	p.done += int64(p.n)
	p.n, p.at = 0, 0
	if p.n, err = p.rows.Next(min(limit, batchRows)); err != nil && err != io.EOF {
		err = parquetError(p.r.job, err)
	}
	return true, err
}

// row returns the data row in the file of row i of the batch.
func (p *parquetPart) row(i int) int64 { return p.place.First + p.done + int64(i) }

// rejected completes and counts the error of row i of the batch.
func (p *parquetPart) rejected(e *engine.RowError, i int) *engine.RowError {
	e.File, e.Row, e.RowGroup = p.r.job.index, p.row(i), p.group+1
	p.tally.reject(e)
	return e
}

func (p *parquetPart) close() bool {
	if p.rows == nil {
		return false
	}
	p.rows.Close()
	p.rows = nil
	p.r.tally.add(&p.tally)
	return true
}
