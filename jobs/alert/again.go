package alert

import (
	"context"
	"errors"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// lastFiles is how many files are looked through for what a crash has kept
// from being told. There are fewer under way at once.
const lastFiles = 1000

// replay handles the latest files once more, if some may not have been.
func (d *Desk) replay(ctx context.Context, open []jobs.Alert) error {
	d.mu.Lock()
	due := d.behind || !d.begun
	d.behind = false
	d.mu.Unlock()
	if !due {
		return nil
	}
	list, err := d.State.ListFiles(ctx, jobs.FileFilter{Limit: lastFiles})
	if err == nil {
		err = d.again(ctx, list, open)
	}
	d.begun = err == nil
	return err
}

// file is a name or a number of one side of one carrier.
type file struct {
	carrier   string
	microsoft bool
	name      string
	number    int64
}

// again handles files, the latest first. What was made good since is not
// raised, nor is what was told before.
func (d *Desk) again(ctx context.Context, list []jobs.Entry, open []jobs.Alert) error {
	later := map[file]bool{}
	var errs []error
	for i := range list {
		e := &list[i]
		names := names(e)
		switch {
		case e.Status != landing.StatusRejected:
			errs = append(errs, d.good(ctx, e, before(e, open)))
			for _, n := range names {
				later[n] = true
			}
		case !later[names[0]] && !later[names[len(names)-1]]:
			errs = append(errs, d.rejectedAgain(ctx, e))
		}
		for _, r := range e.Missing {
			errs = append(errs, d.gapAgain(ctx, e, r))
		}
	}
	return errors.Join(errs...)
}

// before returns the alerts of a carrier that were raised before a file of it
// was decided.
func before(e *jobs.Entry, open []jobs.Alert) (list []jobs.Alert) {
	for _, a := range open {
		if a.Carrier == e.Carrier && !a.Raised.After(e.Decided) {
			list = append(list, a)
		}
	}
	return list
}

// names are what a rejected file and another try of it have in common.
func names(e *jobs.Entry) []file {
	list := []file{{carrier: e.Carrier, microsoft: e.Microsoft, name: e.Name}}
	if e.Sequence != nil && e.Status != landing.StatusDuplicate {
		list = append(list, file{carrier: e.Carrier, microsoft: e.Microsoft, number: *e.Sequence})
	}
	return list
}

func (d *Desk) rejectedAgain(ctx context.Context, e *jobs.Entry) error {
	for _, k := range []string{rejectedAlert(e).Key, key(string(kindOf(e.Microsoft)), e.Carrier, "")} {
		if was, err := d.told(ctx, k, e.Decided); was || err != nil {
			return err
		}
	}
	return d.rejected(ctx, e)
}

func (d *Desk) gapAgain(ctx context.Context, e *jobs.Entry, r landing.Range) error {
	a := gapAlert(e, r)
	was, err := d.told(ctx, a.Key, e.Decided)
	if was || err != nil {
		return err
	}
	filled, err := d.complete(ctx, e, r, e.Decided)
	if filled || err != nil {
		return err
	}
	return d.raise(ctx, a)
}

// told reports whether the alert of a key is open, or was raised since.
func (d *Desk) told(ctx context.Context, key string, since time.Time) (bool, error) {
	list, err := d.State.Alerts(ctx, jobs.AlertFilter{Key: key, Limit: 1})
	return len(list) > 0 && (list[0].Resolved.IsZero() || !list[0].Raised.Before(since)), err
}
