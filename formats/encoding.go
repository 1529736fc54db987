package formats

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"concord/formats/dialect"
)

// decodeText returns r as UTF-8 without a byte order mark, and the name of the
// encoding when it is another one. A byte order mark wins over the name.
func decodeText(r *bufio.Reader, name string) (*bufio.Reader, string, error) {
	head, err := r.Peek(3)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		_, err := r.Discard(3)
		return r, "", err
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return transcode(r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)), "utf-16", nil
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return transcode(r, unicode.UTF16(unicode.BigEndian, unicode.UseBOM)), "utf-16", nil
	}
	e, err := dialect.Charset(name)
	if err != nil || e == nil {
		return r, "", err
	}
	if cm, ok := e.(*charmap.Charmap); ok {
		return bufio.NewReaderSize(newCharmapReader(r, cm), peekSize), strings.ToLower(name), nil
	}
	return transcode(r, e), strings.ToLower(name), nil
}

func transcode(r io.Reader, e encoding.Encoding) *bufio.Reader {
	return bufio.NewReaderSize(e.NewDecoder().Reader(r), peekSize)
}

// charmapReader turns text of one byte a character into UTF-8.
type charmapReader struct {
	r     io.Reader
	table [256]string
	in    []byte
	held  []byte // of in, not decoded yet
	rest  string // of a character that did not fit
	err   error
}

func newCharmapReader(r io.Reader, cm *charmap.Charmap) *charmapReader {
	c := &charmapReader{r: r, in: make([]byte, peekSize)}
	for i := range c.table {
		c.table[i] = string(cm.DecodeByte(byte(i)))
	}
	return c
}

func (c *charmapReader) Read(p []byte) (n int, err error) {
	if c.rest != "" {
		n = copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	for len(c.held) == 0 && c.err == nil {
		n, c.err = c.r.Read(c.in)
		c.held = c.in[:n]
	}
	if len(c.held) == 0 {
		return 0, c.err
	}
	n = 0
	for len(c.held) > 0 && n < len(p) && c.rest == "" {
		if b := c.held[0]; b < 0x80 {
			p[n] = b
			n++
		} else {
			k := copy(p[n:], c.table[b])
			c.rest = c.table[b][k:]
			n += k
		}
		c.held = c.held[1:]
	}
	return n, nil
}
