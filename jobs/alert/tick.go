package alert

import (
	"context"
	"errors"
	"fmt"

	"concord/jobs"
	"concord/jobs/config"
)

// patience is from which failure in a row on a host is an alert.
const patience = 3

// Host is told of each visit to where a carrier's files are taken from: how
// many have failed in a row, and why the last one did; nil: it did not.
func (d *Desk) Host(ctx context.Context, carrier string, failures int, err error) {
	if err := d.host(ctx, carrier, failures, err); err != nil {
		d.trouble(ctx, "an alert about a host is late", err, "carrier", carrier)
	}
}

func (d *Desk) host(ctx context.Context, carrier string, failures int, cause error) error {
	k := key(string(jobs.AlertHost), carrier)
	d.mu.Lock()
	healthy := d.healthy[carrier]
	if d.healthy == nil {
		d.healthy = map[string]bool{}
	}
	if cause != nil {
		delete(d.healthy, carrier)
	}
	d.mu.Unlock()
	switch {
	case cause == nil && healthy, cause != nil && failures < patience:
		return nil
	case cause != nil:
		return d.raise(ctx, jobs.Alert{
			Key: k, Kind: jobs.AlertHost, Carrier: carrier, Subject: carrier,
			Text: fmt.Sprintf("nothing can be taken for the carrier, %d times in a row: %s; it goes on trying: see concord carrier test %s", failures, brief(cause.Error()), carrier),
		})
	}
	if err := d.resolveKey(ctx, k); err != nil {
		return err
	}
	d.mu.Lock()
	d.healthy[carrier] = true
	d.mu.Unlock()
	return nil
}

// Tick looks at what did not happen: files and runs that are late, a disk that
// fills, and what was raised about things that are no longer configured. It is
// cheap when nothing has changed. One service of several calls it.
func (d *Desk) Tick(ctx context.Context) error {
	d.ticking.Lock()
	defer d.ticking.Unlock()
	c := d.Config()
	open, err := d.State.Alerts(ctx, jobs.AlertFilter{Open: true})
	if err != nil {
		return err
	}
	open, err = d.prune(ctx, c, open)
	return errors.Join(err, d.replay(ctx, open), d.late(ctx, c, open), d.failed(ctx, c, open), d.disk(ctx, open), d.expected(ctx, c, open))
}

// prune resolves alerts about what is no longer in the configuration, and
// returns the others.
func (d *Desk) prune(ctx context.Context, c *config.Config, open []jobs.Alert) (kept []jobs.Alert, err error) {
	for _, a := range open {
		if meant(c, &a) {
			kept = append(kept, a)
			continue
		}
		err = errors.Join(err, d.resolve(ctx, a))
	}
	return kept, err
}

// meant reports whether the configuration has what an alert is about.
func meant(c *config.Config, a *jobs.Alert) bool {
	x, ok := c.Carrier(a.Carrier)
	if a.Carrier != "" && !ok {
		return false
	}
	switch a.Kind {
	case jobs.AlertFileMissing:
		return ok && x.Expected != nil
	case jobs.AlertRunLate:
		j, ok := c.Job(a.Job)
		return ok && j.Deadline > 0 && serves(c, a.Job, a.Carrier)
	}
	return a.Job == "" || serves(c, a.Job, a.Carrier)
}

// Bounds of what is free. Between those of raising and resolving nothing
// changes, so that a disk at the edge is not told of over and over.
const (
	diskKey  = "disk"
	gibibyte = 1 << 30
)

func scarce(free, all int64) bool {
	return float64(free) < 0.05*float64(all) || free < gibibyte
}

func plenty(free, all int64) bool {
	return float64(free) > 0.06*float64(all) && float64(free) > 1.2*gibibyte
}

func (d *Desk) disk(ctx context.Context, open []jobs.Alert) error {
	if d.Space == nil {
		return nil
	}
	free, all := d.Space()
	isOpen := keysOf(open, jobs.AlertDisk)[diskKey]
	switch {
	case all <= 0:
		return nil
	case !isOpen && scarce(free, all):
		return d.raise(ctx, jobs.Alert{
			Key: diskKey, Kind: jobs.AlertDisk, Subject: "data folder",
			Text: fmt.Sprintf("%.1f GiB of %.1f GiB are free where the data folder is: make space or enlarge the disk, before carriers' files are refused",
				float64(free)/gibibyte, float64(all)/gibibyte),
		})
	case isOpen && plenty(free, all):
		return d.resolveKey(ctx, diskKey)
	}
	return nil
}
