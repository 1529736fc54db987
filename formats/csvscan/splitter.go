package csvscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Row is one record of a chunk. Its fields lie in the chunk and are valid
// until the next row is taken.
type Row struct {
	Fields [][]byte // as many as asked for, unless Reason is set
	Number int64    // from 1
	Line   int64    // its first physical line; of a bad row, the one with the fault
	Reason Reason
}

// Splitter cuts the records of one chunk after the other into fields. It is
// not for several goroutines at once.
type Splitter struct {
	c     cursor
	f     fields
	chunk *Chunk
	want  int
	row   int64
	line  int64
	plain bool
	utf8  bool
}

// Reset makes s cut the records of ch, which must have want fields each. It
// changes the bytes of ch, so that a chunk is cut only once.
func (s *Splitter) Reset(ch *Chunk, want int) {
	if len(s.f.list) != want {
		s.f.list = make([][]byte, want)
	}
	s.chunk, s.want, s.row, s.line = ch, want, ch.FirstRow, ch.FirstLine
	s.c.o = ch.o
	s.c.reset(ch.data, 0, true)
	s.utf8 = utf8.Valid(ch.data)
	s.plain = s.c.plain() && ch.skipped == ""
}

// Next returns the next row; false when there is none left.
func (s *Splitter) Next() (Row, bool) {
	if s.plain {
		s.line += s.c.blankLines()
		if line, ok := s.c.plainLine(); ok {
			splitInto(&s.f, line, s.c.o.Delimiter)
			return s.takePlain(), true
		}
	} else if s.chunk.skipped != "" {
		return s.skipped()
	}
	for {
		s.f.reset()
		rec, plain, ok := s.c.next(&s.f)
		if !ok {
			return Row{}, false
		}
		if rec.kind == row {
			if plain {
				splitInto(&s.f, s.c.data[rec.start:rec.end], s.c.o.Delimiter)
			}
			return s.take(rec), true
		}
		s.line += rec.lines
	}
}

// UTF8 reports whether all of the chunk is UTF-8.
func (s *Splitter) UTF8() bool { return s.utf8 }

// takePlain makes the Row of a plain line and counts it.
func (s *Splitter) takePlain() Row {
	r := Row{Fields: s.f.list, Number: s.row, Line: s.line}
	if s.f.n != s.want {
		r.Reason = s.wrongCount()
	}
	s.row++
	s.line++
	return r
}

func (s *Splitter) wrongCount() Reason {
	if s.f.n < s.want {
		return TooFewFields
	}
	return TooManyFields
}

// skipped returns the one row of a chunk whose bytes were passed over.
func (s *Splitter) skipped() (Row, bool) {
	if s.row > s.chunk.FirstRow {
		return Row{}, false
	}
	s.row++
	return Row{Number: s.chunk.FirstRow, Line: s.chunk.FirstLine, Reason: s.chunk.skipped}, true
}

// take makes the Row of rec and counts it.
func (s *Splitter) take(rec record) Row {
	r := Row{Fields: s.f.list, Number: s.row, Line: s.line, Reason: rec.reason}
	switch {
	case rec.reason != "":
		r.Line += rec.badLine
	case s.f.n != s.want:
		r.Reason = s.wrongCount()
	default:
		s.f.unquote(s.c.o.Quote)
	}
	s.row++
	s.line += rec.lines
	return r
}

const (
	low7 = 0x7f7f7f7f7f7f7f7f
	ones = 0x0101010101010101
)

// splitInto cuts a line without quotes at its delimiters, eight bytes at a
// time.
func splitInto(f *fields, line []byte, delimiter byte) {
	pattern := ones * uint64(delimiter)
	list, n, from, i := f.list, 0, 0, 0
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:]) ^ pattern
		// The high bit of each byte that is a delimiter, exactly.
		for m := ^((x&low7 + low7) | x | low7); m != 0; m &= m - 1 {
			at := i + bits.TrailingZeros64(m)>>3
			if n < len(list) {
				list[n] = line[from:at]
			}
			n++
			from = at + 1
		}
	}
	for ; i < len(line); i++ {
		if line[i] == delimiter {
			if n < len(list) {
				list[n] = line[from:i]
			}
			n++
			from = i + 1
		}
	}
	if n < len(list) {
		list[n] = line[from:]
	}
	f.n = n + 1
}
