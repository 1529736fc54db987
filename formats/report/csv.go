package report

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"concord/engine"
	"concord/formats/inert"
)

// csvBuffer is how many bytes are gathered before they are written.
const csvBuffer = 256 << 10

// csvFile writes RFC 4180 text with LF line ends. Its cells are appended by
// one goroutine, and hashed and written by another.
type csvFile struct {
	file   *stagedFile
	row    []byte // what is not yet handed over
	full   chan []byte
	free   chan []byte
	done   chan error
	failed atomic.Bool
}

func newCSV(f *stagedFile, cols []column) *csvFile {
	c := &csvFile{file: f, full: make(chan []byte, 2), free: make(chan []byte, 3), done: make(chan error, 1)}
	for range cap(c.free) {
		c.free <- nil
	}
	c.row = <-c.free
	for i, col := range cols {
		c.sep(i)
		c.row = append(c.row, col.name...)
	}
	c.row = append(c.row, '\n')
	go c.drain()
	return c
}

// drain writes until there is no more; after an error it only takes.
func (c *csvFile) drain() {
	var err error
	for b := range c.full {
		if err == nil {
			if _, err = c.file.Write(b); err != nil {
				c.failed.Store(true)
			}
		}
		c.free <- b[:0]
	}
	c.done <- err
}

func (c *csvFile) sep(col int) {
	if col > 0 {
		c.row = append(c.row, ',')
	}
}

func (c *csvFile) end() {
	c.row = append(c.row, '\n')
	if len(c.row) >= csvBuffer {
		c.full <- c.row
		c.row = <-c.free
	}
}

// close hands over the rest and returns the first error of writing.
func (c *csvFile) close() error {
	c.full <- c.row
	close(c.full)
	return <-c.done
}

// appendOutside appends text that came from outside: a spreadsheet must not
// take it for a formula.
func appendOutside(b []byte, s string) []byte {
	return appendQuoted(b, inert.Text(s))
}

// appendQuoted appends text, in quotes where the format needs them.
func appendQuoted(b []byte, s string) []byte {
	if !needsQuotes(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		b = append(append(b, s[:i+1]...), '"')
		s = s[i+1:]
	}
	return append(append(b, s...), '"')
}

func needsQuotes(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '"', ',', '\r', '\n':
			return true
		}
	}
	return false
}

// appendNumber appends a phone number. A plain E.164 number keeps its plus;
// anything else is text from outside.
func appendNumber(b []byte, n engine.Number) []byte {
	if n.E164Digits() != 0 {
		return n.AppendFull(b)
	}
	return appendOutside(b, valid(n.Full()))
}

// appendUTC appends microseconds since 1970 as RFC 3339 with as many decimals
// as needed.
func appendUTC(b []byte, us int64) []byte {
	return time.UnixMicro(us).UTC().AppendFormat(b, time.RFC3339Nano)
}

// appendSeconds appends milliseconds as decimal seconds without trailing
// zeros.
func appendSeconds(b []byte, ms int64) []byte {
	u := uint64(ms)
	if ms < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/1000, 10)
	frac := u % 1000
	if frac == 0 {
		return b
	}
	b = append(b, '.', byte('0'+frac/100))
	if frac %= 100; frac != 0 {
		b = append(b, byte('0'+frac/10))
	}
	if frac %= 10; frac != 0 {
		b = append(b, byte('0'+frac))
	}
	return b
}

// valid returns s as UTF-8.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
