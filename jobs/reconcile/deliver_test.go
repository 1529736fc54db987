package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"
)

// post has reports that go to carriers, and the outbox. Steps are counted, and
// one of them, or all from one on, fail.
type post struct {
	*testing.T
	dir      string
	reports  map[string]jobs.Report
	asked    []*jobs.ReportDelivery
	outbox   map[string]string
	order    []string
	shut     bool
	told     int
	steps    int
	dies     int // -1: nothing fails
	late     bool
	delivers map[string]int // by name
}

var errBroken = errors.New("injected failure")

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{T: t, dir: t.TempDir(), reports: map[string]jobs.Report{}, outbox: map[string]string{}, delivers: map[string]int{}, dies: -1}
	p.publish(1)
	p.publish(2)
	return p
}

// publish publishes a version with every file that there may be.
func (p *post) publish(version int) {
	p.Helper()
	r := jobs.Report{
		ID: fmt.Sprint("r", version), Carrier: "fabrikam", Version: version, Folder: fmt.Sprint("fabrikam/2026-10-01/v", version), AsOf: at("2026-10-02T06:00:00Z"),
		Period:  jobs.Period{Text: "2026-10-01", From: at("2026-10-01T00:00:00Z"), To: at("2026-10-02T00:00:00Z")},
		Changes: jobs.Changes{Opened: 1},
	}
	if version > 1 {
		r.Supersedes = fmt.Sprint("r", version-1)
	}
	dir := filepath.Join(p.dir, r.Folder)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		p.Fatal(err)
	}
	var m struct {
		Files []jobs.DeliveredFile `json:"files"`
	}
	for _, name := range []string{"changes.csv", "discrepancies.csv", "discrepancies.parquet", "dispute.xlsx", "rejected.csv", "report.html", "report.xlsx", "summary.json", "usage.csv", "usage.parquet", "usage_users.csv", "verdicts.csv", "verdicts.parquet", "version.json"} {
		text := strings.Repeat(name, 100) + r.ID
		sum := sha256.Sum256([]byte(text))
		m.Files = append(m.Files, jobs.DeliveredFile{Name: name, Bytes: int64(len(text)), Rows: 3, SHA256: hex.EncodeToString(sum[:])})
		p.write(filepath.Join(dir, name), text)
	}
	b, err := json.Marshal(m)
	if err != nil {
		p.Fatal(err)
	}
	sum := sha256.Sum256(b)
	r.Manifest = hex.EncodeToString(sum[:])
	p.write(filepath.Join(dir, "manifest.json"), string(b))
	p.reports[r.ID] = r
	p.asked = append(p.asked, &jobs.ReportDelivery{Report: r.ID, Carrier: r.Carrier})
}

func (p *post) write(name, text string) {
	p.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

func (p *post) step(do func()) error {
	n := p.steps
	p.steps++
	if p.dies >= 0 && n >= p.dies && (!p.late || n > p.dies) {
		return errBroken
	}
	do()
	if n == p.dies {
		return errBroken
	}
	return nil
}

func (p *post) Report(_ context.Context, id string) (r jobs.Report, err error) {
	err = p.step(func() { r = p.reports[id] })
	return r, err
}

func (p *post) find(report string) *jobs.ReportDelivery {
	return p.asked[slices.IndexFunc(p.asked, func(d *jobs.ReportDelivery) bool { return d.Report == report })]
}

func (p *post) WaitingReports(context.Context) (list []jobs.ReportDelivery, err error) {
	err = p.step(func() {
		for _, d := range p.asked {
			if d.Ended.IsZero() {
				list = append(list, *d)
			}
		}
	})
	return list, err
}

func (p *post) BeginReport(_ context.Context, d jobs.ReportDelivery, now time.Time) (out jobs.ReportDelivery, err error) {
	err = p.step(func() {
		x := p.find(d.Report)
		if x.Begun.IsZero() {
			x.Begun, x.Files, x.Manifest = now, d.Files, d.Manifest
		}
		out = *x
	})
	return out, err
}

func (p *post) EndReport(_ context.Context, report string, now time.Time) error {
	return p.step(func() { p.find(report).Ended = now })
}

func (p *post) ReportDelivery(_ context.Context, report string) (jobs.ReportDelivery, error) {
	return *p.find(report), nil
}

// Deliver implements Outbox. A file that is delivered again must be the same.
func (p *post) Deliver(_ context.Context, name string, src io.Reader) (err error) {
	b, rerr := io.ReadAll(src)
	if rerr != nil {
		return rerr
	}
	return p.step(func() {
		if was, is := p.outbox[name]; is && was != string(b) {
			p.Errorf("%s comes again with other bytes", name)
		}
		p.outbox[name] = string(b)
		p.order = append(p.order, name)
		p.delivers[name]++
	})
}

func (p *post) deliverer() *Deliverer {
	return &Deliverer{
		State: p, Folder: p.dir, Now: func() time.Time { return at("2026-10-02T07:00:00Z") },
		Outbox:    func(jobs.Report) (Outbox, bool) { return p, !p.shut },
		Delivered: func(jobs.Report, jobs.ReportDelivery) { p.told++ },
	}
}

const v1, v2 = "report_fabrikam_2026-10-01_v1_", "report_fabrikam_2026-10-01_v2_"

func (p *post) names() (list []string) { return slices.Sorted(maps.Keys(p.outbox)) }

func wantedNames() (list []string) {
	for _, v := range []string{v1, v2} {
		for _, end := range []string{"discrepancies.csv", "discrepancies.parquet", "dispute.xlsx", "manifest.json", "rejected.csv", "summary.json"} {
			list = append(list, v+end)
		}
	}
	return list
}

func TestACarrierGetsItsFilesOfAReport(t *testing.T) {
	p := newPost(t)
	d := p.deliverer()
	p.shut = true // such as by a setting that was taken back
	if err := d.Deliver(t.Context()); err != nil || len(p.outbox) > 0 {
		t.Fatalf("%q, %v", p.names(), err)
	}
	p.shut = false
	for range 2 {
		if err := d.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.names(); !slices.Equal(got, wantedNames()) || p.told != 2 || len(p.order) != 12 || p.order[5] != v1+"manifest.json" || p.order[11] != v2+"manifest.json" {
		t.Errorf("told %d times of %q", p.told, p.order)
	}
	for name, want := range map[string]deliveryManifest{v1: {Version: 1}, v2: {Version: 2, Supersedes: 1, Changes: &jobs.Changes{Opened: 1}}} {
		var m deliveryManifest
		if err := json.Unmarshal([]byte(p.outbox[name+"manifest.json"]), &m); err != nil || m.Carrier != "fabrikam" || m.Period != "2026-10-01" || m.Version != want.Version || m.Supersedes != want.Supersedes || (m.Changes == nil) != (want.Changes == nil) || len(m.Files) != 5 {
			t.Errorf("%+v, %v", m, err)
		}
		for _, f := range m.Files {
			sum := sha256.Sum256([]byte(p.outbox[f.Name]))
			if f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != int64(len(p.outbox[f.Name])) {
				t.Errorf("%+v is not what was delivered", f)
			}
		}
	}
}

// Whatever fails, and wherever the process dies, all of it is there in the end,
// with the same bytes; what was ended is never delivered again.
func TestAReportIsDeliveredOnce(t *testing.T) {
	for _, late := range []bool{false, true} {
		for n := 0; ; n++ {
			p := newPost(t)
			p.dies, p.late = n, late
			err := p.deliverer().Deliver(t.Context())
			ended := map[string]bool{}
			for _, d := range p.asked {
				if !d.Ended.IsZero() {
					ended[d.Report] = true
				}
			}
			before := maps.Clone(p.delivers)
			p.dies = -1
			if err := p.deliverer().Deliver(t.Context()); err != nil {
				t.Fatalf("step %d: %v", n, err)
			}
			if got := p.names(); !slices.Equal(got, wantedNames()) {
				t.Errorf("step %d: %q", n, got)
			}
			for name, times := range p.delivers {
				if ended["r1"] && strings.HasPrefix(name, v1) && times != before[name] {
					t.Errorf("step %d: %s was delivered again", n, name)
				}
			}
			if err == nil {
				break
			}
		}
	}
}

// A version that is not in its place, or not what was published, waits. It keeps no other
// one back, and of a file that is not the published one nothing is seen.
func TestOnlyWhatWasPublishedIsDelivered(t *testing.T) {
	p := newPost(t)
	path := filepath.Join(p.dir, "fabrikam/2026-10-01/v1/rejected.csv")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p.write(path, strings.Replace(string(good), "r", "R", 1))
	p.publish(3)
	if err := os.Rename(filepath.Join(p.dir, "fabrikam/2026-10-01/v3"), filepath.Join(p.dir, "v3")); err != nil {
		t.Fatal(err)
	}
	err = p.deliverer().Deliver(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not what the manifest says") || !strings.Contains(err.Error(), "not in its place yet") {
		t.Error(err)
	}
	if p.outbox[v1+"rejected.csv"] != "" || p.outbox[v1+"manifest.json"] != "" || p.outbox[v2+"manifest.json"] == "" || p.told != 1 {
		t.Errorf("delivered %q", p.names())
	}
	p.write(path, string(good))
	if err := os.Rename(filepath.Join(p.dir, "v3"), filepath.Join(p.dir, "fabrikam/2026-10-01/v3")); err != nil {
		t.Fatal(err)
	}
	if err := p.deliverer().Deliver(t.Context()); err != nil || p.told != 3 || p.outbox[v1+"manifest.json"] == "" {
		t.Errorf("told %d times, %v", p.told, err)
	}
	p.publish(4)
	p.write(filepath.Join(p.dir, "fabrikam/2026-10-01/v4/manifest.json"), "{}")
	if err := p.deliverer().Deliver(t.Context()); err == nil || !strings.Contains(err.Error(), "not the one that was published") || p.told != 3 {
		t.Error(err)
	}
}
