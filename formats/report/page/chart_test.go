package page_test

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"concord/formats/report/page"
)

// barWidths are those of the first chart, by kind.
func barWidths(t *testing.T, b []byte) map[string]float64 {
	t.Helper()
	widths, chart := map[string]float64{}, ""
	walk(t, b, func(n *html.Node) {
		switch n.Data {
		case "svg":
			chart = attribute(n, "aria-labelledby")
		case "rect":
			if strings.HasPrefix(chart, "waterfall") {
				w, err := strconv.ParseFloat(attribute(n, "width"), 64)
				if err != nil {
					t.Fatal(err)
				}
				widths[attribute(n, "class")] = w
			}
		}
	})
	return widths
}

// Finance sees a carrier that bills seven seconds more in 94 hours as one that
// agrees, not as one that bills five times as much.
func TestADifferenceOfNothingLooksLikeOne(t *testing.T) {
	p := full("x")
	p.Totals = page.Balance{Microsoft: page.Tally{Records: 4, MS: 338_280_000}, Carrier: page.Tally{Records: 4, MS: 338_287_200}, Verdict: "ok"}
	p.Steps = []page.Step{{Name: "duration_over", MS: 7_200}}
	w := barWidths(t, write(t, p))
	if w["total"] < 100 || w["carrier"] > 1.1*w["total"] {
		t.Errorf("bars of %.0f and %.0f for a difference of a fifty-thousandth", w["total"], w["carrier"])
	}
}

// Without figures a hundredth of a minute fills the panel as an hour does.
func TestTheDifferenceOfADayHasAScale(t *testing.T) {
	p := full("x")
	p.Days[1].Carrier.MS = p.Days[1].Microsoft.MS - 60_000
	b := string(write(t, p))
	at := strings.Index(b, `id="by-day-title"`)
	chart, _, _ := strings.Cut(b[at:], "</svg>")
	for _, want := range []string{">Difference in minutes<", ">" + page.SignedMinutes(123_456) + "<", ">" + page.SignedMinutes(-60_000) + "<", ">0<"} {
		if !strings.Contains(html.UnescapeString(chart), want) {
			t.Errorf("the chart by day lacks %s", want)
		}
	}
}
