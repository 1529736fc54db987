package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"concord/jobs"
)

// microsoftColumns are those of a file, in the order of microsoftValues.
const microsoftColumns = "carrier, name, bytes, received, sha256, holds, status, format, rows, accepted, rejected, first, last, " +
	"reasons, faults, notes, shares, nobody, waiting, rest, until, decided"

var insertMicrosoft = "INSERT INTO microsoft_files (" + microsoftColumns + ") VALUES " + tuples(1, 22) + " ON CONFLICT DO NOTHING RETURNING seq"

// RecordMicrosoft implements jobs.Calls.
func (s *Store) RecordMicrosoft(ctx context.Context, f jobs.MicrosoftFile) (out jobs.MicrosoftFile, err error) {
	f.Carrier, f.Name = text(f.Carrier), text(f.Name)
	f.Received, f.First, f.Last, f.Until, f.Decided = micro(f.Received), micro(f.First), micro(f.Last), micro(f.Until), micro(f.Decided)
	err = s.write(ctx, "record a file of Microsoft's", func(t tx) error {
		out = f
		found, err := t.one(ctx, []any{&out.ID}, insertMicrosoft,
			f.Carrier, f.Name, f.Bytes, edge(f.Received), f.SHA256, f.Holds, string(f.Status), f.Format, f.Rows, f.Accepted, f.Rejected, f.First, f.Last,
			document{f.Reasons}, document{f.Faults}, document{f.Notes}, document{f.Shares}, f.Nobody, f.Waiting, f.Rest, f.Until, edge(f.Decided))
		if err != nil || found {
			return err
		}
		list, err := t.microsoftFiles(ctx, "WHERE carrier = $1 AND name = $2 AND bytes = $3 AND received = $4", f.Carrier, f.Name, f.Bytes, edge(f.Received))
		if err == nil && len(list) > 0 {
			out = list[0]
		}
		return err
	})
	return out, err
}

// DealRest implements jobs.Calls.
func (s *Store) DealRest(ctx context.Context, f jobs.MicrosoftFile) error {
	return s.write(ctx, "record what became of rows that waited", func(t tx) error {
		n, err := t.exec(ctx, "UPDATE microsoft_files SET shares = $1, nobody = $2, waiting = $3, rest = $4 WHERE seq = $5",
			document{f.Shares}, f.Nobody, f.Waiting, f.Rest, f.ID)
		return errors.Join(err, missing(n > 0 || err != nil, jobs.ErrNoFile, strconv.FormatInt(f.ID, 10)))
	})
}

// MicrosoftFiles implements jobs.Calls.
func (s *Store) MicrosoftFiles(ctx context.Context, f jobs.MicrosoftFilter) (list []jobs.MicrosoftFile, err error) {
	var w where
	w.add("carrier = ?", text(f.Carrier))
	if !f.From.IsZero() {
		w.add("last >= ?", f.From)
	}
	if !f.To.IsZero() {
		w.add("first < ?", f.To)
	}
	if f.Waiting {
		w.add("rest <> ''")
	}
	err = s.read(ctx, "list files of Microsoft's", func(t tx) (err error) {
		list, err = t.microsoftFiles(ctx, w.text()+" ORDER BY seq", w.args...)
		return err
	})
	return list, err
}

func (t tx) microsoftFiles(ctx context.Context, rest string, args ...any) (list []jobs.MicrosoftFile, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var f jobs.MicrosoftFile
		err := scan(&f.ID, &f.Carrier, &f.Name, &f.Bytes, moment{&f.Received}, &f.SHA256, &f.Holds, &f.Status, &f.Format, &f.Rows, &f.Accepted, &f.Rejected,
			moment{&f.First}, moment{&f.Last}, document{&f.Reasons}, document{&f.Faults}, document{&f.Notes}, document{&f.Shares},
			&f.Nobody, &f.Waiting, &f.Rest, moment{&f.Until}, moment{&f.Decided}, &f.RawPurged)
		list = append(list, f)
		return err
	}, "SELECT seq, "+microsoftColumns+", raw_purged FROM microsoft_files "+rest, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// callsColumns are those of a delivery, in the order of callsValues.
const callsColumns = "carrier, sequence, period_from, period_to, period, version, base, job, run, basis, settings, inputs, begun, files, calls, quality"

var insertCalls = "INSERT INTO call_deliveries (" + callsColumns + ", newest) VALUES " + tuples(1, 17)

// CallsDeliveries implements jobs.Calls.
func (s *Store) CallsDeliveries(ctx context.Context, f jobs.CallsFilter) (list []jobs.CallsDelivery, err error) {
	var w where
	w.equal("carrier", f.Carrier)
	if f.Sequence > 0 {
		w.add("sequence = ?", f.Sequence)
	}
	w.period(f.Period, f.From, f.To)
	if f.Newest {
		w.add("newest = 1")
	}
	err = s.read(ctx, "list deliveries of calls", func(t tx) (err error) {
		list, err = t.callsDeliveries(ctx, w.text()+" ORDER BY carrier, sequence DESC"+w.limit(f.Limit), w.args...)
		return err
	})
	return list, err
}

func (t tx) callsDeliveries(ctx context.Context, rest string, args ...any) (list []jobs.CallsDelivery, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var d jobs.CallsDelivery
		err := scan(&d.Carrier, &d.Sequence, moment{&d.Period.From}, moment{&d.Period.To}, &d.Period.Text, &d.Version, &d.Base, &d.Job, &d.Run, &d.Basis,
			document{&d.Settings}, document{&d.Inputs}, moment{&d.Begun}, document{&d.Files}, document{&d.Calls}, document{&d.Quality}, moment{&d.Ended}, &d.Purged)
		list = append(list, d)
		return err
	}, "SELECT "+callsColumns+", ended, purged FROM call_deliveries "+rest, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// lastCalls returns the carrier's last delivery, and the newest version of a
// period; ones without a Sequence: there are none.
func (t tx) lastCalls(ctx context.Context, d *jobs.CallsDelivery) (last, newest jobs.CallsDelivery, err error) {
	list, err := t.callsDeliveries(ctx, "WHERE carrier = $1 ORDER BY sequence DESC LIMIT 1", d.Carrier)
	if err != nil {
		return last, newest, err
	}
	if len(list) > 0 {
		last = list[0]
	}
	list, err = t.callsDeliveries(ctx, "WHERE carrier = $1 AND period_from = $2 AND period_to = $3 AND newest = 1", d.Carrier, edge(d.Period.From), edge(d.Period.To))
	if len(list) > 0 {
		newest = list[0]
	}
	return last, newest, err
}

// BeginCalls implements jobs.Calls.
func (s *Store) BeginCalls(ctx context.Context, l jobs.Lease, d jobs.CallsDelivery, now time.Time) (jobs.CallsDelivery, error) {
	d.Carrier, d.Run, d.Begun, d.Ended = text(d.Carrier), l.Run, micro(now), time.Time{}
	d.Period.From, d.Period.To, d.Period.Text, d.Job = micro(d.Period.From), micro(d.Period.To), text(d.Period.Text), text(d.Job)
	out := d
	err := s.write(ctx, "begin a delivery of calls", func(t tx) error {
		if err := errors.Join(t.holdsLease(ctx, l), t.lockDeliveries(ctx, d.Carrier)); err != nil {
			return err
		}
		last, newest, err := t.lastCalls(ctx, &d)
		switch {
		case err != nil:
			return err
		case last.Sequence == d.Sequence && last.Basis == d.Basis && last.Version == d.Version && last.Ended.IsZero():
			out = last // done before, and the answer was lost
			return nil
		case last.Sequence+1 != d.Sequence || last.Sequence > 0 && last.Ended.IsZero() || newest.Version+1 != d.Version || newest.Sequence != d.Base:
			return fmt.Errorf("%w: delivery %d of calls to %s cannot follow delivery %d", jobs.ErrDelivery, d.Sequence, d.Carrier, last.Sequence)
		}
		if _, err := t.exec(ctx, "UPDATE call_deliveries SET newest = 0 WHERE carrier = $1 AND sequence = $2", d.Carrier, d.Base); err != nil {
			return err
		}
		_, err = t.exec(ctx, insertCalls, d.Carrier, d.Sequence, edge(d.Period.From), edge(d.Period.To), d.Period.Text, d.Version, d.Base, d.Job, d.Run, d.Basis,
			document{d.Settings}, document{d.Inputs}, edge(d.Begun), document{d.Files}, document{d.Calls}, document{d.Quality}, 1)
		return err
	})
	if err != nil {
		return jobs.CallsDelivery{}, err
	}
	return out, nil
}

// lockDeliveries keeps others from delivering calls to the carrier until the
// transaction ends.
func (t tx) lockDeliveries(ctx context.Context, carrier string) error {
	if t.d.lockCarrier == "" {
		return nil
	}
	return t.query(ctx, func(func(...any) error) error { return nil }, t.d.lockCarrier, "calls of "+carrier)
}

// EndCalls implements jobs.Calls.
func (s *Store) EndCalls(ctx context.Context, l jobs.Lease, d jobs.CallsDelivery, now time.Time) error {
	return s.write(ctx, "end a delivery of calls", func(t tx) error {
		if err := t.holdsLease(ctx, l); err != nil {
			return err
		}
		_, err := t.exec(ctx, "UPDATE call_deliveries SET ended = $1, files = $2, calls = $3, quality = $4 WHERE carrier = $5 AND sequence = $6 AND ended IS NULL",
			micro(now), document{d.Files}, document{d.Calls}, document{d.Quality}, text(d.Carrier), d.Sequence)
		return err
	})
}
