package pgp

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

const (
	beginLine   = "-----BEGIN PGP "
	endLine     = "-----END PGP "
	messageType = "PGP MESSAGE"
)

// armored follows the lines of a text, and so knows whether its armor ends, and
// whether something stands behind it. It passes on all that it reads.
type armored struct {
	r     io.Reader
	line  []byte // the beginning of the one that is being read
	ended bool
	more  bool // there is something behind the end
}

const longestMark = 64

// Read implements io.Reader.
func (a *armored) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	for b := p[:n]; len(b) > 0; {
		i := bytes.IndexByte(b, '\n')
		part := b
		if i >= 0 {
			part = b[:i]
		}
		a.line = append(a.line, part[:min(len(part), longestMark-len(a.line))]...)
		if i < 0 {
			break
		}
		a.over()
		b = b[i+1:]
	}
	if err == io.EOF {
		a.over()
	}
	return n, err
}

func (a *armored) over() {
	line := strings.TrimSpace(string(a.line))
	a.line = a.line[:0]
	if a.ended && line != "" {
		a.more = true
	}
	if strings.HasPrefix(line, endLine) {
		a.ended = true
	}
}

// dearmor returns the bytes of a message, and what follows its lines; nil: it is
// in binary.
func dearmor(r *bufio.Reader) (io.Reader, *armored, error) {
	head, err := r.Peek(len(beginLine))
	if len(head) == 0 && err == io.EOF {
		return nil, nil, &Fault{Reason: "it is empty, and no PGP message; with nothing to report, encrypt an empty file", Incomplete: true}
	}
	if !strings.HasPrefix(beginLine, string(head)) {
		return r, nil, nil
	}
	a := &armored{r: r}
	block, err := armor.Decode(a)
	switch {
	case err != nil && !a.ended:
		return nil, nil, errEnd
	case err != nil:
		return nil, nil, fault("its armor cannot be read: make it with gpg --armor, or send the message in binary")
	case block.Type != messageType:
		return nil, nil, fault("it holds a PGP block of another kind than a message, such as a key or text that was signed only; encrypt the file")
	}
	return block.Body, a, nil
}
