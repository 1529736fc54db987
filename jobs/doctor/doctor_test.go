package doctor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/doctor"
	"concord/jobs/state"
)

const yaml = `data: data
zone: UTC
sftp: {listen: "127.0.0.1:0"}
http: {listen: none}
carriers:
  fabrikam: {keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFU6hJEtF1DVT1YL9IJ8xbuGQivfe7oFkrzrtNjE48LO"]}
jobs:
  daily: {kind: reconcile, schedule: "30 6 * * *", period: previous_day}
`

// practice is a data folder in which all is well.
type practice struct {
	doctor.Options
	dir string
}

func newPractice(t *testing.T, more string) *practice {
	t.Helper()
	p := &practice{dir: t.TempDir()}
	put(t, p.dir, "secrets/webhook", "a secret of some length\n")
	put(t, p.dir, "concord.yaml", yaml+more)
	for _, d := range []string{"data/microsoft/fabrikam", "data/homes/fabrikam/inbox", "data/reports"} {
		if err := os.MkdirAll(filepath.Join(p.dir, d), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(p.dir, "data"), 0o750); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(p.dir, "concord.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.Options = doctor.Options{Config: c, Reports: filepath.Join(p.dir, "data", "reports"), Who: "test", Now: time.Now}
	p.fill(t)
	return p
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

const content = "record_id\n"

// fill keeps a file and a report, in the database and on disk.
func (p *practice) fill(t *testing.T) {
	t.Helper()
	store, err := state.Open(t.Context(), p.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	now := time.Now()
	hash := sum(content)
	a := jobs.Arrival{Carrier: "fabrikam", Name: "FAB_000001.csv", SHA256: hash, Received: now}
	if _, err := store.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
		return jobs.Entry{
			ID: "0198b1f0-0000-7000-8000-000000000001", Carrier: "fabrikam", Name: a.Name, SHA256: hash,
			Status: landing.StatusAccepted, Received: now, Decided: now, Bytes: int64(len(content)),
		}
	}); err != nil {
		t.Fatal(err)
	}
	put(t, p.Config.Data, "spool/"+hash[:2]+"/"+hash, content)
	r := jobs.Run{Job: "daily", Kind: "reconcile", Carrier: "fabrikam", Period: jobs.Period{From: now, To: now.Add(time.Hour), Text: "x"}}
	if _, err := store.Enqueue(t.Context(), r, now); err != nil {
		t.Fatal(err)
	}
	r, err = store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: now, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	manifest := fmt.Sprintf(`{"files":[{"name":"summary.json","bytes":3,"sha256":%q}]}`, sum("{}\n"))
	put(t, p.Reports, "fabrikam/x/v1/manifest.json", manifest)
	put(t, p.Reports, "fabrikam/x/v1/summary.json", "{}\n")
	rep := jobs.Report{ID: r.ID[:35] + "f", Carrier: "fabrikam", Period: r.Period, Version: 1, Job: "daily", Folder: "fabrikam/x/v1", Manifest: sum(manifest), AsOf: now}
	if _, err := store.Publish(t.Context(), r.Lease(), rep, nil, now); err != nil {
		t.Fatal(err)
	}
}

// finding is the worst one about something.
func finding(list []doctor.Finding, what string) (worst doctor.Finding) {
	for _, f := range list {
		if f.What == what && (worst.What == "" || f.Level == doctor.Problem || worst.Level == doctor.OK) {
			worst = f
		}
	}
	return worst
}

func TestAHealthyServiceHasNoProblem(t *testing.T) {
	for _, f := range doctor.Examine(t.Context(), newPractice(t, "").Options) {
		if f.Level == doctor.Problem || f.Level == doctor.Warning && f.What != "webhook" && f.What != "disk" {
			t.Errorf("%+v", f)
		}
	}
}

func TestBeforeTheFirstStartNothingIsMade(t *testing.T) {
	p := newPractice(t, "")
	if err := os.RemoveAll(p.Config.Data); err != nil {
		t.Fatal(err)
	}
	for _, f := range doctor.Examine(t.Context(), p.Options) {
		if f.Level == doctor.Problem {
			t.Errorf("%+v", f)
		}
	}
	if _, err := os.Stat(p.Config.Data); err == nil {
		t.Error("looking made the data folder")
	}
}

func TestEachThingThatIsWrongIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		breaks func(t *testing.T, p *practice)
		what   string
		level  doctor.Level
		says   string
	}{
		"a file of the spool has rotted": {func(t *testing.T, p *practice) {
			h := sum(content)
			put(t, p.Config.Data, "spool/"+h[:2]+"/"+h, "record_ix\n")
		}, "spool", doctor.Problem, "other content"},
		"a file of the spool is gone": {func(t *testing.T, p *practice) { remove(t, filepath.Join(p.Config.Data, "spool")) },
			"spool", doctor.Problem, "no such file"},
		"a report was edited": {func(t *testing.T, p *practice) { put(t, p.Reports, "fabrikam/x/v1/summary.json", "{ }") },
			"reports", doctor.Problem, "summary.json"},
		"a manifest was edited": {func(t *testing.T, p *practice) { put(t, p.Reports, "fabrikam/x/v1/manifest.json", "{}") },
			"reports", doctor.Problem, "manifest.json"},
		"a report is gone": {func(t *testing.T, p *practice) { remove(t, filepath.Join(p.Reports, "fabrikam")) },
			"reports", doctor.Problem, "no such file"},
		"the clock was put back": {func(_ *testing.T, p *practice) { p.Now = func() time.Time { return time.Now().Add(-time.Hour) } },
			"clock", doctor.Problem, "the database has something of"},
		"the clock was never set": {func(_ *testing.T, p *practice) { p.Now = func() time.Time { return time.Unix(0, 0) } },
			"clock", doctor.Problem, "1970"},
		"the database is no database": {func(t *testing.T, p *practice) {
			remove(t, filepath.Join(p.Config.Data, state.File+"-wal"))
			put(t, p.Config.Data, state.File, strings.Repeat("nonsense ", 1000))
		}, "database", doctor.Problem, "not a database"},
		"others may read a host key": {func(t *testing.T, p *practice) {
			put(t, p.Config.Data, "hostkeys/ssh_host_rsa_key", "x")
			if err := os.Chmod(filepath.Join(p.Config.Data, "hostkeys/ssh_host_rsa_key"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "host keys", doctor.Problem, "others may read"},
		"a host key is none": {func(t *testing.T, p *practice) { put(t, p.Config.Data, "hostkeys/ssh_host_rsa_key", "x") },
			"host keys", doctor.Problem, "ssh_host_rsa_key"},
		"another program has the port": {func(t *testing.T, p *practice) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			p.Config.SFTP.Listen = l.Addr().String()
		}, "port of SFTP", doctor.Problem, "in use by another program"},
		"everybody looks into the data folder": {func(t *testing.T, p *practice) {
			if err := os.Chmod(p.Config.Data, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "data folder", doctor.Warning, "phone numbers"},
		"the data folder is a file": {func(t *testing.T, p *practice) {
			remove(t, p.Config.Data)
			put(t, p.dir, "data", "")
		}, "data folder", doctor.Problem, "no folder"},
		"Microsoft's folder is missing": {func(t *testing.T, p *practice) { remove(t, p.Config.Microsoft) },
			"Microsoft's files", doctor.Warning, "not there"},
		"a carrier has no folder of Microsoft's": {func(t *testing.T, p *practice) { remove(t, filepath.Join(p.Config.Microsoft, "fabrikam")) },
			"Microsoft's files", doctor.Warning, "fabrikam"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPractice(t, "")
			c.breaks(t, p)
			f := finding(doctor.Examine(t.Context(), p.Options), c.what)
			if f.Level != c.level || !strings.Contains(f.Text, c.says) || f.Hint == "" {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

func TestTheWebhookIsAskedWithoutBeingNamed(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) }))
	p := newPractice(t, "alerts: {webhook: {url: \""+srv.URL+"/T0K3N\", secret_file: secrets/webhook}}\n")
	if f := finding(doctor.Examine(t.Context(), p.Options), "webhook"); f.Level != doctor.OK || !strings.Contains(f.Text, "--hosts") {
		t.Errorf("it was asked without being told to: %+v", f)
	}
	p.Hosts = true
	if f := finding(doctor.Examine(t.Context(), p.Options), "webhook"); f.Level != doctor.OK || !strings.Contains(f.Text, "405") {
		t.Errorf("got %+v", f)
	}
	srv.Close()
	if f := finding(doctor.Examine(t.Context(), p.Options), "webhook"); f.Level != doctor.Problem || strings.Contains(f.Text, "T0K3N") {
		t.Errorf("got %+v", f)
	}
}

// TestWhatWasPurgedIsNotMissing purges the file and the report that there are.
func TestWhatWasPurgedIsNotMissing(t *testing.T) {
	p := newPractice(t, "")
	store, err := state.Open(t.Context(), p.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().AddDate(0, 1, 0)
	entries, err := store.Files(t.Context(), "fabrikam")
	for _, e := range entries {
		err = errors.Join(err, store.Settle(t.Context(), e.Carrier, e.ID), store.Follow(t.Context(), e.ID))
	}
	_, err2 := store.Enqueue(t.Context(), jobs.Run{Job: "purge", Kind: "purge", Carrier: "fabrikam"}, now)
	r, err3 := store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: now, Lease: time.Hour, Kinds: []string{"purge"}})
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, class := range []jobs.Class{jobs.ClassRaw, jobs.ClassReports} {
		things, err := store.Purgeable(t.Context(), class, "fabrikam", jobs.PurgeBounds{}, now)
		if err != nil || len(things) != 1 {
			t.Fatal(things, err)
		}
		proof, _, err := store.Purge(t.Context(), jobs.PurgeOrder{Lease: r.Lease(), Class: class, Carrier: "fabrikam", Things: things}, now)
		if err != nil || proof.Count != 1 {
			t.Fatal(proof, err)
		}
	}
	remove(t, filepath.Join(p.Config.Data, "spool"))
	remove(t, p.Reports)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	list := doctor.Examine(t.Context(), p.Options)
	for _, what := range []string{"spool", "reports"} {
		if f := finding(list, what); f.Level == doctor.Problem {
			t.Errorf("%+v", f)
		}
	}
}
