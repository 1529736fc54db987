package csvscan

import "bytes"

// fields collects the fields of one record, up to a number of them; beyond it
// they are only counted.
type fields struct {
	list    [][]byte
	n       int
	doubled []int // fields that hold doubled quotes
}

func (f *fields) reset() { f.n, f.doubled = 0, f.doubled[:0] }

func (f *fields) add(b []byte, doubled bool) {
	if f == nil {
		return
	}
	if f.n < len(f.list) {
		f.list[f.n] = b
		if doubled {
			f.doubled = append(f.doubled, f.n)
		}
	}
	f.n++
}

// unquote takes one of each doubled quote out of the fields, in place. It
// comes last: until then the bytes of the record are needed as they are.
func (f *fields) unquote(quote byte) {
	for _, i := range f.doubled {
		f.list[i] = halve(f.list[i], quote)
	}
}

func halve(b []byte, quote byte) []byte {
	w := 0
	for i := 0; i < len(b); i++ {
		b[w] = b[i]
		w++
		if b[i] == quote {
			i++
		}
	}
	return b[:w]
}

// field walks the field at p and returns where it ends: at a delimiter, a line
// end, or the end of the input. When the field is bad it sets the reason and
// returns where that was seen. It reports false when more data is needed.
func (c *cursor) field(p int, rec *record, f *fields) (end int, ok bool) {
	if p < len(c.data) && c.isQuote(c.data[p]) {
		return c.quotedField(p, rec, f)
	}
	stop := min(len(c.data), p+c.o.MaxField+1, rec.start+c.o.MaxRecord+1)
	for q := p; q < stop; q++ {
		switch b := c.data[q]; {
		case b == c.o.Delimiter || b == '\n' || b == '\r':
			f.add(c.data[p:q], false)
			return q, true
		case c.isQuote(b):
			rec.reason = StrayQuote
			return q, true
		}
	}
	switch {
	case stop-p > c.o.MaxField:
		rec.reason = FieldTooLong
	case stop-rec.start <= c.o.MaxRecord && !c.eof:
		return 0, false
	}
	f.add(c.data[p:stop], false)
	return stop, true
}

// quotedField is field for one that begins with a quote.
func (c *cursor) quotedField(p int, rec *record, f *fields) (end int, ok bool) {
	q, doubled, ok := c.closing(p)
	if !ok {
		return 0, false
	}
	if q < 0 {
		rec.reason = Unclosed
		return p, true
	}
	end = q + 1
	if end < len(c.data) && !c.endsField(c.data[end]) {
		rec.reason = StrayQuote
		return end, true
	}
	f.add(c.data[p+1:q], doubled)
	return end, true
}

func (c *cursor) isQuote(b byte) bool { return c.quotes && b == c.o.Quote }

func (c *cursor) endsField(b byte) bool {
	return b == c.o.Delimiter || b == '\n' || b == '\r'
}

// closing finds the quote that closes the one at p: -1 when there is none
// within the limit. It reports false when more data is needed to tell.
func (c *cursor) closing(p int) (q int, doubled, ok bool) {
	stop := min(len(c.data), p+2+c.o.MaxField)
	for i := p + 1; i < stop; {
		j := bytes.IndexByte(c.data[i:stop], c.o.Quote)
		if j < 0 {
			break
		}
		j += i
		if j+1 == len(c.data) {
			return j, doubled, c.eof
		}
		if c.data[j+1] != c.o.Quote {
			return j, doubled, true
		}
		doubled, i = true, j+2
	}
	return -1, false, c.eof || stop < len(c.data) || stop == p+2+c.o.MaxField
}
