package console_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"

	"golang.org/x/net/html"
)

func TestWhatBecameOfACaseIsThatOfItsPeriod(t *testing.T) {
	w := newWorld(t)
	month := w.report.ID
	w.publish(t, w.start(t, "2026-10-01"), 1, hostileMatch())
	w.publish(t, w.start(t, "2026-10-01"), 2, hostileMatch()) // a day that has the same call
	_, page := w.as(t, "finance").get("/console/reports/" + month + "/cases/" + caseID(0))
	_, history, _ := strings.Cut(page, "What became of it")
	if strings.Count(history, ">Version 2</a>") != 1 || !strings.Contains(history, `/console/reports/`+month+`">Version 2</a>`) {
		t.Errorf("the case of the month has become %s", history)
	}
}

func TestACaseIsThatOfItsPeriodThoughAnotherHasTheSameName(t *testing.T) {
	w := newWorld(t)
	was := w.report
	p := was.Period // the zone of the job was changed, and the month asked for again
	p.From, p.To = p.From.Add(-time.Hour), p.To.Add(-time.Hour)
	if _, err := w.store.Enqueue(t.Context(), jobs.Run{Job: "monthly", Kind: jobs.ReportReconcile, Carrier: "fabrikam", Period: p}, w.now); err != nil {
		t.Fatal(err)
	}
	r := w.claim(t)
	again := jobs.Report{
		ID: r.ID[:35] + "e", Kind: was.Kind, Carrier: was.Carrier, Period: p, Version: 1, Job: was.Job, AsOf: w.now, Basis: "b", Figures: was.Figures,
		Folder: "fabrikam/2026-10_moved/v1", Manifest: was.Manifest,
	}
	dir := func(r *jobs.Report) string { return filepath.Join(w.desk.Folder, filepath.FromSlash(r.Folder)) }
	if err := os.CopyFS(dir(&again), os.DirFS(dir(&was))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Publish(t.Context(), r.Lease(), again, nil, w.now); err != nil {
		t.Fatal(err)
	}
	b := w.as(t, "finance")
	path := "/console/reports/" + was.ID + "/cases/" + caseID(0)
	status, page := b.get(path)
	if status != http.StatusOK || !strings.Contains(page, "Case work: open") {
		t.Fatalf("the case answers %d", status)
	}
	if status, page := b.post(path+"/work", "revision", "0", "state", "disputed"); status != http.StatusOK || !strings.Contains(page, "Case work: disputed") {
		t.Errorf("work on the case answers %d", status)
	}
	cases, err := w.desk.Cases(t.Context(), jobs.CasesFilter{States: []jobs.CaseState{jobs.CaseDisputed}})
	if err != nil || len(cases.Cases) != 1 || !cases.Cases[0].Period.From.Equal(was.Period.From) {
		t.Errorf("disputed are %v, %v", cases.Cases, err)
	}
	_, page = b.get("/console/cases?state=disputed")
	link := ""
	every(t, page, func(n *html.Node) {
		if to := attr(n, "href"); strings.HasPrefix(to, "/console/cases/") {
			link = to
		}
	})
	if status, page := b.get(link); status != http.StatusOK || !strings.Contains(page, "Case work: disputed") {
		t.Errorf("%s, which the register leads to, answers %d", link, status)
	}
	status, page = b.get("/console/cases/" + caseID(0) + "?carrier=fabrikam&period=2026-10")
	if edges := was.Period.Edges(); status != http.StatusBadRequest || !strings.Contains(page, edges) {
		t.Errorf("by the name of both it answers %d and does not say %s", status, edges)
	}
}
