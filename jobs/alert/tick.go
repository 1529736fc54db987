package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"concord/jobs"
	"concord/jobs/config"
)

// patience is from which failure in a row on a place is an alert.
const patience = 3

// Place is where a carrier's files are taken from.
type Place string

// Places.
const (
	CarriersHost     Place = "host"
	MicrosoftsFolder Place = "microsoft"
	Home             Place = "home" // here
)

// wrong says what cannot be done at a place.
func (p Place) wrong() string {
	switch p {
	case MicrosoftsFolder:
		return "Microsoft's files about the carrier cannot be taken"
	case Home:
		return "the carrier's home in the data folder cannot be opened, and it is turned away"
	}
	return "the carrier's own host cannot be used"
}

func (p Place) hint(carrier string) string {
	switch p {
	case MicrosoftsFolder:
		return "see that the folder of the setting microsoft can be read"
	case Home:
		return "see concord doctor"
	}
	return "see concord carrier test " + carrier
}

// Visited is told of each visit to a place of a carrier: how many have failed
// in a row, and why the last one did; nil: it did not.
func (d *Desk) Visited(ctx context.Context, carrier string, place Place, failures int, err error) {
	k := key(string(jobs.AlertHost), carrier)
	if place != CarriersHost {
		k = key(k, string(place))
	}
	d.visited(ctx, jobs.Alert{Key: k, Kind: jobs.AlertHost, Carrier: carrier, Subject: carrier}, place.wrong(), place.hint(carrier), failures, err)
}

// Tenant is told of each look at a list of a tenant in Microsoft Graph, as
// Visited is.
func (d *Desk) Tenant(ctx context.Context, name string, failures int, err error) {
	d.visited(ctx, jobs.Alert{Key: key(string(jobs.AlertHost), graphKey, name), Kind: jobs.AlertHost, Subject: name},
		"calls cannot be read from Microsoft Graph", "see the settings of microsoft.graph", failures, err)
}

// MicrosoftHost is told of each look at a host of Microsoft's side, as Visited
// is.
func (d *Desk) MicrosoftHost(ctx context.Context, name string, failures int, err error) {
	d.visited(ctx, jobs.Alert{Key: key(string(jobs.AlertHost), microsoftKey, name), Kind: jobs.AlertHost, Subject: name},
		"not all of Microsoft's files can be taken from the host", "see concord doctor --hosts, and the settings of microsoft.hosts", failures, err)
}

// Shared is told of each look at the folder of Microsoft's files about several
// carriers, as Visited is.
func (d *Desk) Shared(ctx context.Context, failures int, err error) {
	d.visited(ctx, jobs.Alert{Key: key(string(jobs.AlertHost), sharedKey), Kind: jobs.AlertHost, Subject: sharedFolder},
		"files about several carriers cannot be dealt out", "see the setting "+sharedFolder, failures, err)
}

const (
	// No carrier is called so.
	graphKey     = "graph:"
	microsoftKey = "microsoft:"
	sharedKey    = "calls:"

	sharedFolder = "microsoft.calls"
)

func (d *Desk) visited(ctx context.Context, a jobs.Alert, wrong, hint string, failures int, cause error) {
	if err := d.place(ctx, a, wrong, hint, failures, cause); err != nil {
		d.trouble(ctx, "an alert about a host is late", err, "subject", a.Subject)
	}
}

func (d *Desk) place(ctx context.Context, a jobs.Alert, wrong, hint string, failures int, cause error) error {
	d.mu.Lock()
	healthy := d.healthy[a.Key]
	if d.healthy == nil {
		d.healthy = map[string]bool{}
	}
	if cause != nil {
		delete(d.healthy, a.Key)
	}
	d.mu.Unlock()
	switch {
	case cause == nil && healthy, cause != nil && failures < patience:
		return nil
	case cause != nil:
		a.Text = fmt.Sprintf("%s, %d times in a row: %s; it goes on trying: %s", wrong, failures, brief(cause.Error()), hint)
		return d.raise(ctx, a)
	}
	if err := d.resolveKey(ctx, a.Key); err != nil {
		return err
	}
	d.mu.Lock()
	d.healthy[a.Key] = true
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
	case jobs.AlertHost:
		return a.Carrier != "" || hasTenant(c, a.Subject) || hasHost(c, a.Subject) || a.Subject == sharedFolder && c.Calls != ""
	case jobs.AlertRunLate:
		j, ok := c.Job(a.Job)
		return ok && j.Deadline > 0 && serves(c, a.Job, a.Carrier)
	}
	return a.Job == "" || serves(c, a.Job, a.Carrier)
}

// hasTenant reports whether a list of a tenant, as Tenant names it, is read.
func hasTenant(c *config.Config, subject string) bool {
	name, list, _ := strings.Cut(subject, "/")
	return slices.ContainsFunc(c.Graph, func(g *config.Graph) bool { return g.Name == name && slices.Contains(g.Lists, list) })
}

// hasHost reports whether Microsoft's side has a host of a name.
func hasHost(c *config.Config, name string) bool {
	return slices.ContainsFunc(c.MicrosoftHosts, func(h *config.MicrosoftHost) bool { return h.Name == name })
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
