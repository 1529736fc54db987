package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"concord/jobs"
)

// Reader decodes files of carriers in child processes. jobs.Worker is one.
type Reader interface {
	Inspect(ctx context.Context, o jobs.InspectOptions) (*jobs.Inspection, error)
	Infer(ctx context.Context, sample string) (*jobs.Proposal, error)
}

// Preview asks how a sample of a carrier's file is read by a profile. Nothing of
// it is kept.
type Preview struct {
	Carrier string
	Profile string // its text; empty: canonical columns
	Name    string // of the sample, as the carrier calls it
	Sample  []byte
	Propose bool // make a profile from the sample, in the place of Profile
	// Unmask shows numbers. It is noted before; the caller has seen to it that By
	// may have them.
	Unmask bool
	By     By
}

// Previewed is how a sample is read.
type Previewed struct {
	Profile string   // that it was read by
	Faults  []string // what is wrong with the profile; then nothing else is known
	Doubts  []string // what a person has to settle of a profile that was proposed
	Found   *jobs.Inspection
}

const (
	sampledRows = 50
	maxSample   = 8 << 20 // bytes
)

// Preview reads a sample by a profile, with masked numbers unless Unmask asks
// for them.
func (d *Desk) Preview(ctx context.Context, p Preview) (x Previewed, err error) {
	if _, ok := d.Config().Carrier(p.Carrier); !ok {
		return x, refuse(NotFound, nil, "the configuration has no carrier %s", jobs.Mask(p.Carrier))
	}
	switch {
	case d.Reader == nil:
		return x, refuse(Unavailable, nil, "samples are read by a running service")
	case len(p.Sample) == 0:
		return x, refuse(Invalid, nil, "choose a file of the carrier: the first part of one will do, of at most %d MiB", maxSample>>20)
	case len(p.Sample) > maxSample:
		return x, refuse(Invalid, nil, "the sample is larger than %d MiB; its first part will do", maxSample>>20)
	}
	if p.Name = path.Base(filepath.ToSlash(p.Name)); p.Name == "." || p.Name == "/" {
		p.Name = "sample"
	}
	dir, err := d.scratch()
	if err != nil {
		return x, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	x, err = d.readSample(ctx, p, dir)
	if err != nil || x.Found == nil {
		return x, err
	}
	if p.Unmask && len(x.Found.Sample) > 0 {
		return x, d.note(ctx, p.By, "number.unmask", p.Carrier, "a sample of a file")
	}
	maskSample(x.Found)
	return x, nil
}

// scratch makes a folder for one sample.
func (d *Desk) scratch() (string, error) {
	if err := os.MkdirAll(d.Scratch, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(d.Scratch, "sample-")
}

func (d *Desk) readSample(ctx context.Context, p Preview, dir string) (x Previewed, err error) {
	sample, profile := filepath.Join(dir, p.Carrier), filepath.Join(dir, ".profile.yaml") // a proposal names the carrier by its file
	if err := d.writeSample(sample, p.Sample); err != nil {
		return x, err
	}
	x.Profile = p.Profile
	if p.Propose {
		proposal, err := d.Reader.Infer(ctx, sample)
		if f, is := errors.AsType[*jobs.Failure](err); is {
			return Previewed{Faults: masked(f.Messages)}, nil
		}
		if err != nil {
			return x, err
		}
		x.Profile, x.Doubts = string(proposal.Text), masked(proposal.Doubts)
	}
	o := jobs.InspectOptions{Path: sample, Name: p.Name, Carrier: p.Carrier, Sample: sampledRows}
	if strings.TrimSpace(x.Profile) != "" {
		carrier, faults := jobs.CheckProfile([]byte(x.Profile))
		if carrier != "" && carrier != p.Carrier {
			faults = append(faults, fmt.Sprintf("carrier: is %s; the configuration calls the carrier %s", jobs.Mask(carrier), p.Carrier))
		}
		if x.Faults = masked(faults); len(faults) > 0 {
			return x, nil
		}
		if err := os.WriteFile(profile, []byte(x.Profile), 0o600); err != nil {
			return x, err
		}
		o.Profile = profile
	}
	x.Found, err = d.Reader.Inspect(ctx, o)
	return x, err
}

// writeSample writes a sample as everything that is kept is written.
func (d *Desk) writeSample(name string, sample []byte) error {
	f, err := d.Keys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(sample)
	return errors.Join(err, f.Close())
}

// masked are texts without numbers.
func masked(list []string) []string { return each(list, jobs.Mask) }

// maskSample hides numbers, also where a carrier has put them into an id.
func maskSample(x *jobs.Inspection) {
	for i := range x.Sample {
		s := &x.Sample[i]
		s.Caller, s.Callee = maskNumber(s.Caller), maskNumber(s.Callee)
		s.RecordID, s.CorrelationID = jobs.Mask(s.RecordID), jobs.Mask(s.CorrelationID)
	}
	x.Notes = masked(x.Notes)
	for i := range x.Faults {
		x.Faults[i].Reason = jobs.Mask(x.Faults[i].Reason)
	}
	for i := range x.Reasons {
		r := &x.Reasons[i]
		r.Field, r.Reason = jobs.Mask(r.Field), jobs.Mask(r.Reason)
	}
}

// CarrierDetail is one carrier with how it reaches the service and what it sends.
type CarrierDetail struct {
	Carrier
	Ways        []string      // in which its files arrive
	Policy      string        // by which it says that a file is complete
	Expected    string        // when the file about a day is due; empty: whenever it likes
	ProfileName string        // empty: its files are canonical
	Profile     string        // as it was read
	Waiting     []WaitingFile // of which nothing could be decided yet
	Files       []File        // the latest
	Runs        []Run         // the latest, of every job
}

// WaitingFile is a file in a carrier's inbox of which nothing could be decided yet.
type WaitingFile struct {
	File, Why string
	Told      time.Time // when that was found
}

const latest = 10

// Carrier returns one carrier.
func (d *Desk) Carrier(ctx context.Context, name string) (x CarrierDetail, err error) {
	list, err := d.Carriers(ctx)
	if err != nil {
		return x, err
	}
	c, ok := d.Config().Carrier(name)
	i := slices.IndexFunc(list, func(c Carrier) bool { return c.Name == name })
	if !ok || i < 0 {
		return x, refuse(NotFound, nil, "the configuration has no carrier %s", jobs.Mask(name))
	}
	x = CarrierDetail{Carrier: list[i], Policy: string(c.Terms.Policy), Profile: string(c.ProfileText)}
	if c.ProfilePath != "" {
		x.ProfileName = filepath.Base(c.ProfilePath)
	}
	if e := c.Expected; e != nil {
		x.Expected = fmt.Sprintf("%02d:%02d in %s, %d days after the day that it is about", e.Hour, e.Minute, e.Zone, e.Days)
	}
	if n := len(c.Keys) + len(c.Authorities); n > 0 {
		x.Ways = append(x.Ways, fmt.Sprintf("SFTP (keys and authorities: %d)", n))
	}
	if c.PasswordHash != "" {
		x.Ways = append(x.Ways, "SFTP with a password")
	}
	for _, t := range c.Tokens {
		x.Ways = append(x.Ways, "HTTP with the token "+t.Name+until(t.Expires))
	}
	if c.Host != nil {
		x.Ways = append(x.Ways, "taken from "+c.Host.Dial.Addr+", folder "+c.Host.Inbox)
	}
	if d.Waiting != nil {
		x.Waiting = d.Waiting(name)
	}
	if x.Files, err = d.Files(ctx, jobs.FileFilter{Carrier: name, Limit: latest}); err != nil {
		return x, err
	}
	x.Runs, err = d.Runs(ctx, jobs.RunFilter{Carrier: name, Limit: latest})
	return x, err
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + t.Format(time.DateOnly)
}
