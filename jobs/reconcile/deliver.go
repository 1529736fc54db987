package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"concord/exchange/atrest"
	"concord/jobs"
)

// forCarriers are the files of a report that its carrier gets, by their names in
// the report. Those of usage and verdicts are never among them: they are about the
// customers, and about what Microsoft has.
var forCarriers = []string{"discrepancies.csv", "discrepancies.parquet", "dispute.xlsx", "rejected.csv", "summary.json"}

// Outbox is where a carrier finds its files; a *landing.Home is one. A file
// appears complete, in the place of one of its name.
type Outbox interface {
	Deliver(ctx context.Context, name string, src io.Reader) error
}

// Deliverer puts reports that are to go to their carriers into the outboxes.
// Publishing has recorded that they are to; before the first file and after the last
// one it is recorded once more. What is in between is made again after a crash, with the
// same bytes under the same names: a version is never changed. One goroutine uses it at a
// time. All fields but Delivered are required.
type Deliverer struct {
	State interface {
		jobs.ReportDeliveries
		Report(ctx context.Context, id string) (jobs.Report, error)
	}
	Folder string // of all reports
	// Keys open what is in Folder; nil: it is in clear.
	Keys *atrest.Keys
	// Outbox returns that of the carrier of a report; false: nothing may go there
	// now.
	Outbox    func(r jobs.Report) (Outbox, bool)
	Now       func() time.Time
	Delivered func(jobs.Report, jobs.ReportDelivery) // is told of each that has reached the outbox
}

// Deliver delivers what waits, in the order of publication. What goes wrong with one
// keeps no other one back.
func (d *Deliverer) Deliver(ctx context.Context) error {
	list, err := d.State.WaitingReports(ctx)
	errs := []error{err}
	for _, x := range list {
		if err := d.deliver(ctx, x); err != nil {
			errs = append(errs, fmt.Errorf("deliver report %s to %s: %w", x.Report, x.Carrier, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

func (d *Deliverer) deliver(ctx context.Context, x jobs.ReportDelivery) (err error) {
	r, err := d.State.Report(ctx, x.Report)
	if err != nil {
		return err
	}
	to, ok := d.Outbox(r)
	if !ok {
		return nil
	}
	root, err := os.OpenRoot(d.Folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if x.Begun.IsZero() {
		if x.Files, x.Manifest, err = d.describe(ctx, root, r); err != nil {
			return err
		}
		if x, err = d.State.BeginReport(ctx, x, d.Now()); err != nil {
			return err
		}
	}
	prefix := deliveryPrefix(r)
	for _, f := range x.Files[:len(x.Files)-1] {
		if err := d.hand(ctx, to, root, path.Join(r.Folder, strings.TrimPrefix(f.Name, prefix)), f); err != nil {
			return err
		}
	}
	if err := to.Deliver(ctx, x.Files[len(x.Files)-1].Name, strings.NewReader(x.Manifest)); err != nil {
		return err
	}
	if err := d.State.EndReport(ctx, r.ID, d.Now()); err != nil {
		return err
	}
	if d.Delivered != nil {
		d.Delivered(r, x)
	}
	return nil
}

// deliveryPrefix begins the names of a version's files in the outbox. The
// folder of a period is its alone, also when two periods are called the same.
func deliveryPrefix(r jobs.Report) string {
	return fmt.Sprintf("report_%s_%s_v%d_", r.Carrier, path.Base(path.Dir(r.Folder)), r.Version)
}

// deliveryManifest tells a carrier what a version consists of.
type deliveryManifest struct {
	Carrier string `json:"carrier"`
	Period  string `json:"period"`
	From    string `json:"from_utc"`
	To      string `json:"to_utc"`
	AsOf    string `json:"as_of_utc"`
	Version int    `json:"version"`
	// Supersedes is the version whose place it takes; 0: it is the first.
	Supersedes    int                  `json:"supersedes,omitempty"`
	Changes       *jobs.Changes        `json:"changes,omitempty"` // of cases, since that one
	Verdict       string               `json:"verdict"`
	Discrepancies int64                `json:"discrepancies"`
	Pending       int64                `json:"pending"`
	Report        string               `json:"report"` // quote it when you ask about it
	Files         []jobs.DeliveredFile `json:"files"`
}

// describe says what there is to deliver of a version, the manifest last.
func (d *Deliverer) describe(ctx context.Context, root *os.Root, r jobs.Report) (files []jobs.DeliveredFile, text string, err error) {
	all, err := d.published(root, r)
	if err != nil {
		return nil, "", err
	}
	prefix := deliveryPrefix(r)
	for _, f := range all {
		if slices.Contains(forCarriers, f.Name) {
			f.Name = prefix + f.Name
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b jobs.DeliveredFile) int { return strings.Compare(a.Name, b.Name) })
	m := deliveryManifest{
		Carrier: r.Carrier, Period: r.Period.Text, From: stamp(r.Period.From), To: stamp(r.Period.To), AsOf: stamp(r.AsOf), Version: r.Version,
		Verdict: r.Figures.Verdict, Discrepancies: r.Figures.Discrepancies, Pending: r.Figures.Pending, Report: r.ID, Files: files,
	}
	if r.Supersedes != "" {
		before, err := d.State.Report(ctx, r.Supersedes)
		if err != nil {
			return nil, "", err
		}
		m.Supersedes, m.Changes = before.Version, &r.Changes
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, "", err
	}
	text = string(b) + "\n"
	sum := sha256.Sum256([]byte(text))
	return append(files, jobs.DeliveredFile{Name: prefix + "manifest.json", Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}), text, nil
}

// mostManifest bounds the manifest of a report, in bytes.
const mostManifest = 1 << 20

// published lists the files of a report, which must be the one that was
// published.
func (d *Deliverer) published(root *os.Root, r jobs.Report) (list []jobs.DeliveredFile, err error) {
	f, err := d.openFile(root, path.Join(r.Folder, "manifest.json"))
	if err != nil {
		return nil, fmt.Errorf("it is not in its place yet: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, mostManifest))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != r.Manifest {
		return nil, fmt.Errorf("its manifest on disk is not the one that was published; put the folder %s back from a backup", r.Folder)
	}
	var doc struct {
		Files []jobs.DeliveredFile `json:"files"`
	}
	err = json.Unmarshal(b, &doc)
	return doc.Files, err
}

// openFile opens a file of a report.
func (d *Deliverer) openFile(root *os.Root, name string) (io.ReadCloser, error) {
	return d.Keys.OpenIn(root, name)
}

// hand puts one file into the outbox, if it is what it should be.
func (d *Deliverer) hand(ctx context.Context, to Outbox, root *os.Root, from string, f jobs.DeliveredFile) (err error) {
	src, err := d.openFile(root, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	return to.Deliver(ctx, f.Name, &proven{r: src, sum: sha256.New(), want: f})
}

// proven is a content that ends well only when it is the one that is wanted.
type proven struct {
	r    io.Reader
	n    int64
	sum  hash.Hash
	want jobs.DeliveredFile
}

// Read implements io.Reader.
func (p *proven) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.sum.Write(b[:n])
	p.n += int64(n)
	if errors.Is(err, io.EOF) && (p.n != p.want.Bytes || hex.EncodeToString(p.sum.Sum(nil)) != p.want.SHA256) {
		err = errors.New("it is not what the manifest says; put the folder back from a backup")
	}
	return n, err
}
