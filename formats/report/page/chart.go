package page

import (
	"fmt"
	"math"
	"strconv"
)

// chart is a drawing of bars, lines and words. Its size is in units of which
// the page is chartWidth wide.
type chart struct {
	ID, Title, Words string // what it shows, and what it says, for who does not see it
	Height           float64
	Bars             []bar
	Lines            []line
	Labels           []label
	Axis             string // words below, where the axis is not what one expects
}

const chartWidth = 760

// Width implements the template's wish.
func (*chart) Width() int { return chartWidth }

type bar struct {
	X, Y, W, H float64
	Kind       string // total, carrier, more, less
	Tip        string
}

type line struct {
	X1, Y1, X2, Y2 float64
	Kind           string // grid, zero, join
}

type label struct {
	X, Y   float64
	Anchor string // start, middle, end
	Text   string
	Kind   string // name, value, tick
}

func (c *chart) bar(x, y, w, h float64, kind, tip string) {
	c.Bars = append(c.Bars, bar{x, y, max(w, 1), max(h, 1), kind, tip})
}

func (c *chart) line(x1, y1, x2, y2 float64, kind string) {
	c.Lines = append(c.Lines, line{x1, y1, x2, y2, kind})
}

func (c *chart) label(x, y float64, anchor, kind, text string) {
	c.Labels = append(c.Labels, label{x, y, anchor, text, kind})
}

// number writes a coordinate.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// scale maps values to places.
type scale struct{ lo, hi, from, to float64 }

func (s scale) at(v float64) float64 {
	if s.hi == s.lo {
		return s.from
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

// sign says by its direction what kind of bar a difference is.
func sign(ms int64) string {
	if ms < 0 {
		return "less"
	}
	return "more"
}

// Where the parts of a chart with rows are.
const (
	rowHeight = 26
	barHeight = 16
	nameEnd   = 200
	barsFrom  = 210
	barsTo    = 650
	valueEnd  = chartWidth
)

// row is one bar of a chart with rows.
type row struct {
	name, value, kind string
	from, to          float64
}

func (c *chart) row(i int, r row, s scale) {
	y := float64(i) * rowHeight
	lo, hi := s.at(min(r.from, r.to)), s.at(max(r.from, r.to))
	c.label(nameEnd, y+17, "end", "name", r.name)
	c.bar(lo, y+5, hi-lo, barHeight, r.kind, r.name+": "+r.value+" min")
	c.label(valueEnd, y+17, "end", "value", r.value)
}

// leastCut is the least share of a bar that is cut off: however close both sides
// are, a fiftieth of the bars stays, so that a difference of nothing looks like
// one.
const leastCut = 0.98

// waterfall draws the way from Microsoft's time to the carrier's.
func (p *Page) waterfall() *chart {
	level := float64(p.Totals.Microsoft.MS)
	rows := []row{{"Microsoft", Minutes(p.Totals.Microsoft.MS), "total", 0, level}}
	carrier := float64(p.Totals.Carrier.MS)
	lo, hi := min(level, carrier), max(level, carrier)
	for _, s := range p.Steps {
		if s.MS == 0 {
			continue
		}
		next := level + float64(s.MS)
		rows = append(rows, row{plainWord(s.Name), SignedMinutes(s.MS), sign(s.MS), level, next})
		level = next
		lo, hi = min(lo, level), max(hi, level)
	}
	rows = append(rows, row{p.Carrier, Minutes(p.Totals.Carrier.MS), "carrier", 0, carrier})
	c := &chart{ID: "waterfall", Title: "From Microsoft’s minutes to the carrier’s", Height: float64(len(rows)) * rowHeight,
		Words: fmt.Sprintf("Microsoft %s minutes, carrier %s minutes, difference %s minutes; the table has every step.",
			Minutes(p.Totals.Microsoft.MS), Minutes(p.Totals.Carrier.MS), SignedMinutes(p.Totals.DifferenceMS()))}
	s := scale{0, hi, barsFrom, barsTo}
	if pad := (hi - lo) / 4; lo-pad > hi/2 {
		s.lo = min(lo-pad, lo*leastCut)
		if hi == lo {
			s.lo = 0
		} else {
			c.Axis = "The bars do not begin at zero but at " + Minutes(int64(s.lo)) + " minutes, so that the steps can be seen."
		}
	}
	for i := range rows {
		rows[i].from = max(rows[i].from, s.lo)
		c.row(i, rows[i], s)
		if i > 0 {
			end := rows[i-1].to
			c.line(s.at(end), float64(i)*rowHeight-5, s.at(end), float64(i)*rowHeight+5, "join")
		}
	}
	return c
}

// maxCountries is how many the chart shows; the table has all.
const maxCountries = 12

// countries draws the difference of each destination, the largest first.
func (p *Page) countries() *chart {
	list := bySize(p.Countries)
	var rest int64
	if n := len(list); n > maxCountries {
		for _, c := range list[maxCountries:] {
			rest += c.DifferenceMS()
		}
		list = append(list[:maxCountries:maxCountries], Named{Name: fmt.Sprintf("%d others", n-maxCountries), Balance: Balance{Carrier: Tally{MS: rest}}})
	}
	most := 1.0
	for _, n := range list {
		most = max(most, math.Abs(float64(n.DifferenceMS())))
	}
	c := &chart{ID: "by-country", Title: "Difference by country", Height: float64(len(list)) * rowHeight,
		Words: "The carrier’s minutes less Microsoft’s by destination; the table has the figures."}
	s := scale{-most, most, barsFrom, barsTo}
	c.line(s.at(0), 0, s.at(0), c.Height, "zero")
	for i, n := range list {
		d := n.DifferenceMS()
		c.row(i, row{country(n.Name), SignedMinutes(d), sign(d), 0, float64(d)}, s)
	}
	return c
}
