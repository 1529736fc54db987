package csvscan

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// Chunk is a run of whole records. Release gives its memory back; nothing cut
// from it may be used after that.
type Chunk struct {
	FirstRow  int64 // of the first row, from 1
	FirstLine int64 // physical line of the first record, from 1
	Rows      int64
	data      []byte
	o         *Options
	pool      *pool
	buf       []byte
	// skipped is set on a chunk that stands for one bad row whose bytes were
	// passed over.
	skipped Reason
}

// Release gives the memory of the chunk back. It may be called twice.
func (c *Chunk) Release() {
	if c.buf != nil {
		c.pool.put(c.buf)
	}
	c.buf, c.data = nil, nil
}

// Counts is what a Reader saw so far.
type Counts struct {
	Rows     int64
	Lines    int64
	Blank    int64
	Comments int64
	Trailers int64
	Skipped  int64 // lines passed over before the first record
}

// Reader cuts a stream into chunks.
type Reader struct {
	src      io.Reader
	o        Options
	pool     pool
	buf      []byte // what was read and is not handed out yet starts at off
	off      int
	eof      bool
	last     byte // of what was read so far
	lf       bool // some line ends with an LF
	open     bool // the last record has a quote that is not closed
	counts   Counts
	trailers []string
	skip     *Chunk // to be handed out once the rest of its line is skipped
}

// NewReader reads from src, which it does not close.
func NewReader(src io.Reader, o Options) *Reader {
	r := &Reader{src: src, o: o.orDefault()}
	r.pool.size = r.o.ChunkSize
	return r
}

// Counts returns what was seen so far.
func (r *Reader) Counts() Counts { return r.counts }

// Trailers returns the first trailer lines, without line ends; at most two.
func (r *Reader) Trailers() []string { return r.trailers }

// Ended reports whether what was read so far ends with a line end, and not
// within quotes. A CR alone ends no line when other lines end with an LF: it
// is half of a line end.
func (r *Reader) Ended() bool {
	return !r.open && (r.last == '\n' || r.last == '\r' && !r.lf)
}

// Header reads the first record that is not blank and returns its fields, at
// most limit, and how many there were. It is no row. Without any record it
// returns io.EOF.
func (r *Reader) Header(limit int) (names []string, total int, err error) {
	if err := r.start(); err != nil {
		return nil, 0, err
	}
	for {
		var c cursor
		f := fields{list: make([][]byte, limit)}
		c.o = &r.o
		c.reset(r.buf, r.off, r.eof)
		rec, ok := headRecord(&c, &f)
		if ok && rec.kind == row {
			return r.takeHeader(&c, rec, &f)
		}
		if r.eof {
			return nil, 0, io.EOF
		}
		if err := r.more(); err != nil {
			return nil, 0, err
		}
	}
}

// headRecord returns the first record that is a row.
func headRecord(c *cursor, f *fields) (record, bool) {
	for {
		f.reset()
		rec, plain, ok := c.next(f)
		if !ok || rec.kind == row {
			if ok && plain {
				splitInto(f, c.data[rec.start:rec.end], c.o.Delimiter)
			}
			return rec, ok
		}
	}
}

// takeHeader moves behind the header and returns its fields. What was passed
// over before it is walked again to be counted.
func (r *Reader) takeHeader(c *cursor, rec record, f *fields) ([]string, int, error) {
	f.unquote(r.o.Quote)
	names := make([]string, min(f.n, len(f.list)))
	for i := range names {
		names[i] = string(f.list[i])
	}
	before := cursor{o: &r.o}
	before.reset(r.buf[:rec.start], r.off, true)
	for {
		rec, _, ok := before.next(nil)
		if !ok {
			break
		}
		r.count(rec, before.data)
	}
	if rec.reason != "" {
		return nil, 0, fmt.Errorf("line %d: %s", r.counts.Lines+1+rec.badLine, rec.reason)
	}
	r.counts.Lines += rec.lines
	r.off = c.pos
	return names, f.n, nil
}

// Next returns the next chunk, then io.EOF.
func (r *Reader) Next() (*Chunk, error) {
	if err := r.start(); err != nil {
		return nil, err
	}
	if r.skip != nil {
		return r.skipRest()
	}
	for {
		if !r.eof && len(r.buf)-r.off < r.o.ChunkSize {
			if err := r.fill(r.o.ChunkSize); err != nil {
				return nil, err
			}
		}
		c := r.cut()
		switch {
		case c != nil:
			return c, nil
		case r.skip != nil:
			return r.skipRest()
		case r.eof:
			return nil, io.EOF
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// more makes room for at least one more byte and reads.
func (r *Reader) more() error {
	return r.fill(max(r.o.ChunkSize, 2*(len(r.buf)-r.off)))
}

// fill reads until size bytes are held or the stream ends.
func (r *Reader) fill(size int) error {
	if r.off > 0 || cap(r.buf) < size {
		old := r.buf
		r.buf = append(r.pool.get(size), old[r.off:]...)
		r.off = 0
		r.pool.put(old)
	}
	for len(r.buf) < size && !r.eof {
		n, err := r.src.Read(r.buf[len(r.buf):size])
		r.look(r.buf[len(r.buf) : len(r.buf)+n])
		r.buf = r.buf[:len(r.buf)+n]
		if err == io.EOF {
			r.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// look remembers of new bytes what Ended has to know.
func (r *Reader) look(b []byte) {
	if len(b) > 0 {
		r.last = b[len(b)-1]
		r.lf = r.lf || bytes.IndexByte(b, '\n') >= 0
	}
}

// cut hands out the whole records held, or nil when there is no row among
// them.
func (r *Reader) cut() *Chunk {
	ch := &Chunk{FirstRow: r.counts.Rows + 1, FirstLine: r.counts.Lines + 1, o: &r.o, pool: &r.pool}
	c := cursor{o: &r.o}
	c.reset(r.buf, r.off, r.eof)
	for {
		if c.plain() {
			r.plainLines(&c)
		}
		rec, _, ok := c.next(nil)
		if !ok {
			break
		}
		if rec.open {
			r.openSkip(rec)
			c.pos = rec.start
			break
		}
		r.count(rec, r.buf)
	}
	ch.Rows = r.counts.Rows + 1 - ch.FirstRow
	if r.skip != nil {
		ch.Rows--
	}
	return r.handOut(ch, c.pos)
}

// plainLines counts the rows of plain data, and the blank lines between them,
// as far as they go.
func (r *Reader) plainLines(c *cursor) {
	for {
		blanks := c.blankLines()
		n := int64(0)
		for _, ok := c.plainLine(); ok; _, ok = c.plainLine() {
			n++
		}
		r.counts.Rows += n
		r.counts.Blank += blanks
		r.counts.Lines += n + blanks
		r.open = r.open && n+blanks == 0
		if n+blanks == 0 {
			return
		}
	}
}

// handOut gives the bytes up to end to ch and keeps the rest.
func (r *Reader) handOut(ch *Chunk, end int) *Chunk {
	from := r.off
	r.off = end
	if ch.Rows == 0 {
		return nil
	}
	ch.data, ch.buf = r.buf[from:end], r.buf
	r.buf = append(r.pool.get(r.o.ChunkSize), r.buf[end:]...)
	r.off = 0
	return ch
}

// count takes a whole record into the counts.
func (r *Reader) count(rec record, data []byte) {
	r.counts.Lines += rec.lines
	r.open = rec.reason == Unclosed
	switch rec.kind {
	case row:
		r.counts.Rows++
	case blank:
		r.counts.Blank++
	case comment:
		r.counts.Comments++
	case trailer:
		r.counts.Trailers++
		if len(r.trailers) < 2 {
			r.trailers = append(r.trailers, string(data[rec.start:rec.end]))
		}
	}
}

// openSkip notes a bad row that goes on beyond what is held.
func (r *Reader) openSkip(rec record) {
	r.skip = &Chunk{
		FirstRow: r.counts.Rows + 1, FirstLine: r.counts.Lines + 1 + rec.badLine, Rows: 1,
		skipped: rec.reason, o: &r.o, pool: &r.pool,
	}
	r.counts.Rows++
	r.counts.Lines += rec.lines
	r.open = rec.reason == Unclosed
}

// skipRest reads to the end of the line that the skipped row ends on, and
// hands that row out.
func (r *Reader) skipRest() (*Chunk, error) {
	// What is held of the row was searched for a line end already.
	r.off = len(r.buf)
	if _, err := r.skipLine(); err != nil {
		return nil, err
	}
	ch := r.skip
	r.skip = nil
	return ch, nil
}

// skipLine moves behind the next line end, or to the end of the stream, and
// reports whether there was anything.
func (r *Reader) skipLine() (some bool, err error) {
	passed := int64(0)
	for {
		end, found := lineEnd(r.buf, r.off)
		if passed += int64(end - r.off); passed > r.o.MaxLine {
			return true, r.endless()
		}
		some = some || end > r.off || found
		if found && (end+1 < len(r.buf) || r.buf[end] == '\n' || r.eof) {
			r.off = end + lineEndLen(r.buf, end)
			return true, nil
		}
		if r.off = end; !found && r.eof {
			return some, nil
		}
		if err := r.more(); err != nil {
			return some, err
		}
	}
}

// endless is the error of a line that is not worth passing over.
func (r *Reader) endless() error {
	e := &EndlessLineError{Line: r.counts.Lines + 1, Max: r.o.MaxLine}
	if r.skip != nil {
		e.Line, e.Reason = r.skip.FirstLine, r.skip.skipped
	}
	return e
}

// start passes over the lines before the first record, once.
func (r *Reader) start() error {
	for ; r.o.SkipLines > 0; r.o.SkipLines-- {
		some, err := r.skipLine()
		if err != nil {
			return err
		}
		if some {
			r.counts.Lines++
			r.counts.Skipped++
		}
	}
	return nil
}

// pool keeps the buffers of released chunks for new ones, a few at most.
type pool struct {
	mu   sync.Mutex
	size int
	free [][]byte
}

const maxFree = 8

// get returns an empty buffer that holds at least size bytes.
func (p *pool) get(size int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 && size <= p.size {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b[:0]
	}
	return make([]byte, 0, max(size, p.size))
}

func (p *pool) put(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cap(b) >= p.size && cap(b) <= 2*p.size && len(p.free) < maxFree {
		p.free = append(p.free, b)
	}
}
