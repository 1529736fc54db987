// Package atrest keeps files encrypted on disk, in the format of age
// (age-encryption.org/v1), each under the name that it would have in clear.
//
// Keys may be nil: then nothing is encrypted, nothing is looked for, and files
// are written and read as they are. With Keys, what is written is encrypted to
// all recipients, and what is read may be encrypted to any of the identities, or
// still be in clear, from the time before: a file is told by its first lines, and
// one that others have encrypted is a content like any.
// Sizes and offsets are those of the content. A file is read at any place in
// bounded memory, and every byte is authenticated before it is given out.
//
// A File of another key is ErrLocked, one that is not as it was written is
// ErrDamaged; neither is ever taken for an empty or a missing one.
package atrest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

var (
	// ErrLocked says that no identity opens a file.
	ErrLocked = errors.New("is encrypted to a key that is not among the identities; add its identity")
	// ErrDamaged says that a file is not as it was written.
	ErrDamaged = errors.New("is encrypted, and not as it was written")
)

// Given are keys as text. Identities are secret: a Given prints without them,
// and whoever sends one as JSON hands them over.
type Given struct {
	Recipients []string `json:"recipients"` // age1…
	Identities []string `json:"identities"` // AGE-SECRET-KEY-1…
}

// String hides the identities.
func (g Given) String() string { return strings.Join(g.Recipients, " ") }

// GoString hides the identities.
func (g Given) GoString() string { return g.String() }

// Keys encrypt and decrypt. They are safe for concurrent use.
type Keys struct {
	given      Given
	recipients []age.Recipient // with the mark behind them
	identities []age.Identity
	set        string
	cache      *cache
	live       *readers
}

// New returns keys. At least one identity must open what is encrypted to the
// recipients: what could be written and never read again is refused.
func New(g Given) (*Keys, error) {
	k := &Keys{given: Given{slices.Clone(g.Recipients), slices.Clone(g.Identities)}, set: setOf(g.Recipients), cache: newCache(), live: newReaders()}
	for _, text := range g.Recipients {
		r, err := Recipient(text)
		if err != nil {
			return nil, err
		}
		k.recipients = append(k.recipients, r)
	}
	for _, text := range g.Identities {
		list, err := age.ParseIdentities(strings.NewReader(text))
		if err != nil {
			return nil, errors.New("an identity is none of age; write lines that begin with AGE-SECRET-KEY-, as age-keygen prints them")
		}
		k.identities = append(k.identities, list...)
	}
	switch {
	case len(k.recipients) == 0:
		return nil, errors.New("no recipient is given: name at least one public key of age")
	case len(k.identities) == 0:
		return nil, errors.New("no identity is given: what is encrypted could not be read again")
	}
	m, err := markOf(k.set, k.recipients[0])
	if err != nil {
		return nil, err
	}
	k.recipients = append(k.recipients, m)
	return k, k.fits()
}

// Recipient reads a public key of age.
func Recipient(text string) (age.Recipient, error) {
	if strings.HasPrefix(text, "AGE-SECRET-KEY-") {
		return nil, errors.New("is an identity, which is secret; write the public key, which begins with age1 (age-keygen -y prints it), and make a new pair: this one has been in the open")
	}
	list, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(list) != 1 || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("is no public key of age; write one as age-keygen prints it, which begins with age1")
	}
	return list[0], nil
}

// Generate makes a pair of keys.
func Generate() (recipient, identity string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	return id.Recipient().String(), id.String(), nil
}

// fits makes sure that what is encrypted can be read again.
func (k *Keys) fits() error {
	text, err := k.sealText("fits")
	if err == nil {
		_, err = k.unsealText(text)
	}
	switch {
	case errors.Is(err, ErrLocked):
		return errors.New("none of the identities belongs to a recipient: what is encrypted could not be read again; name the public key of one of them (age-keygen -y prints it) among the recipients")
	case err != nil:
		return fmt.Errorf("the recipients do not go together: %w", err)
	}
	return nil
}

// Share returns the keys as text, for a process that is to have them, too; nil
// for nil.
func (k *Keys) Share() *Given {
	if k == nil {
		return nil
	}
	return &Given{slices.Clone(k.given.Recipients), slices.Clone(k.given.Identities)}
}

// From makes keys of what Share returned.
func From(g *Given) (*Keys, error) {
	if g == nil {
		return nil, nil
	}
	return New(*g)
}

// setOf names a set of recipients, whatever their order.
func setOf(recipients []string) string {
	list := slices.Clone(recipients)
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(list), "\n")))
	return hex.EncodeToString(sum[:8])
}

// markType is the type of a stanza that opens nothing and says which set of
// recipients a file is encrypted to. Other programs skip it.
const markType = "concord.set"

// mark is a recipient that only leaves its name.
type mark struct {
	set    string
	labels []string
}

// markOf returns a mark that may stand beside a recipient: age wants all of a
// file to have the same labels.
func markOf(set string, beside age.Recipient) (mark, error) {
	m := mark{set: set}
	if r, is := beside.(age.RecipientWithLabels); is {
		_, labels, err := r.WrapWithLabels(make([]byte, 16))
		if err != nil {
			return m, fmt.Errorf("use a recipient: %w", err)
		}
		m.labels = labels
	}
	return m, nil
}

// Wrap implements age.Recipient.
func (m mark) Wrap([]byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: markType, Args: []string{m.set}}}, nil
}

// WrapWithLabels implements age.RecipientWithLabels.
func (m mark) WrapWithLabels(key []byte) ([]*age.Stanza, []string, error) {
	s, err := m.Wrap(key)
	return s, slices.Clone(m.labels), err
}

// setIn returns which set of recipients the header of a file names; empty: it is
// none that Keys have written.
func setIn(header []byte) string {
	for line := range strings.Lines(string(header)) {
		if name, is := strings.CutPrefix(line, "-> "+markType+" "); is {
			return strings.TrimSpace(name)
		}
	}
	return ""
}
