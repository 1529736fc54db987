package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"concord/engine"
	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats/partition"
)

// DeliverOptions say which calls and quality rows go to which carriers.
type DeliverOptions struct {
	// Calls and Quality name Microsoft's files in the order received: its call
	// records, and its callRecords or canonical quality rows. Either may be
	// empty, but not both.
	Calls, Quality []string
	// CallNames and QualityNames are what messages call the files; nil: as
	// they are called on the disk.
	CallNames, QualityNames []string `json:",omitempty"`
	Carriers                []partition.Carrier
	// Foreign are names of carriers that get nothing. Rest is the carrier of
	// calls that name nobody who is known, and of quality rows that name none;
	// empty: they go to nobody.
	Foreign []string `json:",omitempty"`
	Rest    string   `json:",omitempty"`
	// From and To bound the period by the start of a call or stream; From is
	// in it, To is not.
	From, To time.Time
	// Previous is the folder of what was delivered of the same period before;
	// empty: nothing was.
	Previous string `json:",omitempty"`
	// Out is the folder to write. It must not exist; the folder above it must.
	Out string
	// Staging is the folder in which it is prepared, beside Out; empty: a name
	// of its own.
	Staging string
	Memory  int64 // bytes; 0: DefaultMemory
	Workers int   // 0: one a processor
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
}

// Delivered is what was delivered.
type Delivered struct {
	Out     string            `json:"-"`
	Inputs  []DeliveryInput   `json:"inputs"`
	Calls   *partition.Result `json:"calls,omitempty"`
	Quality *partition.Result `json:"quality,omitempty"`
	// Compared says what is new, by carrier and kind (calls, quality).
	Compared []DeliveryChanges `json:"compared"`
}

// DeliveryInput is one file that was read.
type DeliveryInput struct {
	Name     string   `json:"name"`
	SHA256   string   `json:"sha256"`
	Rows     int64    `json:"rows"`
	Rejected int64    `json:"rejected"`
	Notes    []string `json:"notes,omitempty"`
}

// DeliveryChanges counts what is new beside the delivery before.
type DeliveryChanges struct {
	Carrier string `json:"carrier"`
	Kind    string `json:"kind"`
	Added   int64  `json:"added"`
	Changed int64  `json:"changed"`
	Removed int64  `json:"removed"`
}

// carrierFolder is a name that can be a folder anywhere, and not another one.
var carrierFolder = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// check reports every fault at once, as a usage failure, and fills in what was
// left out. It returns the size of the inputs.
func (o *DeliverOptions) check() (bytes int64, err error) {
	var errs []error
	if len(o.Calls)+len(o.Quality) == 0 {
		errs = append(errs, errors.New("deliver: name at least one file of calls or of quality rows"))
	}
	o.CallNames, o.QualityNames = named(o.Calls, o.CallNames), named(o.Quality, o.QualityNames)
	for kind, list := range [][]string{o.Calls, o.Quality} {
		for i, path := range list {
			size, err := fileSize(path)
			if err != nil {
				errs = append(errs, fmt.Errorf("deliver %s: %w", [][]string{o.CallNames, o.QualityNames}[kind][i], reason(err)))
			}
			bytes += size
		}
	}
	for _, c := range o.Carriers {
		if !carrierFolder.MatchString(c.ID) || c.ID == indexFolder {
			errs = append(errs, fmt.Errorf("deliver: %q cannot be the name of a carrier's folder", c.ID))
		}
	}
	if len(o.Carriers) == 0 {
		errs = append(errs, errors.New("deliver: name at least one carrier"))
	}
	if !o.From.Before(o.To) {
		errs = append(errs, errors.New("deliver: the period ends before it begins"))
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Memory < minMemory || o.Memory > math.MaxInt32 {
		errs = append(errs, fmt.Errorf("deliver: a memory of %d bytes; between %d and %d will do", o.Memory, minMemory, math.MaxInt32))
	}
	if o.Staging == "" {
		o.Staging = filepath.Join(filepath.Dir(o.Out), ".concord-partial-"+rand.Text())
	}
	if len(errs) > 0 {
		return 0, usage(errors.Join(errs...))
	}
	return bytes, nil
}

// named returns the names of files: those that were given, or their own.
func named(paths, names []string) []string {
	if len(names) == len(paths) {
		return names
	}
	return bases(paths)
}

// DeliverCalls delivers in a child process, because Microsoft's files, too,
// come from outside. Its error is a *Failure. Out appears whole or not at all.
func (w Worker) DeliverCalls(ctx context.Context, o DeliverOptions) (*Delivered, error) {
	bytes, err := o.check()
	if err != nil {
		return nil, err
	}
	// What is delivered is read once more, to be compared, and there is more
	// of it than of the inputs.
	last, d, err := w.run(ctx, request{Deliver: &o, Limits: limitsFor(o.Memory, 4*bytes)}, engine.Observer{})
	if last != nil && last.Delivered != nil {
		last.Delivered.Out = o.Out
		return last.Delivered, nil
	}
	left := discard(o.Staging)
	switch {
	case ctx.Err() != nil:
		err = Explain(context.Canceled)
	case err != nil:
		err = Explain(err)
	case last != nil && last.Failed != nil:
		err = last.Failed
	default:
		err = w.blameDelivery(ctx, &o, d)
	}
	if _, gone := os.Lstat(o.Out); gone == nil && last == nil {
		err = &Failure{Kind: KindFailed, Messages: []string{"the run was ended before it could say that it was done, but folder " + o.Out +
			" is there and whole; look into its delivery.json, or remove it and run again"}}
	}
	return nil, left.after(err)
}

// blameDelivery looks for the file that kills the process that decodes it.
func (w Worker) blameDelivery(ctx context.Context, o *DeliverOptions, d death) error {
	f := &Failure{Kind: KindInput}
	for kind, paths := range [][]string{o.Calls, o.Quality} {
		for i, path := range paths {
			alone := *o
			alone.Calls, alone.Quality, alone.CallNames, alone.QualityNames = nil, nil, nil, nil
			name := [][]string{o.CallNames, o.QualityNames}[kind][i]
			if kind == 0 {
				alone.Calls, alone.CallNames = []string{path}, []string{name}
			} else {
				alone.Quality, alone.QualityNames = []string{path}, []string{name}
			}
			size, _ := fileSize(path)
			last, _, err := w.run(ctx, request{Deliver: &alone, DecodeOnly: true, Limits: limitsFor(o.Memory, size)}, engine.Observer{})
			switch {
			case ctx.Err() != nil:
				return Explain(context.Canceled)
			case err != nil:
				return Explain(err)
			case last == nil:
				f.Messages = append(f.Messages, undecodable(name).Messages...)
			case last.Failed != nil:
				f.Messages = append(f.Messages, last.Failed.Messages...)
			}
		}
	}
	if len(f.Messages) == 0 {
		return &Failure{Kind: KindFailed, Messages: []string{"the delivery ended before it was done and wrote nothing: " + string(d)}}
	}
	return f
}

// CheckDeliveryIndex reports whether the indexes of a delivery are there and
// as they were written, for the delivery after.
func CheckDeliveryIndex(keys *atrest.Keys, folder string) (whole bool, err error) {
	names, err := filesIn(filepath.Join(folder, indexFolder))
	if err != nil || len(names) == 0 {
		return false, err
	}
	for _, name := range names {
		f, err := keys.Open(name)
		if errors.Is(err, atrest.ErrDamaged) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		err = partition.CheckIndex(f)
		if cerr := f.Close(); cerr != nil {
			return false, cerr
		}
		if errors.Is(err, partition.ErrDamagedIndex) || errors.Is(err, atrest.ErrDamaged) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// KeepDeliveryIndex moves the indexes of a delivery into a folder, in the place
// of what is there.
func KeepDeliveryIndex(delivery, folder string) error {
	if err := makeFolder(folder); err != nil {
		return err
	}
	to := filepath.Join(folder, indexFolder)
	err := errors.Join(os.RemoveAll(to), os.Rename(filepath.Join(delivery, indexFolder), to), exchange.OS{}.SyncDir(folder))
	if err != nil {
		return fmt.Errorf("keep the index of a delivery: %w", err)
	}
	return nil
}
