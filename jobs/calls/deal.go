package calls

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"concord/exchange"
	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/formats/partition"
	"concord/jobs"
)

// Spool keeps what arrived as it arrived; a *landing.Spool is one.
type Spool interface {
	Release(sum string, keep bool) error
	Add(ctx context.Context, r io.Reader) (landing.Content, error)
}

// Ledger knows the call records that carriers have.
type Ledger interface {
	Covering(ctx context.Context, carrier string, from, to time.Time) ([]jobs.Entry, error)
}

// Dealer takes files about several carriers, and deals the rows of each out in
// one pass into Microsoft's folders of the carriers, where they are taken as any
// other of their files. It is a feed.Taker and a feed.Known for the folder in
// which the files lie. Its methods may be called by several goroutines; they
// take turns.
//
// A carrier's part appears whole or not at all, under a name that follows from
// the file, with its time of change. The file is recorded when all parts are
// there: one that was dealt in part is dealt again, to the same effect.
type Dealer struct {
	State  jobs.Calls
	Ledger Ledger
	Spool  Spool
	// Content returns where a content is kept, or what stands for it since a
	// number was erased from it.
	Content func(ctx context.Context, sha256 string) (path string, erased bool, err error)
	Deal    func(ctx context.Context, o jobs.DealOptions) (*jobs.Dealt, error)
	// Records returns the path of the records of an entry.
	Records func(ctx context.Context, e jobs.Entry) (string, error)
	// Carriers are all that there are, with what Microsoft's files call them.
	Carriers func() []partition.Carrier
	// Folder is Microsoft's folder about a carrier.
	Folder  func(carrier string) string
	Scratch string // a folder for what is being made
	// Keys open what is made there; nil: it is in clear.
	Keys   *atrest.Keys
	Memory func() int64
	Now    func() time.Time
	// Wait is how long quality rows of a call that nobody has wait for it [7 days].
	Wait time.Duration
	// Dealt is told of every file that was recorded, and of waiting rows that
	// have found their carrier or will not do so any more.
	Dealt func(f jobs.MicrosoftFile, unknown []partition.Unknown)

	turn  sync.Mutex
	tried map[int64]string // what was known of calls when waiting rows were last dealt
}

const defaultWait = 7 * 24 * time.Hour

// SharedFolder is the folder, in those of a carrier, for what was dealt to it.
const SharedFolder = "shared"

// Files implements feed.Known.
func (d *Dealer) Files(ctx context.Context, _ string) ([]jobs.Entry, error) {
	return known(ctx, d.State, "")
}

// TakeFeed implements feed.Taker.
func (d *Dealer) TakeFeed(ctx context.Context, o landing.Offer) (jobs.Entry, error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	o.Carrier = ""
	found, err := d.Deal(ctx, jobs.DealOptions{Path: o.Content, Name: o.Name})
	if err != nil {
		return jobs.Entry{}, err
	}
	var unknown []partition.Unknown
	f := fileOf(&o, found, d.Now())
	if len(found.Faults) == 0 {
		if found, err = d.deal(ctx, &f, o.Content, found); err != nil {
			return jobs.Entry{}, err
		}
		if found.Result != nil {
			unknown = found.Result.Unknown
		}
	}
	if err := whole(&o, found); err != nil {
		return jobs.Entry{}, err
	}
	rest := f.Rest
	f, err = d.State.RecordMicrosoft(ctx, f)
	if rest != "" {
		err = errors.Join(err, d.Spool.Release(rest, true))
	}
	if err != nil {
		return jobs.Entry{}, fmt.Errorf("record it: %w: %w", landing.ErrDoubt, err)
	}
	d.tell(f, unknown)
	return entryOf(&f), nil
}

func (d *Dealer) tell(f jobs.MicrosoftFile, unknown []partition.Unknown) {
	if d.Dealt != nil {
		d.Dealt(f, unknown)
	}
}

// deal deals out a file that was looked into, and fills in what became of it.
func (d *Dealer) deal(ctx context.Context, f *jobs.MicrosoftFile, content string, looked *jobs.Dealt) (found *jobs.Dealt, err error) {
	o := jobs.DealOptions{Path: content, Name: f.Name}
	if looked.Nameless > 0 {
		if o.Known, o.From, o.To, _, err = d.known(ctx, f); err != nil {
			return nil, err
		}
	}
	err = d.dealing(ctx, o, func(out string, got *jobs.Dealt) error {
		found = got
		if len(got.Faults) > 0 {
			*f = fileOf(&landing.Offer{Name: f.Name, Size: f.Bytes, Received: f.Received, SHA256: f.SHA256}, got, f.Decided)
			return nil
		}
		f.Format, f.Rows, f.Accepted, f.Rejected, f.Reasons, f.Notes = got.Format, got.Rows, got.Accepted, got.Rejected, got.Reasons, got.Notes
		if f.Rejected > 0 {
			f.Status = landing.StatusPartly
		}
		if err := d.publish(f, out, got, f.SHA256); err != nil {
			return err
		}
		return d.keepRest(ctx, f, out, got)
	})
	return found, err
}

// dealing has a child deal a file out, and removes what it has made in the end.
func (d *Dealer) dealing(ctx context.Context, o jobs.DealOptions, do func(out string, got *jobs.Dealt) error) (err error) {
	if err := os.MkdirAll(d.Scratch, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(d.Scratch, "dealing-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Carriers, o.Memory = d.Carriers(), d.Memory()
	o.Out, o.Staging = filepath.Join(dir, "out"), filepath.Join(dir, "staging")
	got, err := d.Deal(ctx, o)
	if err != nil {
		return err
	}
	return do(o.Out, got)
}

// known are the calls that may say whose the rows of a file are. What changes
// when there are others is returned, too.
func (d *Dealer) known(ctx context.Context, f *jobs.MicrosoftFile) (list []jobs.KnownCalls, from, to time.Time, sum string, err error) {
	if f.First.IsZero() {
		return nil, from, to, "", nil
	}
	const around = 24 * time.Hour // a call begins before its streams, and may last
	from, to = f.First.Add(-around), f.Last.Add(around)
	h := sha256.New()
	for _, c := range d.Carriers() {
		entries, err := d.Ledger.Covering(ctx, c.ID, from, to)
		if err != nil {
			return nil, from, to, "", err
		}
		k := jobs.KnownCalls{Carrier: c.ID}
		fmt.Fprintf(h, "%q %q\n", c.ID, c.Names)
		for _, e := range entries {
			if !e.Microsoft || e.RecordsPurged != 0 {
				continue
			}
			path, err := d.Records(ctx, e)
			if err != nil {
				return nil, from, to, "", err
			}
			k.Records = append(k.Records, jobs.RecordsInput{Path: path, Name: e.Name})
			fmt.Fprintln(h, e.ID)
		}
		list = append(list, k)
	}
	return list, from, to, hex.EncodeToString(h.Sum(nil)), nil
}

// publish puts every carrier's part into its folder. sum is that of the content
// that was dealt.
func (d *Dealer) publish(f *jobs.MicrosoftFile, out string, got *jobs.Dealt, sum string) error {
	base := strings.TrimLeft(path.Base(f.Name), ".")
	mark := sha256.Sum256(fmt.Appendf(nil, "%q %d %s", f.Name, f.Received.UnixMicro(), sum))
	name := fmt.Sprintf("%s~%s.parquet", base, hex.EncodeToString(mark[:6]))
	made := partition.CallsParquet
	if f.Holds == jobs.HoldsQuality {
		made = partition.QualityParquet
	}
	for _, c := range got.Result.Carriers {
		if c.Rows == 0 || c.Carrier == jobs.WaitingFolder {
			continue
		}
		folder := filepath.Join(d.Folder(c.Carrier), SharedFolder)
		if f.Holds == jobs.HoldsQuality {
			folder = filepath.Join(d.Folder(c.Carrier), jobs.QualityFolder, SharedFolder)
		}
		if err := d.move(filepath.Join(out, c.Carrier, made), folder, name, f.Received); err != nil {
			return fmt.Errorf("deal %s out to %s: %w", jobs.Mask(f.Name), c.Carrier, err)
		}
		f.Shares = addShare(f.Shares, c.Carrier, c.Rows)
	}
	for _, u := range got.Result.Unknown {
		f.Nobody += u.Rows
	}
	f.Nobody += got.Result.Outside // quality rows without a start are of no period
	return nil
}

func addShare(list []jobs.Share, carrier string, rows int64) []jobs.Share {
	if i := slices.IndexFunc(list, func(s jobs.Share) bool { return s.Carrier == carrier }); i >= 0 {
		list[i].Rows += rows
		return list
	}
	return append(list, jobs.Share{Carrier: carrier, Rows: rows})
}

// move gives a synced file its time and its place, on another disk if need be:
// complete or not at all. Who lists the folder takes names that begin with a
// dot for what they are.
func (d *Dealer) move(from, folder, name string, at time.Time) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	temp := filepath.Join(folder, "."+name+".part")
	if err := d.copyFile(from, temp); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	err := errors.Join(os.Chtimes(temp, at, at), os.Rename(temp, filepath.Join(folder, name)))
	return errors.Join(err, exchange.OS{}.SyncDir(folder))
}

func (d *Dealer) copyFile(from, to string) (err error) {
	src, err := d.Keys.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}

// keepRest keeps the rows that wait.
func (d *Dealer) keepRest(ctx context.Context, f *jobs.MicrosoftFile, out string, got *jobs.Dealt) error {
	f.Waiting, f.Rest = 0, ""
	i := slices.IndexFunc(got.Result.Carriers, func(c partition.Delivered) bool { return c.Carrier == jobs.WaitingFolder })
	if i < 0 || got.Result.Carriers[i].Rows == 0 || f.Holds != jobs.HoldsQuality {
		return nil
	}
	src, err := d.Keys.Open(filepath.Join(out, jobs.WaitingFolder, partition.QualityParquet))
	if err != nil {
		return err
	}
	content, err := d.Spool.Add(ctx, src)
	if err := errors.Join(err, src.Close()); err != nil {
		return err
	}
	f.Waiting, f.Rest = got.Result.Carriers[i].Rows, content.SHA256
	if f.Until.IsZero() {
		f.Until = d.Now().Add(d.wait())
	}
	return nil
}

func (d *Dealer) wait() time.Duration {
	if d.Wait > 0 {
		return d.Wait
	}
	return defaultWait
}

// Again deals out the rows that wait, of which the carrier may be known by now.
// One file that it cannot deal keeps no other from it.
func (d *Dealer) Again(ctx context.Context) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	list, err := d.State.MicrosoftFiles(ctx, jobs.MicrosoftFilter{Waiting: true})
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range list {
		if err := d.again(ctx, f); err != nil {
			errs = append(errs, fmt.Errorf("deal the rest of %s out: %w", jobs.Mask(f.Name), err))
		}
	}
	return errors.Join(errs...)
}

func (d *Dealer) again(ctx context.Context, f jobs.MicrosoftFile) error {
	o := jobs.DealOptions{Name: f.Name}
	var now string
	var err error
	if o.Path, _, err = d.Content(ctx, f.Rest); err != nil {
		return err
	}
	if _, err := os.Stat(o.Path); errors.Is(err, fs.ErrNotExist) { // erased with a number
		f.Nobody, f.Waiting, f.Rest = f.Nobody+f.Waiting, 0, ""
		return d.State.DealRest(ctx, f)
	}
	if o.Known, o.From, o.To, now, err = d.known(ctx, &f); err != nil {
		return err
	}
	over := !d.Now().Before(f.Until)
	if d.tried[f.ID] == now && !over {
		return nil
	}
	rest := f.Rest
	err = d.dealing(ctx, o, func(out string, got *jobs.Dealt) error {
		if len(got.Faults) > 0 {
			return errors.New(got.Faults[0].Reason)
		}
		if err := d.publish(&f, out, got, rest); err != nil {
			return err
		}
		if err := d.keepRest(ctx, &f, out, got); err != nil {
			return err
		}
		kept := f.Rest
		if over {
			f.Nobody, f.Waiting, f.Rest = f.Nobody+f.Waiting, 0, ""
		}
		err := d.State.DealRest(ctx, f)
		if kept != "" {
			err = errors.Join(err, d.Spool.Release(kept, err != nil || f.Rest == kept))
		}
		return err
	})
	if err != nil {
		return err
	}
	if d.tried == nil {
		d.tried = map[int64]string{}
	}
	d.tried[f.ID] = now
	if f.Rest != rest {
		d.tell(f, nil)
	}
	return nil
}
