package formats

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"concord/engine"
	"concord/formats/csvscan"
	"concord/formats/parquetio"
)

// openNumberRows opens a listing by what it holds, not by its name.
func openNumberRows(j *job, names *numberNames) (numberRows, error) {
	if j.Size == 0 {
		return nil, j.emptyf(true, "it is empty")
	}
	head, err := j.head()
	switch {
	case err != nil:
		return nil, err
	case bytes.HasPrefix(head, magicParquet):
		return openNumberParquet(j, names)
	case bytes.HasPrefix(head, magicZip), bytes.HasPrefix(head, magicNoZip):
		return nil, j.errorf("unpack it", "it is a zip file")
	case bytes.HasPrefix(head, magicSheet), bytes.HasPrefix(head, []byte("%PDF")):
		return nil, j.errorf("export it as CSV, JSON or Parquet", "it is a document and not a file of records")
	}
	s, err := openStream(j)
	if err != nil {
		return nil, err
	}
	r, err := openNumberText(j, s, names)
	if err != nil {
		s.close()
	}
	return r, err
}

func openNumberText(j *job, s *stream, names *numberNames) (numberRows, error) {
	text, encoding, err := decodeText(s.out, "")
	if err != nil {
		return nil, err
	}
	head, err := text.Peek(peekSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	first := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.IndexByte(head, 0) >= 0:
		return nil, j.errorf("export it as UTF-8, or as UTF-16 with a byte order mark", "it holds NUL bytes: it is not text")
	case len(first) == 0:
		return nil, j.emptyf(true, "it has no header: it holds blank lines only")
	case looksLikeJSON(first):
		return openNumberPages(j, s, text, names), nil
	case first[0] == '<':
		return nil, j.errorf("export it as CSV, JSON or Parquet", "it is HTML or XML")
	}
	return openNumberCSV(j, s, text, head, encoding, names)
}

// numberCSV is a listing in lines.
type numberCSV struct {
	job    *job
	stream *stream
	scan   *csvscan.Reader
	split  csvscan.Splitter
	chunk  *csvscan.Chunk
	want   int
	places []int
	row    [][]byte
	format string
}

// typeLine is what Windows PowerShell writes first unless it is told not to.
const typeLine = "#TYPE "

func openNumberCSV(j *job, s *stream, text *bufio.Reader, head []byte, encoding string, names *numberNames) (numberRows, error) {
	var d lineRules
	d.Comment = typeLine
	d.delimiter = likelyDelimiter(head, d)
	c := &numberCSV{job: j, stream: s, scan: csvscan.NewReader(text, d.scanOptions(j.opts)), format: joinFormat("csv", encoding, s.packed)}
	limit := j.opts.Limits.Columns
	columns, total, err := c.scan.Header(limit)
	var file *FileError
	switch {
	case errors.Is(err, io.EOF):
		return nil, j.emptyf(s.packed == "", "it has no header")
	case errors.As(err, &file):
		return nil, err
	case err != nil:
		return nil, j.errorf("check that it is a file of records", "the header cannot be read: %v", err)
	case total > limit:
		return nil, j.errorf("", "the header has %d columns, more than the %d allowed", total, limit)
	}
	c.want, c.row = total, make([][]byte, len(names.field))
	c.places, err = names.bind(j, columns)
	return c, err
}

func (c *numberCSV) next(ctx context.Context) (row numberRow, err error) {
	for {
		if c.chunk != nil {
			if r, ok := c.split.Next(); ok {
				return c.pick(r), nil
			}
			c.chunk.Release()
			c.chunk = nil
		}
		if err := ctx.Err(); err != nil {
			return row, err
		}
		c.chunk, err = c.scan.Next()
		var endless *csvscan.EndlessLineError
		if errors.As(err, &endless) {
			return row, c.job.errorf("export it again", "%v", endless)
		}
		if err != nil {
			return row, err
		}
		c.split.Reset(c.chunk, c.want)
	}
}

func (c *numberCSV) pick(r csvscan.Row) numberRow {
	row := numberRow{at: engine.RowError{Line: r.Line, Reason: string(r.Reason)}}
	if r.Reason != "" {
		return row
	}
	clear(c.row)
	for i, at := range c.places {
		if at >= 0 {
			c.row[at] = r.Fields[i]
		}
	}
	row.fields = c.row
	return row
}

// finish also refuses a text whose last line does not end: what is missing
// behind it would be taken for numbers that are gone.
func (c *numberCSV) finish(_ context.Context, i *FileInfo) (err error) {
	if i.SHA256, err = c.stream.finish(); err != nil {
		return err
	}
	i.Format, i.OwnEnd, i.LastLineEnded = c.format, c.stream.packed != "", c.scan.Ended()
	if i.Rows > 0 && !i.OwnEnd && !i.LastLineEnded {
		return c.job.truncatedf("export it again, or end its last line", "its last line does not end: it may be cut short")
	}
	return nil
}

func (c *numberCSV) close() {
	if c.chunk != nil {
		c.chunk.Release()
		c.chunk = nil
	}
	c.stream.close()
}

// numberPages is a listing in pages of Graph's numberAssignments.
type numberPages struct {
	job    *job
	stream *stream
	pages  *pageReader
	names  *numberNames
	places map[string]int // of properties as they are written
	row    [][]byte
}

func openNumberPages(j *job, s *stream, text *bufio.Reader, names *numberNames) *numberPages {
	p := &numberPages{job: j, stream: s, pages: newPageReader(j, text), names: names, places: make(map[string]int), row: make([][]byte, len(names.field))}
	p.pages.hint = "export the pages of numberAssignments as they come"
	return p
}

func (p *numberPages) next(ctx context.Context) (row numberRow, err error) {
	if err := ctx.Err(); err != nil {
		return row, err
	}
	raw, err := p.pages.next()
	if err != nil {
		return row, err
	}
	clear(p.row)
	row.fields = p.row
	if !walkObject(raw, p.take) {
		row.at.Reason = "the row is not an object"
	}
	return row, nil
}

// take puts a value where it belongs: texts unquoted, nothing for null, lists
// as they are written, in one line.
func (p *numberPages) take(key, value []byte) {
	at, met := p.places[string(key)]
	if !met {
		at = p.meet(string(key))
	}
	if at < 0 || len(value) == 0 {
		return
	}
	switch value[0] {
	case '"':
		p.row[at] = text(value)
	case '{', 'n':
	case '[':
		if p.names.field[at] != fieldNumber {
			p.row[at] = inOneLine(value)
		}
	default:
		p.row[at] = value
	}
}

// inOneLine returns a list without the white space between its parts, which in
// a file that was printed for people goes over several lines.
func inOneLine(list []byte) []byte {
	if !bytes.ContainsAny(list, "\n\r\t") {
		return list
	}
	var b bytes.Buffer
	if json.Compact(&b, list) != nil {
		return list
	}
	return b.Bytes()
}

// meet looks a property up that was not there before.
func (p *numberPages) meet(key string) int {
	at, is := p.names.places[squashed(key)]
	if !is {
		at = -1
		p.names.ignore(key)
	}
	if len(p.places) < p.job.opts.Limits.Columns { // a hostile file has a new one in each row
		p.places[key] = at
	}
	return at
}

// finish also refuses a listing of which pages are missing: their numbers
// would be taken for gone.
func (p *numberPages) finish(_ context.Context, i *FileInfo) (err error) {
	if i.SHA256, err = p.stream.finish(); err != nil {
		return err
	}
	i.Format, i.OwnEnd = joinFormat("graph-json", p.stream.packed), true
	if p.pages.more {
		return p.job.truncatedf("follow @odata.nextLink and put all pages into one file, one behind the other", "the last page says that more pages follow: it is not the whole listing")
	}
	return nil
}

func (p *numberPages) close() { p.stream.close() }

// numberParquet is a canonical listing in Parquet.
type numberParquet struct {
	job    *job
	file   *parquetio.File
	rows   *parquetio.Reader // of the group; nil before it is begun
	cols   []int
	places []int // of cols
	texts  []texter
	work   textWork
	row    [][]byte
	group  int
	n, at  int
}

func openNumberParquet(j *job, names *numberNames) (numberRows, error) {
	l := &j.opts.Limits
	f, err := parquetio.Open(j.R, j.Size, parquetio.Limits{Footer: l.Footer, Page: l.Page, Rows: l.Rows})
	if err != nil {
		return nil, parquetError(j, err)
	}
	var columns []string
	for _, c := range f.Columns() {
		columns = append(columns, c.Name)
	}
	if len(columns) > l.Columns {
		return nil, j.errorf("", "it has %d columns, more than the %d allowed", len(columns), l.Columns)
	}
	if f.Rows() > freeRows && f.Rows()/l.Ratio > j.Size {
		return nil, j.errorf("", "it claims more rows than %d for each of its bytes", l.Ratio)
	}
	places, err := names.bind(j, columns)
	if err != nil {
		return nil, err
	}
	p := &numberParquet{job: j, file: f, row: make([][]byte, len(names.field))}
	for i, at := range places {
		if at >= 0 {
			p.cols, p.places = append(p.cols, i), append(p.places, at)
			p.texts = append(p.texts, texterOf(f.Columns()[i]))
		}
	}
	return p, nil
}

func (p *numberParquet) next(ctx context.Context) (row numberRow, err error) {
	for p.at == p.n {
		if err := p.advance(ctx); err != nil {
			return row, err
		}
	}
	row.at.RowGroup = p.group
	for k, at := range p.places {
		p.row[at] = p.work.text(&p.texts[k], p.rows.Vector(k), p.at)
	}
	row.fields = p.row
	p.at++
	return row, nil
}

// advance decodes the next batch, of the next group when this one is done.
func (p *numberParquet) advance(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.n, p.at = 0, 0
	if p.rows == nil {
		if p.group == p.file.Groups() {
			return io.EOF
		}
		p.rows = p.file.Read(p.group, p.cols, 0, p.file.GroupRows(p.group))
		p.group++
	}
	p.work.buf = p.work.buf[:0]
	n, err := p.rows.Next(batchRows)
	p.n = n
	switch {
	case errors.Is(err, io.EOF):
		p.rows.Close()
		p.rows = nil
	case err != nil:
		return parquetError(p.job, err)
	}
	return nil
}

func (p *numberParquet) finish(ctx context.Context, i *FileInfo) (err error) {
	i.Format, i.OwnEnd, i.IntegrityVerified = "parquet", true, p.file.Verified()
	if i.Rows != p.file.Rows() {
		return p.job.errorf(askAgain, "row counts are not consistent: %d rows were read, the footer says %d", i.Rows, p.file.Rows())
	}
	i.SHA256, err = hashInput(ctx, p.job.Input)
	return err
}

func (p *numberParquet) close() {
	if p.rows != nil {
		p.rows.Close()
		p.rows = nil
	}
}
