package console_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// usage publishes a usage with the customers that a file names.
func (w *world) usage(t *testing.T, customers string, inputs ...jobs.RunInput) jobs.Report {
	t.Helper()
	ctx := t.Context()
	if _, err := w.desk.Start(ctx, control.Start{Job: "monthly", Carriers: []string{"fabrikam"}, Period: "2026-09", By: "ops"}); err != nil {
		t.Fatal(err)
	}
	r, err := w.store.Claim(ctx, jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
	for err == nil && r.Period.Text != "2026-09" {
		r, err = w.store.Claim(ctx, jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Snapshot(ctx, r.Lease(), json.RawMessage(`{}`), inputs); err != nil {
		t.Fatal(err)
	}
	manifest := fmt.Sprintf(`{"files": [{"name": "customers.csv", "bytes": %d, "sha256": "%x"}]}`, len(customers), sha256.Sum256([]byte(customers)))
	rep := jobs.Report{
		ID: r.ID[:35] + "e", Kind: jobs.ReportUsage, Carrier: r.Carrier, Period: r.Period, Version: 1, Job: r.Job, AsOf: w.now, Basis: "b", Folder: "fabrikam/2026-09/usage/v1",
		Manifest: fmt.Sprintf("%x", sha256.Sum256([]byte(manifest))),
	}
	dir := filepath.Join(w.desk.Folder, filepath.FromSlash(rep.Folder))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"customers.csv": customers, "manifest.json": manifest} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if rep, err = w.store.Publish(ctx, r.Lease(), rep, nil, w.now); err != nil {
		t.Fatal(err)
	}
	return rep
}

const customerHead = "carrier,tenant_id,calls,microsoft_seconds,carrier_seconds,used_seconds,operator_sourced_calls\n"

func TestAUsageShowsItsCustomers(t *testing.T) {
	w := newWorld(t)
	rep := w.usage(t, customerHead+"fabrikam,9c1f0d5e-0000-4000-8000-000000000001,2001,110.001,93.25,110.5,1\nfabrikam,\""+strings.ReplaceAll(payloads[1], `"`, `""`)+"\",1,0,60,60,0\n")
	status, page := w.as(t, "ops").get("/console/reports/" + rep.ID)
	for _, want := range []string{"Usage by customer", "9c1f0d5e-0000-4000-8000-000000000001", "2,001", "110.5"} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("it answers %d without %q", status, want)
		}
	}
	inert(t, "usage", page)
}

func TestAUsageWhoseFileIsNoneIsNoAnswer(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "cut short": customerHead + "fabrikam,x,1", "not counted": customerHead + "fabrikam,x,one,1,1,1,0\n"} {
		w := newWorld(t)
		rep := w.usage(t, text)
		if status, page := w.as(t, "ops").get("/console/reports/" + rep.ID); status != http.StatusInternalServerError || strings.Contains(page, "strconv") {
			t.Errorf("%s: it answers %d", name, status)
		}
	}
}
