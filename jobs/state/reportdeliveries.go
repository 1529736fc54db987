package state

import (
	"context"
	"time"

	"concord/jobs"
)

// askDelivery has a report that is being published delivered.
func (t tx) askDelivery(ctx context.Context, r *jobs.Report) error {
	_, err := t.exec(ctx, "INSERT INTO report_deliveries (report, carrier, files, manifest) VALUES ($1, $2, '[]', '')", r.ID, text(r.Carrier))
	return err
}

// WaitingReports implements jobs.ReportDeliveries.
func (s *Store) WaitingReports(ctx context.Context) (list []jobs.ReportDelivery, err error) {
	err = s.read(ctx, "list reports that go to carriers", func(t tx) (err error) {
		list, err = t.reportDeliveries(ctx, "WHERE ended IS NULL AND EXISTS (SELECT 1 FROM reports WHERE reports.id = report AND reports.purged = 0) AND NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.state = 'working') ORDER BY seq")
		return err
	})
	return list, err
}

func (t tx) reportDeliveries(ctx context.Context, rest string, args ...any) (list []jobs.ReportDelivery, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var d jobs.ReportDelivery
		err := scan(&d.Report, &d.Carrier, moment{&d.Begun}, moment{&d.Ended}, document{&d.Files}, &d.Manifest)
		list = append(list, d)
		return err
	}, "SELECT report, carrier, begun, ended, files, manifest FROM report_deliveries "+rest, args...)
	return list, err
}

// BeginReport implements jobs.ReportDeliveries.
func (s *Store) BeginReport(ctx context.Context, d jobs.ReportDelivery, now time.Time) (out jobs.ReportDelivery, err error) {
	err = s.write(ctx, "begin to deliver a report", func(t tx) (err error) {
		_, err = t.exec(ctx, "UPDATE report_deliveries SET begun = $1, files = $2, manifest = $3 WHERE report = $4 AND begun IS NULL",
			micro(now), document{d.Files}, d.Manifest, text(d.Report))
		if err == nil {
			out, err = t.reportDelivery(ctx, d.Report)
		}
		return err
	})
	return out, err
}

func (t tx) reportDelivery(ctx context.Context, report string) (d jobs.ReportDelivery, err error) {
	list, err := t.reportDeliveries(ctx, "WHERE report = $1", text(report))
	if err != nil {
		return d, err
	}
	if len(list) == 0 {
		return d, missing(false, jobs.ErrNoReport, report)
	}
	return list[0], nil
}

// EndReport implements jobs.ReportDeliveries.
func (s *Store) EndReport(ctx context.Context, report string, now time.Time) error {
	return s.write(ctx, "end the delivery of a report", func(t tx) error {
		_, err := t.exec(ctx, "UPDATE report_deliveries SET ended = $1 WHERE report = $2 AND begun IS NOT NULL AND ended IS NULL", micro(now), text(report))
		return err
	})
}

// ReportDelivery implements jobs.ReportDeliveries.
func (s *Store) ReportDelivery(ctx context.Context, report string) (d jobs.ReportDelivery, err error) {
	err = s.read(ctx, "find the delivery of a report", func(t tx) (err error) {
		d, err = t.reportDelivery(ctx, report)
		return err
	})
	return d, err
}
