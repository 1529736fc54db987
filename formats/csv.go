package formats

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"concord/engine"
	"concord/formats/csvscan"
	"concord/formats/dialect"
)

// csvReader reads a file of lines.
type csvReader struct {
	job    *job
	stream *stream
	scan   *csvscan.Reader
	format string
	plan   *dialect.Plan
	feed   *feed // nil unless it is one of Microsoft's exports
	want   int   // fields of a row
	comma  byte
	tally  tally
	spare  sync.Pool // of *csvWork
	base   int64     // rows before it, when it is one of several in a zip
	sum    string
	notes  []string
	good   bool // control totals agree
	state  TrailerState
}

// csvWork is what one worker needs to read parts.
type csvWork struct {
	split  csvscan.Splitter
	dec    *dialect.Decoder
	picked [][]byte
	feed   feedWork
}

// openCSV reads the header and binds the profile to it.
func openCSV(j *job, s *stream, text *bufio.Reader, head []byte, encoding string) (fileReader, error) {
	d := lineRulesOf(j.opts.Profile)
	if d.delimiter == 0 {
		d.delimiter = likelyDelimiter(head, d)
	}
	r := &csvReader{job: j, stream: s, comma: d.delimiter, scan: csvscan.NewReader(text, d.scanOptions(j.opts))}
	r.format = joinFormat("csv", encoding, s.packed)
	names, err := r.columns(d, head)
	if err != nil {
		return nil, err
	}
	if err := r.bind(names); err != nil {
		return nil, err
	}
	return r, nil
}

func joinFormat(name string, more ...string) string {
	for _, m := range more {
		if m != "" {
			name += "+" + m
		}
	}
	return name
}

// columns returns the names of the columns: those of the header, or of the
// profile when there is none.
func (r *csvReader) columns(d lineRules, head []byte) ([]string, error) {
	if d.noHeader {
		r.want = len(d.columns)
		return d.columns, nil
	}
	limit := r.job.opts.Limits.Columns
	names, total, err := r.scan.Header(limit)
	var file *FileError
	switch {
	case errors.Is(err, io.EOF):
		err := r.job.errorf("a file with nothing to report still has a header", "it has no header")
		if r.stream.packed == "" {
			return nil, incomplete(err)
		}
		return nil, err
	case errors.As(err, &file):
		return nil, err
	case err != nil:
		return nil, r.job.errorf("check that it is a file of records", "the header cannot be read: %v", err)
	case total > limit:
		return nil, r.job.errorf("", "the header has %d columns, more than the %d allowed", total, limit)
	case total == 1:
		return nil, oneColumn(r.job, d, names[0], head)
	}
	r.want = total
	return names, nil
}

// bind finds out what the columns are.
func (r *csvReader) bind(names []string) (err error) {
	p := r.job.opts.Profile
	if r.job.feeds() {
		if f := csvFeedOf(names); f != nil {
			r.feed, r.format = f, strings.Replace(r.format, "csv", f.name, 1)
			r.plan, err = f.plan(r.job)
			return err
		}
	}
	if p == nil {
		p = dialect.Canonical()
	}
	r.plan, err = p.Bind(r.job.side, names, r.job.bindOptions()...)
	if err != nil {
		return r.job.errorf(foundColumns(names), "%v", err)
	}
	r.plan.Carrier = r.job.carrier(r.plan.Carrier)
	return nil
}

func (j *job) bindOptions() []dialect.BindOption {
	if j.opts.Details {
		return []dialect.BindOption{dialect.WithDetails}
	}
	return nil
}

// carrier returns the carrier of records that name none.
func (j *job) carrier(of string) string {
	if j.opts.Carrier != "" {
		return j.opts.Carrier
	}
	return of
}

// next implements fileReader.
func (r *csvReader) next(ctx context.Context) (engine.Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.tally.checkSoFar(r.job, r.mostRows()); err != nil {
		return nil, err
	}
	ch, err := r.scan.Next()
	var endless *csvscan.EndlessLineError
	if errors.As(err, &endless) {
		return nil, r.job.errorf("it is damaged, or its quotes or line ends are not those that the profile says: ask for a new copy", "%v", endless)
	}
	if err != nil {
		return nil, err
	}
	if last := ch.FirstRow + ch.Rows - 1; last > r.job.opts.Limits.Rows {
		return nil, r.job.errorf("", "it has more than %d rows", r.job.opts.Limits.Rows)
	}
	w := r.work()
	w.split.Reset(ch, r.want)
	return &csvPart{r: r, chunk: ch, work: w}, nil
}

// mostRows bounds the rows of the file: of what is not cut yet, each has a byte
// for every field. Of a packed file it is not known.
func (r *csvReader) mostRows() int64 {
	if r.stream.packed != "" {
		return math.MaxInt64
	}
	held := int64(4*r.job.opts.Limits.Record + peekSize)
	return r.scan.Counts().Rows + (r.job.Size-r.stream.raw.n+held)/int64(r.want)
}

func (r *csvReader) work() *csvWork {
	if w, ok := r.spare.Get().(*csvWork); ok {
		return w
	}
	return &csvWork{dec: r.plan.Decoder(), picked: make([][]byte, len(r.plan.Columns()))}
}

// finish implements fileReader.
func (r *csvReader) finish(context.Context) (err error) {
	if r.sum, err = r.stream.finish(); err != nil {
		return err
	}
	c := r.scan.Counts()
	if c.Rows != r.tally.rows() {
		return fmt.Errorf("read %s: cut %d rows but read %d", r.job.Name, c.Rows, r.tally.rows())
	}
	r.note(c.Blank, "blank line", "skipped")
	r.note(c.Comments, "comment line", "skipped")
	r.note(c.Skipped, "line", "before the header skipped")
	if c.Rows == 0 {
		r.notes = append(r.notes, "a header only: nothing to report")
	}
	return errors.Join(r.checkTrailer(), r.tally.check(r.job))
}

// note adds a count to the notes, unless it is zero.
func (r *csvReader) note(n int64, what, how string) {
	switch {
	case n == 1:
		r.notes = append(r.notes, fmt.Sprintf("1 %s %s", what, how))
	case n > 1:
		r.notes = append(r.notes, fmt.Sprintf("%d %ss %s", n, what, how))
	}
}

// info implements fileReader.
func (r *csvReader) info() FileInfo {
	i := FileInfo{
		Name: r.job.Name, SHA256: r.sum, Bytes: r.job.Size, Format: r.format,
		IntegrityVerified: r.good, Notes: r.notes,
		OwnEnd: r.stream.packed != "", LastLineEnded: r.scan.Ended(), Trailer: r.state,
	}
	if r.feed != nil {
		i.UnknownColumns = r.feed.unknown
	} else {
		i.UnknownColumns = showNames(r.plan.Unknown())
	}
	r.tally.fill(&i)
	return i
}

// close implements fileReader.
func (r *csvReader) close() error {
	r.stream.close()
	return nil
}

// csvPart is one chunk of lines.
type csvPart struct {
	r     *csvReader
	chunk *csvscan.Chunk
	work  *csvWork
	tally partTally
}

// Place implements engine.Part.
func (p *csvPart) Place() engine.Place {
	return engine.Place{File: p.r.job.index, First: p.r.base + p.chunk.FirstRow, Rows: p.chunk.Rows}
}

// Read implements engine.Part.
func (p *csvPart) Read(_ context.Context, dst []engine.Call) (n int, err error) {
	for n < len(dst) {
		row, ok := p.work.split.Next()
		if !ok {
			return n, io.EOF
		}
		bad, keep := p.decode(row, &dst[n])
		switch {
		case bad != nil:
			p.tally.reject(bad)
			return n, bad
		case keep:
			p.tally.accept(&dst[n])
			n++
		default:
			p.tally.filtered++
		}
	}
	return n, nil
}

// decode makes a call of a row; keep is false when the profile leaves it out.
func (p *csvPart) decode(row csvscan.Row, c *engine.Call) (bad *engine.RowError, keep bool) {
	switch {
	case row.Reason != "":
		bad = &engine.RowError{Reason: string(row.Reason)}
	case !p.work.split.UTF8() && !p.r.readable(row.Fields):
		bad = &engine.RowError{Reason: notUTF8}
	default:
		bad, keep = p.work.decode(p.r, row.Fields, c)
	}
	if bad != nil {
		bad.File, bad.Row, bad.Line = p.r.job.index, p.r.base+row.Number, row.Line
	}
	c.Row = p.r.base + row.Number
	return bad, keep
}

const notUTF8 = "the text is not UTF-8; the profile has to say files.encoding"

// readable reports whether the fields that are read are UTF-8. Others may be
// anything.
func (r *csvReader) readable(fields [][]byte) bool {
	if r.feed != nil {
		return !slices.ContainsFunc(fields, func(b []byte) bool { return !utf8.Valid(b) })
	}
	return !slices.ContainsFunc(r.plan.Columns(), func(at int) bool { return !utf8.Valid(fields[at]) })
}

func (w *csvWork) decode(r *csvReader, fields [][]byte, c *engine.Call) (*engine.RowError, bool) {
	if r.feed != nil {
		return w.decodeFeed(r, fields, c)
	}
	for i, at := range r.plan.Columns() {
		w.picked[i] = fields[at]
	}
	return decodeRow(w.dec, w.picked, c)
}

// Close implements engine.Part.
func (p *csvPart) Close() error {
	if p.work != nil {
		p.r.tally.add(&p.tally)
		p.chunk.Release()
		p.r.spare.Put(p.work)
		p.work = nil
	}
	return nil
}
