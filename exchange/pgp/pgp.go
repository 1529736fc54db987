// Package pgp decrypts what carriers send with OpenPGP, checks who signed it, and
// encrypts what goes to them, as gpg does.
//
// A message is read as a stream in bounded memory. What is written out is nothing
// until Open returns without an error: only the end of a message tells that none
// of it was changed. An error that is the sender's is a *Fault and says what to
// do; any other one is about reading or writing. A content has a bound of its
// own, since a few bytes may be made to unpack into endless ones.
//
// A hostile message may make the library take memory beyond any bound here, or
// end the process: whoever reads what others send does so in a child process.
package pgp

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Ending is that of the names of what is encrypted here.
const Ending = ".pgp"

// ContentName returns what a file was called before it was encrypted, and
// whether its name says that it is.
func ContentName(name string) (content string, encrypted bool) {
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case Ending, ".gpg", ".asc":
		return strings.TrimSuffix(name, ext), true
	}
	return name, false
}

// Looks reports whether a file that begins like this is an OpenPGP message which
// is encrypted.
func Looks(head []byte) bool {
	if len(head) == 0 {
		return false
	}
	switch head[0] {
	case 0x84, 0x85, 0x86, 0xC1, 0x8C, 0x8D, 0xC3: // a session key, in both formats of packets
		return true
	}
	return strings.HasPrefix(string(head), beginLine)
}

// Fault says why a message cannot be used, in words for its sender.
type Fault struct {
	Reason     string
	Incomplete bool // more bytes may mend it
}

// Error implements error.
func (f *Fault) Error() string { return f.Reason }

func fault(format string, args ...any) error { return &Fault{Reason: fmt.Sprintf(format, args...)} }

// errEnd says that a message is over before its end.
var errEnd error = &Fault{Reason: "the PGP message breaks off: some of it is missing; send the whole file again", Incomplete: true}

// settings are what the library works with: its defaults, which refuse what is
// broken, at a time.
func settings(now time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return now }, DefaultCipher: packet.CipherAES256}
}

// source remembers that reading itself failed, which is no fault of a message.
type source struct {
	r      io.Reader
	failed error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}
