package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"concord/formats/report/page"
)

// evil is a text that does something wherever it is not escaped.
const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}</style></title></svg>javascript:alert(1)<!--&lt;b&gt;`

// full is a page on which every text from outside is this one.
func full(text string) *page.Page {
	b := page.Balance{Microsoft: page.Tally{Records: 4, MS: 6_000_000}, Carrier: page.Tally{Records: 5, MS: 6_123_456}, Verdict: "dispute"}
	p := &page.Page{
		Carrier: text, Period: text, AsOf: text, Totals: b, WarnAt: "0.5", DisputeAt: "1", Findings: []string{text},
		TieOut:  page.TieOut{Agrees: true, Sides: []page.Side{{Name: "microsoft", Rows: 4, Accepted: 4, Read: b.Microsoft, Classed: b.Microsoft}}},
		Steps:   []page.Step{{Name: "duration_over", Words: "longer", Microsoft: 3, Carrier: 4, MS: 223_456}, {Name: "missing_at_carrier", Microsoft: 1, MS: -100_000}, {Name: "matched", MS: 0}},
		Classes: []page.Class{{Name: "duration_over", Compared: true}, {Name: "duplicate"}},
		Top:     []page.Case{{ID: text, Class: text, Action: text, Flags: text, Start: text, Caller: text, Callee: text, Microsoft: 1000, HasMicrosoft: true}}, Listed: 9,
		Inputs:   []page.Input{{Side: "carrier", Name: text, SHA256: text, Format: text, Bytes: 3 << 20, Rows: 5, FileRows: 50, Integrity: "unverified", Notes: []string{text}}},
		Settings: []page.Setting{{Name: text, Value: text, Words: text}}, Files: []page.File{{Name: text, Words: text}},
		Columns: []page.Table{{Name: text, Columns: []page.Column{{Name: text, Words: text}}}},
		Version: &page.Version{Number: 2, Supersedes: 1, Before: b, Now: b, Added: []string{text}, Removed: []string{text}, Settings: []page.Changed{{Name: text, Before: text, Now: text}}},
	}
	for i := range 31 {
		p.Days = append(p.Days, page.Named{Name: fmt.Sprintf("2026-10-%02d", i+1), Balance: b})
	}
	for i := range 40 {
		x := b
		x.Carrier.MS += int64(i-20) * 1_000
		p.Countries = append(p.Countries, page.Named{Name: fmt.Sprint(text, i), Balance: x})
	}
	return p
}

func write(t *testing.T, p *page.Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// walk visits every node of the page as a browser reads it.
func walk(t *testing.T, b []byte, visit func(n *html.Node)) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		visit(n)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

var allowed = []string{
	"html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer", "h1", "h2", "h3", "p", "ul", "li", "span", "b", "br", "code",
	"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "svg", "desc", "line", "rect", "text",
}

func TestTextsFromOutsideDoNothing(t *testing.T) {
	count := map[string]int{}
	for _, text := range []string{"plain", evil} {
		walk(t, write(t, full(text)), func(n *html.Node) {
			if n.Type == html.CommentNode {
				t.Errorf("a comment: %q", n.Data)
			}
			if n.Type != html.ElementNode {
				return
			}
			count[text]++
			if !slices.Contains(allowed, n.Data) {
				t.Errorf("element %s", n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"style", "src", "href", "xlink:href", "action", "srcdoc"}, a.Key) {
					t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
				}
			}
		})
	}
	if count["plain"] != count[evil] {
		t.Errorf("%d elements with plain texts, %d with others", count["plain"], count[evil])
	}
}

func TestTextsFromOutsideAreShownAsTheyAre(t *testing.T) {
	shown := 0
	walk(t, write(t, full(evil)), func(n *html.Node) {
		if n.Type == html.TextNode && strings.Contains(n.Data, evil) {
			shown++
		}
	})
	if shown < 30 {
		t.Errorf("the text is shown %d times", shown)
	}
}

func TestThePageLoadsAndRunsNothing(t *testing.T) {
	var policy, style string
	walk(t, write(t, full("x")), func(n *html.Node) {
		switch {
		case n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy":
			policy = attribute(n, "content")
		case n.Data == "style":
			style = n.FirstChild.Data
		}
	})
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if policy != want || len(style) < 1000 {
		t.Errorf("policy %q, want %q", policy, want)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style loads something")
	}
}

func TestWhoDoesNotSeeThePageCanReadIt(t *testing.T) {
	ids, named := map[string]bool{}, []string{}
	headings := []string{}
	walk(t, write(t, full("x")), func(n *html.Node) {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
		named = append(named, strings.Fields(attribute(n, "aria-labelledby"))...)
		switch n.Data {
		case "th":
			if attribute(n, "scope") == "" {
				t.Error("a header of a table without a scope")
			}
		case "svg":
			if attribute(n, "role") != "img" || attribute(n, "aria-labelledby") == "" {
				t.Error("a chart without words")
			}
		case "html":
			if n.Type == html.ElementNode && attribute(n, "lang") != "en" {
				t.Error("the page does not say its language")
			}
		case "h2":
			headings = append(headings, n.FirstChild.Data)
		}
	})
	for _, id := range named {
		if !ids[id] {
			t.Errorf("no element has the id %s", id)
		}
	}
	if len(headings) < 10 || headings[0] != "Tie-out" {
		t.Errorf("headings %q", headings)
	}
}

func TestChartsStayWithinTheirFrame(t *testing.T) {
	for name, change := range map[string]func(p *page.Page){
		"many days": func(p *page.Page) {},
		"nothing": func(p *page.Page) {
			p.Days, p.Countries, p.Steps, p.Totals = nil, nil, nil, page.Balance{Verdict: "ok"}
		},
		"one side only": func(p *page.Page) {
			p.Totals.Carrier.MS = 500_000
			p.Steps = []page.Step{{Name: "missing_at_microsoft", MS: 500_000}}
		},
		"a day without any": func(p *page.Page) { p.Days = []page.Named{{Name: "2026-10-01"}} },
		"a year": func(p *page.Page) {
			for range 365 {
				p.Days = append(p.Days, page.Named{Name: "2026-10-01", Balance: page.Balance{Microsoft: page.Tally{MS: 1}}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := full("x")
			change(p)
			b := string(write(t, p))
			for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", `width="-`, `height="-`, `x="-`, `y="-`} {
				if strings.Contains(b, bad) {
					t.Errorf("the page holds %s", bad)
				}
			}
		})
	}
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		page.Count(-1234567): "−1,234,567", page.Count(999): "999", page.Minutes(74_100_000): "1,235.00", page.Minutes(-200): "0.00",
		page.SignedMinutes(90_000): "+1.50", page.SignedMinutes(-90_000): "−1.50", page.SignedMinutes(0): "0.00",
		page.Span(90*3600_000 + 61_499): "90:01:01", page.Span(-63_250): "−0:01:03", page.Span(3_600_000_000): "1,000:00:00",
		page.Percent(-0.143099): "−14.31 %", page.Percent(0.00001): "0.00 %", page.Percent(0.5): "+50.00 %",
		page.Size(512): "512 B", page.Size(3 << 20): "3.0 MiB", page.Share(page.Balance{Carrier: page.Tally{MS: 5}}): "–",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
