package pgp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Opener decrypts messages to us.
type Opener struct {
	Ours   *Private
	Theirs *Public // who may have signed; nil: signatures are not checked
	Signed bool    // a message without a good signature of theirs is refused
	Most   int64   // bytes that a content may have
	Now    time.Time
}

// Opened is what is known of a message that was read to its end.
type Opened struct {
	SignedBy  string // the fingerprint of whose signature is good; empty: nobody's was checked
	HasSigned bool   // there is a signature
}

// Open decrypts a message into w. What is there is the content only when there is
// no error.
func (o *Opener) Open(w io.Writer, r io.Reader) (Opened, error) {
	src := &source{r: r}
	found, err := o.open(w, src)
	if src.failed != nil {
		return Opened{}, fmt.Errorf("read the message: %w", src.failed)
	}
	if err != nil {
		return Opened{}, err
	}
	return found, nil
}

func (o *Opener) open(w io.Writer, src io.Reader) (Opened, error) {
	body, lines, err := dearmor(bufio.NewReaderSize(src, 64<<10))
	if err != nil {
		return Opened{}, err
	}
	f := &frames{r: body}
	most := o.Most + 1<<20 // of what is packed, around the content
	c := settings(o.Now)
	c.MaxDecompressedMessageSize = &most
	md, err := openpgp.ReadMessage(f, o.keys(), nil, c)
	if err != nil {
		return Opened{}, o.why(err, f, lines)
	}
	if !md.IsEncrypted {
		return Opened{}, fault("it is signed or packed and not encrypted; encrypt it to the key %s", o.ours())
	}
	if err := o.copy(w, md.UnverifiedBody); err != nil {
		return Opened{}, o.why(err, f, lines)
	}
	if err := ended(lines); err != nil {
		return Opened{}, err
	}
	return o.signature(md)
}

func (o *Opener) keys() openpgp.EntityList {
	if o.Theirs == nil {
		return o.Ours.keys
	}
	return slices.Concat(o.Ours.keys, o.Theirs.keys)
}

func (o *Opener) ours() string { return strings.Join(o.Ours.Fingerprints(), " or ") }

// writeError is one of the writer of a content.
type writeError struct{ error }

// copy copies a content to its end, where the library checks that nothing was
// changed.
func (o *Opener) copy(w io.Writer, r io.Reader) error {
	buf := make([]byte, 64<<10)
	for total := int64(0); ; {
		n, err := r.Read(buf)
		if total += int64(n); total > o.Most {
			return fault("it unpacks to more than the %d bytes that are allowed; send the content in several files", o.Most)
		}
		if _, werr := w.Write(buf[:n]); werr != nil {
			return writeError{werr}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// ended checks that there is one message and nothing behind it.
func ended(lines *armored) error {
	if lines == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		return err
	}
	switch {
	case !lines.ended:
		return errEnd
	case lines.more:
		return fault("there is something behind the end of the PGP message; send one message, and nothing else, in each file")
	}
	return nil
}

// why says what an error of the library means for the sender. The library tells
// little of what it decrypted, so that nobody learns from it how to.
func (o *Opener) why(err error, f *frames, lines *armored) error {
	var own *Fault
	var failed writeError
	switch {
	case errors.As(err, &failed):
		return failed.error
	case errors.As(err, &own):
		return own
	case errors.Is(err, pgperrors.ErrKeyIncorrect):
		return fault("it is not encrypted to our key; encrypt it to %s", o.ours())
	case strings.Contains(err.Error(), "not integrity protected"):
		return fault("its encryption does not protect it from changes; use a program of today, such as gpg 2.2 or later, without --disable-mdc")
	}
	_, _ = io.Copy(io.Discard, f) // an error of the source is looked at anyway
	if lines != nil {
		_, _ = io.Copy(io.Discard, lines)
	}
	if f.any && !Looks([]byte{f.begun}) {
		return fault("it is no PGP message that is encrypted; encrypt it to the key %s, or send it under a name without the ending", o.ours())
	}
	if !f.whole() || lines != nil && !lines.ended {
		return errEnd
	}
	return fault("the PGP message was changed or damaged on the way, and nothing of it is taken; send it again")
}

// signature judges who signed, once all was read.
func (o *Opener) signature(md *openpgp.MessageDetails) (Opened, error) {
	found := Opened{HasSigned: md.IsSigned}
	if !md.IsSigned {
		if o.Signed {
			return found, fault("it is not signed, as is agreed upon; sign it with the key %s", o.theirs())
		}
		return found, nil
	}
	good, known := md.IsVerified && md.SignatureError == nil && md.SignedBy != nil, false
	for _, c := range md.SignatureCandidates {
		known = known || c.SignedByEntity != nil && o.isTheirs(c.SignedByEntity)
	}
	switch {
	case good && o.isTheirs(md.SignedBy.Entity):
		found.SignedBy = fingerprint(md.SignedBy.Entity)
		return found, nil
	case known:
		return found, fault("its signature is not good: %s; sign it anew with the key %s", signatureWhy(md.SignatureError), o.theirs())
	case o.Signed:
		return found, fault("it is signed with a key that is not agreed upon; sign it with the key %s, or send us the new one", o.theirs())
	}
	return found, nil
}

func (o *Opener) isTheirs(e *openpgp.Entity) bool {
	return o.Theirs != nil && slices.Contains(o.Theirs.Fingerprints(), fingerprint(e))
}

func (o *Opener) theirs() string {
	if o.Theirs == nil {
		return "that is agreed upon"
	}
	return strings.Join(o.Theirs.Fingerprints(), " or ")
}

// signatureWhy says what is wrong with a signature.
func signatureWhy(err error) string {
	switch {
	case err == nil:
		return "it does not count"
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return "its key had expired"
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return "it has expired, or is of the future: look at the clock"
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return "its key was revoked"
	}
	return "it is not one of this content by that key"
}
