package formats

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"concord/engine"
)

// The first bytes of the formats that are told by them.
var (
	magicGzip    = []byte{0x1f, 0x8b}
	magicZstd    = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicZip     = []byte("PK\x03\x04")
	magicNoZip   = []byte("PK\x05\x06") // a zip without any file
	magicParquet = []byte("PAR1")
	magicSheet   = []byte{0xd0, 0xcf, 0x11, 0xe0} // an old Excel file
)

// openFile opens a reader for a file by what it holds, not by its name.
func openFile(ctx context.Context, j *job) (fileReader, error) {
	if j.Size == 0 {
		return nil, j.emptyf(true, "it is empty")
	}
	head, err := j.head()
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, magicParquet):
		return openParquet(ctx, j)
	case bytes.HasPrefix(head, magicZip), bytes.HasPrefix(head, magicNoZip):
		return openZip(ctx, j)
	case bytes.HasPrefix(head, magicSheet), bytes.HasPrefix(head, []byte("%PDF")):
		return nil, j.errorf("export it as CSV or Parquet", "it is a document and not a file of records")
	}
	if p := j.opts.Profile; p != nil && p.Files.Format == "parquet" {
		return nil, notParquet(j, head)
	}
	s, err := openStream(j)
	if err != nil {
		return nil, err
	}
	r, err := openText(j, s)
	if err != nil {
		s.close()
		return nil, err
	}
	return r, nil
}

// notParquet is the error of another file than the profile says.
func notParquet(j *job, head []byte) error {
	err := j.errorf("correct files.format in the profile, or ask for Parquet", "it is not a Parquet file")
	if bytes.HasPrefix(magicParquet, head) {
		return incomplete(err)
	}
	return err
}

// head returns the first bytes of the file as received.
func (j *job) head() ([]byte, error) {
	b := make([]byte, min(8, j.Size))
	n, err := j.R.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", j.Name, err)
	}
	return b[:n], nil
}

// feeds reports whether the file may be one of Microsoft's own: those of its
// side are, unless the profile names columns of its own.
func (j *job) feeds() bool {
	return j.side == engine.Microsoft && (j.opts.Profile == nil || j.opts.Profile.CanonicalColumns())
}

// openText opens the text in s: one of Microsoft's JSON feeds, or lines.
func openText(j *job, s *stream) (fileReader, error) {
	encoding := ""
	if j.opts.Profile != nil {
		encoding = j.opts.Profile.Files.Encoding
	}
	text, name, err := decodeText(s.out, encoding)
	if err != nil {
		return nil, err
	}
	head, err := text.Peek(peekSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	more := s.packed == "" && len(head) < peekSize // than was sent, if the file is a first part
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, j.errorf("ask for CSV or Parquet; UTF-16 needs a byte order mark", "it holds NUL bytes: it is not text")
	}
	first := bytes.TrimLeft(head, " \t\r\n")
	if len(first) == 0 {
		return nil, j.emptyf(more, "it has no header: it holds blank lines only")
	}
	switch {
	case j.feeds() && (first[0] == '{' || first[0] == '['):
		return openGraph(j, s, text)
	case looksLikeJSON(first):
		err := j.errorf("export it as CSV or Parquet", "it is JSON")
		if more && len(first) == 1 {
			return nil, incomplete(err)
		}
		return nil, err
	case first[0] == '<':
		return nil, j.errorf("export it as CSV or Parquet", "it is HTML or XML")
	}
	c, err := openCSV(j, s, text, head, name)
	if err != nil && more && !headerEnds(head, lineRulesOf(j.opts.Profile)) {
		return nil, incomplete(err)
	}
	return c, err
}

// looksLikeJSON reports whether text begins like a JSON object or array, and
// not like a column name in brackets.
func looksLikeJSON(text []byte) bool {
	if text[0] != '{' && text[0] != '[' {
		return false
	}
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(rest) == 0 || bytes.IndexByte([]byte(`{["]}`), rest[0]) >= 0
}
