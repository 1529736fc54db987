package calls

import (
	"context"
	"fmt"
	"slices"

	"concord/jobs"
	"concord/jobs/dispatch"
)

// gone counts what was purged of what a delivery is made of.
type gone struct {
	files int
	proof int64 // the first one that tells of it
}

func (g *gone) add(proof int64) {
	if proof == 0 {
		return
	}
	if g.files++; g.proof == 0 || proof < g.proof {
		g.proof = proof
	}
}

const saidPurged = "no file has come since delivery %d, and what it was made of was purged (proof %d): it cannot be made anew, and nothing was delivered"

// refusePurged refuses a delivery that would lack what was purged, or that could
// not say what it changes: a carrier would be told that calls were removed which
// are only not kept any more. It returns what there is to say when no file has
// come, so that there is nothing to deliver either.
func (d *desk) refusePurged(next, latest *jobs.CallsDelivery, g gone) (said string, err error) {
	stays := ""
	if latest != nil {
		stays = fmt.Sprintf("; delivery %d stays as it is", latest.Sequence)
	}
	switch {
	case latest != nil && latest.Purged != 0:
		return "", dispatch.Permanent(fmt.Errorf("calls of %s of %s cannot be delivered any more: what was kept of delivery %d was purged (proof %d), and a new one could not say what it changes%s",
			d.run.Period.Text, d.run.Carrier, latest.Sequence, latest.Purged, stays))
	case g.files == 0:
		return "", nil
	case latest != nil && slices.EqualFunc(latest.Inputs, next.Inputs, func(a, b jobs.CallsInput) bool { return a.ID == b.ID && a.SHA256 == b.SHA256 }):
		return fmt.Sprintf(saidPurged, latest.Sequence, g.proof), nil
	}
	return "", dispatch.Permanent(fmt.Errorf("calls of %s of %s cannot be delivered any more: %d of its %d files were purged (proof %d), and a delivery would lack their calls%s",
		d.run.Period.Text, d.run.Carrier, g.files, len(next.Inputs), g.proof, stays))
}

// final reports whether a delivery can have no further version, because it or
// what it is made of was purged.
func (c *Clerk) final(ctx context.Context, d *jobs.CallsDelivery) (bool, error) {
	if d.Purged != 0 {
		return true, nil
	}
	entries, err := c.State.Covering(ctx, d.Carrier, d.Period.From, d.Period.To)
	if err != nil {
		return false, err
	}
	files, err := c.State.MicrosoftFiles(ctx, jobs.MicrosoftFilter{Carrier: d.Carrier, From: d.Period.From, To: d.Period.To})
	var g gone
	for _, e := range entries {
		if e.Microsoft {
			g.add(e.RawPurged)
		}
	}
	for _, f := range files {
		g.add(f.RawPurged)
	}
	return g.files > 0, err
}
