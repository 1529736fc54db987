package calls

import (
	"context"
	"fmt"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// Quality takes files of quality rows of one carrier: it is a feed.Taker and a
// feed.Known for the folder in which they lie.
type Quality struct {
	State jobs.Calls
	Read  func(ctx context.Context, o jobs.DealOptions) (*jobs.Dealt, error)
	Now   func() time.Time
	// Taken is told of every file that was recorded.
	Taken func(jobs.MicrosoftFile)
}

// Files implements feed.Known.
func (q *Quality) Files(ctx context.Context, carrier string) ([]jobs.Entry, error) {
	return known(ctx, q.State, carrier)
}

// known are files as a feed knows them.
func known(ctx context.Context, s jobs.Calls, carrier string) ([]jobs.Entry, error) {
	list, err := s.MicrosoftFiles(ctx, jobs.MicrosoftFilter{Carrier: carrier})
	if err != nil {
		return nil, err
	}
	entries := make([]jobs.Entry, len(list))
	for i := range list {
		entries[i] = entryOf(&list[i])
	}
	return entries, nil
}

// entryOf is what a feed wants to know of a file.
func entryOf(f *jobs.MicrosoftFile) jobs.Entry {
	return jobs.Entry{
		Microsoft: true, Carrier: f.Carrier, Name: f.Name, Bytes: f.Bytes, Received: f.Received, SHA256: f.SHA256, Status: f.Status,
		Rows: f.Rows, Accepted: f.Accepted, Rejected: f.Rejected, Reasons: f.Reasons, Notes: f.Notes, RawPurged: f.RawPurged,
	}
}

// TakeFeed implements feed.Taker.
func (q *Quality) TakeFeed(ctx context.Context, o landing.Offer) (jobs.Entry, error) {
	found, err := q.Read(ctx, jobs.DealOptions{Path: o.Content, Name: o.Name, Carrier: o.Carrier})
	if err != nil {
		return jobs.Entry{}, err
	}
	f := fileOf(&o, found, q.Now())
	if err := whole(&o, found); err != nil {
		return jobs.Entry{}, err
	}
	if f, err = q.State.RecordMicrosoft(ctx, f); err != nil {
		return jobs.Entry{}, fmt.Errorf("record it: %w: %w", landing.ErrDoubt, err)
	}
	if q.Taken != nil {
		q.Taken(f)
	}
	return entryOf(&f), nil
}

// fileOf is the record of a file.
func fileOf(o *landing.Offer, found *jobs.Dealt, now time.Time) jobs.MicrosoftFile {
	f := jobs.MicrosoftFile{
		Carrier: o.Carrier, Name: o.Name, Bytes: o.Size, Received: o.Received, SHA256: o.SHA256, Decided: now, Status: landing.StatusAccepted,
		Holds: found.Holds, Format: found.Format, Rows: found.Rows, Accepted: found.Accepted, Rejected: found.Rejected, Reasons: found.Reasons, Notes: found.Notes,
	}
	f.First, f.Last = found.Starts()
	if f.Rejected > 0 {
		f.Status = landing.StatusPartly
	}
	if len(found.Faults) > 0 {
		f.Status, f.Rows, f.Accepted, f.Rejected = landing.StatusRejected, 0, 0, 0
		for _, x := range found.Faults {
			f.Faults = append(f.Faults, x.Reason)
		}
	}
	return f
}

// whole returns jobs.ErrWait for a file that more bytes may mend.
func whole(o *landing.Offer, found *jobs.Dealt) error {
	for _, f := range found.Faults {
		if (f.Incomplete || f.Empty) && !o.Final {
			return fmt.Errorf("%w: %s", jobs.ErrWait, f.Reason)
		}
	}
	return nil
}
