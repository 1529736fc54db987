package console_test

import (
	"net/http"
	"strings"
	"testing"

	"concord/engine"

	"golang.org/x/net/html"
)

// titleOf returns what the browser keeps in its history of a page.
func titleOf(t *testing.T, page string) (title string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		if n.Data == "title" && n.FirstChild != nil && title == "" {
			title = n.FirstChild.Data
		}
	})
	return title
}

func TestANameThatIsShownIsNotKeptInTheHistory(t *testing.T) {
	w := newWorld(t)
	status, page := w.as(t, "finance").post("/console/files/" + w.file.ID)
	if status != http.StatusOK || strings.Count(page, canary[1:]) != 1 {
		t.Fatalf("the name is shown %d times, with %d", strings.Count(page, canary[1:]), status)
	}
	if title := titleOf(t, page); !strings.HasPrefix(title, "File ") || strings.Contains(title, canary[1:]) {
		t.Errorf("the title is %q", title)
	}
}

func TestAFileIsFoundByWhatIsShownOfItsName(t *testing.T) {
	w := newWorld(t)
	for _, role := range []string{"finance", "ops", "admin"} {
		b := w.as(t, role)
		for part, found := range map[string]bool{
			canary[1:8]: false, canary[5:13]: false, canary[len(canary)-4:]: true, canary[1:]: true, "491111113456": true, canary[1:13] + "9": false,
		} {
			_, page := b.get("/console/files?name=" + part)
			if strings.Contains(page, w.file.ID) != found {
				t.Errorf("%s finds the file by %s: %t", role, part, !found)
			}
		}
		res, err := b.Get(b.base + "/console/files?carrier=fabrikam&name=" + canary[1:])
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if q := res.Request.URL.Query(); q.Get("name") != "…3456" || q.Get("carrier") != "fabrikam" {
			t.Errorf("%s: the browser keeps the address %v", role, q)
		}
	}
}

func TestADiscrepancyIsFoundByWhatIsShownOfItsNumber(t *testing.T) {
	m := hostileMatch()
	m.cases[5].Microsoft.Callee, m.cases[6].Microsoft.Callee, m.cases[7].Microsoft.Callee = engine.OtherNumber("1234"), engine.OtherNumber("551234"), engine.ParseNumber("+4930551234")
	w := worldOf(t, m)
	for _, role := range []string{"finance", "ops"} {
		_, page := w.as(t, role).get("/console/reports/" + w.report.ID + "/cases?text=1234")
		if !strings.Contains(page, "1 to 1 of 1<") || !strings.Contains(page, caseID(7)) {
			t.Errorf("%s does not find the one long number that ends so, or finds out short ones", role)
		}
	}
}

func TestAReloadIsShownByItsRowOfTheTrail(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "admin")
	if status, page := b.post("/console/reload"); status != http.StatusOK || !strings.Contains(page, "read again. jobs.daily: changed<") || !strings.Contains(page, "config.reload") {
		t.Errorf("a reload answers %d", status)
	}
	for _, path := range []string{"/console/audit?reloaded=forged", "/console/audit?what=config.reload&reloaded=forged"} {
		if _, page := b.get(path); strings.Contains(page, "forged") {
			t.Errorf("%s shows a text that nobody but the address has said", path)
		}
	}
}
