package pgp

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Given is an Opener for a process that is to have it. Its keys are secret: it
// prints without them, and whoever sends one as JSON hands them over.
type Given struct {
	Ours   []byte    `json:"ours"`
	Theirs []byte    `json:"theirs,omitempty"`
	Signed bool      `json:"signed,omitempty"`
	Most   int64     `json:"most"`
	Now    time.Time `json:"now"`
}

// String hides the keys.
func (g Given) String() string { return "(secret)" }

// GoString hides the keys.
func (g Given) GoString() string { return g.String() }

// Share returns the opener with its keys.
func (o *Opener) Share() (Given, error) {
	g := Given{Signed: o.Signed, Most: o.Most, Now: o.Now}
	var b bytes.Buffer
	for _, e := range o.Ours.keys {
		if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
			return Given{}, fmt.Errorf("hand over the key %s: %w", fingerprint(e), err)
		}
	}
	g.Ours = bytes.Clone(b.Bytes())
	if o.Theirs == nil {
		return g, nil
	}
	b.Reset()
	var errs []error
	for _, e := range o.Theirs.keys {
		errs = append(errs, e.Serialize(&b))
	}
	g.Theirs = b.Bytes()
	return g, errors.Join(errs...)
}

// From returns the opener that Share was asked of.
func From(g Given) (*Opener, error) {
	o := &Opener{Signed: g.Signed, Most: g.Most, Now: g.Now}
	var err error
	if o.Ours, err = ReadPrivate(g.Ours, nil); err != nil {
		return nil, err
	}
	if len(g.Theirs) > 0 {
		o.Theirs, err = ReadPublic(g.Theirs)
	}
	return o, err
}
