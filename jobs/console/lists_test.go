package console_test

import (
	"net/http"
	"strings"
	"testing"

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
