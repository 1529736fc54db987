package browsertest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// caseWork settles one case, and then all that a filter selects.
func (s site) caseWork(t *testing.T) {
	b := s.tab(t)
	b.login("finance")
	b.click("nav a[href='/console/cases']")
	b.see("#ages")
	b.click("td a.id")
	b.see("#work")
	b.do(chromedp.SetValue("select[name=state]", "disputed"), chromedp.SendKeys("input[name=owner]", "ann"), chromedp.SendKeys("input[name=comment]", "the carrier is asked"))
	b.click("form[action$='/work'] button")
	b.see("section[aria-labelledby=work] li")
	if work := b.text("section[aria-labelledby=work]"); !strings.Contains(work, "Case work: disputed, owner ann") || !strings.Contains(work, "the carrier is asked") {
		t.Errorf("the case says %q", work)
	}
	b.accessible("case that was worked on")
	b.picture("case-worked-on")

	b.open("/console/cases?carrier=northwind&state=open")
	b.do(chromedp.SetValue("select[name=to_state]", "accepted"), chromedp.SendKeys("input[name=comment]", "small amounts"))
	b.click("form[action='/console/cases/work'] button")
	b.see("#look")
	if look := b.text("section[aria-labelledby=look]"); !strings.Contains(look, "would be changed") || !strings.Contains(look, "min at Microsoft") {
		t.Errorf("the look says %q", look)
	}
	b.accessible("look at bulk work")
	b.picture("register-look")
	b.click("button.main")
	b.see(".noted")
	if said := b.text(".noted"); !strings.Contains(said, "changed.") || !strings.Contains(b.text("main"), "No case is like that") {
		t.Errorf("the work says %q, and cases are still open", said)
	}
	b.open("/console/cases?carrier=northwind&state=accepted")
	b.see("#ages")
	b.accessible("register of accepted cases")
	b.picture("register-accepted")
}

// signOff takes a version to its approval: who submits it does not approve it, and
// a reason reopens it.
func (s site) signOff(t *testing.T) {
	fin, admin := s.tab(t), s.tab(t)
	fin.login("finance")
	fin.click("section a[href^='/console/reports/']")
	fin.see("#totals")
	fin.click("button[value=submit]")
	fin.see("button[value=approve]")
	fin.click("button[value=approve]")
	fin.see(".problem")
	fin.accessible("refused approval")
	fin.picture("signoff-refused")
	admin.login("admin")
	admin.click("section a[href^='/console/reports/']")
	admin.see("button[value=approve]")
	admin.click("button[value=approve]")
	admin.see("button[value=reopen]")
	if text := admin.text("#signoff"); !strings.Contains(text, "approved by admin") || !strings.Contains(text, "The period is locked") {
		t.Errorf("the sign-off says %q", text)
	}
	admin.accessible("approved report")
	admin.picture("signoff-approved")
	address, err := chromedp.Run(admin.ctx, chromedp.Evaluate[string]("location.pathname"))
	if err != nil {
		t.Fatal(err)
	}
	admin.open(address + "/since")
	admin.see("#sums")
	admin.accessible("since sign-off")
	admin.picture("since")
	admin.open(address)
	carrier := strings.Trim(strings.Fields(admin.text("h1"))[0], ",")
	s.lateCall(t, carrier)
	admin.do(chromedp.SendKeys("input[name=why]", "the carrier corrects October"))
	admin.click("button[value=reopen]")
	admin.see("button[value=submit]")
	if text := admin.text("#signoff"); !strings.Contains(text, "reopened by admin") || !strings.Contains(text, "the carrier corrects October") {
		t.Errorf("the sign-off says %q", text)
	}
	admin.sinceApproval(address, carrier)
	admin.click("nav a[href='/console/signoffs']")
	admin.see("select[name=state]")
	admin.do(chromedp.SetValue("select[name=state]", "reopened"))
	admin.click("form.filters button")
	admin.see("tbody .tag.warning")
	if row := admin.text("tbody tr"); !strings.Contains(row, "reopened") || !strings.Contains(row, "the carrier corrects October") {
		t.Errorf("the sign-offs say %q", row)
	}
	admin.accessible("sign-offs by state")
	admin.open("/console/signoffs")
	admin.see("table")
	admin.picture("signoffs")
}

// lateCall has Microsoft know of one call more, and a run notice that the period
// is locked; the run goes on when it is reopened.
func (s site) lateCall(t *testing.T, carrier string) {
	t.Helper()
	folder := filepath.Join(s.dir, "data", "microsoft", carrier)
	file := filepath.Join(folder, "late-call.csv")
	err := os.WriteFile(file, []byte("record_id,caller,callee,start,duration_ms\nlate-1,+493055512345,+442071838750,2026-10-14T10:00:00Z,3600000\n"), 0o600)
	at := time.Now().Add(-2 * time.Hour)
	if err = errors.Join(err, os.Chtimes(file, at, at)); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !strings.Contains(s.concord(t, "files", "--side", "microsoft"), "late-call.csv"); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the service does not take the file")
		}
	}
	if said := s.concord(t, "run", "monthly", "--carrier", carrier, "--period", "2026-10", "--wait"); !strings.Contains(said, "locked") {
		t.Errorf("the run says %q", said)
	}
}

// sinceApproval sees what the late call has changed.
func (b *tab) sinceApproval(address, carrier string) {
	b.t.Helper()
	b.concord(b.t, "run", "monthly", "--carrier", carrier, "--period", "2026-10", "--wait")
	b.open(address + "/since")
	b.see("#cases")
	if page := b.text("main"); !strings.Contains(page, "opened") || !strings.Contains(page, "60.0") {
		b.t.Errorf("since the sign-off: %q", page)
	}
	b.accessible("since sign-off, with a late call")
	b.reachable("since sign-off")
	b.picture("since-late-call")
	b.click("section[aria-labelledby=cases] td a.id")
	b.see(".sides")
}
