package state

import (
	"context"
	"strconv"
	"strings"
	"time"

	"concord/jobs"
)

// Purgeable implements jobs.Purges.
func (s *Store) Purgeable(ctx context.Context, class jobs.Class, carrier string, _ jobs.PurgeBounds, _ time.Time) (list []jobs.Purgeable, err error) {
	err = s.read(ctx, "list what is kept", func(t tx) (err error) {
		list, err = t.purgeable(ctx, class, carrier)
		return err
	})
	return list, err
}

// ofRegister counts the cases that the register has by a version.
const ofRegister = "(SELECT coalesce(sum(case_groups.cases), 0) FROM case_groups WHERE period IN (SELECT seq FROM case_periods WHERE case_periods.report = reports.id))"

func (t tx) purgeable(ctx context.Context, class jobs.Class, carrier string) ([]jobs.Purgeable, error) {
	switch class {
	case jobs.ClassRaw:
		return t.purgeableRaw(ctx, carrier)
	case jobs.ClassDeliveries:
		return t.purgeableCalls(ctx, carrier)
	case jobs.ClassRecords:
		return t.purgeableFiles(ctx, "records_purged = 0 AND ingested", carrier)
	case jobs.ClassReports:
		return t.purgeableReports(ctx, "1", "WHERE carrier = $1 AND purged = 0", carrier)
	case jobs.ClassCases:
		return t.purgeableReports(ctx, "(SELECT count(*) FROM cases WHERE cases.report = reports.seq) + "+ofRegister,
			"WHERE carrier = $1 AND cases_purged = 0 AND (EXISTS (SELECT 1 FROM cases WHERE cases.report = reports.seq) OR "+ofRegister+" > 0)", carrier)
	case jobs.ClassLogs:
		return t.purgeableLogs(ctx, carrier)
	}
	return nil, nil
}

// purgeableFiles lists files by the days of their rows, or those of the file that
// they repeat; of one without any the day in its name counts, or else that of its
// arrival.
func (t tx) purgeableFiles(ctx context.Context, kept, carrier string) (list []jobs.Purgeable, err error) {
	const days = "(SELECT %s(day) FROM file_days WHERE file_days.file = files.seq), " +
		"(SELECT %s(day) FROM file_days JOIN files o ON o.seq = file_days.file WHERE o.id = files.duplicate_of_id AND files.duplicate_of_id <> '')"
	first := "coalesce(" + strings.ReplaceAll(days, "%s", "min") + ", '')"
	last := "coalesce(" + strings.ReplaceAll(days, "%s", "max") + ", '')"
	err = t.query(ctx, func(scan func(...any) error) error {
		var p jobs.Purgeable
		var raw []byte
		var from, to, date string
		var settled, followed bool
		r := &p.Remains
		err := scan(&p.ID, &r.Name, &raw, &r.SHA256, &r.Bytes, &r.Sealed.SHA256, &r.Sealed.Bytes, moment{&r.Received}, &r.Microsoft, &date, &settled, &followed, &from, &to)
		if raw != nil {
			r.Name = string(raw)
		}
		p.Count, p.Bytes = 1, r.Bytes
		p.From, p.To = aboutDays(from, to, date, r.Received)
		switch {
		case !settled:
			p.Waits = "its receipt is not delivered yet"
		case !followed:
			p.Waits = "it is not known yet which reports it changes"
		}
		list = append(list, p)
		return err
	}, "SELECT id, name, raw_name, sha256, bytes, sealed_sha256, sealed_bytes, received, microsoft, date, settled, followed, "+first+", "+last+
		" FROM files WHERE carrier = $1 AND "+kept+" ORDER BY seq", text(carrier))
	return list, err
}

// aboutDays is the time that a file is about.
func aboutDays(first, last, date string, received time.Time) (from, to time.Time) {
	if first == "" {
		first, last = date, date
	}
	from, err := time.Parse(time.DateOnly, first)
	end, err2 := time.Parse(time.DateOnly, last)
	if err != nil || err2 != nil {
		from = received.UTC().Truncate(24 * time.Hour)
		end = from
	}
	return from, end.AddDate(0, 0, 1)
}

func (t tx) purgeableReports(ctx context.Context, count, rest, carrier string) (list []jobs.Purgeable, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var p jobs.Purgeable
		var waits int64
		err := scan(&p.ID, moment{&p.From}, moment{&p.To}, &p.Remains.Name, &p.Count, &waits)
		if waits > 0 {
			p.Waits = "it is on its way to its carrier"
		}
		list = append(list, p)
		return err
	}, "SELECT id, period_from, period_to, folder, "+count+
		", (SELECT count(*) FROM report_deliveries d WHERE d.report = reports.id AND d.begun IS NOT NULL AND d.ended IS NULL) FROM reports "+rest+" ORDER BY seq", text(carrier))
	return list, err
}

// purgeableListings lists listings of numbers, of which the spool has the content
// and nobody reads it again. They are about the time as of which they are.
func (t tx) purgeableListings(ctx context.Context, carrier string) (list []jobs.Purgeable, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		p := jobs.Purgeable{Count: 1, Remains: jobs.Remains{Microsoft: true}}
		var seq int64
		var source, name string
		err := scan(&seq, &source, &name, &p.Remains.SHA256, &p.Bytes, moment{&p.Remains.Received}, moment{&p.To})
		p.ID, p.From, p.Remains.Bytes, p.Remains.Name = jobs.PurgeListing+strconv.FormatInt(seq, 10), p.To, p.Bytes, source+"/"+name
		list = append(list, p)
		return err
	}, "SELECT seq, source, name, sha256, bytes, changed, as_of FROM number_listings WHERE carrier = $1 AND raw_purged = 0 AND sha256 <> '' ORDER BY seq", text(carrier))
	return list, err
}

// How the ids of runs, alerts and keys of rows begin among logs.
const (
	logRun   = "r"
	logAlert = "a"
	logKey   = "k"
)

// purgeableLogs lists runs that are over and of which no kept report or delivery
// was made, alerts that are resolved, and keys by which rows were posted. They
// are about the time when they ended.
func (t tx) purgeableLogs(ctx context.Context, carrier string) (list []jobs.Purgeable, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		p := jobs.Purgeable{Count: 1}
		var kind string
		err := scan(&kind, &p.ID, moment{&p.From}, moment{&p.To})
		p.ID = kind + " " + p.ID
		list = append(list, p)
		return err
	}, "SELECT 'r', id, created, finished FROM runs WHERE carrier = $1 AND finished IS NOT NULL AND state IN ('succeeded', 'failed', 'cancelled') "+
		"AND NOT EXISTS (SELECT 1 FROM reports WHERE reports.run = runs.id AND reports.purged = 0) "+
		"AND NOT EXISTS (SELECT 1 FROM call_deliveries d WHERE d.run = runs.id AND d.purged = 0) "+
		"UNION ALL SELECT 'k', key, begun, placed FROM row_batches WHERE carrier = $1 AND placed IS NOT NULL "+
		"UNION ALL SELECT 'a', id, raised, resolved FROM alerts WHERE carrier = $1 AND resolved IS NOT NULL "+
		"AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.alert = alerts.seq) ORDER BY 4", text(carrier))
	return list, err
}

// maskFile masks the names by which a file is known, and which others know it
// by, when nothing of it is kept any more.
func (t tx) maskFile(ctx context.Context, id string) error {
	e, err := t.entry(ctx, "WHERE id = $1 ORDER BY seq LIMIT 1", id)
	if err != nil || e == nil || e.RawPurged == 0 || e.Ingested() && e.RecordsPurged == 0 {
		return err
	}
	if _, err := t.exec(ctx, "UPDATE files SET name = $1, raw_name = NULL WHERE id = $2", text(jobs.Mask(e.Name)), id); err != nil {
		return err
	}
	about, err := t.entries(ctx, "WHERE id = $1 OR replaces_id = $1 OR duplicate_of_id = $1", id)
	for i := range about {
		if err == nil {
			err = t.maskTexts(ctx, &about[i])
		}
	}
	return err
}

// maskTexts masks what an entry says of other files.
func (t tx) maskTexts(ctx context.Context, e *jobs.Entry) error {
	for i := range e.Notes {
		e.Notes[i] = jobs.Mask(e.Notes[i])
	}
	for i := range e.Reasons {
		e.Reasons[i].Reason = jobs.Mask(e.Reasons[i].Reason)
	}
	_, err := t.exec(ctx, "UPDATE files SET replaces = $1, duplicate_of = $2, notes = $3, reasons = $4 WHERE id = $5",
		text(jobs.Mask(e.Replaces)), text(jobs.Mask(e.DuplicateOf)), document{e.Notes}, document{e.Reasons}, e.ID)
	return err
}
