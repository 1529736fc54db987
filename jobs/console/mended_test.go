package console_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"

	"golang.org/x/net/html"
)

// Who bills by a usage must see that the report it was made from was replaced.
func TestAUsageSaysThatItsReportWasReplaced(t *testing.T) {
	for _, newest := range []bool{false, true} {
		w := newWorld(t)
		d, err := w.desk.Report(t.Context(), w.report.ID)
		if err != nil {
			t.Fatal(err)
		}
		from := d.Versions[0].ID
		if newest {
			from = w.report.ID
		}
		rep := w.usage(t, customerHead, jobs.RunInput{Role: "report", File: from, SHA256: strings.Repeat("ef", 32)})
		_, page := w.as(t, "finance").get("/console/reports/" + rep.ID)
		if !strings.Contains(page, `Made from <a href="/console/reports/`+from) || strings.Contains(page, "of which this says nothing") == newest {
			t.Errorf("made from the newest %v: the page does not say so", newest)
		}
		if strings.Contains(page, `id="signoff"`) {
			t.Error("a usage offers a sign-off, which is always refused")
		}
	}
}

func TestAlertsLeadToWhatTheyAreAbout(t *testing.T) {
	w := newWorld(t)
	for _, a := range []jobs.Alert{
		{Key: "a", Kind: jobs.AlertRejected, Carrier: "fabrikam", Subject: "a_" + canary[1:] + ".csv", Text: "x"},
		{Key: "b", Kind: jobs.AlertLocked, Carrier: "fabrikam", Subject: "2026-10", Text: "x"},
		{Key: "c", Kind: jobs.AlertRunFailed, Carrier: "fabrikam", Job: "monthly", Subject: payloads[1], Text: "x"},
	} {
		if _, _, err := w.store.Raise(t.Context(), a, w.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/console/", "/console/alerts"} {
		_, page := w.as(t, "ops").get(path)
		inert(t, path, page)
		text := html.UnescapeString(page)
		for _, want := range []string{
			"/console/files?carrier=fabrikam&name=" + url.QueryEscape(jobs.Mask("a_"+canary[1:]+".csv")), ">" + jobs.Mask("a_"+canary[1:]+".csv") + "</a>",
			"/console/signoffs?carrier=fabrikam&state=approved", "/console/runs?carrier=fabrikam&job=monthly",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not there", path, want)
			}
		}
		if strings.Contains(page, canary[1:]) {
			t.Errorf("%s shows a number", path)
		}
	}
}

func TestAFormOfASessionThatHasEndedIsNotLostInSilence(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for header, from := range map[string]string{"Referer": "/console/cases?carrier=fabrikam", "Hx-Current-Url": "/console/carriers/fabrikam"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/console/cases/work", strings.NewReader("comment=long"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set(header, w.server.URL+from)
		to := ""
		if header == "Referer" {
			_, page := b.do(r)
			to = page
		} else {
			r.Header.Set("Hx-Request", "true")
			res, err := b.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			_, to = b.get(res.Header.Get("Hx-Redirect"))
		}
		if !strings.Contains(to, "what you sent was not done") || !strings.Contains(html.UnescapeString(to), `name="to" value="`+from+`"`) {
			t.Errorf("from %s the login says %s", from, to)
		}
	}
	if _, page := b.get("/console/login?lost=1&to=https://evil.example/console/"); strings.Contains(page, "evil") {
		t.Error("the login leads elsewhere")
	}
}

func TestASampleThatIsRefusedKeepsTheProfile(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	for _, hx := range []bool{false, true} {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		if err := m.WriteField("profile", "zone: my/own\n"); err != nil {
			t.Fatal(err)
		}
		f, err := m.CreateFormFile("sample", "a.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, 10<<20)); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/console/carriers/fabrikam/preview", &body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", m.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		want := http.StatusBadRequest
		if hx {
			r.Header.Set("Hx-Request", "true")
			want = http.StatusOK // htmx would leave the result of the sample before
		}
		status, page := b.do(r)
		_, preview, _ := strings.Cut(page, `<div id="preview"`)
		if status != want || !strings.Contains(page, "zone: my/own") || !strings.Contains(preview, "larger than 8 MiB") {
			t.Errorf("htmx %v: it answers %d, the preview says %.200s", hx, status, preview)
		}
	}
}

func TestTheOverviewTellsAFailedRunFromADisputeAndWhatIsPaused(t *testing.T) {
	w := newWorld(t)
	planned, err := w.desk.Start(t.Context(), control.Start{Job: "monthly", Carriers: []string{"fabrikam"}, Period: "2026-10", By: "ops"})
	if err != nil {
		t.Fatal(err)
	}
	for {
		r, err := w.store.Claim(t.Context(), jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: 1 << 40})
		if err != nil {
			t.Fatal(err)
		}
		if r.ID == planned[0].Run {
			w.now = w.now.Add(1 << 36)
			if _, err := w.store.Finish(t.Context(), r.Lease(), jobs.Ending{State: jobs.RunFailed, Error: "x"}, w.now); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if _, err := w.desk.Pause(t.Context(), "monthly", "the feed is being mended", "ops"); err != nil {
		t.Fatal(err)
	}
	_, page := w.as(t, "ops").get("/console/")
	if !strings.Contains(page, `<a href="/console/runs/`+planned[0].Run+`" title="fabrikam 2026-10: failed"><span aria-hidden="true">⊘</span>`) {
		t.Error("the period does not lead to the run that failed, or looks like a dispute")
	}
	if !strings.Contains(page, "the feed is being mended") {
		t.Error("a job is paused and the overview does not say so")
	}
}

func TestAClosedCaseLeadsToItsEvidence(t *testing.T) {
	w := newWorld(t)
	detail, err := w.desk.Report(t.Context(), w.report.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, page := w.as(t, "ops").get("/console/reports/" + w.report.ID + "/changes")
	if !strings.Contains(page, `href="/console/reports/`+detail.Supersedes+`/cases/`+caseID(99)+`"`) {
		t.Error("a closed case has no link to the version that had it")
	}
	if status, _ := w.as(t, "ops").get("/console/cases/" + caseID(99) + "?carrier=fabrikam&period=2026-10"); status != http.StatusNotFound {
		t.Errorf("a case that no version has answers %d", status)
	}
}

func TestAnAddressCannotClaimThatCasesWereChanged(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	if _, page := b.get("/console/cases?done=999999"); strings.Contains(page, "were changed") {
		t.Error("an address claims what was not done")
	}
}

func TestTheLookSaysWhichCasesAreLeft(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	for i, to := range []string{"disputed", "accepted"} {
		b.post("/console/reports/"+w.report.ID+"/cases/"+caseID(i)+"/work", "revision", "0", "state", to)
	}
	_, page := b.post("/console/cases/work", "carrier", "fabrikam", "to_state", "disputed")
	var said []string
	every(t, page, func(n *html.Node) {
		if n.Data == "li" && strings.Contains(text(n), ": they are so") || n.Data == "li" && strings.Contains(text(n), ": open them") {
			said = append(said, text(n))
		}
	})
	if got := fmt.Sprint(said); got != "[1 disputed: they are so already 1 accepted: open them first, with a reason]" {
		t.Errorf("it says %s", got)
	}
}

func text(n *html.Node) string { return strings.TrimSpace(said(n)) }

func TestTheAddressOfAFormLeadsToItsPage(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "ops")
	for path, want := range map[string]string{"/console/cases/work": "By state and days open", "/console/jobs/monthly/run": "Job monthly", "/console/reports/" + w.report.ID + "/signoff": "Totals"} {
		if status, page := b.get(path); status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s answers %d", path, status)
		}
	}
}
