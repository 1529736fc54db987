package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestTheConsole goes through one demonstration, for it takes its time to make.
func TestTheConsole(t *testing.T) {
	s := open(t)
	t.Run("why a month is off", s.why)
	t.Run("every page", s.everyPage)
	t.Run("every action", s.everyAction)
	t.Run("case work", s.caseWork)
	t.Run("sign-off by two", s.signOff)
	t.Run("by keyboard", s.byKeyboard)
	t.Run("without JavaScript", s.withoutJavaScript)
	t.Run("in the dark", s.dark)
	t.Run("a hold by keyboard", s.holds)
	t.Run("proofs", s.proofs)
	t.Run("erasures", s.erasures)
	t.Run("in a narrow window", s.narrow)
}

// why is the way of somebody from finance who has never been here: from the
// overview to the calls that explain why northwind is off by 1.4 %.
func (s site) why(t *testing.T) {
	b := s.tab(t)
	b.login("finance")
	began := time.Now()
	if row := b.text("section:first-of-type tbody tr:last-child"); !strings.Contains(row, "northwind") || !strings.Contains(row, "+1.4") {
		t.Fatalf("the overview says %q", row)
	}
	b.click("section:first-of-type tbody tr:last-child a")
	b.see("#why")
	if parts := b.text("section[aria-labelledby=why] tfoot"); !strings.Contains(parts, "+1.4") {
		t.Errorf("the parts add up to %q", parts)
	}
	b.click("section[aria-labelledby=why] tbody td a")
	b.see("form.filters")
	b.click("td a.id")
	b.see(".sides")
	if sides := b.text(".sides"); !strings.Contains(sides, "northwind") || !strings.Contains(sides, "Row") {
		t.Errorf("the evidence is %q", sides)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the way took %s", took)
	}
}

func (s site) everyPage(t *testing.T) {
	b := s.tab(t)
	b.open("/console/login")
	b.accessible("login")
	b.picture("login")
	b.login("admin")
	for _, page := range []struct{ name, path, click, see string }{
		{"overview", "/console/", "", "#urgent"},
		{"reports", "/console/reports", "", "table"},
		{"usage", "/console/reports", "tbody a", "#usage"},
		{"report", "/console/reports?verdict=dispute", "tbody a", "#totals"},
		{"changes", "", "a[href$='/changes']", "form.who"},
		{"another report", "/console/", "section a[href^='/console/reports/']", "#totals"},
		{"discrepancies", "", "a[href$='order=effect']", "form.filters"},
		{"case", "", "td a.id", ".sides"},
		{"register", "/console/cases", "", "#ages"},
		{"evidence", "", "td a.id", ".sides"},
		{"sign-offs", "/console/signoffs", "", "table"},
		{"report of a sign-off", "", "tbody a", "#totals"},
		{"no holds", "/console/holds", "", "#place"},
		{"no proofs", "/console/proofs", "", "form.filters"},
		{"no erasures", "/console/erasures", "", ".none"},
		{"jobs", "/console/jobs", "", "table"},
		{"job", "/console/jobs/monthly", "", "#latest"},
		{"runs", "/console/runs", "", "table"},
		{"run", "", "td a", "#live"},
		{"files", "/console/files", "", "table"},
		{"file", "", "td a", "#receipt"},
		{"carriers", "/console/carriers", "", "table"},
		{"carrier", "", "tbody th a", "#text"},
		{"alerts", "/console/alerts", "", "form.filters"},
		{"audit", "/console/audit", "", "table"},
		{"error", "/console/runs/nothing", "", ".problem"},
	} {
		if page.path != "" {
			b.open(page.path)
		}
		if page.click != "" {
			b.click(page.click)
		}
		b.see(page.see)
		b.accessible(page.name)
		b.reachable(page.name)
		b.picture(strings.ReplaceAll(page.name, " ", "-"))
	}
}

func (s site) everyAction(t *testing.T) {
	b := s.tab(t)
	b.login("admin")
	b.click("section a[href^='/console/reports/']")
	b.see("#totals")
	b.click("a[href$='order=effect']")
	b.see("form.filters")
	b.click("main form[method=post] button")
	b.see(".noted")
	b.click("td a.id")
	b.see(".sides")
	b.click("main form[method=post] button")
	b.see(".noted")
	b.open("/console/jobs/monthly")
	b.do(chromedp.SendKeys("input[name=why]", "the carrier sends again"))
	b.click("form[action$='/pause'] button")
	b.see("form[action$='/resume']")
	b.click("form[action$='/resume'] button")
	b.see("form[action$='/pause']")
	b.do(chromedp.SendKeys("form[action$='/run'] input[name=period]", "2026-10"))
	b.click("form[action$='/run'] button")
	b.see("#plan")
	b.accessible("plan")
	b.picture("plan")
	b.click("button.main")
	b.see("form.filters")
	b.click("td a")
	b.see("#live form[action$='/rerun']") // it refreshes until it is over
	if text := b.text("section[aria-labelledby=log]"); !strings.Contains(text, "began") || !strings.Contains(text, "rows of Microsoft") {
		t.Errorf("the log of the run is %q", text)
	}
	b.click("#live form[action$='/rerun'] button")
	b.see("#before")
	b.open("/console/jobs/monthly")
	b.do(chromedp.SendKeys("input[name=from]", "2026-09"), chromedp.SendKeys("input[name=to]", "2026-09"))
	b.click("form[action$='/backfill'] button")
	b.see("#plan")
	b.preview()
	b.open("/console/audit")
	if rows := b.text("tbody"); !strings.Contains(rows, "number.unmask") || !strings.Contains(rows, "job.pause") || !strings.Contains(rows, "run.start") {
		t.Errorf("the audit trail is %q", rows)
	}
	b.click("form[action='/console/reload'] button")
	b.see(".noted")
	b.click("form.who button")
	b.see("input[name=password]")
}

// preview tries a profile on a sample, and sees what changing it changes.
func (b *tab) preview() {
	b.t.Helper()
	sample := filepath.Join(b.t.TempDir(), "calls.csv")
	if err := os.WriteFile(sample, []byte("Id;A;B;Start;Dauer\nr1;+4930555123456;+14255550199;01.10.2026 14:00:00;61\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.open("/console/carriers/fabrikam")
	b.do(chromedp.SetUploadFiles("#sample", []string{sample})) // which looks by itself
	b.see("#preview .problem")
	const profile = "carrier: fabrikam\nfiles: {format: csv, delimiter: ';'}\ncolumns:\n  record_id: Id\n  caller: A\n  callee: B\n" +
		"  start: {column: Start, layout: '02.01.2006 15:04:05', zone: UTC}\n  duration: {column: Dauer, unit: s}\n"
	typed := fmt.Sprintf(`const text = document.querySelector("#text"); text.value = %q; text.dispatchEvent(new Event("input", {bubbles: true})); null`, profile)
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](typed)); err != nil {
		b.t.Fatal(err)
	}
	b.see("#preview table")
	b.accessible("preview")
	b.picture("preview")
	if text := b.text("#preview"); !strings.Contains(text, "2026-10-01 14:00:00") || strings.Contains(text, "30555123456") {
		b.t.Errorf("the preview says %q", text)
	}
}

func (s site) dark(t *testing.T) {
	b := s.tab(t, chromedp.Flag("blink-settings", "preferredColorScheme=0"))
	b.login("ops")
	b.accessible("overview in the dark")
	b.click("section a[href^='/console/reports/']")
	b.see("#why")
	b.accessible("report in the dark")
	b.picture("report-dark")
}
