package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

type reportsCmd struct {
	List reportsListCmd `cmd:"" default:"withargs" help:"List published versions, the newest first."`
	Show reportsShowCmd `cmd:"" help:"Show one version with its files, its inputs and what it changed."`
	Get  reportsGetCmd  `cmd:"" help:"Get a file of a report."`
	Sign signOffCmd     `cmd:"" name:"sign-off" help:"Review and approve versions, and reopen the periods that they lock."`
}

type reportsListCmd struct {
	targetFlags
	Kind    string `enum:",reconcile,usage" default:"" placeholder:"KIND" help:"Only those of runs of kind reconcile or usage."`
	Carrier string `placeholder:"NAME" help:"Only those of one carrier."`
	Job     string `placeholder:"JOB" help:"Only those of one job."`
	Verdict string `enum:",ok,warning,dispute" default:"" placeholder:"VERDICT" help:"Only those whose totals are ok, warning or dispute."`
	Newest  bool   `help:"Only versions that no other supersedes."`
	Before  string `placeholder:"REPORT" help:"Only those published before this one, to page on."`
	Limit   uint   `default:"50" help:"How many to list, the newest first; 0 lists all."`
}

// Help has examples.
func (reportsListCmd) Help() string {
	return "Examples:\n  concord reports --newest\n  concord reports --carrier fabrikam --verdict dispute --json\n  concord reports show 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e"
}

// Run lists reports.
func (c *reportsListCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		list, err := t.Reports(s.ctx, jobs.ReportFilter{
			Kind: c.Kind, Carrier: c.Carrier, Job: c.Job, Verdict: c.Verdict, Newest: c.Newest, Before: c.Before, Limit: int(c.Limit),
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(s, list)
		}
		g := reportGrid(list)
		return s.printGrid(g, "no reports")
	})
}

func reportGrid(list []control.Report) *grid {
	g := &grid{right: []bool{3: true, 5: true, 6: true, 7: true}}
	g.add("Published (UTC)", "Carrier", "Period", "Version", "Verdict", "Difference min", "Cases", "Pending", "Report", "")
	for i := range list {
		r := &list[i]
		var notes []string
		if r.Kind == jobs.ReportUsage {
			notes = append(notes, "usage")
		}
		if r.SupersededBy != "" {
			notes = append(notes, "superseded")
		}
		difference := signedMinutes(r.CarrierSide.DurationMS - r.Microsoft.DurationMS)
		if r.Kind == jobs.ReportUsage { // it counts calls that the carrier lacks, and compares nothing
			difference = ""
		}
		g.add(clock(r.Published), r.Carrier, r.Period.Text, fmt.Sprint(r.Version), r.Standing(), difference, grouped(r.Discrepancies), grouped(r.Pending), r.ID, strings.Join(notes, ", "))
	}
	return g
}

func (s *session) showReports(title string, list []control.Report) {
	if len(list) > 0 {
		fmt.Fprintln(s.Out, "\n"+title)
		reportGrid(list).write(s.Out, "  ")
	}
}

type reportsShowCmd struct {
	targetFlags
	Report string `arg:"" help:"The id of a report."`
}

// Run shows a report.
func (c *reportsShowCmd) Run(s *session) error {
	return c.with(s, func(t *target) error {
		r, err := t.Report(s.ctx, c.Report)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(s.Out, r)
		}
		s.showReport(&r)
		return nil
	})
}

func (s *session) showReport(r *control.ReportDetail) {
	g := &grid{}
	g.add("report", r.ID)
	g.add("carrier", r.Carrier)
	g.add("period", r.Period.Text)
	g.add("version", fmt.Sprintf("%d, published %s", r.Version, clock(r.Published)))
	g.add("run", r.Run+" of job "+r.Job)
	g.figures(&r.Report)
	gone := false
	for _, p := range r.Purged {
		g.add("purged", purgedInWords(p))
		gone = gone || p.Class == string(jobs.ClassReports)
	}
	g.write(s.Out, "")
	switch {
	case gone:
	case len(r.Files) == 0:
		fmt.Fprintln(s.Out, "\nThe files are not in their place yet")
	default:
		fmt.Fprintln(s.Out, "\nFiles")
	}
	s.showFiles(r.Files)
	s.showInputs(r.Inputs)
	s.showReports("Versions", r.Versions)
}

// figures says what a version comes to.
func (g *grid) figures(r *control.Report) {
	if r.Kind == jobs.ReportUsage {
		g.add("usage", fmt.Sprintf("%s calls, %s minutes at Microsoft, %s at the carrier", grouped(r.Microsoft.Records), minutes(r.Microsoft.DurationMS), minutes(r.CarrierSide.DurationMS)))
		g.add("pending", grouped(r.Pending)+" calls")
		return
	}
	g.add("verdict", r.Standing())
	g.add("Microsoft", fmt.Sprintf("%s records, %s minutes", grouped(r.Microsoft.Records), minutes(r.Microsoft.DurationMS)))
	g.add("carrier's", fmt.Sprintf("%s records, %s minutes", grouped(r.CarrierSide.Records), minutes(r.CarrierSide.DurationMS)))
	g.add("cases", fmt.Sprintf("%s, and %s calls pending", grouped(r.Discrepancies), grouped(r.Pending)))
	if r.Version > 1 {
		g.add("changes", fmt.Sprintf("%s opened, %s changed, %s closed since version %d", grouped(r.Changes.Opened), grouped(r.Changes.Changed), grouped(r.Changes.Closed), r.Version-1))
	}
}

func (s *session) showFiles(list []control.ReportFile) {
	files := &grid{right: []bool{1: true}}
	for _, f := range list {
		note := ""
		if f.Evidence {
			note = "evidence: holds phone numbers"
		}
		files.add(f.Name, grouped(f.Bytes)+" bytes", note)
	}
	files.write(s.Out, "  ")
}

type reportsGetCmd struct {
	targetFlags
	Report string `arg:"" help:"The id of a report."`
	File   string `arg:"" help:"The name of one of its files, such as discrepancies.csv."`
	Out    given  `placeholder:"FILE" help:"Where to write it; it must not exist. Default: the output."`
}

// Help has examples.
func (reportsGetCmd) Help() string {
	return `Gets a file of a report and checks it against the manifest. Evidence holds phone numbers; that it was taken is noted.

Examples:
  concord reports get 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e summary.json
  concord reports get 0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e discrepancies.csv --out fabrikam.csv`
}

// Run gets a file.
func (c *reportsGetCmd) Run(s *session) error {
	return c.with(s, func(t *target) (err error) {
		r, err := t.Report(s.ctx, c.Report)
		if err != nil {
			return err
		}
		for _, p := range r.Purged {
			if p.Class == string(jobs.ClassReports) {
				return &jobs.Failure{Kind: jobs.KindFailed, Messages: []string{fmt.Sprintf("the files of report %s were purged, as proof %d says", c.Report, p.Proof)}}
			}
		}
		i := slices.IndexFunc(r.Files, func(f control.ReportFile) bool { return f.Name == c.File })
		if i < 0 {
			return usageFailure("report %s has no file %s; concord reports show lists them", c.Report, shown(c.File))
		}
		from, _, err := t.OpenReportFile(s.ctx, c.Report, c.File, t.by)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, from.Close()) }()
		read := &hashed{from, sha256.New()}
		check := func() error { return read.check(r.Files[i].SHA256) }
		if c.Out == "" {
			if _, err := io.Copy(s.Out, read); err != nil {
				return err
			}
			return check()
		}
		return writeWhole(string(c.Out), read, check)
	})
}

// hashed hashes what is read.
type hashed struct {
	io.Reader
	sum hash.Hash
}

// Read implements io.Reader.
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.sum.Write(p[:n])
	return n, err
}

func (h *hashed) check(want string) error {
	if hex.EncodeToString(h.sum.Sum(nil)) != want {
		return errors.New("what came is not what the manifest says; try again, and if it stays so, put the report back from a backup")
	}
	return nil
}

// writeWhole makes a file that must not exist, which appears with all of its
// content or not at all. Only its owner may read it.
func writeWhole(name string, from io.Reader, check func() error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".concord-partial-")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = io.Copy(f, from)
	if err == nil {
		err = check()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	err = os.Link(f.Name(), name)
	if errors.Is(err, fs.ErrExist) {
		return usageFailure("--out %s: already exists; choose another file", name)
	}
	return err
}
