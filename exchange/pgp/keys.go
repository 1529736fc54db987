package pgp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Private are our own keys: the first signs, any of them decrypts.
type Private struct{ keys openpgp.EntityList }

// Public are the keys of somebody else: what goes there is encrypted to the
// first, any of them may have signed.
type Public struct{ keys openpgp.EntityList }

// ReadPrivate reads private keys, in binary or in armor, which a passphrase may
// protect. Each must be able to decrypt.
func ReadPrivate(text, passphrase []byte) (*Private, error) {
	list, err := readKeys(text)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.PrivateKey == nil {
			return nil, fmt.Errorf("holds the public key %s; write the private one, as gpg --export-secret-keys does", fingerprint(e))
		}
		if err := unlock(e, passphrase); err != nil {
			return nil, err
		}
		if !decrypts(e) {
			return nil, fmt.Errorf("the key %s has no private part that decrypts; export all of it with gpg --export-secret-keys", fingerprint(e))
		}
	}
	return &Private{list}, nil
}

func unlock(e *openpgp.Entity, passphrase []byte) error {
	if !locked(e) {
		return nil
	}
	if len(passphrase) == 0 {
		return fmt.Errorf("the key %s is protected by a passphrase; give it, too", fingerprint(e))
	}
	if err := e.DecryptPrivateKeys(passphrase); err != nil || locked(e) {
		return fmt.Errorf("the passphrase does not open the key %s", fingerprint(e))
	}
	return nil
}

func locked(e *openpgp.Entity) bool {
	if e.PrivateKey.Encrypted && !e.PrivateKey.Dummy() {
		return true
	}
	return slices.ContainsFunc(e.Subkeys, func(s openpgp.Subkey) bool {
		return s.PrivateKey != nil && s.PrivateKey.Encrypted && !s.PrivateKey.Dummy()
	})
}

// decrypts reports whether a key opens what is encrypted to it, also once it has
// expired.
func decrypts(e *openpgp.Entity) bool {
	return slices.ContainsFunc(e.DecryptionKeys(0, time.Time{}, nil), func(k openpgp.Key) bool {
		return k.PrivateKey != nil && !k.PrivateKey.Dummy()
	})
}

// CanSign returns why the first key signs nothing at a time, or nil.
func (p *Private) CanSign(now time.Time) error {
	k, ok := p.keys[0].SigningKey(now, settings(now))
	if !ok || k.PrivateKey == nil || k.PrivateKey.Dummy() {
		return fmt.Errorf("the key %s does not sign: it has expired, was revoked or is not for signing; name one that does first", fingerprint(p.keys[0]))
	}
	return nil
}

// Fingerprints returns those of the keys.
func (p *Private) Fingerprints() []string { return fingerprints(p.keys) }

// ReadPublic reads public keys, in binary or in armor.
func ReadPublic(text []byte) (*Public, error) {
	list, err := readKeys(text)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.PrivateKey != nil {
			return nil, fmt.Errorf("holds the private key %s, which nobody but its owner should have; ask for the public one, as gpg --export makes it", fingerprint(e))
		}
	}
	return &Public{list}, nil
}

// CanEncrypt returns why nothing can be encrypted to the first key at a time, or
// nil.
func (p *Public) CanEncrypt(now time.Time) error {
	if _, ok := p.keys[0].EncryptionKey(now, settings(now)); !ok {
		return fmt.Errorf("nothing can be encrypted to the key %s: it has expired, was revoked or is not for encryption; ask for a new one", fingerprint(p.keys[0]))
	}
	return nil
}

// Fingerprints returns those of the keys.
func (p *Public) Fingerprints() []string { return fingerprints(p.keys) }

func fingerprints(list openpgp.EntityList) (all []string) {
	for _, e := range list {
		all = append(all, fingerprint(e))
	}
	return all
}

func fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(hex.EncodeToString(e.PrimaryKey.Fingerprint))
}

// readKeys reads keys in whatever form: several blocks of armor may follow each
// other.
func readKeys(text []byte) (list openpgp.EntityList, err error) {
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte(beginLine)) {
		return keysIn(bytes.NewReader(text))
	}
	for _, block := range blocks(text) {
		b, err := armor.Decode(bytes.NewReader(block))
		if err != nil || b.Type != openpgp.PublicKeyType && b.Type != openpgp.PrivateKeyType {
			return nil, errNoKey
		}
		some, err := keysIn(b.Body)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// blocks cuts text where armor begins.
func blocks(text []byte) (list [][]byte) {
	begin := []byte(beginLine)
	for rest := bytes.TrimSpace(text); len(rest) > 0; {
		next := bytes.Index(rest[len(begin):], begin)
		if next < 0 {
			return append(list, rest)
		}
		next += len(begin)
		list, rest = append(list, rest[:next]), rest[next:]
	}
	return list
}

var errNoKey = errors.New("holds no OpenPGP key that can be read; write one as gpg --armor --export, or for our own --export-secret-keys, does")

func keysIn(r io.Reader) (openpgp.EntityList, error) {
	list, err := openpgp.ReadKeyRing(r)
	if err != nil || len(list) == 0 {
		return nil, errNoKey
	}
	return list, nil
}
