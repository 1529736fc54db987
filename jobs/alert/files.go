package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// mostRejected is how many alerts about rejected files of one carrier are open
// at once. Those beyond them share one, so that a carrier that goes wild fills
// nobody's inbox.
const mostRejected = 100

// theRest is the subject of the alert that they share.
const theRest = "further files"

// Decided is told of every file of either side that was decided.
func (d *Desk) Decided(ctx context.Context, e jobs.Entry) {
	if e.Ingested() && !e.Microsoft {
		d.disturb(e.Carrier)
	}
	if err := d.decided(ctx, &e); err != nil {
		d.mu.Lock()
		d.behind = true
		d.mu.Unlock()
		d.trouble(ctx, "alerts about a file are late", err, "carrier", e.Carrier, "file", e.Name)
	}
}

// disturb says that a carrier has new files.
func (d *Desk) disturb(carrier string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.arrived == nil {
		d.arrived = map[string]bool{}
	}
	d.arrived[carrier] = true
}

func (d *Desk) decided(ctx context.Context, e *jobs.Entry) error {
	if e.Status == landing.StatusRejected {
		return d.rejected(ctx, e)
	}
	open, err := d.State.Alerts(ctx, jobs.AlertFilter{Open: true, Carrier: e.Carrier})
	if err != nil {
		return err
	}
	errs := []error{d.good(ctx, e, open)}
	for _, r := range e.Missing {
		errs = append(errs, d.raise(ctx, gapAlert(e, r)))
	}
	return errors.Join(errs...)
}

// kindOf is what a rejected file of a side is an alert of.
func kindOf(microsoft bool) jobs.AlertKind {
	if microsoft {
		return jobs.AlertFeed
	}
	return jobs.AlertRejected
}

// rejectedKey is the key of the alert about a file of a name, of the side and
// carrier of e.
func rejectedKey(e *jobs.Entry, name string) string {
	return key(string(kindOf(e.Microsoft)), e.Carrier, told(name))
}

func rejectedAlert(e *jobs.Entry) jobs.Alert {
	kind := kindOf(e.Microsoft)
	a := jobs.Alert{Key: rejectedKey(e, e.Name), Kind: kind, Carrier: e.Carrier, Subject: named(e.Name)}
	why := "no reason was given"
	if len(e.Reasons) > 0 {
		why = brief(e.Reasons[0].Reason)
	}
	a.Text = fmt.Sprintf("the file was rejected: %s; nothing of it counts: have the carrier correct it and send it again under the same name or number", why)
	if e.Microsoft {
		a.Text = fmt.Sprintf("Microsoft's file cannot be used: %s; nothing of it counts: export it again under the same name", why)
	}
	return a
}

// rejected raises the alert of a rejected file.
func (d *Desk) rejected(ctx context.Context, e *jobs.Entry) error {
	a := rejectedAlert(e)
	open, err := d.State.Alerts(ctx, jobs.AlertFilter{Open: true, Kind: a.Kind, Carrier: e.Carrier, Limit: mostRejected})
	if err != nil {
		return err
	}
	if len(open) == mostRejected {
		a.Key, a.Subject = key(string(a.Kind), e.Carrier, ""), theRest
		a.Text = fmt.Sprintf("%d rejected files have open alerts, and there are more: concord files --carrier %s lists all of them", mostRejected, e.Carrier)
	}
	return d.raise(ctx, a)
}

// gapKey begins with the carrier's side: numbers of the two are apart.
func gapKey(e *jobs.Entry) string {
	if e.Microsoft {
		return key(string(jobs.AlertGap), e.Carrier, "microsoft")
	}
	return key(string(jobs.AlertGap), e.Carrier)
}

func gapAlert(e *jobs.Entry, r landing.Range) jobs.Alert {
	span := fmt.Sprintf("%d-%d", r.From, r.To)
	what := fmt.Sprintf("the files with the sequence numbers %d to %d have", r.From, r.To)
	if r.From == r.To {
		what = fmt.Sprintf("the file with the sequence number %d has", r.From)
	}
	from := "the carrier"
	if e.Microsoft {
		from = "whoever exports Microsoft's files"
	}
	return jobs.Alert{
		Key: key(gapKey(e), span), Kind: jobs.AlertGap, Carrier: e.Carrier, Subject: span,
		Text: fmt.Sprintf("%s not arrived, and %s has: ask %s to send what is missing", what, named(e.Name), from),
	}
}

// good resolves what a file that was taken makes good, of the open alerts.
func (d *Desk) good(ctx context.Context, e *jobs.Entry, open []jobs.Alert) error {
	var errs []error
	var rest *jobs.Alert
	mended := false
	for i := range open {
		a := &open[i]
		switch {
		case a.Kind == kindOf(e.Microsoft) && a.Subject == theRest:
			rest = a
		case a.Kind == kindOf(e.Microsoft):
			same, err := d.takesPlace(ctx, e, a)
			if same {
				err = d.resolve(ctx, *a)
				mended = true
			}
			errs = append(errs, err)
		case a.Kind == jobs.AlertGap:
			errs = append(errs, d.fill(ctx, e, a))
		case a.Kind == jobs.AlertNoData:
			errs = append(errs, d.silenced(ctx, e, a))
		}
	}
	if mended && rest != nil {
		errs = append(errs, d.resolve(ctx, *rest))
	}
	return errors.Join(errs...)
}

// takesPlace reports whether a file is another try of the rejected one that an
// alert is about: it has its name, or is one with rows of its number.
func (d *Desk) takesPlace(ctx context.Context, e *jobs.Entry, a *jobs.Alert) (bool, error) {
	if a.Key == rejectedKey(e, e.Name) {
		return true, nil
	}
	if e.Sequence == nil || !e.Ingested() {
		return false, nil
	}
	f := jobs.FileFilter{
		Carrier: e.Carrier, Side: side(e.Microsoft), Status: landing.StatusRejected, Name: a.Subject,
		Since: a.Raised.Add(-longestWait), Limit: 100,
	}
	if jobs.Masked(a.Subject) {
		f.Name, f.Limit = "", 1000
	}
	list, err := d.State.ListFiles(ctx, f)
	return slices.ContainsFunc(list, func(r jobs.Entry) bool {
		return a.Key == rejectedKey(e, r.Name) && r.Sequence != nil && *r.Sequence == *e.Sequence
	}), err
}

// longestWait is more than a file ever waits between its arrival and what is
// decided of it.
const longestWait = 31 * 24 * time.Hour

func side(microsoft bool) string {
	if microsoft {
		return "microsoft"
	}
	return "carrier"
}

// fill resolves a gap that the file has closed.
func (d *Desk) fill(ctx context.Context, e *jobs.Entry, a *jobs.Alert) error {
	span, ok := under(a.Key, gapKey(e))
	r, valid := rangeOf(span)
	if !ok || !valid || e.Sequence == nil || !e.Ingested() || *e.Sequence < r.From || *e.Sequence > r.To {
		return nil
	}
	all, err := d.complete(ctx, e, r, a.Raised)
	if err != nil || !all {
		return err
	}
	return d.resolve(ctx, *a)
}

// rangeOf reads the end of a gap's key.
func rangeOf(s string) (r landing.Range, ok bool) {
	from, to, _ := strings.Cut(s, "-")
	a, errA := strconv.ParseInt(from, 10, 64)
	b, errB := strconv.ParseInt(to, 10, 64)
	return landing.Range{From: a, To: b}, errA == nil && errB == nil
}

// page is how many files or runs are read at once.
const page = 200

// complete reports whether every number of a gap has arrived since it was
// found.
func (d *Desk) complete(ctx context.Context, of *jobs.Entry, r landing.Range, since time.Time) (bool, error) {
	seen := map[int64]bool{}
	f := jobs.FileFilter{Carrier: of.Carrier, Side: side(of.Microsoft), Limit: page}
	for {
		list, err := d.State.ListFiles(ctx, f)
		if err != nil {
			return false, err
		}
		for i := range list {
			e := &list[i]
			if e.Ingested() && e.Sequence != nil && r.From <= *e.Sequence && *e.Sequence <= r.To {
				seen[*e.Sequence] = true
			}
			f.Before = e.ID
		}
		if uint64(len(seen)) > uint64(r.To-r.From) {
			return true, nil
		}
		if len(list) < page || list[len(list)-1].Decided.Before(since.Add(-time.Hour)) {
			return false, nil
		}
	}
}
