package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/formats"
)

// InspectOptions say which file of a carrier to look at.
type InspectOptions struct {
	Path    string `json:"path"`
	Name    string `json:"name"`    // as the carrier knows it
	Carrier string `json:"carrier"` // of records that name none
	Profile string `json:"profile"` // path; empty: canonical columns
	// Microsoft says that it is a file of Microsoft's about the carrier.
	Microsoft bool `json:"microsoft,omitempty"`
	// Rejects is where a CSV is written of the rows that cannot be read, when
	// there are some and the file was read to its end. It appears whole or
	// not at all.
	Rejects string `json:"rejects"`
	// Records is where the records of a file are written that can be used;
	// empty: nobody wants them. They appear whole or not at all.
	Records string `json:"records,omitempty"`
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
	// Sample is how many accepted rows are to be returned as they were read.
	Sample int `json:"sample,omitempty"`
}

// side returns whose file it is.
func (o *InspectOptions) side() engine.Side {
	if o.Microsoft {
		return engine.Microsoft
	}
	return engine.Carrier
}

// Inspection is what one file of a carrier holds.
type Inspection struct {
	Rows       int64  `json:"rows"`
	Accepted   int64  `json:"accepted"`
	Filtered   int64  `json:"filtered"` // left out by the profile
	DurationMS int64  `json:"duration_ms"`
	Format     string `json:"format"`
	SHA256     string `json:"sha256"` // of what was read, in hex; empty unless Finished
	Verified   bool   `json:"verified"`
	// Notes are what a person should know of the file.
	Notes []string `json:"notes,omitempty"`
	// Days are the days of its accepted rows, when records were written.
	Days []Day `json:"days,omitempty"`
	// BadRows counts the rows that could not be read; Reasons are those of the
	// first, and never hold a value.
	BadRows int64            `json:"bad_rows"`
	Reasons []landing.Reason `json:"reasons,omitempty"`

	// Sample are the first accepted rows, if they were asked for.
	Sample []Sampled `json:"sample,omitempty"`

	// Finished says that the file was read to its end. Only then the figures
	// are those of the whole of it.
	Finished      bool                 `json:"finished"`
	OwnEnd        bool                 `json:"own_end"`
	LastLineEnded bool                 `json:"last_line_ended"`
	Trailer       formats.TrailerState `json:"trailer"`
	// Faults are why it cannot be used; none: it can.
	Faults []Fault `json:"faults,omitempty"`
}

// Fault is why a file cannot be used, in words for its sender.
type Fault struct {
	Reason     string `json:"reason"`
	Incomplete bool   `json:"incomplete"` // more bytes may mend it
	Empty      bool   `json:"empty"`      // it holds nothing at all
}

// mostReasons is how many bad rows are named one by one.
const mostReasons = 50

// stageInspect is what a worker says before it touches a file.
const stageInspect = "inspect"

// beyondLimits is the fault of a file that kills whoever reads it.
const beyondLimits = "it could not be decoded within limits; it is damaged, or made to do harm: make it anew and send it again"

// Inspect reads one file of a carrier in a child process. An error says
// nothing about the file: it could not be looked at, and may be later. A file
// that kills the child twice has a fault; once may have been the machine's
// doing.
func (w Worker) Inspect(ctx context.Context, o InspectOptions) (*Inspection, error) {
	size, err := fileSize(o.Path)
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", o.Name, err)
	}
	req := request{Inspect: &o, Limits: limitsFor(DefaultMemory, size)}
	for range 2 {
		found, err := w.inspectOnce(ctx, req)
		if found != nil || err != nil {
			return found, err
		}
	}
	return &Inspection{Faults: []Fault{{Reason: beyondLimits}}}, nil
}

// inspectOnce returns nothing at all when the file killed the child.
func (w Worker) inspectOnce(ctx context.Context, req request) (*Inspection, error) {
	began := false
	last, d, err := w.run(ctx, req, engine.Observer{Stage: func(string) { began = true }})
	switch {
	case err != nil:
		return nil, err
	case last != nil && last.Inspection != nil:
		return last.Inspection, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case last != nil && last.Failed != nil:
		return nil, fmt.Errorf("inspect %s: %w", req.Inspect.Name, last.Failed)
	case !began:
		return nil, fmt.Errorf("inspect %s: the worker ended before it began: %s", req.Inspect.Name, d)
	}
	return nil, nil
}

// faults returns why err rejects the file; it is empty when err is about
// anything else.
func faults(err error) (list []Fault) {
	switch e := err.(type) {
	case nil:
	case *formats.FileError:
		list = append(list, Fault{Reason: forSender(e), Incomplete: e.Incomplete, Empty: e.Empty})
	case interface{ Unwrap() error }:
		list = faults(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			list = append(list, faults(part)...)
		}
	}
	return list
}

// forSender puts a reason in words for who sent the file: the hints of
// formats are for who was sent it.
func forSender(e *formats.FileError) string {
	if e.Hint == "" {
		return e.Reason
	}
	hint := strings.ReplaceAll(e.Hint, "ask for it to be sent again", "send it again")
	return e.Reason + "; " + strings.ReplaceAll(hint, "ask for ", "send ")
}

// reasonOf names a bad row for a receipt.
func reasonOf(e *engine.RowError) landing.Reason {
	return landing.Reason{Line: e.Line, Group: int64(e.RowGroup), Row: e.Row, Field: e.Field, Reason: e.Reason}
}

// noted reports every error of err that is not a fault of the file.
func noted(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, part := range joined.Unwrap() {
			errs = append(errs, noted(part))
		}
		return errors.Join(errs...)
	}
	if len(faults(err)) > 0 {
		return nil
	}
	return err
}

// errUnread stands for content that changed or could not be read, which is no
// fault of its sender.
var errUnread = errors.New("the content cannot be read from the spool")
