package csvscan

import "bytes"

type kind uint8

const (
	row kind = iota
	blank
	comment
	trailer
)

// record is where one record lies in the data.
type record struct {
	kind       kind
	start, end int   // without the line end
	next       int   // where the next record starts
	lines      int64 // physical lines it covers
	badLine    int64 // lines before the one that reason is about
	reason     Reason
	// open is set when a bad record goes on beyond the data: what follows
	// up to the next line end is to be skipped.
	open bool
}

// cursor walks the records of data.
type cursor struct {
	o      *Options
	data   []byte
	pos    int
	eof    bool // nothing follows data
	quotes bool // data holds quotes that mean something
	crs    bool // data holds CRs that no LF follows
	lf     int  // the first LF at or after pos, else len(data); -1 when not known
}

func (c *cursor) reset(data []byte, pos int, eof bool) {
	c.data, c.pos, c.eof, c.lf = data, pos, eof, -1
	c.quotes = !c.o.NoQuotes && bytes.IndexByte(data[pos:], c.o.Quote) >= 0
	c.crs = loneCR(data[pos:], eof)
}

// plain reports whether every line of the data ends with an LF and none holds
// a quote.
func (c *cursor) plain() bool { return !c.quotes && !c.crs }

// loneCR reports whether data holds a CR that no LF follows.
func loneCR(data []byte, eof bool) bool {
	for {
		i := bytes.IndexByte(data, '\r')
		if i < 0 || i == len(data)-1 {
			return i >= 0 && !eof
		}
		if data[i+1] != '\n' {
			return true
		}
		data = data[i+2:]
	}
}

// blankLines passes over the blank lines at pos in plain data and counts them.
func (c *cursor) blankLines() (n int64) {
	for {
		rest := c.data[c.pos:]
		switch {
		case len(rest) > 0 && rest[0] == '\n':
			c.pos++
		case len(rest) > 1 && rest[0] == '\r':
			c.pos += 2
		default:
			return n
		}
		n++
	}
}

// plainLine finds the line at pos in plain data, when it is a row: a line that
// is blank, begins with a prefix, is long or has no end is left to next.
func (c *cursor) plainLine() (line []byte, ok bool) {
	rest := c.data[c.pos:]
	i := bytes.IndexByte(rest, '\n')
	if i <= 0 || i > c.o.MaxField {
		return nil, false
	}
	line = rest[:i]
	if line[i-1] == '\r' {
		line = line[:i-1]
	}
	if len(line) == 0 || c.o.prefixes && c.kindOf(line) != row {
		return nil, false
	}
	c.pos += i + 1
	return line, true
}

// next finds the record at pos and moves behind it. It reports false when the
// data holds no whole record any more. Fields of a slow record go to f, when f
// is not nil; those of a plain one are left to the caller, and plain is true.
func (c *cursor) next(f *fields) (rec record, plain, ok bool) {
	if c.pos >= len(c.data) {
		return rec, false, false
	}
	end := c.lineFeed()
	if end-c.pos > c.o.MaxField || c.special(c.data[c.pos:end]) {
		rec, ok = c.slow(f)
	} else if plain = true; end < len(c.data) || c.eof {
		rec, ok = c.line(end), true
	}
	if ok {
		c.pos = rec.next
	}
	return rec, plain, ok
}

// lineFeed returns where the first LF at or after pos is, else len(data).
func (c *cursor) lineFeed() int {
	if c.lf < c.pos {
		c.lf = len(c.data)
		if i := bytes.IndexByte(c.data[c.pos:], '\n'); i >= 0 {
			c.lf = c.pos + i
		}
	}
	return c.lf
}

// special reports whether a line holds a quote or a CR that is not at its end.
// The CR is looked for first: in a file of CRs alone, line is all that is left.
func (c *cursor) special(line []byte) bool {
	if c.crs {
		if i := bytes.IndexByte(line, '\r'); i >= 0 && i < len(line)-1 {
			return true
		}
	}
	return c.quotes && bytes.IndexByte(line, c.o.Quote) >= 0
}

// line is the record of the line from pos to end, which holds neither quotes
// nor other line ends.
func (c *cursor) line(end int) record {
	rec := record{start: c.pos, end: end, next: min(end+1, len(c.data)), lines: 1}
	if end > rec.start && c.data[end-1] == '\r' {
		rec.end--
	}
	rec.kind = c.kindOf(c.data[rec.start:rec.end])
	return rec
}

func (c *cursor) kindOf(line []byte) kind {
	switch {
	case len(line) == 0:
		return blank
	case hasPrefix(line, c.o.Comment):
		return comment
	case hasPrefix(line, c.o.Trailer):
		return trailer
	}
	return row
}

// hasPrefix reports whether line begins with a prefix that is not empty.
func hasPrefix(line []byte, prefix string) bool {
	return prefix != "" && len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix
}

// slow finds a record that may hold quotes, any line end, or too much.
func (c *cursor) slow(f *fields) (record, bool) {
	rest := c.data[c.pos:]
	if !c.eof && len(rest) < max(len(c.o.Comment), len(c.o.Trailer)) {
		return record{}, false
	}
	rec := record{start: c.pos, lines: 1}
	switch {
	case rest[0] == '\n' || rest[0] == '\r':
		rec.kind = blank
		return c.endAt(rec, c.pos)
	case hasPrefix(rest, c.o.Comment):
		rec.kind = comment
		return c.wholeLine(rec)
	case hasPrefix(rest, c.o.Trailer):
		rec.kind = trailer
		return c.wholeLine(rec)
	}
	return c.fieldsOf(rec, f)
}

// wholeLine ends rec, in which quotes mean nothing, with its physical line.
func (c *cursor) wholeLine(rec record) (record, bool) {
	end, found := lineEnd(c.data[:min(len(c.data), rec.start+c.o.MaxRecord+1)], rec.start)
	switch {
	case found || c.eof && end == len(c.data):
		return c.endAt(rec, end)
	case end-rec.start > c.o.MaxRecord:
		rec.kind, rec.reason = row, RecordTooLong
		return c.resync(rec, end)
	}
	return rec, false
}

// fieldsOf walks the fields of rec.
func (c *cursor) fieldsOf(rec record, f *fields) (record, bool) {
	for p := rec.start; ; p++ {
		end, ok := c.field(p, &rec, f)
		if !ok {
			return rec, false
		}
		if rec.reason == "" && end-rec.start > c.o.MaxRecord {
			rec.reason, end = RecordTooLong, rec.start+c.o.MaxRecord
		}
		if rec.reason != "" {
			return c.resync(rec, end)
		}
		if p = end; p == len(c.data) || c.data[p] != c.o.Delimiter {
			return c.endAt(rec, p)
		}
	}
}

// endAt ends rec at the line end, or the end of the input, at p.
func (c *cursor) endAt(rec record, p int) (record, bool) {
	rec.end, rec.next = p, p
	if p < len(c.data) {
		if c.data[p] == '\r' && p+1 == len(c.data) && !c.eof {
			return rec, false // an LF may follow
		}
		rec.next += lineEndLen(c.data, p)
	}
	rec.lines = 1 + lineEnds(c.data, rec.start, rec.end)
	return rec, true
}

// resync ends a bad record with the physical line that p is on.
func (c *cursor) resync(rec record, p int) (record, bool) {
	rec.badLine = lineEnds(c.data, rec.start, p)
	end, found := lineEnd(c.data, p)
	if !found && !c.eof {
		rec.end, rec.next, rec.open = end, end, true
		rec.lines = 1 + rec.badLine
		return rec, end-rec.start > c.o.MaxRecord
	}
	return c.endAt(rec, end)
}

// lineEnd returns the first line end of data at or after p. It looks at a
// little at a time, so that a text with one kind of line end is not searched
// to its end for the other.
func lineEnd(data []byte, p int) (end int, found bool) {
	for ; p < len(data); p += window {
		w := data[p:min(len(data), p+window)]
		if i := bytes.IndexByte(w, '\n'); i >= 0 {
			w, end, found = w[:i], p+i, true
		}
		if i := bytes.IndexByte(w, '\r'); i >= 0 {
			end, found = p+i, true
		}
		if found {
			return end, true
		}
	}
	return len(data), false
}

const window = 256

// lineEndLen returns the length of the line end at p.
func lineEndLen(data []byte, p int) int {
	if data[p] == '\r' && p+1 < len(data) && data[p+1] == '\n' {
		return 2
	}
	return 1
}

// lineEnds counts the line ends that begin in data[from:to]; an LF after a CR
// belongs to it.
func lineEnds(data []byte, from, to int) int64 {
	n := bytes.Count(data[from:to], []byte{'\n'})
	for i := from; i < to; i++ {
		j := bytes.IndexByte(data[i:to], '\r')
		if j < 0 {
			break
		}
		if i += j; i+1 >= len(data) || data[i+1] != '\n' {
			n++
		}
	}
	return int64(n)
}
