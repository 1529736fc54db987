package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concord/jobs"
)

const holdColumns = "id, carrier, period_from, period_to, period, why, placed_by, placed, released_by, released_why, released"

// PlaceHold implements jobs.DisputeHolds.
func (s *Store) PlaceHold(ctx context.Context, h jobs.Hold, country string) (_ jobs.Hold, p jobs.Proof, err error) {
	h.Period.From, h.Period.To, h.Placed = micro(h.Period.From), micro(h.Period.To), micro(h.Placed)
	if !h.Period.From.Before(h.Period.To) {
		return h, p, fmt.Errorf("hold what is about %s of %s: the period is empty", h.Period.Text, h.Carrier)
	}
	err = s.write(ctx, "place a hold", func(t tx) error {
		// It holds what is about several carriers, too.
		if err := errors.Join(t.lock(ctx, ""), t.lock(ctx, h.Carrier)); err != nil {
			return err
		}
		there, err := t.holdList(ctx, "WHERE id = $1", h.ID)
		if err != nil || len(there) > 0 {
			if len(there) > 0 {
				h, err = there[0], fmt.Errorf("%w: %s", jobs.ErrPlaced, h.ID)
			}
			return err
		}
		_, err = t.exec(ctx, "INSERT INTO holds ("+holdColumns+") VALUES "+tuples(1, 11),
			h.ID, text(h.Carrier), h.Period.From, h.Period.To, text(h.Period.Text), text(h.Why), text(h.By), h.Placed, "", "", time.Time{})
		if err == nil {
			p, err = t.testify(ctx, holdProof(jobs.ActHold, &h, country, h.By, h.Placed))
		}
		return err
	})
	return h, p, err
}

// holdProof tells of a hold. Why is for people, and may say anything.
func holdProof(act jobs.Act, h *jobs.Hold, country, by string, at time.Time) jobs.Proof {
	return jobs.Proof{
		At: at, Act: act, Country: country, Carrier: h.Carrier, Rule: "dispute hold", Ref: h.ID, Count: 1,
		From: h.Period.From, To: h.Period.To, By: by,
	}
}

// ReleaseHold implements jobs.DisputeHolds.
func (s *Store) ReleaseHold(ctx context.Context, id, by, why, country string, now time.Time) (h jobs.Hold, p jobs.Proof, err error) {
	err = s.write(ctx, "release a hold", func(t tx) error {
		list, err := t.holdList(ctx, "WHERE id = $1"+t.d.lockRow, text(id))
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return missing(false, jobs.ErrNoHold, id)
		case !list[0].Released.IsZero():
			return fmt.Errorf("%w: %s", jobs.ErrReleased, id)
		}
		h = list[0]
		h.Released, h.ReleasedBy, h.ReleasedWhy = micro(now), by, why
		_, err = t.exec(ctx, "UPDATE holds SET released = $1, released_by = $2, released_why = $3 WHERE id = $4", h.Released, text(by), text(why), h.ID)
		if err == nil {
			p, err = t.testify(ctx, holdProof(jobs.ActRelease, &h, country, by, h.Released))
		}
		return err
	})
	return h, p, err
}

// HoldList implements jobs.DisputeHolds.
func (s *Store) HoldList(ctx context.Context, carrier string, standing bool) (list []jobs.Hold, err error) {
	var w where
	w.equal("carrier", carrier)
	if standing {
		w.add("released IS NULL")
	}
	err = s.read(ctx, "list holds", func(t tx) error {
		list, err = t.holdList(ctx, w.text()+" ORDER BY placed DESC, id DESC", w.args...)
		return err
	})
	return list, err
}

func (t tx) holdList(ctx context.Context, rest string, args ...any) (list []jobs.Hold, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var h jobs.Hold
		err := scan(&h.ID, &h.Carrier, moment{&h.Period.From}, moment{&h.Period.To}, &h.Period.Text, &h.Why, &h.By, moment{&h.Placed},
			&h.ReleasedBy, &h.ReleasedWhy, moment{&h.Released})
		list = append(list, h)
		return err
	}, "SELECT "+holdColumns+" FROM holds "+rest, args...)
	return list, err
}

// lock keeps others from deciding about a carrier until the transaction ends.
func (t tx) lock(ctx context.Context, carrier string) error {
	if t.d.lockCarrier == "" {
		return nil
	}
	return t.query(ctx, func(func(...any) error) error { return nil }, t.d.lockCarrier, carrier)
}
