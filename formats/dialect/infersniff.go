package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const (
	maxSample     = 4 << 20 // bytes of a sample that are looked at
	maxSampleRows = 500
	maxSampleCols = 1000
)

// sample is the head of a file, cut into fields.
type sample struct {
	encoding string // empty: UTF-8
	delim    byte
	comment  string
	header   []string // empty: none
	rows     [][]string
	odd      []string // lines with another number of fields
	doubts   []string
}

func (s *sample) doubt(format string, args ...any) {
	s.doubts = append(s.doubts, fmt.Sprintf(format, args...))
}

// sniff finds out how a file is laid out.
func sniff(data []byte) (*sample, error) {
	data, err := unpacked(data)
	if err != nil {
		return nil, err
	}
	s := &sample{}
	text, err := s.decode(data)
	if err != nil {
		return nil, err
	}
	if t := strings.TrimSpace(text); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
		return nil, errors.New("it is JSON: Microsoft's feeds need no profile, and a carrier's file must be CSV or Parquet")
	}
	lines := s.lines(text)
	if len(lines) == 0 {
		return nil, errors.New("the sample has no rows")
	}
	if s.delim = likeliest(lines); s.delim == 0 {
		return nil, errors.New("no delimiter cuts the lines into the same number of fields; write the profile by hand")
	}
	s.cut(lines)
	if len(s.rows) > 0 && looksLikeHeader(s.rows[0]) {
		s.header, s.rows = s.rows[0], s.rows[1:]
	} else {
		s.doubt("files.header: no line of names was found, so the columns have made-up names; rename them")
	}
	return s, nil
}

// unpacked decompresses the head of a packed file.
func unpacked(data []byte) ([]byte, error) {
	var r io.Reader
	switch {
	case bytes.HasPrefix(data, []byte("PAR1")):
		return nil, errors.New("a Parquet file names and types its columns itself; write the profile by hand with format: parquet and the names of its columns")
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, errors.New("a zip or a workbook is no text file; unpack it, or export it as CSV")
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, errors.New("the gzip header is broken; send the file again")
		}
		r = z
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, errors.New("the zstd header is broken; send the file again")
		}
		defer z.Close()
		r = z
	default:
		return data[:min(len(data), maxSample)], nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxSample))
	if len(out) == 0 && err != nil {
		return nil, errors.New("the sample cannot be decompressed; send the file again")
	}
	return out, nil // a sample may end in the middle of a packed file
}

// decode returns the sample as UTF-8.
func (s *sample) decode(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		if err != nil {
			return "", errors.New("the sample is not the UTF-16 that its first bytes say")
		}
		return string(out), nil
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errors.New("the sample holds NUL bytes, so it is no text file")
	}
	if validHead(data) {
		return string(data), nil
	}
	s.encoding = "windows-1252"
	s.doubt("files.encoding: the file is not UTF-8; windows-1252 is likely")
	out, err := charmap.Windows1252.NewDecoder().Bytes(data)
	return string(out), err
}

// validHead reports whether data is UTF-8, but for a letter cut at its end.
func validHead(data []byte) bool {
	for cut := range min(utf8.UTFMax, len(data)+1) {
		if utf8.Valid(data[:len(data)-cut]) {
			return true
		}
	}
	return false
}

// lines cuts the sample into its first lines, less comments and the last one
// when it may not be whole.
func (s *sample) lines(text string) []string {
	whole := strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\r") || len(text) < maxSample
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	all := strings.Split(text, "\n")
	if !whole && len(all) > 1 {
		all = all[:len(all)-1]
	}
	var lines []string
	for _, l := range all {
		switch {
		case strings.TrimSpace(l) == "":
		case strings.HasPrefix(l, "#"):
			s.comment = "#"
		case len(lines) < maxSampleRows:
			lines = append(lines, l)
		}
	}
	return lines
}

// likeliest returns the delimiter that cuts most lines into the same number
// of fields, then into the most fields; 0 when none does.
func likeliest(lines []string) byte {
	var best byte
	most, widest := 0, 0
	for _, d := range []byte{',', ';', '\t', '|'} {
		width, n := usualWidth(lines, d)
		if width > 1 && (n > most || n == most && width > widest) {
			best, most, widest = d, n, width
		}
	}
	if most*2 < len(lines) {
		return 0
	}
	return best
}

// usualWidth returns the most frequent number of fields, and how many lines
// have it.
func usualWidth(lines []string, delim byte) (width, count int) {
	counts := make(map[int]int)
	for _, l := range lines {
		n := len(splitLine(l, delim))
		counts[n]++
		if counts[n] > count || counts[n] == count && n > width {
			width, count = n, counts[n]
		}
	}
	return width, count
}

// splitLine cuts a line at its delimiters outside quotes.
func splitLine(l string, delim byte) []string {
	var fields []string
	var field strings.Builder
	quoted := false
	for i := 0; i < len(l); i++ {
		switch ch := l[i]; {
		case ch == '"' && quoted && i+1 < len(l) && l[i+1] == '"':
			field.WriteByte('"')
			i++
		case ch == '"':
			quoted = !quoted
		case ch == delim && !quoted && len(fields) < maxSampleCols:
			fields = append(fields, strings.TrimSpace(field.String()))
			field.Reset()
		default:
			field.WriteByte(ch)
		}
	}
	return append(fields, strings.TrimSpace(field.String()))
}

// cut fills the rows.
func (s *sample) cut(lines []string) {
	width, _ := usualWidth(lines, s.delim)
	for _, l := range lines {
		if f := splitLine(l, s.delim); len(f) == width {
			s.rows = append(s.rows, f)
		} else {
			s.odd = append(s.odd, l)
		}
	}
}

// looksLikeHeader reports whether a row holds names and no values.
func looksLikeHeader(row []string) bool {
	seen := make(map[string]bool)
	named := 0
	for _, f := range row {
		if f == "" || seen[f] || strings.Trim(f, "+0123456789.,:/-* ") == "" || looksLikeTime(f) {
			return false
		}
		seen[f] = true
		if fieldByName(f) != "" {
			named++
		}
	}
	return named > 0 || len(row) > 1
}

func looksLikeTime(s string) bool {
	for _, l := range inferLayouts() {
		c := compileLayout(l)
		r := timeReader{layouts: []timeLayout{c}, zone: newZoneClock(utc())}
		if _, _, reason := r.read([]byte(s)); reason == "" && !c.isEpoch() {
			return true
		}
	}
	return false
}
