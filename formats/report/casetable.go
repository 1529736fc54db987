package report

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"concord/engine"
	"concord/formats/parquetio"
)

// Cases is the table of a report's discrepancies, open for questions. Memory
// does not grow with its rows. It is safe for concurrent use.
type Cases struct {
	f     *parquetio.File
	at    []int   // positions of discrepancyColumns
	first []int64 // number of the first row of each row group
}

// The positions of the columns of discrepancies that questions are about.
const (
	colID = iota
	colCarrier
	colClass
	colAction
	colFlags
	colMicrosoftID
	colCarrierIDs
	colCorrelation
	colTenant
	colDirection
	colCaller
	colCallee
	colMicrosoftStart
	colCarrierStart
	colMicrosoftSeconds
	colCarrierSeconds
	colDifference
	colRule
	colMicrosoftFile
	colMicrosoftRow
	colCarrierFile
	colCarrierRow
)

// OpenCases opens discrepancies.parquet. It does not close r.
func OpenCases(r io.ReaderAt, size int64) (*Cases, error) {
	f, err := parquetio.Open(r, size, parquetio.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read discrepancies: %w", err)
	}
	c := &Cases{f: f}
	for _, want := range discrepancyColumns {
		i := slices.IndexFunc(f.Columns(), func(x parquetio.Column) bool { return x.Name == want.name })
		if i < 0 || f.Columns()[i].Physical != describe(&want).Physical {
			return nil, fmt.Errorf("read discrepancies: there is no column %s of the kind that reports have", want.name)
		}
		c.at = append(c.at, i)
	}
	row := int64(0)
	for g := range f.Groups() {
		c.first = append(c.first, row)
		row += f.GroupRows(g)
	}
	return c, nil
}

// Rows returns how many discrepancies there are.
func (c *Cases) Rows() int64 { return c.f.Rows() }

// Discrepancy is one row of the table. Times are zero and durations nil where
// the row has none.
type Discrepancy struct {
	ID, Carrier, Class, Action string
	Flags                      string // joined by spaces
	MicrosoftID, CarrierIDs    string
	CorrelationID, TenantID    string
	Direction                  string
	Caller, Callee             string // personal data
	MicrosoftStart             time.Time
	CarrierStart               time.Time
	MicrosoftMS, CarrierMS     *int64
	DifferenceMS               *int64
	Rule                       string
	MicrosoftFile              string
	MicrosoftRow               int64 // 0: none
	CarrierFile                string
	CarrierRow                 int64
}

// EffectMS is what the case adds to the difference of the totals, carrier less
// Microsoft: a call that one side lacks counts whole. nil: the case is no part
// of the totals.
func (d *Discrepancy) EffectMS() *int64 {
	switch {
	case d.DifferenceMS != nil:
		return d.DifferenceMS
	case d.Class == engine.MissingAtMicrosoft.String():
		return d.CarrierMS
	case d.Class == engine.MissingAtCarrier.String() && d.MicrosoftMS != nil:
		less := -*d.MicrosoftMS
		return &less
	}
	return nil
}

// text returns where the text of a column goes; nil: the column holds none.
func (d *Discrepancy) text(col int) *string {
	switch col {
	case colID:
		return &d.ID
	case colCarrier:
		return &d.Carrier
	case colClass:
		return &d.Class
	case colAction:
		return &d.Action
	case colFlags:
		return &d.Flags
	case colMicrosoftID:
		return &d.MicrosoftID
	case colCarrierIDs:
		return &d.CarrierIDs
	case colCorrelation:
		return &d.CorrelationID
	case colTenant:
		return &d.TenantID
	case colDirection:
		return &d.Direction
	case colCaller:
		return &d.Caller
	case colCallee:
		return &d.Callee
	case colRule:
		return &d.Rule
	case colMicrosoftFile:
		return &d.MicrosoftFile
	case colCarrierFile:
		return &d.CarrierFile
	}
	return nil
}

// number sets the number of a column.
func (d *Discrepancy) number(col int, v int64) {
	switch col {
	case colMicrosoftStart:
		d.MicrosoftStart = time.UnixMicro(v).UTC()
	case colCarrierStart:
		d.CarrierStart = time.UnixMicro(v).UTC()
	case colMicrosoftSeconds:
		d.MicrosoftMS = &v
	case colCarrierSeconds:
		d.CarrierMS = &v
	case colDifference:
		d.DifferenceMS = &v
	case colMicrosoftRow:
		d.MicrosoftRow = v
	case colCarrierRow:
		d.CarrierRow = v
	}
}

// nearby is how many rows are rather read than passed over.
const nearby = 2048

// rows reads rows by their numbers, in the order in which they are asked for.
func (c *Cases) rows(ctx context.Context, numbers []int64) ([]Discrepancy, error) {
	out := make([]Discrepancy, len(numbers))
	order := make([]int, len(numbers))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(numbers[a] - numbers[b]) })
	var tasks []func() error
	for len(order) > 0 {
		group := c.group(numbers[order[0]])
		end := c.first[group] + c.f.GroupRows(group)
		n := 1
		for n < len(order) && numbers[order[n]] < end && numbers[order[n]]-numbers[order[n-1]] < nearby {
			n++
		}
		run := order[:n]
		order = order[n:]
		tasks = append(tasks, func() error { return c.near(ctx, group, numbers, run, out) })
	}
	return out, together(ctx, tasks)
}

func (c *Cases) group(row int64) int {
	i, found := slices.BinarySearch(c.first, row)
	if !found {
		i--
	}
	for i+1 < len(c.first) && c.first[i+1] == row { // an empty row group
		i++
	}
	return i
}

// near fills in rows of one row group that lie close to each other.
func (c *Cases) near(ctx context.Context, group int, numbers []int64, run []int, out []Discrepancy) error {
	from := numbers[run[0]] - c.first[group]
	n := numbers[run[len(run)-1]] - c.first[group] - from + 1
	r := c.f.Read(group, c.at, from, n)
	defer r.Close()
	at := c.first[group] + from
	for len(run) > 0 {
		k, err := r.Next(nearby)
		if err != nil {
			return fmt.Errorf("read discrepancies: %w", err)
		}
		for len(run) > 0 && numbers[run[0]] < at+int64(k) {
			c.fill(&out[run[0]], r, int(numbers[run[0]]-at))
			run = run[1:]
		}
		at += int64(k)
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cases) fill(d *Discrepancy, r *parquetio.Reader, i int) {
	for col := range c.at {
		v := r.Vector(col)
		if v.Nulls != nil && v.Nulls[i] {
			continue
		}
		if to := d.text(col); to != nil {
			*to = textOf(v, i)
			continue
		}
		d.number(col, intOf(v, i))
	}
}

// textOf returns a copy of a text.
func textOf(v *parquetio.Vector, i int) string {
	s := v.Spans
	data := v.Data
	if v.Dict != nil {
		s, data, i = v.Dict.Spans, v.Dict.Data, int(v.Index[i])
	}
	return string(data[s[i].Off:][:s[i].Len])
}

func intOf(v *parquetio.Vector, i int) int64 {
	if v.Dict != nil {
		return v.Dict.Ints[v.Index[i]]
	}
	return v.Ints[i]
}

// Case returns the discrepancy of a case; false: there is none.
func (c *Cases) Case(ctx context.Context, id string) (Discrepancy, bool, error) {
	found, err := c.Find(ctx, Question{Case: id, Limit: 1})
	if err != nil || len(found.Rows) == 0 {
		return Discrepancy{}, false, err
	}
	return found.Rows[0], true, nil
}

// Listed are the names of the classes whose records are listed as discrepancies, in
// the order of reports.
func Listed() (names []string) {
	for i := range engine.NumClasses {
		if c := engine.Class(i); c.Discrepancy() {
			names = append(names, c.String())
		}
	}
	return names
}

// Pairs reports whether a case of a class, by its name in reports, has records of
// both sides.
func Pairs(class string) bool {
	c, ok := classOf(class)
	return ok && c.Paired()
}

// Counts reports whether the records of a class are part of the totals, by its
// name in reports.
func Counts(class string) bool {
	c, ok := classOf(class)
	return ok && compared(c)
}

// CountedClasses are the classes whose records are part of the totals, by their
// names in reports.
func CountedClasses() (list []string) {
	for c := range engine.NumClasses {
		if compared(engine.Class(c)) {
			list = append(list, engine.Class(c).String())
		}
	}
	return list
}
