// Package alert decides who is told when something is late, missing or broken.
//
// A Desk is told what became of files, runs and visits to carriers' hosts, and
// looks now and then at what did not happen. What is wrong is an alert: it is
// raised once, and resolved once when it is no longer so. Both are logged, and
// posted to a webhook until its receiver has taken them; ALERTS.md says to
// receivers what they get. Nothing is lost by a restart: alerts and messages
// are in the state, and what a crash kept from being raised is found again by
// Tick. A message may be delivered more than once, under the same id.
//
// Texts hold names of carriers, jobs and files, and never a phone number.
package alert

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"concord/jobs"
	"concord/jobs/config"
)

// State is what a Desk needs of what is remembered. Package jobs describes it.
type State interface {
	jobs.Alerts
	// ListFiles is that of jobs.FileList.
	ListFiles(ctx context.Context, f jobs.FileFilter) ([]jobs.Entry, error)
	// Run and Runs are those of jobs.Runs.
	Run(ctx context.Context, id string) (jobs.Run, error)
	Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error)
}

// Desk raises alerts, resolves them and tells of both. State, Config, Now and
// Log are required. It is safe for concurrent use.
type Desk struct {
	State  State
	Config func() *config.Config
	Now    func() time.Time
	Log    *slog.Logger
	// Space returns how many bytes of the disk are free, and of how many; 0
	// and 0: unknown. nil: nobody looks.
	Space func() (free, all int64)
	// Client posts messages; nil: one that gives up after a while and follows
	// nobody to another address.
	Client *http.Client
	// Delivered is told of each attempt to post a message; nil: nobody is.
	Delivered func(ok bool)

	mu      sync.Mutex
	woken   chan struct{}
	behind  bool            // what became of a file could not be handled
	unsure  bool            // what became of a run could not be handled
	arrived map[string]bool // carriers with new files since they were looked at
	healthy map[string]bool // keys of places without an alert about them

	ticking sync.Mutex // one Tick at a time; it guards what follows
	begun   bool       // the latest files were looked through
	walked  time.Time  // when the failed runs were looked through
	settled map[string]bool
	vigils  map[string]*vigil
}

// Wake tells Deliver that there may be a message.
func (d *Desk) Wake() {
	select {
	case d.waking() <- struct{}{}:
	default:
	}
}

func (d *Desk) waking() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.woken == nil {
		d.woken = make(chan struct{}, 1)
	}
	return d.woken
}

// raise opens an alert, unless one of its key is open.
func (d *Desk) raise(ctx context.Context, a jobs.Alert) error {
	a, raised, err := d.State.Raise(ctx, a, d.Now())
	if err != nil {
		return fmt.Errorf("raise %s about %s: %w", a.Kind, a.Subject, err)
	}
	if raised {
		d.note(ctx, slog.LevelWarn, "raised", a)
		d.Wake()
	}
	return nil
}

// resolve ends an open alert.
func (d *Desk) resolve(ctx context.Context, a jobs.Alert) error {
	was, err := d.State.Resolve(ctx, a.Key, d.Now())
	if err != nil {
		return fmt.Errorf("resolve %s about %s: %w", a.Kind, a.Subject, err)
	}
	if was {
		d.note(ctx, slog.LevelInfo, "resolved", a)
		d.Wake()
	}
	return nil
}

// resolveKey ends the alert of a key, if one is open. Looking first is cheaper
// than a transaction that ends nothing.
func (d *Desk) resolveKey(ctx context.Context, key string) error {
	open, err := d.State.Alerts(ctx, jobs.AlertFilter{Open: true, Key: key})
	if err != nil || len(open) == 0 {
		return err
	}
	return d.resolve(ctx, open[0])
}

func (d *Desk) note(ctx context.Context, level slog.Level, what string, a jobs.Alert) {
	d.Log.Log(ctx, level, "alert", "what", what, "kind", string(a.Kind), "carrier", a.Carrier, "job", a.Job, "subject", a.Subject, "text", a.Text)
}

// trouble logs what the desk could not do. Tick does it later.
func (d *Desk) trouble(ctx context.Context, what string, err error, args ...any) {
	d.Log.Log(ctx, slog.LevelError, what, append(args, "error", err.Error())...)
}

// under reports whether a key is one of a group.
func under(key string, parts ...string) (rest string, ok bool) {
	return strings.CutPrefix(key, strings.Join(parts, "/")+"/")
}

func key(parts ...string) string { return strings.Join(parts, "/") }
