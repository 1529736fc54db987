package page

import (
	"cmp"
	"math"
	"slices"
)

// bySize orders balances by the size of their difference, the largest first.
func bySize(list []Named) []Named {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Named) int {
		return cmp.Compare(abs(b.DifferenceMS()), abs(a.DifferenceMS()))
	})
	return list
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// Where the parts of the chart by day are.
const (
	axisAt     = 70 // where the days begin
	daysTop    = 16
	daysBottom = 180
	diffTop    = 216
	diffBottom = 286
	daysHeight = 320
)

// days draws the minutes of both sides by day, and the difference below.
func (p *Page) days() *chart {
	c := &chart{ID: "by-day", Title: "Minutes per day", Height: daysHeight,
		Words: "Microsoft’s and the carrier’s minutes of each day, and the difference below; the table has the figures."}
	most, lo, hi := 1.0, 0.0, 0.0
	for _, d := range p.Days {
		most = max(most, float64(d.Microsoft.MS), float64(d.Carrier.MS))
		lo, hi = min(lo, float64(d.DifferenceMS())), max(hi, float64(d.DifferenceMS()))
	}
	step := tick(most / 4)
	level := scale{0, math.Ceil(most/step) * step, daysBottom, daysTop}
	for v := 0.0; v <= level.hi; v += step {
		c.line(axisAt, level.at(v), chartWidth, level.at(v), "grid")
		c.label(axisAt-8, level.at(v)+4, "end", "tick", wholeMinutes(v))
	}
	diff := scale{lo, hi, diffBottom, diffTop}
	if lo == hi {
		diff = scale{-1, 1, diffBottom, diffTop}
	}
	c.line(axisAt, diff.at(0), chartWidth, diff.at(0), "zero")
	c.label(axisAt-8, diff.at(0)+4, "end", "tick", "0")
	c.label(axisAt, diffTop-8, "start", "tick", "Difference in minutes")
	for _, v := range []float64{lo, hi} {
		if v != 0 && math.Abs(diff.at(v)-diff.at(0)) > 11 {
			c.label(axisAt-8, diff.at(v)+4, "end", "tick", SignedMinutes(int64(v)))
		}
	}
	c.dayBars(p.Days, level, diff)
	return c
}

func (c *chart) dayBars(days []Named, level, diff scale) {
	if len(days) == 0 {
		return
	}
	room := float64(chartWidth-axisAt) / float64(len(days))
	half := min(room*0.4, 26)
	every := int(math.Ceil(72 / room))
	for i, d := range days {
		mid := axisAt + room*(float64(i)+0.5)
		m, k := level.at(float64(d.Microsoft.MS)), level.at(float64(d.Carrier.MS))
		c.bar(mid-half, m, half, daysBottom-m, "total", d.Name+" Microsoft: "+Minutes(d.Microsoft.MS)+" min")
		c.bar(mid, k, half, daysBottom-k, "carrier", d.Name+" carrier: "+Minutes(d.Carrier.MS)+" min")
		zero, at := diff.at(0), diff.at(float64(d.DifferenceMS()))
		if d.DifferenceMS() != 0 {
			c.bar(mid-half/2, min(zero, at), half, math.Abs(at-zero), sign(d.DifferenceMS()), d.Name+" difference: "+SignedMinutes(d.DifferenceMS())+" min")
		}
		if i%every == 0 {
			c.label(mid, daysHeight-12, "middle", "tick", d.Name)
		}
	}
}

// tick rounds a step of an axis up to 1, 2 or 5 of a power of ten, in minutes.
func tick(ms float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(ms/perMinute)))
	for _, f := range []float64{1, 2, 5, 10} {
		if f*power*perMinute >= ms {
			return f * power * perMinute
		}
	}
	return ms
}

// wholeMinutes labels an axis.
func wholeMinutes(ms float64) string {
	if ms >= 10*perMinute || ms == 0 {
		return Count(int64(math.Round(ms / perMinute)))
	}
	return Minutes(int64(ms))
}
