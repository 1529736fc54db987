package xlsx

import (
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
)

// Layout is what a sheet is besides its cells.
type Layout struct {
	Name    string    // at most 31 characters, none of \ / ? * [ ] :
	Tab     int       // place among the sheets, low numbers first
	Widths  []float64 // of the columns, in characters
	Frozen  int       // rows that stay in view, and are printed on every page
	Keys    int       // the same of columns
	Across  int       // pages on which the columns are printed; 0: one
	Rows    int       // how many there may be; 0: MaxRows
	Upright bool      // printed in portrait
}

// Sheet is a sheet being written. Row begins a row; the cells follow from left
// to right.
type Sheet struct {
	Cut int64 // texts that were longer than a cell may be

	book   *Book
	layout Layout
	pipe   *pipe
	buf    []byte
	number int // in the file, from 1
	row    int
	col    int
	digits [7]byte // of row
	width  int     // of digits
	bytes  int64   // handed over
	filter string  // range with buttons to filter by
	merged []string
}

func newSheet(b *Book, l Layout, w io.Writer) *Sheet {
	s := &Sheet{book: b, layout: l, number: len(b.sheets) + 1, pipe: newPipe(w)}
	s.buf = <-s.pipe.free
	s.head()
	return s
}

// Rows returns how many rows there are.
func (s *Sheet) Rows() int { return s.row }

// Columns returns how many columns have a width.
func (s *Sheet) Columns() int { return len(s.layout.Widths) }

// Full reports whether no more than reserve rows have room.
func (s *Sheet) Full(reserve int) bool {
	most := s.layout.Rows
	if most == 0 {
		most = MaxRows
	}
	return s.row+reserve >= most || s.bytes+int64(len(s.buf)) > maxSheetBytes
}

// Row begins the next row.
func (s *Sheet) Row() { s.Tall(1) }

// rowHeight is that of one line, in points.
const rowHeight = 15

// Tall begins the next row, which shows so many lines.
func (s *Sheet) Tall(lines int) {
	if s.row > 0 {
		s.buf = append(s.buf, "</row>"...)
	}
	if len(s.buf) >= pipeBuffer {
		s.flush()
	}
	s.row++
	s.col = 0
	s.width = len(strconv.AppendInt(s.digits[:0], int64(s.row), 10))
	s.buf = append(s.buf, `<row r="`...)
	s.buf = append(s.buf, s.digits[:s.width]...)
	if lines > 1 {
		s.buf = fmt.Appendf(s.buf, `" ht="%d" customHeight="1`, lines*rowHeight)
	}
	s.buf = append(s.buf, '"', '>')
}

func (s *Sheet) flush() {
	s.bytes += int64(len(s.buf))
	s.buf = s.pipe.swap(s.buf)
}

// Failed reports whether writing has; Close returns the error.
func (s *Sheet) Failed() bool { return s.pipe.failed.Load() }

// begin writes a cell's beginning up to its style.
func (s *Sheet) begin(style Style) {
	s.buf = append(s.buf, `<c r="`...)
	s.buf = appendColumn(s.buf, s.col)
	s.buf = append(s.buf, s.digits[:s.width]...)
	s.buf = append(s.buf, `" s="`...)
	s.buf = strconv.AppendUint(s.buf, uint64(style), 10)
	s.col++
}

// appendColumn appends the letters of a column, A for 0.
func appendColumn(b []byte, col int) []byte {
	if col < 26 {
		return append(b, byte('A'+col))
	}
	return append(appendColumn(b, col/26-1), byte('A'+col%26))
}

// Skip leaves a cell without anything.
func (s *Sheet) Skip() { s.col++ }

// Empty leaves a cell empty, but with a style.
func (s *Sheet) Empty(style Style) {
	s.begin(style)
	s.buf = append(s.buf, `"/>`...)
}

// maxExact is the first whole number that a spreadsheet does not show with
// all its digits.
const maxExact = 1_000_000_000_000_000

// Int writes a whole number; one that a spreadsheet would round as text.
func (s *Sheet) Int(style Style, v int64) {
	if v >= maxExact || v <= -maxExact {
		s.Text(style, strconv.FormatInt(v, 10))
		return
	}
	s.begin(style)
	s.buf = append(s.buf, `"><v>`...)
	s.buf = strconv.AppendInt(s.buf, v, 10)
	s.buf = append(s.buf, `</v></c>`...)
}

// Float writes a number of at most 15 significant digits, as many as a
// spreadsheet keeps.
func (s *Sheet) Float(style Style, v float64) {
	s.begin(style)
	s.buf = append(s.buf, `"><v>`...)
	s.buf = strconv.AppendFloat(s.buf, v, 'g', 15, 64)
	s.buf = append(s.buf, `</v></c>`...)
}

const (
	msPerDay    = 86_400_000
	msPerMinute = 60_000
	usPerDay    = msPerDay * 1000
	daysTo1970  = 25569 // from the day that spreadsheets count from
)

// Time writes a time span in milliseconds as a part of a day. It must not be
// negative: spreadsheets have no negative times.
func (s *Sheet) Time(style Style, ms int64) { s.Float(style, float64(ms)/msPerDay) }

// Minutes writes a time span in milliseconds as decimal minutes.
func (s *Sheet) Minutes(style Style, ms int64) { s.Float(style, float64(ms)/msPerMinute) }

// Seconds writes a time span in milliseconds as decimal seconds.
func (s *Sheet) Seconds(style Style, ms int64) { s.Float(style, float64(ms)/1000) }

// Instant writes a time in microseconds since 1970, UTC. Before 1900 there
// is none in a spreadsheet.
func (s *Sheet) Instant(style Style, us int64) {
	s.Float(style, float64(us+daysTo1970*usPerDay)/usPerDay)
}

// Shared writes a text that occurs in many cells.
func (s *Sheet) Shared(style Style, text string) {
	if text == "" {
		s.Empty(style)
		return
	}
	n, ok := s.book.share(text)
	if !ok {
		s.Text(style, text)
		return
	}
	s.begin(style)
	s.buf = append(s.buf, `" t="s"><v>`...)
	s.buf = strconv.AppendInt(s.buf, int64(n), 10)
	s.buf = append(s.buf, `</v></c>`...)
}

// Text writes a text, whatever it begins with. What is longer than a cell may
// be ends with words that say so, and is counted in Cut.
func (s *Sheet) Text(style Style, text string) {
	if text == "" {
		s.Empty(style)
		return
	}
	text, cut := fit(text)
	if cut {
		s.Cut++
	}
	s.begin(style)
	s.buf = append(s.buf, `" t="inlineStr"><is>`...)
	s.buf = appendItem(s.buf, text)
	s.buf = append(s.buf, `</is></c>`...)
}

// Merge joins the cells of the current row from the first to the last column,
// counted from 0; only the first holds anything.
func (s *Sheet) Merge(first, last int) {
	s.merged = append(s.merged, s.cells(first, s.row, last, s.row))
}

// Filter gives the rows from header to the current one buttons to filter by
// columns.
func (s *Sheet) Filter(header, columns int) { s.filter = s.cells(0, header, columns-1, s.row) }

// cells names a range.
func (s *Sheet) cells(col, row, lastCol, lastRow int) string {
	b := strconv.AppendInt(appendColumn(nil, col), int64(row), 10)
	return string(strconv.AppendInt(appendColumn(append(b, ':'), lastCol), int64(lastRow), 10))
}

// Close ends the sheet and returns the first error of writing it.
func (s *Sheet) Close() error {
	if s.row > 0 {
		s.buf = append(s.buf, "</row>"...)
	}
	s.tail()
	s.book.open = nil
	return s.pipe.close(s.buf)
}

// pipeBuffer is how many bytes are gathered before they are compressed.
const pipeBuffer = 256 << 10

// pipe takes text to where it is compressed, by a goroutine of its own.
type pipe struct {
	full, free chan []byte
	done       chan error
	failed     atomic.Bool
}

func newPipe(w io.Writer) *pipe {
	p := &pipe{full: make(chan []byte, 2), free: make(chan []byte, 3), done: make(chan error, 1)}
	for range cap(p.free) {
		p.free <- nil
	}
	go p.drain(w)
	return p
}

// drain writes until there is no more; after an error it only takes.
func (p *pipe) drain(w io.Writer) {
	var err error
	for b := range p.full {
		if err == nil {
			if _, err = w.Write(b); err != nil {
				p.failed.Store(true)
			}
		}
		p.free <- b[:0]
	}
	p.done <- err
}

// swap hands a buffer over and returns an empty one.
func (p *pipe) swap(b []byte) []byte {
	p.full <- b
	return <-p.free
}

// close hands over the rest and returns the first error of writing.
func (p *pipe) close(b []byte) error {
	p.full <- b
	close(p.full)
	return <-p.done
}
