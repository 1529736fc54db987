package numbering

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// found is a listing in a folder.
type found struct {
	root   string
	path   string // in root
	shared bool
	users  *found // the list of users beside it; nil: there is none
	listing
}

type listing = jobs.Listing

// Sources are named after the folder that their listings lie in.
const (
	ownSource    = "own"
	sharedSource = "shared"
)

// looks is how often a run looks again for files that were just changed.
const looks = 3

// takeAll takes every listing that is new, the oldest first. bad says which
// listings cannot be used and leave their source behind.
func (d *desk) takeAll(ctx context.Context) (bad, err error) {
	known, err := d.State.Listings(ctx, d.run.Carrier)
	if err != nil {
		return nil, err
	}
	list, err := d.settled(ctx)
	if err != nil {
		return nil, err
	}
	var inputs []jobs.RunInput
	before, newest := remember(known), newestOf(list)
	for i := range list {
		f := &list[i]
		if x, is := before[keyOf(&f.listing, newest[f.Source] == i)]; is {
			f.listing = x
			continue
		}
		if err := d.take(ctx, f); err != nil {
			return nil, fmt.Errorf("take listing %s of %s: %w", jobs.Mask(f.Name), d.run.Carrier, err)
		}
		known = append(known, f.listing)
		inputs = append(inputs, jobs.RunInput{Role: "numbers", File: f.Source + "/" + f.Name, SHA256: f.SHA256})
	}
	if len(inputs) > 0 {
		settings, err := json.Marshal(map[string]any{"operators": d.x.Operators})
		if err := errors.Join(err, d.State.Snapshot(ctx, d.run.Lease(), settings, inputs)); err != nil {
			return nil, err
		}
	}
	return unusable(list, known), nil
}

// key tells files apart, and how they were read.
type key struct {
	source, name, basis string
	bytes, changed      int64
}

// keyOf is the key of a listing; without a basis, that of the file.
func keyOf(x *jobs.Listing, basis bool) key {
	k := key{source: x.Source, name: x.Name, bytes: x.Bytes, changed: x.Changed.UnixMicro()}
	if basis {
		k.basis = x.Basis
	}
	return k
}

// remember finds listings that need not be read again: the newest file of a
// source by what it was read by, too, so that it corrects what is known when
// that has changed; the others by what they are.
func remember(known []jobs.Listing) map[key]jobs.Listing {
	before := make(map[key]jobs.Listing, 2*len(known))
	for _, x := range known {
		before[keyOf(&x, true)], before[keyOf(&x, false)] = x, x
	}
	return before
}

// newestOf returns where the last file of each source is in the list.
func newestOf(list []found) map[string]int {
	newest := make(map[string]int)
	for i := range list {
		newest[list[i].Source] = i
	}
	return newest
}

// unusable names the listings that cannot be used, and after which none of
// their source was taken.
func unusable(list []found, known []jobs.Listing) error {
	var errs []error
	for i := range list {
		f := &list[i]
		later := slices.ContainsFunc(known, func(x jobs.Listing) bool {
			return x.Source == f.Source && x.Status == jobs.ListingTaken && (x.AsOf.After(f.AsOf) || x.AsOf.Equal(f.AsOf) && x.Position > f.Position)
		})
		if f.Status == jobs.ListingRejected && !later {
			errs = append(errs, fmt.Errorf("listing %s cannot be used: %s", jobs.Mask(f.Name), strings.Join(f.Faults, "; ")))
		}
	}
	return errors.Join(errs...)
}

// settled lists the files that nobody is writing. Those that were just changed
// are waited for, a little.
func (d *desk) settled(ctx context.Context) (list []found, err error) {
	for n := 1; ; n++ {
		var wait time.Duration
		if list, wait, err = d.list(); err != nil || wait <= 0 || n == looks {
			return list, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// list looks through the folders. wait is how long some files must still be
// left alone; they are not in the list.
func (d *desk) list() (list []found, wait time.Duration, err error) {
	quiet, now := cmp.Or(d.Quiet, 5*time.Second), d.Now()
	for root, shared := range d.folders() {
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, e fs.DirEntry, err error) error {
			base := path.Base(name)
			switch {
			case errors.Is(err, fs.ErrNotExist): // the folder, or a file that was removed since
				return nil
			case err != nil:
				return err
			case name != "." && (strings.HasPrefix(base, ".") || landing.IsTemporary(base)):
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			case !e.Type().IsRegular():
				return nil
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			f := d.file(root, name, shared, info)
			switch age := now.Sub(info.ModTime()); {
			case age < quiet:
				wait = max(wait, min(quiet-age, quiet))
			case f.AsOf.After(now): // it is about a time to come: not yet
			default:
				list = append(list, f)
			}
			return nil
		})
		if err != nil {
			return nil, 0, fmt.Errorf("list Microsoft's listings of numbers for %s: %w", d.run.Carrier, err)
		}
	}
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(a.AsOf.Compare(b.AsOf), strings.Compare(a.Source, b.Source), strings.Compare(a.Name, b.Name))
	})
	return d.withUsers(list), wait, nil
}

// usersPrefix is how the names of lists of users begin.
const usersPrefix = "users"

// withUsers takes the lists of users out of the files, and gives every listing
// the newest one of its source.
func (d *desk) withUsers(list []found) (listings []found) {
	users := make(map[string]*found)
	for i := range list {
		if f := &list[i]; strings.HasPrefix(strings.ToLower(f.Name), usersPrefix) {
			users[f.Source] = f
		} else {
			listings = append(listings, *f)
		}
	}
	for i := range listings {
		f := &listings[i]
		f.users = users[f.Source]
		f.Basis = d.basis(f.users)
	}
	return listings
}

// folders yields the folders of listings, and whether they are about several
// carriers.
func (d *desk) folders() func(yield func(root string, shared bool) bool) {
	return func(yield func(string, bool) bool) {
		if d.x.Own != "" && !yield(d.x.Own, false) || d.x.Shared == "" {
			return
		}
		yield(d.x.Shared, true)
	}
}

// file says what is known of a file before it is read.
func (d *desk) file(root, name string, shared bool, info fs.FileInfo) found {
	source := ownSource
	if shared {
		source = sharedSource
	}
	f := found{root: root, path: name, shared: shared}
	f.Carrier, f.Source, f.Name = d.run.Carrier, path.Join(source, path.Dir(name)), path.Base(name)
	f.Bytes, f.Changed = info.Size(), info.ModTime().UTC().Truncate(time.Microsecond)
	f.AsOf = f.Changed
	if t, ok := jobs.ListingTime(f.Name); ok {
		f.AsOf = t
	}
	return f
}

// basis stands for what listings are read by: a file is read again when that
// has changed.
func (d *desk) basis(users *found) string {
	var names []string
	if users != nil {
		names = append(names, fmt.Sprintf("\x00%s %d %d", users.Name, users.Bytes, users.Changed.UnixMicro()))
	}
	for _, o := range d.x.Operators {
		names = append(names, strings.ToLower(o))
	}
	slices.Sort(names)
	names = append(names, fmt.Sprintf("\x00%d", d.x.MostRemoved))
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	return hex.EncodeToString(sum[:8])
}

// tenantID is how the folder of one tenant is named.
var tenantID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// errChanging says that a file is not whole yet.
var errChanging = errors.New("it changed while it was read; it is taken when it is left alone")

// take copies a listing into the spool, reads it, and records what it says.
func (d *desk) take(ctx context.Context, f *found) (err error) {
	content, err := d.copied(ctx, f)
	if err != nil {
		return err
	}
	keep := false
	defer func() { err = errors.Join(err, d.Spool.Release(content.SHA256, keep)) }()
	dir, err := d.scratch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := jobs.ListingOptions{
		Path: content.Path, Name: f.Name, Carrier: f.Carrier, Operators: d.x.Operators, Shared: f.shared,
		AsOf: f.AsOf.UnixMicro(), Source: f.Source, Out: filepath.Join(dir, "rows"),
	}
	if base := path.Base(f.Source); tenantID.MatchString(base) {
		o.Tenant = strings.ToLower(base)
	}
	if u := f.users; u != nil {
		list, cerr := d.copied(ctx, u)
		if cerr != nil {
			return fmt.Errorf("copy its list of users: %w", cerr)
		}
		// It is not kept: it names people, and what it is good for is in the
		// history.
		defer func() { err = errors.Join(err, d.Spool.Release(list.SHA256, false)) }()
		o.Users, o.UsersName = list.Path, u.Name
	}
	got, err := d.Read(ctx, o)
	if err != nil {
		return err
	}
	f.SHA256, f.Status = content.SHA256, jobs.ListingTaken
	f.Rows, f.Accepted, f.Rejected, f.Others = got.Rows, got.Accepted, got.Rejected, got.Others
	f.Reasons, f.Faults, f.Notes = got.Reasons, got.Faults, got.Notes
	if len(got.Faults) > 0 {
		f.Status = jobs.ListingRejected
	}
	f.listing, err = d.record(ctx, f.listing, got.Blind, o.Out)
	// After an error it may have been recorded all the same. What nobody needs
	// is swept up at the next start.
	keep = f.Erased == ""
	if err == nil && d.Listed != nil {
		d.Listed(f.listing)
	}
	return err
}

// record records a listing. One that takes too many numbers away may be the
// first part of the whole, as an export of 500 numbers that stops at its limit.
func (d *desk) record(ctx context.Context, x jobs.Listing, blind bool, out string) (jobs.Listing, error) {
	rows := func() jobs.ListedRows { return jobs.ListedRowsIn(d.Keys, out) }
	how := jobs.Taking{Blind: blind, MostRemoved: d.x.MostRemoved}
	got, err := d.State.RecordListing(ctx, d.run.Lease(), x, how, rows, d.Now())
	if errors.Is(err, jobs.ErrRemoves) {
		x.Status, x.Faults = jobs.ListingRejected, []string{err.Error() + "; make sure that it is whole, or raise most_removed in the job"}
		return d.State.RecordListing(ctx, d.run.Lease(), x, how, rows, d.Now())
	}
	return got, err
}

// copied copies a file into the spool, and makes sure that it did not change
// meanwhile.
func (d *desk) copied(ctx context.Context, f *found) (content landing.Content, err error) {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return content, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	src, err := root.Open(f.path)
	if err != nil {
		return content, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if content, err = d.Spool.Add(ctx, src); err != nil {
		return content, err
	}
	info, err := src.Stat()
	if err == nil && (info.Size() != f.Bytes || content.Size != f.Bytes || !info.ModTime().UTC().Truncate(time.Microsecond).Equal(f.Changed)) {
		err = errChanging
	}
	if err != nil {
		return content, errors.Join(err, d.Spool.Release(content.SHA256, false))
	}
	return content, nil
}

// scratch makes a folder that nobody else uses.
func (d *desk) scratch() (string, error) {
	if err := os.MkdirAll(d.Scratch, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(d.Scratch, d.run.Carrier+"-*")
}
