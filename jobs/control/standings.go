package control

import (
	"context"
	"slices"

	"concord/jobs"
)

// Standing is where a period of a carrier stands, by its newest version.
type Standing struct {
	SignOff // of the newest version
	// Stands is its state; of one that nobody has submitted since the period was
	// reopened: reopened.
	Stands string
	// Approved is the version that was approved last; nil: none ever was.
	Approved *SignOff
	// Later is how many versions were published since, and Since what they have
	// changed, added up version by version.
	Later int
	Since jobs.Changes
}

// Standings lists every period of every carrier, that of the version which was
// published last first; page with Before. It looks into no files.
func (d *Desk) Standings(ctx context.Context, f jobs.SignOffFilter) ([]Standing, error) {
	f.Newest = true
	list, err := d.SignedOff.SignOffs(ctx, f)
	out := make([]Standing, len(list))
	for i := 0; i < len(list) && err == nil; i++ {
		out[i], err = d.standing(ctx, list[i])
	}
	return out, err
}

func (d *Desk) standing(ctx context.Context, newest jobs.SignOff) (Standing, error) {
	s := signOffOf(newest)
	x := Standing{SignOff: s, Stands: s.State}
	if s.Approved != nil {
		x.Approved = &s
	}
	if newest.Version > 1 && s.Approved == nil {
		if err := d.approvedBefore(ctx, newest, &x); err != nil {
			return x, err
		}
	}
	if x.Stands == string(jobs.SignOffDraft) && x.Approved != nil && x.Approved.Reopened != nil {
		x.Stands = string(jobs.SignOffReopened)
	}
	return x, nil
}

// approvedBefore finds the approval of an older version, and what changed since.
func (d *Desk) approvedBefore(ctx context.Context, newest jobs.SignOff, x *Standing) error {
	list, err := d.SignedOff.SignOffs(ctx, jobs.SignOffFilter{Carrier: newest.Carrier, Period: &newest.Period})
	i := slices.IndexFunc(list, func(s jobs.SignOff) bool { return !s.Approved.IsZero() })
	if err != nil || i < 0 {
		return err
	}
	approved := signOffOf(list[i])
	x.Approved = &approved
	versions, err := d.Archive.Reports(ctx, jobs.ReportFilter{Kind: jobs.ReportReconcile, Carrier: newest.Carrier, Period: &newest.Period})
	for _, r := range versions {
		if r.Version > approved.Version {
			x.Later++
			x.Since.Opened += r.Changes.Opened
			x.Since.Changed += r.Changes.Changed
			x.Since.Closed += r.Changes.Closed
		}
	}
	return err
}
