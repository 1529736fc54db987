package report

import (
	"slices"
	"time"

	"concord/engine"
	"concord/formats/report/page"
)

// maxTop is how many discrepancies the summary shows.
const maxTop = 20

// topCases keeps the discrepancies with the most time at stake: first those that
// the totals compare, since they make up the difference; of equal ones those
// that come first.
type topCases struct{ list []topCase }

type topCase struct {
	page.Case
	compared bool
}

// before reports whether c is shown before o, which came earlier.
func (c *topCase) before(o *topCase) bool {
	if c.compared != o.compared {
		return c.compared
	}
	return stakeOf(c.DifferenceMS()) > stakeOf(o.DifferenceMS())
}

// add looks at one case. Only what is kept is copied.
func (t *topCases) add(c *engine.Case) {
	x := topCase{compared: compared(c.Class)}
	if c.Reject == nil {
		if c.Microsoft != nil {
			x.Microsoft = c.Microsoft.DurationMS
		}
		for i := range c.Carrier {
			x.Carrier += c.Carrier[i].DurationMS
		}
	}
	if len(t.list) == maxTop && !x.before(&t.list[maxTop-1]) {
		return
	}
	at := slices.IndexFunc(t.list, func(o topCase) bool { return x.before(&o) })
	if at < 0 {
		at = len(t.list)
	}
	x.Case = pageCase(c, x.Microsoft, x.Carrier)
	t.list = slices.Insert(t.list, at, x)
	t.list = t.list[:min(len(t.list), maxTop)]
}

// stakeOf is the size of a difference.
func stakeOf(ms int64) int64 { return max(ms, -ms) }

// pageCase shows a case with its numbers masked.
func pageCase(c *engine.Case, m, k int64) page.Case {
	x := page.Case{ID: c.ID, Class: c.Class.String(), Words: classWords[c.Class], Action: c.Class.Action(), Flags: c.Flags.String(), Microsoft: m, Carrier: k}
	if c.Reject != nil {
		return x
	}
	x.HasMicrosoft, x.HasCarrier = c.Microsoft != nil, len(c.Carrier) > 0
	lead := c.Microsoft
	if lead == nil {
		lead = firstLeg(c)
	}
	if lead == nil {
		return x
	}
	caller, callee := bothNumbers(c.Microsoft, firstLeg(c))
	x.Start, x.Caller, x.Callee = time.UnixMicro(lead.Start).UTC().Format("2006-01-02 15:04:05"), lastFour(caller), lastFour(callee)
	return x
}

// lastFour is what is shown of a number: its last four digits.
func lastFour(n engine.Number) string {
	switch full := n.Full(); {
	case n.Withheld():
		return "withheld"
	case n.Masked() || len(full) <= 6:
		return "hidden"
	case n.E164Digits() == 0:
		return "no number" // a SIP user, or whatever a file says
	default:
		return "…" + full[len(full)-4:]
	}
}

func (t *topCases) cases() (list []page.Case) {
	for i := range t.list {
		list = append(list, t.list[i].Case)
	}
	return list
}
