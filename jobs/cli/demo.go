package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"concord/fixtures"
)

// demoSeed makes every demonstration the same.
const demoSeed = 1

type demoCmd struct {
	Dir  string `default:"demo" placeholder:"DIR" help:"The folder for it; when it is there already, a temporary one is used."`
	Keep bool   `help:"Leave the service running until Ctrl-C, and everything in the folder, to try other commands on. The reports stay in any case."`
}

// Help is shown below the flags.
func (demoCmd) Help() string {
	return "Tells the whole story with invented data: a service starts, three carriers get the numbers that Microsoft assigned to them, upload their records over SFTP and get receipts, and fetch Microsoft's call records and their quality; a job compares both sides and publishes reports, a correction leads to a report that supersedes the first, and the usage of each customer is summed up.\n\nExamples:\n\n  concord demo\n  concord demo --keep"
}

// Run tells the story.
func (c *demoCmd) Run(s *session) (err error) {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("find the folder of the demonstration: %w", err)
	}
	d := &demo{session: s, dir: dir, keep: c.Keep}
	defer func() {
		if !c.Keep {
			err = errors.Join(err, d.tidy())
		}
	}()
	return d.tell()
}

// folder makes the folder, or a temporary one when it is taken.
func (c *demoCmd) folder() (string, error) {
	err := os.Mkdir(c.Dir, 0o777)
	if err == nil {
		return c.Dir, nil
	}
	dir, tempErr := os.MkdirTemp("", "concord-demo-")
	if tempErr != nil {
		return "", fmt.Errorf("make a folder for the demonstration: %w", errors.Join(err, tempErr))
	}
	return dir, nil
}

// demo is one demonstration.
type demo struct {
	*session
	dir      string
	keep     bool
	carriers []fixtures.DemoCarrier
	chapters int
	service  *demoService
	password string // of those who log in to the console
}

// The folders of a demonstration.
const (
	demoFiles   = "files"   // what the carriers and Microsoft have
	demoReports = "reports" // what stays
)

func (d *demo) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// chapter begins the next part of the story.
func (d *demo) chapter(format string, args ...any) {
	d.chapters++
	fmt.Fprintf(d.Out, "\n%d. %s\n", d.chapters, fmt.Sprintf(format, args...))
}

// say tells what happens.
func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.Out, "   "+format+"\n", args...) }

// tell tells the story from its beginning to its end.
func (d *demo) tell() (err error) {
	for _, part := range []func() error{d.prepare, d.serve} {
		if err := part(); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, d.stop()) }() // whatever goes wrong
	for _, part := range []func() error{d.numbers, d.upload, d.calls, d.reconcile, d.again, d.correct, d.usage, d.moved, d.stay, d.stop} {
		if err := part(); err != nil {
			return err
		}
	}
	d.close()
	return nil
}

// prepare makes the data and the configuration.
func (d *demo) prepare() (err error) {
	d.chapter("Three carriers' records of October, and Microsoft's")
	if d.carriers, err = fixtures.Demo(d.path(demoFiles), demoSeed); err != nil {
		return fmt.Errorf("make the demonstration's files: %w", err)
	}
	var names []string
	for _, c := range d.carriers {
		names = append(names, c.Name)
		for i, path := range c.Microsoft {
			if err := place(path, d.path("data", "microsoft", c.Name, fmt.Sprintf("%02d-%s", i+1, filepath.Base(path)))); err != nil {
				return err
			}
		}
	}
	d.say("%s: invented calls with known faults, each in the carrier's own format.", strings.Join(names, ", "))
	return d.configure()
}

// place moves a file into a folder that it makes.
func place(from, to string) error {
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o750), os.Rename(from, to)); err != nil {
		return fmt.Errorf("place the demonstration's files: %w", err)
	}
	return nil
}

// tidy leaves the reports and what the carriers took.
func (d *demo) tidy() error {
	if _, err := os.Stat(d.path("data", demoReports)); err == nil {
		if err := os.Rename(d.path("data", demoReports), d.path(demoReports)); err != nil {
			return fmt.Errorf("keep the reports: %w", err)
		}
	}
	var errs []error
	for _, name := range []string{demoFiles, "data", "keys", "receipts", "concord.yaml", "concord.log", "known_hosts"} {
		errs = append(errs, os.RemoveAll(d.path(name)))
	}
	return errors.Join(errs...)
}
