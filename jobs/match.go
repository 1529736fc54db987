package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"concord/engine"
	"concord/exchange"
	"concord/exchange/atrest"
	"concord/formats"
	"concord/formats/records"
	"concord/formats/report"
)

// Outcome is a reconciliation that was published, or is whole and waits for it.
type Outcome struct {
	Out     string // the folder
	Summary engine.Summary
	Inputs  [2][]report.Input // by engine.Side
	Zone    string            // of the period and of days
	// WarnAt and DisputeAt are the shares that decided the totals verdict, in
	// parts per million.
	WarnAt, DisputeAt int64
	// Remarks are what a person should know of the files before they trust
	// the figures, each with the file's name.
	Remarks []string
	// Staging is where a report is that was asked to stay unpublished; empty:
	// it is in Out.
	Staging  string
	Manifest string          // SHA-256 of its manifest.json, in hexadecimal
	Changes  *report.Changes // counts; Events has the cases; nil without a Release
}

// Match reconciles in this process. Its error is a *Failure.
func Match(ctx context.Context, o MatchOptions, watch engine.Observer) (out *Outcome, err error) {
	p, err := o.plan()
	if err != nil {
		return nil, err
	}
	done, err := p.learn(ctx, readListing)
	if err != nil {
		return nil, Explain(err)
	}
	defer func() {
		if derr := done(); err == nil && derr != nil {
			out.Remarks = append(out.Remarks, fmt.Sprintf("a temporary folder could not be removed: %v", derr))
		}
	}()
	out, err = p.run(ctx, watch)
	if errors.Is(err, engine.ErrCollision) { // nothing was written, and the next run hashes otherwise
		out, err = p.run(ctx, watch)
	}
	if damagedRecords(err) {
		err = p.putAside(ctx, err)
	}
	if err != nil {
		return nil, Explain(err)
	}
	return out, nil
}

// run takes the report's folder first, so that a disk that cannot be written
// is told before the work and not after it.
func (p *plan) run(ctx context.Context, watch engine.Observer) (out *Outcome, err error) {
	folder, err := exchange.Begin(exchange.OS{}, p.Out, p.Staging)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Abort()) }()
	in, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		// Files that were only read cannot lose anything: once the report is
		// published it stays.
		if closed := in.close(); err != nil {
			err = errors.Join(err, closed)
		}
	}()
	task := p.task(in, watch)
	if a := p.Assigned; a != nil && a.Path != "" {
		if task.Assignments, err = readAssigned(p.Keys, a); err != nil {
			return nil, err
		}
	}
	if watch.Stage != nil {
		watch.Stage("read")
	}
	result, err := engine.Run(ctx, task)
	if err != nil {
		return nil, err
	}
	o := &Outcome{Out: p.Out, Summary: *result.Summary(), Inputs: in.infos(), Remarks: in.remarks(), WarnAt: p.rules.WarnAt, DisputeAt: p.rules.DisputeAt, Zone: "UTC"}
	if p.rules.Zone != nil {
		o.Zone = p.rules.Zone.String()
	}
	create := func(name string) (report.File, error) { return sealedIn(folder, p.Keys, name) }
	written, err := report.Write(ctx, create, result, p.reportOptions(o))
	if err == nil {
		err = p.finish(folder, written, o)
	}
	if closed := result.Close(); err != nil { // only scratch files are lost
		return nil, errors.Join(err, closed)
	}
	return o, nil
}

func (p *plan) task(in *inputs, watch engine.Observer) engine.Task {
	return engine.Task{
		NearClock: p.nearClock, Carrier: p.carrier, Files: p.names, Rules: p.rules, From: p.from, To: p.to, AsOf: p.asOf,
		Sources: [2]engine.Source{in.whose, in.sides[engine.Carrier]},
		Memory:  p.Memory, Workers: p.Workers, Scratch: scratchIn(p.Staging, p.Keys),
		Verdicts: p.Verdicts, Users: p.Users, Observer: watch,
	}
}

func (p *plan) reportOptions(o *Outcome) report.Options {
	r := report.Options{Inputs: o.Inputs, Rules: p.rules, Profile: p.profileName, Verdicts: p.Verdicts, Users: p.Users, Release: p.release(p.Staging)}
	if p.Assigned != nil {
		r.Numbers = &p.Assigned.Numbers
	}
	return r
}

// inputs are the open files of both sides.
type inputs struct {
	keys    *atrest.Keys
	handles []*atrest.File
	sides   [2]openFiles
	whose   *whose // what Microsoft's records call carriers
}

// openFiles are the files of a side, or what was collected of them.
type openFiles interface {
	engine.Source
	Info() []formats.FileInfo
	Close() error
}

// open opens the files of both sides and reports what is wrong with any of
// them at once.
func (p *plan) open(ctx context.Context) (*inputs, error) {
	in := &inputs{keys: p.Keys}
	var errs []error
	for side, paths := range p.paths() {
		if p.fromRecords() {
			errs = append(errs, in.openRecords(ctx, engine.Side(side), paths, p.names[side], p))
			continue
		}
		o := formats.Options{Carrier: p.carrier}
		if engine.Side(side) == engine.Carrier {
			o.Profile = p.profile
		}
		errs = append(errs, in.openSide(ctx, engine.Side(side), paths, p.names[side], o))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, in.close())
	}
	in.whose = newWhose(in.sides[engine.Microsoft], p.Others)
	return in, nil
}

func (in *inputs) openSide(ctx context.Context, side engine.Side, paths, names []string, o formats.Options) error {
	list, err := in.handle(paths, names)
	if err != nil {
		return err
	}
	files, err := formats.Open(ctx, side, list, o)
	if err == nil {
		in.sides[side] = files
	}
	return err
}

// handle opens files, which close closes.
func (in *inputs) handle(paths, names []string) ([]formats.Input, error) {
	list := make([]formats.Input, len(paths))
	for i, path := range paths {
		f, err := in.keys.Open(path)
		switch {
		case errors.Is(err, atrest.ErrDamaged), errors.Is(err, atrest.ErrLocked):
			return nil, fmt.Errorf("%s: %w", names[i], reason(err))
		case err != nil:
			return nil, &formats.FileError{File: names[i], Reason: reason(err).Error()}
		}
		in.handles = append(in.handles, f)
		list[i] = formats.Input{Name: names[i], R: f, Size: f.Size()}
	}
	return list, nil
}

// infos describes the files for the report.
func (in *inputs) infos() (list [2][]report.Input) {
	for side, files := range in.sides {
		for _, i := range files.Info() {
			list[side] = append(list[side], report.Input{
				Name: i.Name, SHA256: i.SHA256, Bytes: i.Bytes, Format: i.Format, Rows: i.Rows,
				Filtered: i.Filtered, Verified: i.IntegrityVerified, Notes: notes(i),
				Incomplete: slices.Contains(i.Notes, formats.MorePages),
			})
		}
		if some, ok := files.(recordsFiles); ok {
			some.count(list[side])
		}
	}
	for i := range list[engine.Microsoft] {
		in.whose.tell(i, &list[engine.Microsoft][i])
	}
	return list
}

// remarks are the notes on the files without the columns that are not used,
// of which there are many in every honest file.
func (in *inputs) remarks() (list []string) {
	for side, files := range in.sides {
		for n, i := range files.Info() {
			said := i.Notes
			if engine.Side(side) == engine.Microsoft {
				said = append(said[:len(said):len(said)], in.whose.notes(n)...)
			}
			for _, note := range said {
				list = append(list, i.Name+": "+note)
			}
		}
	}
	return list
}

// notes are what a person should know of a file.
func notes(i formats.FileInfo) []string {
	list := i.Notes
	for _, c := range i.UnknownColumns {
		list = append(list, fmt.Sprintf("column %q is not used", c))
	}
	return list
}

func (in *inputs) close() error {
	var errs []error
	for _, f := range in.sides {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	for _, f := range in.handles {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// recordsFiles are the records of one side.
type recordsFiles struct{ *records.Files }

// Close implements openFiles: the handles are closed by themselves.
func (recordsFiles) Close() error { return nil }

// count puts what was read in the place of what the files hold.
func (r recordsFiles) count(list []report.Input) {
	accepted, infos := r.Accepted(), r.Info()
	for i := range list {
		list[i].FileRows = &infos[i].Rows
		list[i].Rows = accepted[i] + infos[i].Rejected + infos[i].Filtered
	}
}

func (in *inputs) openRecords(ctx context.Context, side engine.Side, paths, names []string, p *plan) error {
	list, err := in.handle(paths, names)
	if err != nil {
		return err
	}
	from, to := p.from, p.to
	if !from.IsZero() || !to.IsZero() {
		reach := RecordsReach(p.rules)
		from, to = from.Add(-reach), to.Add(reach)
	}
	files, err := records.Open(ctx, side, list, from, to)
	if err == nil {
		in.sides[side] = recordsFiles{files}
	}
	return err
}

// putAside renames what is damaged of the records of a run, so that
// Collector.Records makes them anew, and says so behind why.
func (p *plan) putAside(ctx context.Context, why error) error {
	errs := []error{fmt.Errorf("%w; do it again: they are made anew from the file as it was received", why)}
	for side, list := range p.Records {
		for _, r := range list {
			err := verifyRecords(ctx, p.Keys, engine.Side(side), r)
			if damagedRecords(err) {
				err = os.Rename(r.Path, r.Path+asideEnding)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// damagedRecords reports whether records are not as they were written.
func damagedRecords(err error) bool {
	return errors.Is(err, records.ErrDamaged) || errors.Is(err, atrest.ErrDamaged)
}

// verifyRecords reads all of a file of records.
func verifyRecords(ctx context.Context, keys *atrest.Keys, side engine.Side, r RecordsInput) (err error) {
	in := &inputs{keys: keys}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := in.openRecords(ctx, side, []string{r.Path}, []string{r.Name}, new(plan)); err != nil {
		return err
	}
	return readAll(ctx, in.sides[side])
}
