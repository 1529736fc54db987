package jobs

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"concord/engine"
	"concord/engine/numbers"
	"concord/exchange/atrest"
	"concord/exchange/landing"
	"concord/formats"
	"concord/formats/dialect"
)

// ListingOptions say which listing of numbers to read.
type ListingOptions struct {
	Path      string   `json:"path"`
	Name      string   `json:"name"`
	Carrier   string   `json:"carrier"`
	Operators []string `json:"operators,omitempty"` // what Microsoft calls the carrier
	Shared    bool     `json:"shared,omitempty"`    // it is about several carriers
	Tenant    string   `json:"tenant,omitempty"`    // of rows that name none
	Source    string   `json:"source,omitempty"`
	AsOf      int64    `json:"as_of"` // microseconds since 1970
	// Users is the path of a list of users, for their SIP URIs; empty: there
	// is none. UsersName is what messages call it.
	Users     string `json:"users,omitempty"`
	UsersName string `json:"users_name,omitempty"`
	// Out is where the rows are written, as ListedRowsIn reads them. The file
	// is whole when the listing has no faults.
	Out string `json:"out"`
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
}

// ListingFound is what one listing holds of a carrier's numbers.
type ListingFound struct {
	Rows     int64            `json:"rows"`
	Accepted int64            `json:"accepted"`
	Rejected int64            `json:"rejected"`
	Others   int64            `json:"others"`
	SHA256   string           `json:"sha256"`
	Format   string           `json:"format"`
	Reasons  []landing.Reason `json:"reasons,omitempty"`
	Notes    []string         `json:"notes,omitempty"`
	Faults   []string         `json:"faults,omitempty"`
	// Blind says that rows were rejected whose line could not be read.
	Blind bool `json:"blind,omitempty"`
}

const (
	// mostNumbers is how many numbers of one carrier a listing may hold.
	mostNumbers = 1_000_000
	// sheetChunk is how much of the rows lies in one piece of memory.
	sheetChunk = 1 << 20
)

// sheet holds the rows of one carrier, packed, until they are sorted.
type sheet struct {
	chunks [][]byte
	index  []sheetRow
}

// sheetRow is a row of a sheet.
type sheetRow struct {
	numbers.Line
	from, to  int64
	row, line int64  // in the file
	text      []byte // as it is written, in a chunk
	held      bool
}

func (s *sheet) add(r sheetRow, x ListedRow) error {
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	last := len(s.chunks) - 1
	if last < 0 || cap(s.chunks[last])-len(s.chunks[last]) < len(text) {
		s.chunks = append(s.chunks, make([]byte, 0, max(sheetChunk, len(text))))
		last++
	}
	at := len(s.chunks[last])
	s.chunks[last] = append(s.chunks[last], text...)
	r.Line, r.from, r.to, r.held, r.text = x.Line, x.From, x.To, x.Held, s.chunks[last][at:]
	s.index = append(s.index, r)
	return nil
}

// readListing reads a listing in this process. Its error is never a fault of
// the file.
func readListing(ctx context.Context, o ListingOptions) (_ *ListingFound, err error) {
	f, err := o.Keys.Open(o.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	from := &watchedFile{f: f}
	x := &listingReader{opts: o}
	rerr := x.readUsers(ctx)
	if rerr == nil {
		rerr = x.read(ctx, formats.Input{Name: o.Name, R: from, Size: f.Size()})
	}
	if rerr == nil {
		rerr = x.write()
	}
	for _, fault := range faults(rerr) {
		x.found.Faults = append(x.found.Faults, x.about+fault.Reason)
	}
	if err := errors.Join(from.failure(), ctx.Err(), noted(rerr)); err != nil {
		return nil, err
	}
	return &x.found, nil
}

// listingReader reads one listing from its head to its end.
type listingReader struct {
	opts  ListingOptions
	found ListingFound
	sheet sheet
	users map[string]string // their SIP URIs
	about string            // what is wrong with something else than the listing
}

// readUsers reads the list of users. Without it the SIP URIs of all of them
// would be taken for gone, so its faults are those of the listing.
func (x *listingReader) readUsers(ctx context.Context) (err error) {
	if x.opts.Users == "" {
		return nil
	}
	f, err := x.opts.Keys.Open(x.opts.Users)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	from := &watchedFile{f: f}
	x.users, err = formats.ReadAddresses(ctx, formats.Input{Name: x.opts.UsersName, R: from, Size: f.Size()}, dialect.Limits{}, mostNumbers)
	if err != nil {
		x.about = "its list of users, " + Mask(x.opts.UsersName) + ", cannot be used: "
	}
	return errors.Join(err, from.failure())
}

func (x *listingReader) read(ctx context.Context, in formats.Input) (err error) {
	o := x.opts
	r, err := formats.OpenNumbers(in, formats.NumbersOptions{
		Carrier: o.Carrier, Operators: o.Operators, Shared: o.Shared, Tenant: o.Tenant, Source: o.Source, AsOf: o.AsOf, Addresses: x.users,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		var a numbers.Assignment
		err := r.Read(ctx, &a)
		var bad *engine.RowError
		switch {
		case errors.Is(err, io.EOF):
			x.finished(r.Info())
			return nil
		case errors.As(err, &bad):
			err = x.reject(bad, a.Line)
		case err == nil:
			row, line := r.Place()
			err = x.sheet.add(sheetRow{row: row, line: line}, ListedRow{Assignment: a})
		}
		if err != nil {
			return err
		}
		if len(x.sheet.index) > mostNumbers {
			return &formats.FileError{File: o.Name, Reason: fmt.Sprintf("it has more than %d numbers of %s", mostNumbers, o.Carrier), Hint: "split it by tenant into subfolders"}
		}
	}
}

// reject takes down one bad row. A line that could be read keeps what is known
// of it.
func (x *listingReader) reject(e *engine.RowError, line numbers.Line) error {
	x.note(e)
	if line.Digits == 0 {
		x.found.Blind = true
		return nil
	}
	return x.sheet.add(sheetRow{row: e.Row}, ListedRow{Assignment: numbers.Assignment{Line: line, Source: x.opts.Source}, Held: true})
}

func (x *listingReader) note(e *engine.RowError) {
	x.found.Rejected++
	if len(x.found.Reasons) < mostReasons {
		x.found.Reasons = append(x.found.Reasons, reasonOf(e))
	}
}

func (x *listingReader) finished(i formats.FileInfo) {
	f := &x.found
	f.Rows, f.Accepted, f.Others, f.SHA256, f.Format, f.Notes = i.Rows, i.Accepted, i.Filtered, i.SHA256, i.Format, notes(i)
}

// reasonRepeated is why a row is rejected whose line the file has before.
const reasonRepeated = "the file has this line before"

// write sorts the rows and writes each line once.
func (x *listingReader) write() (err error) {
	slices.SortFunc(x.sheet.index, func(a, b sheetRow) int {
		return cmp.Or(a.Line.Compare(b.Line), boolCompare(a.held, b.held), cmp.Compare(a.from, b.from), cmp.Compare(a.row, b.row))
	})
	f, err := x.opts.Keys.OpenFile(x.opts.Out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the rows of a listing: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	var before *sheetRow
	repeated := int64(0)
	for i := range x.sheet.index {
		r := &x.sheet.index[i]
		if before != nil && before.Line == r.Line && (r.held || r.from < before.to) {
			if !r.held { // a held one was rejected already
				repeated++
				x.found.Accepted--
				x.note(&engine.RowError{Row: r.row, Line: r.line, Field: "telephone_number", Reason: reasonRepeated})
			}
			continue
		}
		before = r
		_, _ = w.Write(r.text) // Flush tells
		_ = w.WriteByte('\n')
	}
	const few, share = 10, 20 // as of other bad rows: one in twenty, unless they are only a few
	if repeated >= few && repeated*share > x.found.Rows {
		return &formats.FileError{File: x.opts.Name, Reason: "more than 5 % of its rows repeat a line", Hint: "export it again"}
	}
	return w.Flush()
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// ListedRowsIn reads the rows that a listing was found to hold.
func ListedRowsIn(keys *atrest.Keys, path string) ListedRows {
	return func(yield func(ListedRow, error) bool) {
		f, err := keys.Open(path)
		if err != nil {
			yield(ListedRow{}, fmt.Errorf("read the rows of a listing: %w", err))
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for dec := json.NewDecoder(bufio.NewReader(f)); ; {
			var x ListedRow
			err := dec.Decode(&x)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				err = fmt.Errorf("read the rows of a listing: %w", err)
			}
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}

// ReadListing reads one listing of numbers in a child process. An error says
// nothing about the file: it could not be looked at, and may be later. A file
// that kills the child twice has a fault; once may have been the machine's
// doing.
func (w Worker) ReadListing(ctx context.Context, o ListingOptions) (*ListingFound, error) {
	size, err := fileSize(o.Path)
	if err != nil {
		return nil, fmt.Errorf("read listing %s: %w", o.Name, err)
	}
	req := request{Listing: &o, Limits: limitsFor(DefaultMemory, size)}
	for range 2 {
		began := false
		last, d, err := w.run(ctx, req, engine.Observer{Stage: func(string) { began = true }})
		switch {
		case err != nil:
			return nil, err
		case last != nil && last.Listing != nil:
			return last.Listing, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case last != nil && last.Failed != nil:
			return nil, fmt.Errorf("read listing %s: %w", o.Name, last.Failed)
		case !began:
			return nil, fmt.Errorf("read listing %s: the worker ended before it began: %s", o.Name, d)
		}
	}
	return &ListingFound{Faults: []string{strings.ReplaceAll(beyondLimits, " and send it again", "")}}, nil
}
