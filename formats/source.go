// Package formats opens files of records and writes them: CSV, Parquet and
// Microsoft's feeds, packed and encoded as they come. FORMATS.md describes every
// file. What the fields of a row mean is up to package dialect.
//
// Open reads the files of one side as a stream of parts, in file and row order,
// that several goroutines may decode at once; memory does not grow with a file.
// Every row ends as accepted, rejected with a place and a reason, or left out by
// the profile, and a file that cannot be read as a whole is a *FileError. The
// caller keeps and closes the inputs. The package knows no rules of matching,
// has no clock and logs nothing.
package formats

import (
	"context"
	"errors"
	"fmt"
	"io"

	"concord/engine"
	"concord/formats/dialect"
)

// Input is one file as received.
type Input struct {
	Name string // base name, for messages and reports
	R    io.ReaderAt
	Size int64 // bytes
}

// Options say how the files of one side are read. The zero value reads
// canonical files with the default limits.
type Options struct {
	Profile *dialect.Profile // nil: canonical columns, or one of Microsoft's feeds
	Carrier string           // given to records that name none
	Limits  dialect.Limits
	Details bool // fill Call.Details

	chunk int  // bytes of a part of text to aim at; 0 is csvscan's own
	texts bool // every value of Parquet becomes text first, as with a profile
}

// limits are those of the profile, else those given, else the defaults.
func (o *Options) limits() dialect.Limits {
	l := o.Limits.Or(dialect.DefaultLimits())
	if o.Profile != nil {
		return o.Profile.Limits.Or(l)
	}
	return l
}

// FileInfo is what is known of a file after Finish. Rows is always the sum of
// Accepted, Rejected and Filtered.
type FileInfo struct {
	Name       string
	SHA256     string // of the bytes as received, in hex
	Bytes      int64  // as received
	Format     string // such as "csv", "csv+gzip", "parquet", "graph-pstn"
	Rows       int64  // data rows
	Accepted   int64  // rows that became a Call
	Rejected   int64  // rows that could not be read
	Filtered   int64  // rows that the profile leaves out
	DurationMS int64  // of the accepted rows
	// IntegrityVerified says that control totals or page checksums in the
	// file agree with what was read.
	IntegrityVerified bool
	// OwnEnd says that the file has an end of its own, such as a Parquet
	// footer or the end of a packed stream, and was read up to it.
	OwnEnd bool
	// LastLineEnded says that a text, once unpacked, ends with a line end and
	// not within quotes.
	LastLineEnded  bool
	Trailer        TrailerState
	UnknownColumns []string // ignored columns, in file order
	Notes          []string // what a person should know, such as skipped blank lines
}

// TrailerState says what became of the line of control totals.
type TrailerState uint8

// States of a trailer.
const (
	NoTrailer        TrailerState = iota // the profile names none
	TrailerMissing                       // it does, and the file has none
	TrailerAgrees                        // with what was read, as far as it can be compared
	TrailerDisagrees                     // then Finish has failed
)

// FileError says why a whole file is rejected, and what can be done about it.
type FileError struct {
	File   string // base name
	Reason string
	Hint   string // may be empty
	// Incomplete says that the file may be the first part of a good one: it
	// ends before it should.
	Incomplete bool
	// Empty says that the file holds nothing at all, not even a header.
	Empty bool
}

// Error implements error.
func (e *FileError) Error() string {
	if e.Hint == "" {
		return fmt.Sprintf("read %s: %s", e.File, e.Reason)
	}
	return fmt.Sprintf("read %s: %s; %s", e.File, e.Reason, e.Hint)
}

// fileReader reads one file. next hands out its parts in row order, then
// io.EOF; finish is called once after every part was read and closed, and
// tells what only a whole file can; close releases what is held at any time
// and may be called more than once.
type fileReader interface {
	next(ctx context.Context) (engine.Part, error)
	finish(ctx context.Context) error
	info() FileInfo
	close() error
}

// job is one file to read: what every fileReader is opened with.
type job struct {
	Input
	index int // of the file in its side
	side  engine.Side
	opts  *Options
}

// errorf makes the error that rejects the whole file.
func (j *job) errorf(hint, format string, args ...any) error {
	return &FileError{File: j.Name, Reason: fmt.Sprintf(format, args...), Hint: hint}
}

// truncatedf is errorf for a file that ends too early.
func (j *job) truncatedf(hint, format string, args ...any) error {
	return incomplete(j.errorf(hint, format, args...))
}

// emptyf is errorf for a file that holds nothing, so far or for good.
func (j *job) emptyf(more bool, reason string) error {
	return &FileError{File: j.Name, Reason: reason, Hint: "a file with nothing to report still has a header", Incomplete: more, Empty: true}
}

// incomplete marks the error of a file of which more may come.
func incomplete(err error) error {
	if file, ok := errors.AsType[*FileError](err); ok {
		file.Incomplete = true
	}
	return err
}

// Files is one side of a run: its files in the order given. It implements
// engine.Source. Next must not be called by two goroutines at once; the parts
// may be read beside each other and beside Next.
type Files struct {
	jobs  []job
	infos []FileInfo
	open  []fileReader // by index; nil before it is reached and once finished
	at    int          // the file Next is in
}

var _ engine.Source = (*Files)(nil)

// Open looks at the head of every file of a side: its format, its columns,
// and that what is required is there. It returns every file's error at once,
// each a *FileError. The inputs stay the caller's to close, after Close.
func Open(ctx context.Context, side engine.Side, inputs []Input, opts Options) (*Files, error) {
	opts.Limits = opts.limits()
	f := &Files{open: make([]fileReader, len(inputs)), infos: make([]FileInfo, len(inputs))}
	var errs []error
	for i, in := range inputs {
		j := job{Input: in, index: i, side: side, opts: &opts}
		f.jobs = append(f.jobs, j)
		errs = append(errs, probe(ctx, &j))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return f, nil
}

// probe opens a file and closes it again, so that a side with many files
// holds the buffers of one.
func probe(ctx context.Context, j *job) error {
	r, err := openFile(ctx, j)
	if err != nil {
		return err
	}
	return r.close()
}

// Next implements engine.Source.
func (f *Files) Next(ctx context.Context) (engine.Part, error) {
	for ; f.at < len(f.jobs); f.at++ {
		r, err := f.reader(ctx)
		if err != nil {
			return nil, err
		}
		p, err := r.next(ctx)
		if !errors.Is(err, io.EOF) {
			return p, err
		}
	}
	return nil, io.EOF
}

// reader returns the reader of the current file, opening it when it is new.
func (f *Files) reader(ctx context.Context) (fileReader, error) {
	if f.open[f.at] == nil {
		r, err := openFile(ctx, &f.jobs[f.at])
		if err != nil {
			return nil, err
		}
		f.open[f.at] = r
	}
	return f.open[f.at], nil
}

// Finish implements engine.Source: it checks the control totals and the share
// of rejected rows of every file, and reports every file that fails at once.
func (f *Files) Finish(ctx context.Context) error {
	var errs []error
	for i, r := range f.open {
		if r == nil {
			continue
		}
		errs = append(errs, r.finish(ctx))
		f.infos[i] = r.info()
		errs = append(errs, r.close())
		f.open[i] = nil
	}
	return errors.Join(errs...)
}

// Info returns what is known of each file, in the order given, after Finish.
func (f *Files) Info() []FileInfo { return f.infos }

// Close releases what is held when a run ends before Finish. It may be called
// after Finish, too.
func (f *Files) Close() error {
	var errs []error
	for i, r := range f.open {
		if r != nil {
			errs = append(errs, r.close())
			f.open[i] = nil
		}
	}
	return errors.Join(errs...)
}
