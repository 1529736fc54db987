package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concord/jobs"
)

// listingColumns are those of a listing, in the order of listingValues.
const listingColumns = "carrier, source, name, bytes, changed, basis, sha256, as_of, status, rows, accepted, rejected, others, learned, " +
	"reasons, faults, notes, run, decided"

var insertListing = "INSERT INTO number_listings (" + listingColumns + ") VALUES " + tuples(1, 19) + " RETURNING seq"

// Listings implements jobs.Numbers.
func (s *Store) Listings(ctx context.Context, carrier string) (list []jobs.Listing, err error) {
	err = s.read(ctx, "list listings of numbers", func(t tx) (err error) {
		list, err = t.listings(ctx, "WHERE carrier = $1 ORDER BY seq", text(carrier))
		return err
	})
	return list, err
}

// listings leaves out what may be long.
func (t tx) listings(ctx context.Context, rest string, args ...any) (list []jobs.Listing, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var x jobs.Listing
		err := scan(&x.Position, &x.Carrier, &x.Source, &x.Name, &x.Bytes, moment{&x.Changed}, &x.Basis, &x.SHA256, moment{&x.AsOf}, &x.Status,
			&x.Rows, &x.Accepted, &x.Rejected, &x.Others, &x.Learned, document{&x.Faults}, &x.Run, moment{&x.Decided})
		list = append(list, x)
		return err
	}, "SELECT seq, carrier, source, name, bytes, changed, basis, sha256, as_of, status, rows, accepted, rejected, others, learned, faults, run, decided "+
		"FROM number_listings "+rest, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RecordListing implements jobs.Numbers.
func (s *Store) RecordListing(ctx context.Context, l jobs.Lease, x jobs.Listing, how jobs.Taking, rows func() jobs.ListedRows, now time.Time) (out jobs.Listing, err error) {
	x.Changed, x.AsOf, x.Decided, x.Run = micro(x.Changed), micro(x.AsOf), micro(now), l.Run
	x.Source, x.Name = text(x.Source), text(x.Name)
	err = s.write(ctx, "record a listing of numbers", func(t tx) error {
		if err := t.holdsLease(ctx, l); err != nil {
			return err
		}
		if err := t.lockNumbers(ctx, x.Carrier); err != nil {
			return err
		}
		out, err = t.recordListing(ctx, x, how, rows)
		return err
	})
	if err != nil {
		return jobs.Listing{}, err
	}
	return out, nil
}

// holdsLease returns jobs.ErrLost when a run was taken from its service.
func (t tx) holdsLease(ctx context.Context, l jobs.Lease) error {
	run, err := t.locked(ctx, l.Run)
	if err == nil && (run.Lease() != l || run.State != jobs.RunRunning) {
		err = fmt.Errorf("%w: %s", jobs.ErrLost, l.Run)
	}
	return err
}

// lockNumbers keeps others from learning of the carrier's numbers until the
// transaction ends.
func (t tx) lockNumbers(ctx context.Context, carrier string) error {
	if t.d.lockCarrier == "" {
		return nil
	}
	return t.query(ctx, func(func(...any) error) error { return nil }, t.d.lockCarrier, "numbers of "+carrier)
}

func (t tx) recordListing(ctx context.Context, x jobs.Listing, how jobs.Taking, rows func() jobs.ListedRows) (jobs.Listing, error) {
	before, err := t.listings(ctx, "WHERE carrier = $1 AND source = $2 AND name = $3 AND bytes = $4 AND changed = $5 AND basis = $6",
		x.Carrier, x.Source, x.Name, x.Bytes, x.Changed, x.Basis)
	if err != nil || len(before) > 0 {
		return first(before), err
	}
	if err := t.erasedListing(ctx, &x); err != nil {
		return x, err
	}
	if x.Status == jobs.ListingTaken {
		var newest time.Time
		if _, err := t.one(ctx, []any{moment{&newest}}, "SELECT max(as_of) FROM number_listings WHERE carrier = $1 AND source = $2 AND status = 'taken'", x.Carrier, x.Source); err != nil {
			return x, err
		}
		if x.AsOf.Before(newest) {
			x.Status = jobs.ListingLate
		}
	}
	if _, err := t.one(ctx, []any{&x.Position}, insertListing, listingValues(&x)...); err != nil || x.Status != jobs.ListingTaken {
		return x, err
	}
	if x.Learned, err = t.learn(ctx, &x, how, rows()); err != nil {
		return x, err
	}
	_, err = t.exec(ctx, "UPDATE number_listings SET learned = $1 WHERE seq = $2", x.Learned, x.Position)
	return x, err
}

// erasedListing passes over a listing that is read again, such as with another
// list of users, after a number was erased that is in it: that number would come
// back.
func (t tx) erasedListing(ctx context.Context, x *jobs.Listing) (err error) {
	if x.Erased, err = t.contentErased(ctx, x.SHA256); err != nil || x.Erased == "" || x.Status != jobs.ListingTaken {
		return err
	}
	before, err := t.listings(ctx, "WHERE carrier = $1 AND sha256 = $2", x.Carrier, x.SHA256)
	if err == nil && len(before) > 0 {
		x.Status = jobs.ListingLate
		x.Notes = append(x.Notes, "a number that is in it was erased since: it is not read again, the next listing counts")
	}
	return err
}

func first(list []jobs.Listing) jobs.Listing {
	if len(list) == 0 {
		return jobs.Listing{}
	}
	return list[0]
}

func listingValues(x *jobs.Listing) []any {
	return []any{
		x.Carrier, x.Source, x.Name, x.Bytes, x.Changed, x.Basis, x.SHA256, x.AsOf, string(x.Status), x.Rows, x.Accepted, x.Rejected, x.Others, x.Learned,
		document{x.Reasons}, document{x.Faults}, document{x.Notes}, x.Run, x.Decided,
	}
}

// NumberSources implements jobs.Numbers.
func (s *Store) NumberSources(ctx context.Context, carrier string) (n jobs.NumberSources, err error) {
	n.Begun = map[string]time.Time{}
	err = s.read(ctx, "find sources of numbers", func(t tx) error {
		return t.query(ctx, func(scan func(...any) error) error {
			var source string
			var at time.Time
			var newest int64
			err := scan(&source, moment{&at}, &newest)
			n.Begun[source], n.Position = at, max(n.Position, newest)
			return err
		}, "SELECT source, min(as_of), max(seq) FROM number_listings WHERE carrier = $1 AND status = 'taken' GROUP BY source", text(carrier))
	})
	return n, err
}

// NewestListing implements jobs.Numbers.
func (s *Store) NewestListing(ctx context.Context, carrier string, after int64) (x jobs.Listing, learned int64, err error) {
	err = s.read(ctx, "find the newest listing of numbers", func(t tx) error {
		list, err := t.listings(ctx, "WHERE carrier = $1 AND status = 'taken' ORDER BY seq DESC LIMIT 1", text(carrier))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return missing(false, jobs.ErrNoListing, carrier)
		}
		x = list[0]
		// Listings that come meanwhile are not counted: they have a higher
		// position.
		_, err = t.one(ctx, []any{moment{&x.AsOf}, &learned}, "SELECT max(as_of), coalesce(sum(CASE WHEN seq > $1 THEN learned ELSE 0 END), 0) FROM number_listings "+
			"WHERE carrier = $2 AND status = 'taken' AND seq <= $3", after, text(carrier), x.Position)
		return err
	})
	return x, learned, err
}

// LastDelivery implements jobs.Numbers.
func (s *Store) LastDelivery(ctx context.Context, carrier string) (d jobs.NumbersDelivery, err error) {
	err = s.read(ctx, "find the last delivery of numbers", func(t tx) (err error) {
		d, err = t.lastDelivery(ctx, text(carrier))
		return err
	})
	return d, err
}

func (t tx) lastDelivery(ctx context.Context, carrier string) (d jobs.NumbersDelivery, err error) {
	_, err = t.one(ctx, []any{
		&d.Carrier, &d.Sequence, &d.Position, &d.Base, moment{&d.AsOf}, &d.Run, moment{&d.Begun}, moment{&d.Ended}, document{&d.Files}, &d.Added, &d.Removed, &d.Changed,
	}, "SELECT carrier, sequence, position, base, as_of, run, begun, ended, files, added, removed, changed FROM number_deliveries "+
		"WHERE carrier = $1 ORDER BY sequence DESC LIMIT 1", carrier)
	return d, err
}

// BeginDelivery implements jobs.Numbers.
func (s *Store) BeginDelivery(ctx context.Context, l jobs.Lease, d jobs.NumbersDelivery, now time.Time) (jobs.NumbersDelivery, error) {
	d.Run, d.AsOf, d.Begun, d.Ended = l.Run, micro(d.AsOf), micro(now), time.Time{}
	out := d
	err := s.write(ctx, "begin a delivery of numbers", func(t tx) error {
		if err := errors.Join(t.holdsLease(ctx, l), t.lockNumbers(ctx, d.Carrier)); err != nil {
			return err
		}
		last, err := t.lastDelivery(ctx, d.Carrier)
		switch {
		case err != nil:
			return err
		case last.Sequence == d.Sequence && last.Position == d.Position && last.Ended.IsZero():
			out = last // done before, and the answer was lost
			return nil
		case last.Sequence+1 != d.Sequence || last.Position != d.Base || d.Sequence > 1 && last.Ended.IsZero():
			return fmt.Errorf("%w: delivery %d to %s cannot follow delivery %d", jobs.ErrDelivery, d.Sequence, d.Carrier, last.Sequence)
		}
		_, err = t.exec(ctx, "INSERT INTO number_deliveries (carrier, sequence, position, base, as_of, run, begun, files, added, removed, changed) VALUES "+tuples(1, 11),
			d.Carrier, d.Sequence, d.Position, d.Base, d.AsOf, d.Run, d.Begun, document{d.Files}, d.Added, d.Removed, d.Changed)
		return err
	})
	return out, err
}

// EndDelivery implements jobs.Numbers.
func (s *Store) EndDelivery(ctx context.Context, l jobs.Lease, d jobs.NumbersDelivery, now time.Time) error {
	return s.write(ctx, "end a delivery of numbers", func(t tx) error {
		if err := t.holdsLease(ctx, l); err != nil {
			return err
		}
		_, err := t.exec(ctx, "UPDATE number_deliveries SET ended = $1, files = $2, added = $3, removed = $4, changed = $5 WHERE carrier = $6 AND sequence = $7 AND ended IS NULL",
			micro(now), document{d.Files}, d.Added, d.Removed, d.Changed, d.Carrier, d.Sequence)
		return err
	})
}
