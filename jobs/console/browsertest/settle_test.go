package browsertest

import (
	"strings"
	"testing"

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
	admin.do(chromedp.SendKeys("input[name=why]", "the carrier corrects October"))
	admin.click("button[value=reopen]")
	admin.see("button[value=submit]")
	if text := admin.text("#signoff"); !strings.Contains(text, "reopened by admin") || !strings.Contains(text, "the carrier corrects October") {
		t.Errorf("the sign-off says %q", text)
	}
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
