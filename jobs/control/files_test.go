package control_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

func TestAFileThatManyRunsHaveReadShowsTheLatest(t *testing.T) {
	o := newOffice(t)
	e := o.file(t, "fabrikam", "FAB_000001.csv", "2026-10-05")
	latest := ""
	for i := range 51 {
		if x, err := o.File(t.Context(), e.ID); err != nil || len(x.Runs) != i || x.MoreRuns {
			t.Fatalf("after %d runs there are %d, more: %t, %v", i, len(x.Runs), x.MoreRuns, err)
		}
		if _, err := o.Start(t.Context(), control.Start{Job: "daily", Carriers: []string{"fabrikam"}, Period: fmt.Sprintf("2026-%02d-%02d", 8+i/28, 1+i%28)}); err != nil {
			t.Fatal(err)
		}
		r := o.claim(t)
		if err := o.store.Snapshot(t.Context(), r.Lease(), json.RawMessage(`{}`), []jobs.RunInput{{Role: "carrier", File: e.ID, SHA256: e.SHA256}}); err != nil {
			t.Fatal(err)
		}
		o.end(t, r, jobs.RunFailed)
		latest = r.ID
	}
	x, err := o.File(t.Context(), e.ID)
	if err != nil || len(x.Runs) != 50 || !x.MoreRuns || x.Runs[0].ID != latest {
		t.Errorf("of 51 runs there are %d, more: %t, %v", len(x.Runs), x.MoreRuns, err)
	}
	if all, err := o.Runs(t.Context(), jobs.RunFilter{File: e.ID}); err != nil || len(all) != 51 {
		t.Errorf("the list has %d, %v", len(all), err)
	}
}
