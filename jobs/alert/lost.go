package alert

import (
	"context"
	"errors"
	"fmt"

	"concord/jobs"
)

// mostLost is how many reports that are lost have an alert each.
const mostLost = 100

// Lost is told of all reports whose newest version is not in its folder.
func (d *Desk) Lost(ctx context.Context, list []jobs.Report) error {
	open, err := d.State.Alerts(ctx, jobs.AlertFilter{Open: true, Kind: jobs.AlertReportLost})
	if err != nil {
		return err
	}
	c, lost := d.Config(), make(map[string]bool, len(list))
	var errs []error
	for i := range list {
		if _, ok := c.Carrier(list[i].Carrier); !ok { // of whom nobody wants to hear
			continue
		}
		a := lostAlert(&list[i])
		lost[a.Key] = true
		if len(lost) <= mostLost {
			errs = append(errs, d.raise(ctx, a))
		}
	}
	for _, a := range open {
		if !lost[a.Key] {
			errs = append(errs, d.resolve(ctx, a))
		}
	}
	return errors.Join(errs...)
}

func lostAlert(r *jobs.Report) jobs.Alert {
	return jobs.Alert{
		Key: key(string(jobs.AlertReportLost), r.Carrier, r.Folder), Kind: jobs.AlertReportLost, Carrier: r.Carrier, Subject: r.Period.Text,
		Text: fmt.Sprintf("version %d of the report of %s is not in its folder %s: restore it from a backup, or have it made anew, the same bytes: concord rerun %s",
			r.Version, r.Period.Text, r.Folder, r.Run),
	}
}
