package calls

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"concord/jobs"
	"concord/jobs/dispatch"
)

// settings are what a delivery is made with besides its inputs. They are kept
// with it as JSON.
type settings struct {
	Program string   `json:"program"`
	From    string   `json:"from_utc"`
	To      string   `json:"to_utc"`
	Names   []string `json:"names"`
	Others  []string `json:"others,omitempty"`
}

// qualityReach is how far outside of a period files of quality rows are looked
// for: a later version of a stream may have moved it.
const qualityReach = 24 * time.Hour

// next is the delivery to come, and latest the newest one of the period; nil:
// there is none. said is what there is to say when there cannot be a next one,
// nor need be.
func (d *desk) next(ctx context.Context) (next jobs.CallsDelivery, latest *jobs.CallsDelivery, said string, err error) {
	next = jobs.CallsDelivery{Carrier: d.run.Carrier, Period: d.run.Period, Version: 1, Sequence: 1, Job: d.run.Job}
	inputs, purged, err := d.inputs(ctx)
	if err != nil {
		return next, nil, "", err
	}
	next.Inputs = inputs
	last, err := d.State.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: d.run.Carrier, Limit: 1})
	if err != nil {
		return next, nil, "", err
	}
	if len(last) > 0 {
		next.Sequence = last[0].Sequence + 1
	}
	newest, err := d.State.CallsDeliveries(ctx, jobs.CallsFilter{Carrier: d.run.Carrier, Period: &d.run.Period, Newest: true, Limit: 1})
	if err != nil {
		return next, nil, "", err
	}
	if len(newest) > 0 {
		latest = &newest[0]
		next.Version, next.Base = latest.Version+1, latest.Sequence
	}
	if said, err = d.refusePurged(&next, latest, purged); err != nil {
		return next, nil, "", err
	}
	if latest != nil {
		if err := d.complete(latest, next.Inputs); err != nil {
			return next, nil, "", err
		}
	}
	if next.Settings, err = json.Marshal(d.settings()); err != nil {
		return next, nil, "", err
	}
	next.Basis, err = basis(&next)
	return next, latest, said, err
}

func (d *desk) settings() settings {
	return settings{
		Program: d.Program, From: d.run.Period.From.UTC().Format(time.RFC3339Nano), To: d.run.Period.To.UTC().Format(time.RFC3339Nano),
		Names: d.x.Names, Others: d.x.Others,
	}
}

// basis is a hash of all that a delivery depends on.
func basis(d *jobs.CallsDelivery) (string, error) {
	text, err := json.Marshal([]any{d.Carrier, d.Settings, d.Inputs})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// inputs are the files that the period is made of: those of which a
// reconciliation reads the records, and quality rows. Those that were purged are
// among them.
func (d *desk) inputs(ctx context.Context) (list []jobs.CallsInput, purged gone, err error) {
	p := d.run.Period
	entries, err := d.State.Covering(ctx, d.run.Carrier, p.From.Add(-d.x.Reach), p.To.Add(d.x.Reach))
	if err != nil {
		return nil, purged, err
	}
	for _, e := range entries {
		if e.Microsoft {
			purged.add(e.RawPurged)
			list = append(list, jobs.CallsInput{Holds: jobs.HoldsCalls, ID: e.ID, Name: e.Name, SHA256: e.SHA256})
		}
	}
	files, err := d.State.MicrosoftFiles(ctx, jobs.MicrosoftFilter{Carrier: d.run.Carrier, From: p.From.Add(-qualityReach), To: p.To.Add(qualityReach)})
	for _, f := range files {
		if f.Usable() {
			purged.add(f.RawPurged)
			list = append(list, jobs.CallsInput{Holds: jobs.HoldsQuality, ID: qualityID(f.ID), Name: f.Name, SHA256: f.SHA256})
		}
	}
	return list, purged, err
}

// qualityID is how a run calls a file of quality rows among its inputs.
func qualityID(id int64) string { return "quality/" + strconv.FormatInt(id, 10) }

// complete refuses to make a version without files that the one before was made
// of: it would tell the carrier that their calls were removed.
func (d *desk) complete(latest *jobs.CallsDelivery, now []jobs.CallsInput) error {
	for _, in := range latest.Inputs {
		if !slices.ContainsFunc(now, func(x jobs.CallsInput) bool { return x.ID == in.ID }) {
			return dispatch.Permanent(fmt.Errorf("%s, of which delivery %d of this period was made, is not kept any more: "+
				"without it the carrier would be told that its calls were removed, so nothing is delivered", jobs.Mask(in.Name), latest.Sequence))
		}
	}
	return nil
}

// snapshot notes what the run works with.
func (d *desk) snapshot(ctx context.Context, x *jobs.CallsDelivery) error {
	var inputs []jobs.RunInput
	for _, in := range x.Inputs {
		role := "microsoft"
		if in.Holds == jobs.HoldsQuality {
			role = "quality"
		}
		inputs = append(inputs, jobs.RunInput{Role: role, File: in.ID, SHA256: in.SHA256})
	}
	return d.State.Snapshot(ctx, d.run.Lease(), x.Settings, inputs)
}
