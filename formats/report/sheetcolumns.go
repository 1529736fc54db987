package report

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"concord/engine"
)

// sheetColumns are those of discrepancies, and what only people are shown: what
// a case is about should not have to be looked up in a further file.
var sheetColumns = append(slices.Clone(discrepancyColumns),
	column{name: "carrier_caller", optional: true},
	column{name: "carrier_callee", optional: true},
	column{name: "field", few: true, optional: true},
	column{name: "reason", few: true, optional: true},
)

// besides shows what only sheets say of a case.
func (t *table) besides(c *engine.Case) {
	caller, callee := otherNumbers(c)
	var field, reason string
	if c.Reject != nil {
		field, reason = valid(c.Reject.Field), valid(c.Reject.Reason)
	}
	for _, g := range t.grids {
		for _, s := range []string{caller, callee, field, reason} {
			g.text(s)
		}
	}
}

// otherNumbers are the carrier's where a number that both sides know differs.
// Microsoft's stand in the columns before.
func otherNumbers(c *engine.Case) (caller, callee string) {
	k := firstLeg(c)
	if c.Microsoft == nil || k == nil || c.Flags&engine.NumberDiffers == 0 {
		return "", ""
	}
	if k.Caller != c.Microsoft.Caller {
		caller = valid(k.Caller.Full())
	}
	if k.Callee != c.Microsoft.Callee {
		callee = valid(k.Callee.Full())
	}
	return caller, callee
}

// besidesOf shows what is known of these columns when only files are left: not
// the second number, which no other file has.
func (g *grid) besidesOf(why cause) {
	for _, s := range []string{"", "", why.field, why.reason} {
		g.text(s)
	}
}

// cause says why a row could not be read.
type cause struct{ field, reason string }

// causes are those of rejected.csv, by side, file and row.
type causes map[string]cause

// maxCauses bounds the memory that they take.
const maxCauses = 200_000

// elsewhere stands for a cause that is not known here.
var elsewhere = cause{reason: "rejected.csv says why"}

var causeColumns = []string{"side", "file", "row", "field", "reason"}

// reasons reads rejected.csv, or the first rows of it.
func (r *redactor) reasons(ctx context.Context) (causes, error) {
	all := causes{}
	err := r.archive.use(ctx, "rejected.csv", func(in io.Reader) error {
		c, err := newColumnReader(in, causeColumns)
		if err != nil {
			return err
		}
		defer c.close()
		return all.read(c)
	})
	return all, err
}

func (all causes) read(c *columnReader) error {
	same := map[cause]cause{} // few, of many rows
	for {
		ok, err := c.next()
		if err != nil || !ok || len(all) == maxCauses {
			return err
		}
		why := cause{string(c.cell(3)), string(c.cell(4))}
		if known, ok := same[why]; ok {
			why = known
		} else {
			same[why] = why
		}
		key := causeKey(string(c.cell(0)), string(c.cell(1)), string(c.cell(2)))
		if _, twice := all[key]; twice { // two files of one name
			why = elsewhere
		}
		all[key] = why
	}
}

// causeKey takes off what a CSV file has before text that could be a formula.
func causeKey(side, file, row string) string {
	return side + "\x00" + strings.TrimPrefix(file, "'") + "\x00" + row
}

// of returns why the row of a case could not be read; nothing of another class.
func (all causes) of(at casePlaces, row []cell) cause {
	if row[at["class"]].text != engine.Invalid.String() {
		return cause{}
	}
	for _, side := range []string{engine.Microsoft.String(), engine.Carrier.String()} {
		if n := row[at[side+"_row"]]; !n.null {
			if why, known := all[causeKey(side, row[at[side+"_file"]].text, strconv.FormatInt(n.value, 10))]; known {
				return why
			}
		}
	}
	return elsewhere
}
