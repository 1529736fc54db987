package control

import (
	"context"
	"slices"
	"time"

	"concord/jobs"
)

// Moment is something that happened to a run.
type Moment struct {
	Time                       time.Time
	Stage                      string // that began then; empty: Text says it
	Text                       string
	MicrosoftRows, CarrierRows int64 // read until the end of the stage
}

// RunLog returns what happened to a run in the order of time. Stages are known
// of the latest runs of this process only.
func (d *Desk) RunLog(ctx context.Context, id string) ([]Moment, error) {
	r, err := d.Queue.Run(ctx, id)
	if err != nil {
		return nil, explain(err, "run", id)
	}
	var list []Moment
	add := func(at time.Time, text string) {
		if !at.IsZero() {
			list = append(list, Moment{Time: at.UTC(), Text: text})
		}
	}
	asked := "asked for (" + string(r.Trigger) + ")"
	if r.By != "" {
		asked += " by " + r.By
	}
	add(r.Created, asked)
	add(r.Started, "began")
	if d.Log != nil {
		list = append(list, d.Log(id)...)
	}
	add(r.Finished, ended(r))
	slices.SortStableFunc(list, func(a, b Moment) int { return a.Time.Compare(b.Time) })
	return list, nil
}

// ended says how a run has ended.
func ended(r jobs.Run) string {
	if r.Error == "" {
		return string(r.State)
	}
	return string(r.State) + ": " + jobs.Mask(r.Error)
}
