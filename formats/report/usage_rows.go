package report

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"concord/engine"
	"concord/engine/spill"
	"concord/formats/inert"
)

// customerColumns are written as CSV only.
var customerColumns = []column{
	{name: "carrier"}, {name: "tenant_id"}, {name: "calls"}, {name: "microsoft_seconds"}, {name: "carrier_seconds"}, {name: "used_seconds"},
	{name: "operator_sourced_calls"},
}

// The columns of usage.csv and of usage_users.csv in the order in which they
// are sorted by, then the figures. One of the two has no user.
const (
	useTenant = iota
	useUser
	useDate
	useDirection
	useType
	useCountry
	useCalls
	useMicrosoft
	useCarrier
	useUsed
	useOperator
	numUse
)

var useNames = [numUse]string{
	"tenant_id", "user_id", "date", "direction", "call_type", "country", "calls", "microsoft_seconds", "carrier_seconds", "used_seconds", "operator_sourced_calls",
}

// read adds the rows of a report that count to s, and returns what they come
// to. All rows of it, whether they count or not, must come to what its summary
// says.
func (u *usageSource) read(ctx context.Context, name string, s *spill.Sorter, users bool) (counted UsageTotal, err error) {
	names := useNames
	if users {
		names[useDate] = "month"
	}
	var all UsageTotal
	err = u.archive.use(ctx, name, func(r io.Reader) error {
		all, counted = UsageTotal{}, UsageTotal{}
		c, err := newColumnReader(r, names[:])
		if err != nil {
			return u.archive.wrap("read", name, err)
		}
		defer c.close()
		var key, val []byte
		for {
			ok, err := c.next()
			if err != nil || !ok {
				return u.archive.wrapped("read", name, err)
			}
			row, err := usageRowOf(c, users)
			if err != nil {
				return u.archive.wrap("read", name, fmt.Errorf("row %d: %w", c.row.Number, err))
			}
			all.add(&row)
			if u.dates != nil && !u.dates[row.Date] {
				continue
			}
			counted.add(&row)
			key, val = appendUsageKey(key[:0], &row), appendUsageFigures(val[:0], &row)
			if err := s.Add(key, val); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return counted, err
	}
	if all.Calls != u.classed.Records || all.MicrosoftMS != u.classed.MS {
		return counted, fmt.Errorf("%w: %s comes to %d calls and %d ms, but the classes hold %d and %d ms",
			ErrTieOut, u.archive.says(name), all.Calls, all.MicrosoftMS, u.classed.Records, u.classed.MS)
	}
	return counted, nil
}

// wrapped is wrap of an error that may be nil.
func (a *archive) wrapped(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return a.wrap(verb, name, err)
}

func usageRowOf(c *columnReader, users bool) (u engine.UsageRow, err error) {
	text := func(i int) string { return inert.Original(string(c.cell(i))) }
	u = engine.UsageRow{TenantID: text(useTenant), Date: text(useDate), CallType: text(useType), Country: text(useCountry)}
	if users {
		u.UserID = text(useUser)
	}
	for u.Direction = engine.DirectionUnknown; u.Direction.String() != text(useDirection); u.Direction++ {
		if u.Direction == engine.Out {
			return u, errors.New("direction is none of in, out and unknown")
		}
	}
	for i, to := range map[int]*int64{useCalls: &u.Calls, useOperator: &u.OperatorSourcedCalls} {
		if *to, err = strconv.ParseInt(text(i), 10, 64); err != nil || *to < 0 {
			return u, fmt.Errorf("%s is no count", useNames[i])
		}
	}
	for i, to := range map[int]*int64{useMicrosoft: &u.MicrosoftMS, useCarrier: &u.CarrierMS, useUsed: &u.UsedMS} {
		cell, ok := c.cell(i), false
		if *to, ok = parseSeconds(cell); !ok || len(cell) == 0 {
			return u, fmt.Errorf("%s is no number of seconds", useNames[i])
		}
	}
	return u, nil
}

// appendUsageKey appends what rows are sorted by; whether there are users or
// not, the order of the keys is that of the report.
func appendUsageKey(b []byte, u *engine.UsageRow) []byte {
	for _, s := range [...]string{u.TenantID, u.UserID, u.Date, u.Direction.String(), u.CallType, u.Country} {
		for i := range len(s) { // a zero byte ends a text, and is two bytes in one
			if b = append(b, s[i]); s[i] == 0 {
				b = append(b, 0xff)
			}
		}
		b = append(b, 0, 1)
	}
	return b
}

func takeUsageKey(b []byte) (texts [6]string) {
	var s []byte
	n := 0
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != 0:
			s = append(s, b[i])
			continue
		case b[i+1] == 1:
			texts[n], s = string(s), s[:0]
			n++
		default:
			s = append(s, 0)
		}
		i++
	}
	return texts
}

func appendUsageFigures(b []byte, u *engine.UsageRow) []byte {
	for _, v := range [...]int64{u.Calls, u.MicrosoftMS, u.CarrierMS, u.UsedMS, u.OperatorSourcedCalls} {
		b = binary.AppendVarint(b, v)
	}
	return b
}

func takeUsageFigures(b []byte) (u engine.UsageRow) {
	for _, to := range [...]*int64{&u.Calls, &u.MicrosoftMS, &u.CarrierMS, &u.UsedMS, &u.OperatorSourcedCalls} {
		v, n := binary.Varint(b)
		*to, b = v, b[n:]
	}
	return u
}

// summed yields the rows of a sorter, those of one key as one. A row is valid
// until the next one.
func summed(s *spill.Sorter) iter.Seq2[*engine.UsageRow, error] {
	return func(yield func(*engine.UsageRow, error) bool) {
		var key []byte
		var sum UsageTotal
		hand := func() bool {
			if key == nil {
				return true
			}
			t := takeUsageKey(key)
			u := engine.UsageRow{TenantID: t[0], UserID: t[1], Date: t[2], CallType: t[4], Country: t[5],
				Calls: sum.Calls, MicrosoftMS: sum.MicrosoftMS, CarrierMS: sum.CarrierMS, UsedMS: sum.UsedMS, OperatorSourcedCalls: sum.Operator}
			for u.Direction.String() != t[3] {
				u.Direction++
			}
			sum = UsageTotal{}
			return yield(&u, nil)
		}
		for e, err := range spill.Sorted(s) {
			if err != nil {
				yield(nil, err)
				return
			}
			if string(e.Key) != string(key) {
				if !hand() {
					return
				}
				key = append(key[:0], e.Key...)
			}
			u := takeUsageFigures(e.Val)
			sum.add(&u)
		}
		hand()
	}
}

// customerSums writes a row for each customer, whose rows follow each other.
type customerSums struct {
	w      *usageWriter
	t      *table
	tenant string
	begun  bool
	sum    UsageTotal
	all    UsageTotal
}

func (c *customerSums) add(ctx context.Context, u *engine.UsageRow) error {
	if c.begun && c.tenant != u.TenantID {
		if err := c.end(ctx); err != nil {
			return err
		}
	}
	c.begun, c.tenant = true, u.TenantID
	c.sum.add(u)
	return nil
}

// end writes the row of the customer that was added last.
func (c *customerSums) end(ctx context.Context) error {
	if !c.begun {
		return nil
	}
	c.t.outside(c.w.opts.Carrier)
	c.t.outside(c.tenant)
	c.t.count(c.sum.Calls)
	c.t.seconds(c.sum.MicrosoftMS)
	c.t.seconds(c.sum.CarrierMS)
	c.t.seconds(c.sum.UsedMS)
	c.t.count(c.sum.Operator)
	c.all.merge(c.sum)
	c.begun, c.sum = false, UsageTotal{}
	return c.t.end(ctx)
}
