package alert

import (
	"context"

	"concord/jobs"
)

// Held is told of a run that had something new to say about a period that an
// approval locks.
func (d *Desk) Held(ctx context.Context, r jobs.Run, lock jobs.SignOff) error {
	return d.raise(ctx, jobs.Alert{
		Key: jobs.LockedKey(r.Carrier, r.Period), Kind: jobs.AlertLocked, Carrier: r.Carrier, Job: r.Job, Subject: r.Period.Text,
		Text: lock.Locked() + ", and there is something new to say, such as a late file: an admin can reopen it, which runs it again: concord reports sign-off reopen " + lock.Report,
	})
}
