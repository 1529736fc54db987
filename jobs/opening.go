package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/exchange/pgp"
)

// Seals say what holds for the files of one carrier that are encrypted with
// OpenPGP.
type Seals struct {
	Ours   *pgp.Private // nil: nothing can be opened
	Theirs *pgp.Public  // nil: signatures are not checked
	// Required refuses files that are not encrypted, Signed also those without
	// a good signature of Theirs.
	Required, Signed bool
	Most             int64 // bytes that a content may have; 0: as many as an Opening allows
}

// Opening decides of files that carriers encrypt: it has each decrypted in a
// child process, puts the content into the spool as soon as all of it was checked,
// and hands it to another taker under the name that it arrived with. Files that
// are not encrypted go there as they are. Only the content is kept in the spool:
// the file itself lies in the carrier's archive.
type Opening struct {
	landing.Taker
	Spool  *landing.Spool
	Worker Worker
	Seals  func(carrier string) Seals
	Now    func() time.Time

	children chan struct{}
}

// NewOpening returns an Opening before a taker.
func NewOpening(next landing.Taker, spool *landing.Spool, w Worker, seals func(carrier string) Seals, now func() time.Time) *Opening {
	return &Opening{Taker: next, Spool: spool, Worker: w, Seals: seals, Now: now, children: make(chan struct{}, maxChildren)}
}

const (
	// mostContent bounds a content, leastBound is what a small file may unpack
	// to in any case, and mostPacked how many times its length a longer one may.
	mostContent = 16 << 30
	leastBound  = 64 << 20
	mostPacked  = 200
)

// Take implements landing.Taker.
func (p *Opening) Take(ctx context.Context, o landing.Offer) (landing.Answer, error) {
	if o.Fault != "" || landing.IsReserved(o.Name) {
		return p.Taker.Take(ctx, o)
	}
	s := p.Seals(o.Carrier)
	name, sealed := pgp.ContentName(o.Name)
	switch {
	case s.Ours != nil && sealed:
		return p.open(ctx, o, name, s)
	case s.Ours != nil && (s.Required || s.Signed):
		o.Fault = fmt.Sprintf("it is not encrypted, as is agreed upon: encrypt it with PGP to the key %s, under a name that ends with %s",
			strings.Join(s.Ours.Fingerprints(), " or "), pgp.Ending)
	case s.Ours == nil && sealed:
		looks, err := p.looksSealed(o)
		if err != nil {
			return landing.Answer{}, err
		}
		if looks {
			o.Fault = "it is encrypted with PGP, and no key for that is agreed upon: send it as it was before, or ask your operator for a key"
		}
	}
	return p.Taker.Take(ctx, o)
}

// looksSealed reports whether a file is encrypted, and not only called as if.
func (p *Opening) looksSealed(o landing.Offer) (is bool, err error) {
	f, err := p.Worker.Keys.Open(o.Content)
	if err != nil {
		return false, fmt.Errorf("look into %s of %s: %w", o.Name, o.Carrier, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return pgp.Looks(head[:n]), err
}

// open decrypts a file and hands its content on.
func (p *Opening) open(ctx context.Context, o landing.Offer, name string, s Seals) (a landing.Answer, err error) {
	at := p.Spool.Stage()
	defer func() {
		if derr := at.Drop(); derr != nil && err == nil {
			err = fmt.Errorf("clean up after %s of %s: %w", o.Name, o.Carrier, derr)
		}
	}()
	found, err := p.unseal(ctx, o, at.Path(), s)
	if err != nil {
		return landing.Answer{}, fmt.Errorf("open %s of %s: %w", o.Name, o.Carrier, err)
	}
	if f := found.Fault; f != nil {
		if f.Incomplete && !o.Final && o.Trust != landing.Vouched {
			return landing.Answer{Verdict: landing.Wait, Why: f.Reason}, nil
		}
		o.Fault = f.Reason
		return p.Taker.Take(ctx, o)
	}
	c, err := at.Keep(ctx, found.SHA256, found.Bytes)
	if err != nil {
		return landing.Answer{}, err
	}
	a, err = p.Taker.Take(ctx, opened(o, name, c, found.Opened, s))
	taken := err == nil && a.Verdict != landing.Wait
	a.Elsewhere = taken
	return a, errors.Join(err, p.Spool.Release(c.SHA256, taken && !a.Discard || errors.Is(err, landing.ErrDoubt)))
}

// opened is the offer of what was decrypted. The message ended where it should
// and was not changed, so it is whole, and it is what its sender encrypted.
func opened(o landing.Offer, name string, c landing.Content, by pgp.Opened, s Seals) landing.Offer {
	sealed := &landing.Sealed{SHA256: o.SHA256, Size: o.Size, Name: name}
	switch {
	case by.SignedBy != "":
		sealed.Note = "signed with the PGP key " + by.SignedBy
	case by.HasSigned && s.Theirs == nil:
		sealed.Note = "signed with PGP, which was not checked: no key of the carrier's is agreed upon"
	case by.HasSigned:
		sealed.Note = "signed with a PGP key that is not agreed upon, which is as good as not signed"
	}
	o.SHA256, o.Size, o.Content, o.Trust, o.Checked, o.Sealed = c.SHA256, c.Size, c.Path, landing.Vouched, true, sealed
	return o
}

// unseal decrypts a file in a child process, when its turn comes.
func (p *Opening) unseal(ctx context.Context, o landing.Offer, out string, s Seals) (*Unsealed, error) {
	most := s.Most
	if most <= 0 {
		most = mostContent
	}
	with := pgp.Opener{Ours: s.Ours, Theirs: s.Theirs, Signed: s.Signed, Most: min(most, max(leastBound, mostPacked*o.Size)), Now: p.Now()}
	given, err := with.Share()
	if err != nil {
		return nil, err
	}
	select {
	case p.children <- struct{}{}:
		defer func() { <-p.children }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return p.Worker.Unseal(ctx, UnsealOptions{Path: o.Content, Name: o.Name, Out: out, With: given})
}

// ignoreGone forgives what is not there.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
