package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"

	"concord/jobs"
)

// Run implements Operations.
func (d *Desk) Run(ctx context.Context, id string) (RunDetail, error) {
	r, err := d.Queue.Run(ctx, id)
	if err != nil {
		return RunDetail{}, explain(err, "run", id)
	}
	x := RunDetail{Run: runOf(r), Settings: r.Settings}
	if x.Inputs, err = d.inputs(ctx, r.Inputs); err != nil {
		return x, err
	}
	if err := d.chain(ctx, r, &x); err != nil {
		return x, err
	}
	if r.Report != "" {
		rep, err := d.Archive.Report(ctx, r.Report)
		if err != nil && !errors.Is(err, jobs.ErrNoReport) {
			return x, err
		}
		if err == nil {
			p := reportOf(rep)
			x.Published = &p
		}
	}
	if d.Progress != nil && r.State == jobs.RunRunning {
		if p, ok := d.Progress(id); ok {
			x.Progress = &p
		}
	}
	return x, nil
}

// inputs adds the names of the files that the ledger knows.
func (d *Desk) inputs(ctx context.Context, list []jobs.RunInput) ([]Input, error) {
	out := []Input{}
	for _, in := range list {
		x := Input{Role: in.Role, File: in.File, SHA256: in.SHA256}
		if in.Role == roleReport {
			rep, err := d.Archive.Report(ctx, in.File)
			if err != nil && !errors.Is(err, jobs.ErrNoReport) {
				return nil, err
			}
			out = append(out, reportInput(rep, in))
			continue
		}
		e, err := d.Ledger.File(ctx, in.File)
		switch {
		case err == nil:
			x.Name = jobs.Mask(e.Name)
		case !errors.Is(err, jobs.ErrNoFile):
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// roleReport is the role of a report that a usage is summed up from.
const roleReport = "report"

func reportInput(r jobs.Report, in jobs.RunInput) Input {
	x := Input{Role: roleReport, File: in.File, SHA256: in.SHA256}
	if r.ID != "" {
		x.Name = fmt.Sprintf("%s version %d", r.Period.Text, r.Version)
	}
	return x
}

// How far the runs before and after one are looked for.
const (
	maxBefore = 100
	maxAfter  = 1000
)

// chain fills in which runs were before and after a run of the same job,
// carrier and period, by what each does again.
func (d *Desk) chain(ctx context.Context, r jobs.Run, x *RunDetail) error {
	x.Before, x.After = []Run{}, []Run{}
	for at := r; at.RerunOf != "" && len(x.Before) < maxBefore; {
		before, err := d.Queue.Run(ctx, at.RerunOf)
		if errors.Is(err, jobs.ErrNoRun) {
			break
		}
		if err != nil {
			return err
		}
		x.Before = append(x.Before, runOf(before))
		at = before
	}
	slices.Reverse(x.Before)
	list, err := d.Queue.Runs(ctx, jobs.RunFilter{Job: r.Job, Carrier: r.Carrier, From: r.Period.From, To: r.Period.To, Limit: maxAfter})
	if err != nil {
		return err
	}
	follows := map[string]bool{r.ID: true}
	for _, o := range slices.Backward(list) { // the oldest first
		if follows[o.RerunOf] {
			follows[o.ID] = true
			x.After = append(x.After, runOf(o))
		}
	}
	return nil
}

// Reports implements Operations.
func (d *Desk) Reports(ctx context.Context, f jobs.ReportFilter) ([]Report, error) {
	list, err := d.Archive.Reports(ctx, f)
	if err != nil {
		return nil, explain(err, "report", f.Before)
	}
	return each(list, reportOf), nil
}

// Report implements Operations. A version whose folder is not in its place yet
// has no Files.
func (d *Desk) Report(ctx context.Context, id string) (ReportDetail, error) {
	r, err := d.Archive.Report(ctx, id)
	if err != nil {
		return ReportDetail{}, explain(err, "report", id)
	}
	x := ReportDetail{Report: reportOf(r), Manifest: r.Manifest, Files: []ReportFile{}, Inputs: []Input{}}
	if r.Purged == 0 {
		x.Files, err = d.manifest(r)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return x, err
	}
	if x.Purged, err = d.purged(ctx, map[jobs.Class]int64{jobs.ClassReports: r.Purged, jobs.ClassCases: r.CasesPurged}); err != nil {
		return x, err
	}
	versions, err := d.Archive.Reports(ctx, jobs.ReportFilter{Kind: r.Kind, Carrier: r.Carrier, Period: &r.Period})
	if err != nil {
		return x, err
	}
	slices.Reverse(versions)
	x.Versions = each(versions, reportOf)
	run, err := d.Queue.Run(ctx, r.Run)
	if errors.Is(err, jobs.ErrNoRun) {
		return x, nil
	}
	if err == nil {
		x.Inputs, err = d.inputs(ctx, run.Inputs)
	}
	return x, err
}

const (
	manifestName = "manifest.json"
	maxManifest  = 1 << 20 // bytes
)

// manifest returns the files of a report with the manifest itself, which must
// be the one that was published.
func (d *Desk) manifest(r jobs.Report) (list []ReportFile, err error) {
	list = []ReportFile{}
	root, err := os.OpenRoot(d.Folder)
	if err != nil {
		return list, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := d.Keys.OpenIn(root, path.Join(r.Folder, manifestName))
	if err != nil {
		return list, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err = errors.Join(err, f.Close()); err != nil {
		return list, fmt.Errorf("read the manifest of report %s: %w", r.ID, err)
	}
	sum := sha256.Sum256(b)
	if hex.EncodeToString(sum[:]) != r.Manifest {
		return list, fmt.Errorf("report %s: its manifest on disk is not the one that was published; put the folder %s back from a backup", r.ID, r.Folder)
	}
	var doc struct {
		Files []ReportFile `json:"files"`
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&doc); err != nil {
		return list, fmt.Errorf("read the manifest of report %s: %w", r.ID, err)
	}
	for _, x := range doc.Files {
		x.Evidence = Evidence(x.Name)
		list = append(list, x)
	}
	return append(list, ReportFile{Name: manifestName, Bytes: int64(len(b)), SHA256: r.Manifest}), nil
}

// harmless are the files of a report without phone numbers.
var harmless = []string{manifestName, "summary.json", "version.json", "report.html", "rejected.csv", "usage.csv", "usage.parquet", "customers.csv"}

// Evidence reports whether a file of a report may hold phone numbers: so does
// every one that is not known to hold none.
func Evidence(name string) bool { return !slices.Contains(harmless, name) }

// OpenReportFile implements Operations. The caller closes what it returns.
func (d *Desk) OpenReportFile(ctx context.Context, report, name string, by By) (io.ReadCloser, int64, error) {
	f, size, err := d.find(ctx, report, name)
	if err != nil {
		return nil, 0, err
	}
	r, err := d.Archive.Report(ctx, report)
	unmasked := false
	if err == nil {
		unmasked, err = d.unmasked(ctx, r, name)
	}
	if err == nil && unmasked {
		err = d.note(ctx, by, "report.evidence", report, name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, size, nil
}

// unmasked reports whether a file of a report may hold phone numbers: evidence
// may, and every file that names the inputs when one of those names may.
func (d *Desk) unmasked(ctx context.Context, r jobs.Report, name string) (bool, error) {
	if Evidence(name) {
		return true, nil
	}
	run, err := d.Queue.Run(ctx, r.Run)
	if errors.Is(err, jobs.ErrNoRun) {
		return true, nil // nobody knows
	}
	if err != nil {
		return false, err
	}
	inputs, err := d.inputs(ctx, run.Inputs)
	return slices.ContainsFunc(inputs, func(in Input) bool { return jobs.Masked(in.Name) }), err
}

// find opens a file that the manifest of a report has, of the size it returns.
func (d *Desk) find(ctx context.Context, report, name string) (reportFile, int64, error) {
	r, err := d.Archive.Report(ctx, report)
	if err != nil {
		return nil, 0, explain(err, "report", report)
	}
	if r.Purged != 0 {
		return nil, 0, refuse(NotFound, jobs.ErrPurged, "the files of report %s were purged, as proof %d says", report, r.Purged)
	}
	list, err := d.manifest(r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, refuse(Unavailable, err, "report %s is not in its place yet; try again in a moment", report)
	}
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(list, func(f ReportFile) bool { return f.Name == name })
	if i < 0 {
		return nil, 0, refuse(NotFound, nil, "report %s has no file of this name; its list of files has them", report)
	}
	f, err := d.open(r, list[i])
	if err != nil {
		return nil, 0, fmt.Errorf("open %s of report %s: %w", name, report, err)
	}
	return f, list[i].Bytes, nil
}

// reportFile is an open file of a report.
type reportFile interface {
	io.ReadCloser
	io.ReaderAt
}

// open opens a file of a report, which must be as long as the manifest says.
func (d *Desk) open(r jobs.Report, x ReportFile) (_ reportFile, err error) {
	root, err := os.OpenRoot(d.Folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := d.Keys.OpenIn(root, path.Join(r.Folder, x.Name))
	if err != nil {
		return nil, err
	}
	if f.Size() != x.Bytes {
		return nil, errors.Join(errors.New("it is not as long as the manifest says; put it back from a backup"), f.Close())
	}
	return f, nil
}

// Changes implements Operations.
func (d *Desk) Changes(ctx context.Context, report, after string, limit int) ([]Change, error) {
	r, err := d.Archive.Report(ctx, report)
	if err != nil {
		return nil, explain(err, "report", report)
	}
	if r.CasesPurged != 0 {
		return nil, refuse(NotFound, jobs.ErrPurged, "the cases of report %s were purged, as proof %d says", report, r.CasesPurged)
	}
	list, err := d.Archive.Cases(ctx, jobs.CaseFilter{Report: report, After: after, Limit: limit})
	return each(list, changeOf), err
}
