package formats

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"concord/engine"
	"concord/formats/dialect"
)

// graphReader reads pages of Microsoft Graph's getPstnCalls and
// getDirectRoutingCalls: objects with an array named value, one behind the
// other, a line each, or in an array. Rows alone are read, too.
type graphReader struct {
	job    *job
	stream *stream
	pages  *pageReader
	feed   *feed
	plan   *dialect.Plan
	index  map[string]int // property -> place in a row
	tally  tally
	spare  sync.Pool // of *graphWork
	rows   int64
	sum    string
	notes  []string
}

// graphWork is what one worker needs to read parts.
type graphWork struct {
	dec    *dialect.Decoder
	feed   feedWork
	fields [][]byte
}

// openGraph looks at the first row, so that a file of another kind is told at
// once.
func openGraph(j *job, s *stream, text *bufio.Reader) (fileReader, error) {
	r := &graphReader{job: j, stream: s, pages: newPageReader(j, text), index: make(map[string]int)}
	var names []string
	for _, c := range graphRows() {
		for _, n := range c.names {
			if _, ok := r.index[n]; !ok {
				r.index[n] = len(names)
				names = append(names, n)
			}
		}
	}
	r.feed = newFeed("graph-json", graphRows(), names)
	var err error
	if r.plan, err = r.feed.plan(j); err != nil {
		return nil, err
	}
	return r, r.pages.peek()
}

// MorePages is the note on a file that is not all of what it was asked for.
const MorePages = "the last page says that more pages follow"

// partBytes is how much JSON makes a part.
const partBytes = 256 << 10

// next implements fileReader.
func (r *graphReader) next(ctx context.Context) (engine.Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &graphPart{r: r, first: r.rows + 1}
	for size := 0; size < partBytes; {
		raw, err := r.pages.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		size += len(raw)
		p.raw = append(p.raw, raw)
	}
	if len(p.raw) == 0 {
		return nil, io.EOF
	}
	if r.rows += int64(len(p.raw)); r.rows > r.job.opts.Limits.Rows {
		return nil, r.job.errorf("", "it has more than %d rows", r.job.opts.Limits.Rows)
	}
	p.work = r.work()
	return p, nil
}

func (r *graphReader) work() *graphWork {
	if w, ok := r.spare.Get().(*graphWork); ok {
		return w
	}
	return &graphWork{dec: r.plan.Decoder(), fields: make([][]byte, len(r.index))}
}

// finish implements fileReader.
func (r *graphReader) finish(context.Context) (err error) {
	if r.sum, err = r.stream.finish(); err != nil {
		return err
	}
	if r.rows != r.tally.rows() {
		return fmt.Errorf("read %s: cut %d rows but read %d", r.job.Name, r.rows, r.tally.rows())
	}
	if r.rows == 0 {
		r.notes = append(r.notes, "no rows: nothing to report")
	}
	if r.pages.more {
		r.notes = append(r.notes, MorePages)
	}
	return r.tally.check(r.job)
}

// info implements fileReader.
func (r *graphReader) info() FileInfo {
	i := FileInfo{
		Name: r.job.Name, SHA256: r.sum, Bytes: r.job.Size, Format: joinFormat(r.feed.name, r.stream.packed),
		UnknownColumns: showNames(r.pages.unknown(r.index)), Notes: r.notes, OwnEnd: true,
	}
	r.tally.fill(&i)
	return i
}

// close implements fileReader.
func (r *graphReader) close() error {
	r.stream.close()
	return nil
}

// graphPart is a run of rows.
type graphPart struct {
	r     *graphReader
	first int64
	raw   []json.RawMessage
	at    int
	work  *graphWork
	tally partTally
}

// Place implements engine.Part.
func (p *graphPart) Place() engine.Place {
	return engine.Place{File: p.r.job.index, First: p.first, Rows: int64(len(p.raw))}
}

// Read implements engine.Part.
func (p *graphPart) Read(_ context.Context, dst []engine.Call) (n int, err error) {
	for n < len(dst) {
		if p.at == len(p.raw) {
			return n, io.EOF
		}
		row := p.first + int64(p.at)
		bad := p.decode(p.raw[p.at], &dst[n])
		p.at++
		if bad != nil {
			bad.File, bad.Row = p.r.job.index, row
			p.tally.reject(bad)
			return n, bad
		}
		dst[n].Row = row
		p.tally.accept(&dst[n])
		n++
	}
	return n, nil
}

func (p *graphPart) decode(raw json.RawMessage, c *engine.Call) *engine.RowError {
	w := p.work
	clear(w.fields)
	if !flatObject(raw, p.r.index, w.fields) {
		return &engine.RowError{Reason: "the row is not an object"}
	}
	bad, _ := decodeRow(w.dec, w.feed.pick(p.r.feed, p.r.plan.Columns(), w.fields), c)
	return bad
}

// Close implements engine.Part.
func (p *graphPart) Close() error {
	if p.work != nil {
		p.r.tally.add(&p.tally)
		p.r.spare.Put(p.work)
		p.work = nil
	}
	return nil
}
