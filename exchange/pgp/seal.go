package pgp

import (
	"fmt"
	"io"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Sealer encrypts what goes to somebody.
type Sealer struct {
	To *Public  // to whose first key
	By *Private // who signs; nil: nobody
}

// Seal writes a content to w as a message, in binary. An error leaves half of one.
func (s *Sealer) Seal(w io.Writer, r io.Reader, now time.Time) error {
	if err := s.To.CanEncrypt(now); err != nil {
		return err
	}
	var signers []*openpgp.Entity
	if s.By != nil {
		if err := s.By.CanSign(now); err != nil {
			return err
		}
		signers = s.By.keys[:1]
	}
	enc, err := openpgp.Encrypt(w, s.To.keys[:1], nil, signers, nil, settings(now))
	if err != nil {
		return fmt.Errorf("encrypt to the key %s: %w", fingerprint(s.To.keys[0]), err)
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{enc}, struct{ io.Reader }{r}, make([]byte, 64<<10))
	if err != nil {
		return err // what is there is given up
	}
	return enc.Close()
}
