package formats

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"concord/formats/csvscan"
	"concord/formats/dialect"
)

// lineRules say how the lines of a file are written.
type lineRules struct {
	dialect.FileRules
	delimiter byte // 0: to be seen from the file
	noHeader  bool
	columns   []string
	trailer   string
}

func lineRulesOf(p *dialect.Profile) lineRules {
	if p == nil {
		return lineRules{}
	}
	return lineRules{
		FileRules: p.Files, delimiter: p.Files.Delimiter,
		noHeader: p.Files.NoHeader, columns: p.Files.Columns, trailer: p.Trailer.Prefix,
	}
}

func (d lineRules) scanOptions(o *Options) csvscan.Options {
	l := &o.Limits
	return csvscan.Options{
		Delimiter: d.delimiter, Quote: d.Quote, NoQuotes: d.NoQuotes, SkipLines: d.SkipLines,
		Comment: d.Comment, Trailer: d.trailer, MaxField: l.Field, MaxRecord: l.Record, ChunkSize: o.chunk,
	}
}

// likelyDelimiter returns the delimiter that the first line holds most often,
// a comma when it holds none.
func likelyDelimiter(head []byte, d lineRules) byte {
	line := firstLine(head, d)
	best, most := byte(','), 0
	for _, c := range []byte(",;\t|") {
		if n := bytes.Count(line, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

// firstLine returns the line that holds the header.
func firstLine(head []byte, d lineRules) []byte {
	line, _ := cutLine(fromHeader(head, d))
	return line
}

// fromHeader returns head from the line on that holds the header.
func fromHeader(head []byte, d lineRules) []byte {
	for i := 0; ; i++ {
		line, rest := cutLine(head)
		skip := i < d.SkipLines || len(line) == 0 || d.Comment != "" && bytes.HasPrefix(line, []byte(d.Comment))
		if !skip || len(rest) == 0 {
			return head
		}
		head = rest
	}
}

// headerEnds reports whether a line end follows the line that holds the header.
func headerEnds(head []byte, d lineRules) bool {
	return bytes.ContainsAny(fromHeader(head, d), "\r\n")
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	return b[:i], bytes.TrimPrefix(b[i+1:], []byte("\n"))
}

// oneColumn says why a header with a single column makes no sense.
func oneColumn(j *job, d lineRules, name string, head []byte) error {
	if c := likelyDelimiter(head, d); c != d.delimiter && bytes.IndexByte(firstLine(head, d), c) >= 0 {
		return j.errorf(fmt.Sprintf("set files.delimiter to %q in the profile", string(c)),
			"only one column was found with the delimiter %q; the header looks like it is delimited by %q", string(d.delimiter), string(c))
	}
	return j.errorf(foundColumns([]string{name}), "only one column was found with the delimiter %q", string(d.delimiter))
}

// foundColumns is a hint that names the columns of a header. A header that
// looks like data is not shown: it may hold telephone numbers.
func foundColumns(names []string) string {
	for _, n := range names {
		if looksLikeData(n) {
			return "its first line looks like data: it needs a header, or a profile with files.header set to false"
		}
	}
	return "the file has the columns " + strings.Join(showNames(names), ", ")
}

// looksLikeData reports whether a column name holds what no name does: four
// digits in a row, seven in all, as numbers that are written in groups have, or
// digits of any script and no letter.
func looksLikeData(name string) bool {
	const inARow, inAll = 4, 7
	run, all, words := 0, 0, false
	for _, c := range name {
		if !unicode.IsDigit(c) {
			run, words = 0, words || unicode.IsLetter(c)
			continue
		}
		run++
		if all++; run == inARow || all == inAll {
			return true
		}
	}
	return all > 0 && !words
}

const (
	shownNames = 40 // columns named in messages
	shownName  = 40 // characters of each
)

// showNames makes names fit for a message: short, printable, not too many,
// and without anything that looks like a number of somebody.
func showNames(names []string) []string {
	var shown []string
	for i, n := range names {
		if i == shownNames {
			return append(shown, fmt.Sprintf("and %d more", len(names)-i))
		}
		shown = append(shown, showName(n, i))
	}
	return shown
}

func showName(name string, i int) string {
	if looksLikeData(name) || !utf8.ValidString(name) {
		return fmt.Sprintf("(column %d)", i+1)
	}
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	if r := []rune(name); len(r) > shownName {
		name = string(r[:shownName]) + "…"
	}
	return name
}
