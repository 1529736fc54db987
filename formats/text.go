package formats

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"concord/formats/dialect"
)

// Text is the text of one file for readers of other records than calls:
// unpacked, as UTF-8, within the limits, and hashed as received.
type Text struct {
	*bufio.Reader
	Packed string // gzip, zstd or nothing
	job    *job
	stream *stream
}

// OpenText looks at the head of a file and refuses what is no text, with a
// *FileError. The caller closes the Text, and the input after it.
func OpenText(in Input, limits dialect.Limits) (*Text, error) {
	opts := &Options{Limits: limits.Or(dialect.DefaultLimits())}
	j := &job{Input: in, opts: opts}
	if in.Size == 0 {
		return nil, j.emptyf(true, "it is empty")
	}
	s, err := openStream(j)
	if err != nil {
		return nil, err
	}
	t := &Text{Packed: s.packed, job: j, stream: s}
	if t.Reader, _, err = decodeText(s.out, ""); err == nil {
		err = t.look()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return t, nil
}

// look refuses what has bytes that no text has.
func (t *Text) look() error {
	head, err := t.Peek(peekSize)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.HasPrefix(head, magicZip):
		return t.job.errorf("unpack it, or pack it with gzip", "it is a zip")
	case bytes.IndexByte(head, 0) >= 0:
		return t.job.errorf("ask for CSV, JSON or Parquet; UTF-16 needs a byte order mark", "it holds NUL bytes: it is not text")
	case len(bytes.TrimLeft(head, " \t\r\n")) == 0:
		return t.job.emptyf(t.Packed == "", "it holds blank lines only")
	}
	return nil
}

// IsJSON reports whether the text begins like JSON.
func (t *Text) IsJSON() bool {
	head, _ := t.Peek(peekSize)
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && looksLikeJSON(head)
}

// Delimiter returns the character that most likely parts the fields of a row.
func (t *Text) Delimiter() byte {
	head, _ := t.Peek(peekSize)
	return likelyDelimiter(head, lineRulesOf(nil))
}

// Finish reads what no one asked for and returns the SHA-256 of the file in
// hexadecimal.
func (t *Text) Finish() (string, error) { return t.stream.finish() }

// Close releases what is held.
func (t *Text) Close() { t.stream.close() }

// JSONRows walks the JSON of Microsoft Graph: the elements of value arrays,
// page after page, or objects alone, behind each other, a line each or in an
// array. It holds one of them at a time, of at most the limit of a record.
type JSONRows struct{ pages *pageReader }

// JSONRows begins to read. Hint tells a person what to export, when the file is
// something else.
func (t *Text) JSONRows(hint string) *JSONRows {
	p := newPageReader(t.job, t.Reader)
	p.hint = hint
	return &JSONRows{p}
}

// Next returns the next row, which is the caller's to keep, then io.EOF.
func (r *JSONRows) Next() (json.RawMessage, error) { return r.pages.next() }

// More reports whether the last page read says that another follows.
func (r *JSONRows) More() bool { return r.pages.more }

// HasKey reports whether raw is an object with the property.
func HasKey(raw json.RawMessage, key string) bool { return slices.Contains(keysOf(raw), key) }
