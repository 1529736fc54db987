package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"concord/exchange/pgp"
	"concord/jobs"
)

// seals says what holds for a carrier's files that are encrypted.
func (s *Service) seals(carrier string) jobs.Seals {
	x, ok := s.cfg().Carrier(carrier)
	if !ok || x.PGP == nil {
		return jobs.Seals{}
	}
	return jobs.Seals{Ours: s.cfg().PGP, Theirs: x.PGP.Keys, Required: x.PGP.Required, Signed: x.PGP.Signed, Most: x.Terms.MaxFile}
}

// outbox is where a carrier finds its files.
type outbox interface {
	Deliver(ctx context.Context, name string, src io.Reader) error
}

// outbox returns that of a carrier, which encrypts what goes there if the carrier
// wants it.
func (s *Service) outbox(carrier string, home outbox) outbox {
	x, ok := s.cfg().Carrier(carrier)
	if !ok || x.PGP == nil || !x.PGP.Encrypt {
		return home
	}
	to := pgp.Sealer{To: x.PGP.Keys}
	if x.PGP.Sign {
		to.By = s.cfg().PGP
	}
	return sealing{home, to, s.Now}
}

// sealing is an outbox whose files are encrypted on their way there.
type sealing struct {
	home   outbox
	sealer pgp.Sealer
	now    func() time.Time
}

// Deliver implements outbox: the file appears complete, under its name with an
// ending behind it.
func (s sealing) Deliver(ctx context.Context, name string, src io.Reader) error {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(s.sealer.Seal(w, src, s.now()))
	}()
	err := s.home.Deliver(ctx, name+pgp.Ending, r)
	_ = r.CloseWithError(errGivenUp) // whoever encrypts need not go on
	<-done
	if err != nil {
		return fmt.Errorf("encrypt and %w", err)
	}
	return nil
}

var errGivenUp = errors.New("the delivery was given up")
