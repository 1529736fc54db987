package console_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestWhatWasTypedIsThereAgainWhenItWasNotSaved(t *testing.T) {
	w := newWorld(t)
	b, path := w.as(t, "finance"), "/console/reports/"+w.report.ID+"/cases/"+caseID(0)
	if status, _ := b.post(path+"/work", "revision", "0", "state", "", "owner", "bob", "comment", "mine"); status != http.StatusOK {
		t.Fatalf("the first answers %d", status)
	}
	refused := func(owner string) (values map[string]string, action string) {
		status, page := b.post(path+"/work", "revision", "99", "state", "accepted", "owner", owner, "was_owner", "", "comment", "a long comment")
		if status != http.StatusConflict {
			t.Fatalf("work on what was changed meanwhile answers %d", status)
		}
		values = map[string]string{}
		every(t, page, func(n *html.Node) {
			switch n.Data {
			case "input":
				values[attr(n, "name")] = attr(n, "value")
			case "option":
				for _, a := range n.Attr {
					if a.Key == "selected" {
						values["state"] = n.FirstChild.Data
					}
				}
			case "form":
				if strings.Contains(said(n), "Show the numbers") {
					action = attr(n, "action")
				}
			}
		})
		return values, action
	}
	values, action := refused("ann")
	if values["comment"] != "a long comment" || values["state"] != "accepted" || values["owner"] != "ann" || values["was_owner"] != "bob" || values["revision"] != "2" {
		t.Errorf("the form has %v", values)
	}
	if status, page := b.post(action); status != http.StatusOK || !strings.Contains(page, canary[1:]) {
		t.Errorf("the numbers are asked for at %q, which answers %d", action, status)
	}
	if values, _ := refused(""); values["owner"] != "bob" { // who did not touch it does not take it back
		t.Errorf("the owner is to be %q", values["owner"])
	}
}

// said is what an element says.
func said(n *html.Node) (text string) {
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			text += c.Data
		}
	}
	return text
}
