// Package jobs does the product's work: it knows files and calls both, when
// work runs, and in which process.
//
// Match reconciles a carrier's files in this process. A Worker does the same
// in a child process under limits of memory and time, because a hostile file
// can end the process that decodes it: what happens to the child is told as
// one error about one file. In either case the report folder appears whole or
// not at all, and a run that fails leaves nothing behind.
//
// A Collector decides of the files that carriers send: whether one is whole,
// what is in it, and what it means beside those before it, which a Ledger
// remembers. Each content, and each sequence number, counts once.
//
// Errors come as a *Failure, whose messages are meant for the person who gave
// the command and never hold a phone number.
package jobs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/formats/dialect"
	"concord/jobs/schedule"
)

// DefaultMemory is what a run may hold when nothing else is said, in bytes.
const DefaultMemory = 256 << 20

// minMemory is the least that a run can work with, in bytes.
const minMemory = 16 << 20

// MatchOptions say what to reconcile.
type MatchOptions struct {
	// Microsoft and Carrier name the files of each side in the order
	// received.
	Microsoft, Carrier []string
	// Records name, by engine.Side and in the order received, what was
	// collected of the files, in the place of Microsoft and Carrier. Of each
	// the days are read that RecordsReach says, and a side may have none.
	Records [2][]RecordsInput
	// Listings name listings of the carrier's numbers: calls on numbers that
	// were not assigned when they began are flagged. Those of one folder follow
	// each other in time.
	Listings []string
	// Assigned is the same, known already; nil: nothing is known.
	Assigned *Assigned
	// Profile names the file that describes the carrier's dialect and rules;
	// empty: canonical columns and the default rules.
	Profile string
	// ProfileName is what the report calls the profile; empty: its base name.
	ProfileName string
	// CarrierName is used in reports; empty: the profile's carrier, or
	// "carrier".
	CarrierName string
	// Others are what Microsoft's records call other carriers, in lower case:
	// calls that name one of them are left out and counted. nil: nobody is known,
	// and a file that names several carriers is told.
	Others []string
	// Period is a day (2026-10-01), a month (2026-10) or FROM/TO in the
	// profile's zone, FROM included and TO not; empty: everything.
	Period string
	// From and To are the same as instants, in the place of Period; both
	// zero: Period says it.
	From, To time.Time
	// AsOf is a day or a time (RFC 3339) from which the run looks at the
	// world; empty: nothing is pending.
	AsOf string
	// Memory is what the run may hold, in bytes; 0: DefaultMemory.
	Memory int64
	// Workers is how many goroutines work; 0: one a processor.
	Workers int
	// Verdicts and Users ask for the reports that are written on request
	// only.
	Verdicts, Users bool
	// Out is the folder to write. It must not exist; the folder above it
	// must.
	Out string
	// Staging is the folder in which the report is prepared, beside Out;
	// empty: a name of its own.
	Staging string
	// Unpublished leaves the finished report in Staging, whole and lasting,
	// until Settle gives it its name.
	Unpublished bool
	// Release asks what changed since the version before; nil: the report is
	// no version.
	Release *Release
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
}

// paths returns the file names by side.
func (o *MatchOptions) paths() [2][]string {
	if o.fromRecords() {
		return o.recordsPaths()
	}
	return [2][]string{engine.Microsoft: o.Microsoft, engine.Carrier: o.Carrier}
}

// plan is what MatchOptions come to.
type plan struct {
	MatchOptions
	profile          *dialect.Profile // nil without one
	rules            engine.Rules
	carrier          string
	from, to, asOf   time.Time
	bytes            int64 // of all inputs
	listed           []listedFile
	nearClock        bool // the clock is measured around the period only
	names            [2][]string
	profileName, dir string // base name of the profile, folder above Out
}

// plan checks everything that can be checked before any work, and reports
// every fault at once, as a usage failure.
func (o MatchOptions) plan() (*plan, error) {
	// Of records only days around the period are read.
	p := &plan{MatchOptions: o, rules: engine.DefaultRules(), nearClock: o.fromRecords()}
	if p.Memory == 0 {
		p.Memory = DefaultMemory
	}
	err := errors.Join(p.checkFiles(), p.readProfile(), p.readTimes(), p.checkFigures(), p.checkOut(), p.checkRelease(), p.checkListings())
	if err != nil {
		return nil, usage(err)
	}
	if p.Staging == "" {
		// A process id would not do: two containers that share a disk have
		// the same ones, and who fails removes what it staged.
		p.Staging = filepath.Join(p.dir, ".concord-partial-"+rand.Text())
	}
	return p, nil
}

func (p *plan) checkFiles() error {
	var errs []error
	if p.fromRecords() {
		return p.checkRecords()
	}
	for side, paths := range p.paths() {
		if len(paths) == 0 {
			errs = append(errs, fmt.Errorf("--%s: name at least one file", engine.Side(side)))
		}
		var seen []os.FileInfo
		for _, path := range paths {
			info, err := regularFile(path)
			if err == nil && slices.ContainsFunc(seen, func(i os.FileInfo) bool { return os.SameFile(i, info) }) {
				err = errors.New("is given twice")
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("--%s %s: %w", engine.Side(side), path, err))
				continue
			}
			seen = append(seen, info)
			p.bytes += info.Size()
		}
		p.names[side] = shortNames(paths)
	}
	return errors.Join(errs...)
}

// shortNames returns the base names of files, and where two have the same one
// as many of the folders above as tell the two apart.
func shortNames(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = lastParts(path, 1)
		for n := 2; ambiguous(names[i], i, paths, n-1) && names[i] != lastParts(path, n); n++ {
			names[i] = lastParts(path, n)
		}
	}
	return names
}

// ambiguous says whether the last n parts of another path are this name, too.
func ambiguous(name string, i int, paths []string, n int) bool {
	for j, path := range paths {
		if j != i && lastParts(path, n) == name {
			return true
		}
	}
	return false
}

// lastParts returns the last n parts of a path, joined by slashes.
func lastParts(path string, n int) string {
	parts := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
	return strings.Join(parts[max(0, len(parts)-n):], "/")
}

// regularFile looks at a file and whether it can be read.
func regularFile(path string) (os.FileInfo, error) {
	if path == "" {
		return nil, errors.New("the name is empty")
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, reason(err)
	case info.IsDir():
		return nil, errors.New("is a folder, not a file")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file; save it to disk first")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	return info, f.Close()
}

// fileSize returns the size of a file that can be read.
func fileSize(path string) (int64, error) {
	info, err := regularFile(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (p *plan) readProfile() error {
	p.carrier = p.CarrierName
	if p.Profile != "" {
		profile, err := LoadProfile(p.Profile)
		if err != nil {
			return err
		}
		p.profile, p.rules, p.profileName = profile, profile.Rules(), filepath.Base(p.Profile)
		if p.ProfileName != "" {
			p.profileName = p.ProfileName
		}
		if p.carrier == "" {
			p.carrier = profile.Carrier
		}
	}
	if p.carrier == "" {
		p.carrier = "carrier"
	}
	return nil
}

// maxProfile bounds a profile, in bytes.
const maxProfile = 1 << 20

// LoadProfile reads and checks a carrier's profile. Every fault is reported
// at once, as a usage failure.
func LoadProfile(path string) (*dialect.Profile, error) {
	size, err := fileSize(path)
	if err == nil && size > maxProfile {
		err = errors.New("is too large for a profile")
	}
	if err != nil {
		return nil, usage(fmt.Errorf("profile %s: %w", path, err))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usage(fmt.Errorf("profile %s: %w", path, reason(err)))
	}
	p, err := dialect.Parse(filepath.Base(path), b)
	if err != nil {
		return nil, usage(err)
	}
	return p, nil
}

func (p *plan) readTimes() error {
	zone := p.rules.Zone
	if zone == nil {
		zone = time.UTC
	}
	var errs []error
	if p.Period != "" {
		period, err := schedule.ParsePeriod(p.Period, zone)
		if err != nil {
			errs = append(errs, fmt.Errorf("--period: %w", err))
		}
		p.from, p.to = period.From, period.To
	}
	switch given := !p.From.IsZero() || !p.To.IsZero(); {
	case given && (p.Period != "" || !p.To.After(p.From)):
		errs = append(errs, errors.New("period: must end after it begins, and be given once"))
	case given:
		p.from, p.to = p.From, p.To
	}
	if p.AsOf != "" {
		var err error
		if p.asOf, err = schedule.ParseTime(p.AsOf, zone); err != nil {
			errs = append(errs, fmt.Errorf("--as-of: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (p *plan) checkFigures() error {
	var errs []error
	if p.Memory < minMemory {
		errs = append(errs, fmt.Errorf("--memory: must be at least %dMiB", minMemory>>20))
	}
	if p.Workers < 0 {
		errs = append(errs, errors.New("--workers: must not be negative"))
	}
	return errors.Join(errs...)
}

// checkOut looks whether the report's folder can be made.
func (p *plan) checkOut() error {
	if p.Out == "" {
		return errors.New("--out: name the folder to write")
	}
	p.Out = filepath.Clean(p.Out)
	p.dir = filepath.Dir(p.Out)
	info, err := os.Stat(p.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--out %s: the folder %s does not exist; create it first", p.Out, p.dir)
	case err != nil:
		return fmt.Errorf("--out %s: %w", p.Out, reason(err))
	case !info.IsDir():
		return fmt.Errorf("--out %s: %s is not a folder", p.Out, p.dir)
	}
	switch _, err := os.Lstat(p.Out); {
	case err == nil:
		return fmt.Errorf("--out %s: already exists; choose another folder or remove it first", p.Out)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--out %s: %w", p.Out, reason(err))
	}
	return nil
}
