package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// reachable fails on what can be clicked or typed into but does not get the focus
// by the Tab key, or does not show that it has it.
func (b *tab) reachable(name string) {
	b.t.Helper()
	const prepare = `(() => {
		const seen = new Set(), dim = [];
		document.addEventListener("focusin", e => {
			seen.add(e.target);
			const s = getComputedStyle(e.target);
			if (s.outlineStyle === "none" && s.boxShadow === "none") dim.push(e.target);
		});
		const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary, [tabindex='0']")]
			.filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}));
		window.keyboard = () => {
			const of = list => list.slice(0, 3).map(e => e.outerHTML.slice(0, 150)).join(" | ");
			const missed = all.filter(e => e.isConnected && !seen.has(e));
			return (missed.length ? "no key leads to " + of(missed) : "") + (dim.length ? "no focus is shown at " + of(dim) : "");
		};
		document.body.tabIndex = -1; // begin at the top
		document.body.focus();
		document.body.removeAttribute("tabindex");
		return all.length + 4 * all.filter(e => e.type === "date" || e.type === "file").length + 1;
	})()`
	stops, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](prepare))
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.KeyEvent(strings.Repeat(kb.Tab, stops)))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("window.keyboard()"))
	if err != nil {
		b.t.Fatal(err)
	}
	if found != "" {
		b.t.Errorf("%s: %s", name, found)
	}
}

func (b *tab) press(keys string) { b.t.Helper(); b.do(chromedp.KeyEvent(keys)) }

// byKeyboard logs in, goes from the overview to a report and a call that explains
// it, works on the case, and pauses a job, without a mouse.
func (s site) byKeyboard(t *testing.T) {
	b := s.tab(t)
	b.open("/console/")
	b.press("admin" + kb.Tab + s.password + kb.Enter)
	b.see("#urgent")
	b.press(kb.Tab + kb.Enter) // past the pages to the content
	b.focus(`(e.getAttribute("href") || "").startsWith("/console/reports/")`)
	b.press(kb.Enter)
	b.see("#totals")
	b.focus(`e.closest("section[aria-labelledby=why]") && e.closest("td")`)
	b.press(kb.Enter)
	b.see("form.filters")
	b.focus(`e.matches("td a.id")`)
	b.press(kb.Enter)
	b.see("#work")
	b.focus(`e.name === "state"`)
	b.press("d")
	b.focus(`e.name === "comment"`)
	b.press("asked by keyboard" + kb.Enter)
	b.see("section[aria-labelledby=work] li")
	if work := b.text("section[aria-labelledby=work]"); !strings.Contains(work, "disputed") || !strings.Contains(work, "asked by keyboard") {
		t.Errorf("the case says %q", work)
	}
	b.focus(`e.getAttribute("href") === "/console/jobs"`)
	b.press(kb.Enter)
	b.see("table")
	b.focus(`e.getAttribute("href") === "/console/jobs/monthly"`)
	b.press(kb.Enter)
	b.see("form[action$='/pause']")
	b.focus(`e.name === "why"`)
	b.press("by keyboard" + kb.Enter)
	b.see("form[action$='/resume']")
	b.focus(`e.form && e.form.action.endsWith("/resume")`)
	b.press(kb.Enter)
	b.see("form[action$='/pause']")
}

// withoutJavaScript is the way to a case, the work on it and on many, and a
// sign-off, of somebody whose browser runs no script.
func (s site) withoutJavaScript(t *testing.T) {
	b := s.tab(t, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	b.login("finance")
	b.click("section a[href^='/console/reports/']")
	b.see("#why")
	b.click("section[aria-labelledby=why] tbody td a")
	b.see("form.filters")
	b.click("main form[method=post] button")
	b.see(".noted")
	b.open("/console/cases?carrier=fabrikam&state=open")
	b.click("td a.id")
	b.see("#work")
	b.do(chromedp.SendKeys("select[name=state]", "d"), chromedp.SendKeys("input[name=comment]", "asked without scripts"))
	b.click("form[action$='/work'] button")
	b.see("section[aria-labelledby=work] li")
	b.open("/console/cases?carrier=fabrikam&state=open")
	b.do(chromedp.SendKeys("select[name=to_state]", "a"), chromedp.SendKeys("input[name=comment]", "small amounts"))
	b.click("form[action='/console/cases/work'] button")
	b.see("#look")
	b.click("button.main")
	b.see(".noted")
	b.open("/console/reports?verdict=dispute")
	b.click("tbody a")
	b.see("#totals")
	b.click("button[value=submit]")
	b.see("button[value=approve]")
}
