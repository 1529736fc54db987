package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"concord/exchange"
	"concord/fixtures"
	"concord/jobs/control"
)

// The jobs of the demonstration's flows from Microsoft to the carriers.
const (
	demoNumbers = "numbers"
	demoCalls   = "calls"
)

// demoUsage is the job that sums up what customers have used.
const demoUsage = "usage"

// fetched is what the carriers take out of their outboxes, a folder each.
const demoFetched = "outbox"

// numbers tells the carriers which numbers they have.
func (d *demo) numbers() error {
	d.chapter("Microsoft has assigned numbers; the carriers get theirs: concord run %s --wait", demoNumbers)
	for _, c := range d.carriers {
		if err := errors.Join(d.list(c, c.Users), d.list(c, c.Listings[0])); err != nil {
			return err
		}
	}
	if _, err := d.run(demoNumbers, ""); err != nil {
		return err
	}
	for _, c := range d.carriers {
		if err := d.fetch(c.Name, "numbers_", 1); err != nil {
			return err
		}
	}
	return nil
}

// moved delivers what Microsoft has changed since.
func (d *demo) moved() error {
	c := d.carriers[0]
	d.chapter("In November Microsoft assigns other numbers of %s; it gets what has changed", c.Name)
	if err := d.list(c, c.Listings[1]); err != nil {
		return err
	}
	if _, err := d.run(demoNumbers, "", c.Name); err != nil {
		return err
	}
	return d.fetch(c.Name, "numbers_", 2)
}

// calls delivers Microsoft's records of the calls, and how good they were.
func (d *demo) calls() error {
	period := d.carriers[0].Period
	d.chapter("Microsoft's call records and their quality, for troubleshooting: concord run %s --period %s --wait", demoCalls, period)
	for _, c := range d.carriers {
		if err := d.feed(c.CallRecords, c.Name, "quality"); err != nil {
			return err
		}
	}
	if _, err := d.run(demoCalls, period); err != nil {
		return err
	}
	for _, c := range d.carriers {
		if err := d.fetch(c.Name, "calls_", 1); err != nil {
			return err
		}
	}
	return nil
}

// usage sums up what the customers have used.
func (d *demo) usage() error {
	period := d.carriers[0].Period
	d.chapter("What each customer has used, from the newest reports: concord run %s --period %s --wait", demoUsage, period)
	runs, err := d.run(demoUsage, period)
	if err != nil {
		return err
	}
	g := grid{right: []bool{false, true, true, true}}
	g.add("Carrier", "customers", "calls", "used min", "report")
	for _, r := range runs {
		if r.Published == nil {
			return fmt.Errorf("run %s of %s has %s without a version: %s", r.ID, r.Carrier, r.State, r.Error)
		}
		s, err := d.used(*r.Published)
		if err != nil {
			return err
		}
		g.add(r.Carrier, grouped(s.Customers), grouped(s.Totals.Calls), minutes(s.Totals.Used), fmt.Sprintf("v%d", r.Published.Version))
	}
	g.write(d.Out, "   ")
	return nil
}

// usedSummary is what a version of usage says of itself, as far as the story
// tells of it.
type usedSummary struct {
	Customers int64 `json:"customers"`
	Totals    struct {
		Calls int64 `json:"calls"`
		Used  int64 `json:"used_milliseconds"`
	} `json:"totals"`
}

func (d *demo) used(r control.Report) (s usedSummary, err error) {
	text, err := os.ReadFile(d.path("data", demoReports, r.Carrier, "usage", r.Period.Text, fmt.Sprintf("v%d", r.Version), "summary.json"))
	return s, errors.Join(err, json.Unmarshal(text, &s))
}

// list puts a file of Microsoft's into the folder of a carrier's numbers.
func (d *demo) list(c fixtures.DemoCarrier, from string) error {
	return d.feed(from, c.Name, "numbers")
}

// feed puts one of Microsoft's files into a carrier's folder, as one that has
// been there for a while.
func (d *demo) feed(from string, folder ...string) error {
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(from, past, past); err != nil {
		return fmt.Errorf("place the demonstration's files: %w", err)
	}
	to := append([]string{"data", "microsoft"}, folder...)
	return place(from, d.path(append(to, filepath.Base(from))...))
}

// delivered is the manifest of a delivery, as far as the story tells of it.
type delivered struct {
	Delivery int `json:"delivery"`
	changes
	Calls   changes `json:"calls"`
	Quality changes `json:"quality"`
	Files   []struct {
		Name string `json:"name"`
		Rows int64  `json:"rows"`
	} `json:"files"`
}

// changes count what is new, of numbers or of calls.
type changes struct {
	Added   int64 `json:"added"`
	Removed int64 `json:"removed"`
	Changed int64 `json:"changed"`
}

func (c changes) String() string {
	return fmt.Sprintf("%s added, %s changed, %s removed", grouped(c.Added), grouped(c.Changed), grouped(c.Removed))
}

// String tells what is in a delivery: calls and their quality, or numbers.
func (m delivered) String() string {
	if m.Calls != (changes{}) {
		return fmt.Sprintf("calls: %s; streams of audio: %s", m.Calls, m.Quality)
	}
	return m.changes.String()
}

// fetch has a carrier take what is new in its outbox, and tells what that is.
func (d *demo) fetch(carrier, prefix string, delivery int) error {
	to := d.path(demoFetched, carrier)
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	d.say("%s$ sftp -P %s %s@127.0.0.1 <<< 'get outbox/%s*'", carrier, d.service.port, carrier, prefix)
	if err := d.getAll(carrier, prefix, to); err != nil {
		return err
	}
	manifests, err := filepath.Glob(filepath.Join(to, prefix+"*_manifest.json"))
	if err != nil {
		return err
	}
	for _, name := range manifests {
		text, err := os.ReadFile(name)
		var m delivered
		if err = errors.Join(err, json.Unmarshal(text, &m)); err != nil {
			return fmt.Errorf("read %s: %w", filepath.Base(name), err)
		}
		if m.Delivery == delivery {
			d.tellOf(carrier, m)
			return nil
		}
	}
	return fmt.Errorf("delivery %d to %s is not in its outbox", delivery, carrier)
}

// tellOf tells what is in a delivery, and of the first carrier's also the
// files.
func (d *demo) tellOf(carrier string, m delivered) {
	d.say("    delivery %d: %s", m.Delivery, m)
	if carrier != d.carriers[0].Name {
		return
	}
	for _, f := range m.Files {
		d.say("    %8s rows  %s", grouped(f.Rows), f.Name)
	}
}

// getAll fetches the files of an outbox whose names begin alike.
func (d *demo) getAll(carrier, prefix, to string) error {
	if sftpProgram() != "" {
		return d.sftp(carrier, fmt.Sprintf("get outbox/%s* %q", prefix, to))
	}
	return d.ownClient(carrier, func(ctx context.Context, r exchange.Remote) error {
		list, err := r.List(ctx, "outbox")
		for _, e := range list {
			if err != nil {
				break
			}
			if strings.HasPrefix(e.Name, prefix) {
				err = getOne(ctx, r, path.Join("outbox", e.Name), filepath.Join(to, e.Name))
			}
		}
		return err
	})
}

func getOne(ctx context.Context, r exchange.Remote, name, to string) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(r.Get(ctx, name, f, 0), f.Close())
}
