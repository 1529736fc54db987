package console

import (
	"concord/jobs/control"
)

// bar is one of a chart with zero in its middle, in units of its own.
type bar struct {
	X, Width float64
	Over     bool // the carrier has more
}

// barHalf is how long the longest bar is; the chart is twice as wide.
const barHalf = 100

func barOf(v, most int64) bar {
	if most == 0 || v == 0 {
		return bar{X: barHalf}
	}
	w := max(float64(barHalf)*float64(max(v, -v))/float64(most), 1)
	if v > 0 {
		return bar{X: barHalf, Width: w, Over: true}
	}
	return bar{X: barHalf - w, Width: w}
}

// dayChart shows by how much the sides differ day by day.
type dayChart struct {
	Width, Height, Zero float64
	Columns             []column
	Most                int64 // the largest difference, in milliseconds
}

// column is one day.
type column struct {
	control.Balance
	X, Y, Width, Height float64
}

// The sizes of the chart of days.
const (
	columnStep   = 22
	columnWidth  = 16
	chartHeight  = 120
	labelsHeight = 16
	mostColumns  = 62
)

func chartOf(days []control.Balance) (c dayChart) {
	if len(days) > mostColumns || len(days) < 2 {
		return c
	}
	for _, d := range days {
		c.Most = max(c.Most, d.DifferenceMS, -d.DifferenceMS)
	}
	c.Width, c.Height, c.Zero = float64(len(days)*columnStep), chartHeight+labelsHeight, chartHeight/2
	for i, d := range days {
		x := column{Balance: d, X: float64(i * columnStep), Width: columnWidth, Y: c.Zero}
		if c.Most > 0 {
			x.Height = float64(max(d.DifferenceMS, -d.DifferenceMS)) / float64(c.Most) * (chartHeight/2 - 4)
		}
		if d.DifferenceMS > 0 {
			x.Y = c.Zero - x.Height
		}
		c.Columns = append(c.Columns, x)
	}
	return c
}

// Over reports whether the carrier has more than Microsoft that day.
func (c column) Over() bool { return c.DifferenceMS > 0 }

// Label is the day of the month.
func (c column) Label() string { return c.Name[max(0, len(c.Name)-2):] }

// Middle is where its label is centred.
func (c column) Middle() float64 { return c.X + c.Width/2 }
