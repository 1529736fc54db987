package records

import (
	"context"
	"fmt"
	"io"

	"concord/engine"
	"concord/formats/parquetio"
)

// batchRows is how many rows are decoded at once.
const batchRows = 1024

// rejectedPart is the rejected rows of a file.
type rejectedPart struct {
	f     *file
	rows  *parquetio.Reader // of a row group; nil before the first
	group int               // the next one
	n, at int               // rows of the batch, and how many of them are done
}

// Place implements engine.Part.
func (p *rejectedPart) Place() engine.Place { return p.f.place() }

// Read implements engine.Part: every row is an error.
func (p *rejectedPart) Read(ctx context.Context, _ []engine.Call) (int, error) {
	for p.at == p.n {
		if err := p.advance(ctx); err != nil {
			return 0, err
		}
	}
	p.at++
	return 0, rejectedAt(p.rows, p.at-1, p.f.number)
}

// advance decodes the next batch, if need be of the next row group.
func (p *rejectedPart) advance(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.n, p.at = 0, 0
	if p.rows != nil {
		if p.n, err = p.rows.Next(batchRows); err != io.EOF {
			return p.f.fault(err)
		}
		p.rows.Close()
		p.rows = nil
	}
	r := p.f.rejected
	if p.group == r.Groups() {
		return io.EOF
	}
	p.rows = r.Read(p.group, []int{badRow, badLine, badGroup, badRecordID, badField, badReason}, 0, r.GroupRows(p.group))
	p.group++
	return nil
}

// Close implements engine.Part.
func (p *rejectedPart) Close() error {
	if p.rows != nil {
		p.rows.Close()
		p.rows = nil
	}
	return nil
}

// fault tells what was found wrong of the file.
func (f *file) fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read %s: %w", f.name, found(err))
}

// callPart is one row group of calls.
type callPart struct {
	f         *file
	group     *group
	rows      *parquetio.Reader // nil once closed
	count, ms int64             // read so far
	given     int64
	last      int64 // row
	n, at     int   // rows of the batch, and how many of them are done
}

// Place implements engine.Part.
func (p *callPart) Place() engine.Place { return p.f.place() }

// Read implements engine.Part.
func (p *callPart) Read(ctx context.Context, dst []engine.Call) (n int, err error) {
	if p.at == p.n {
		if err := p.advance(ctx); err != nil {
			return 0, err
		}
	}
	n = min(len(dst), p.n-p.at)
	dst = dst[:n]
	clear(dst)
	if err := p.fill(dst); err != nil {
		return 0, err
	}
	p.at += n
	if !p.f.span.covers(p.group) {
		n = p.within(dst)
	}
	p.given += int64(n)
	return n, nil
}

// advance decodes the next batch, and compares the counts behind the last.
func (p *callPart) advance(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.at = 0
	p.n, err = p.rows.Next(batchRows)
	switch {
	case err == io.EOF && (p.count != p.group.Rows || p.ms != p.group.DurationMS):
		return p.f.fault(damaged("a day holds %d rows of %d ms, its index says %d of %d ms", p.count, p.ms, p.group.Rows, p.group.DurationMS))
	case err == io.EOF:
		return io.EOF
	}
	return p.f.fault(err)
}

// within moves the calls on days of the span to the front, and returns how
// many there are.
func (p *callPart) within(dst []engine.Call) int {
	n := 0
	for i := range dst {
		if p.f.span.has(dayOf(dst[i].Start)) {
			dst[n] = dst[i]
			n++
		}
	}
	return n
}

// fill fills calls with the rows of the batch from p.at on.
func (p *callPart) fill(dst []engine.Call) error {
	for i := range dst {
		c, at := &dst[i], p.at+i
		c.Row, c.Start, c.DurationMS = intAt(p.rows.Vector(colRow), at), intAt(p.rows.Vector(colStart), at), intAt(p.rows.Vector(colDuration), at)
		if err := p.look(c); err != nil {
			return err
		}
	}
	p.texts(colRecordID, dst, func(c *engine.Call) *string { return &c.RecordID })
	p.texts(colCorrelationID, dst, func(c *engine.Call) *string { return &c.CorrelationID })
	p.texts(colTenantID, dst, func(c *engine.Call) *string { return &c.TenantID })
	p.texts(colUserID, dst, func(c *engine.Call) *string { return &c.UserID })
	p.texts(colCallType, dst, func(c *engine.Call) *string { return &c.CallType })
	p.texts(colCarrier, dst, func(c *engine.Call) *string { return &c.Carrier })
	p.numbers(colCaller, dst, func(c *engine.Call) *engine.Number { return &c.Caller })
	p.numbers(colCallee, dst, func(c *engine.Call) *engine.Number { return &c.Callee })
	p.smalls(dst)
	return nil
}

// look counts a row, and refuses what no Writer writes.
func (p *callPart) look(c *engine.Call) error {
	day := dayOf(c.Start)
	if c.Row <= p.last || c.Row > p.f.index.Received.Rows || c.DurationMS < 0 || day < p.group.First || day > p.group.Last {
		return p.f.fault(damaged("a row is not where it belongs"))
	}
	p.last = c.Row
	p.count++
	p.ms += c.DurationMS
	return nil
}

func (p *callPart) texts(col int, dst []engine.Call, of func(*engine.Call) *string) {
	v := p.rows.Vector(col)
	for i := range dst {
		*of(&dst[i]) = textAt(v, p.at+i)
	}
}

// numbers sets a number of each call; the column of other texts stands behind
// that of the digits.
func (p *callPart) numbers(col int, dst []engine.Call, of func(*engine.Call) *engine.Number) {
	digits, text := p.rows.Vector(col), p.rows.Vector(col+1)
	for i := range dst {
		if d := intAt(digits, p.at+i); d > 0 {
			*of(&dst[i]) = engine.E164(uint64(d))
		} else {
			*of(&dst[i]) = engine.OtherNumber(textAt(text, p.at+i))
		}
	}
}

// smalls sets what is one of a few values.
func (p *callPart) smalls(dst []engine.Call) {
	revision, direction, source, untrusted := p.rows.Vector(colRevision), p.rows.Vector(colDirection), p.rows.Vector(colSource), p.rows.Vector(colClockUntrusted)
	for i := range dst {
		c, at := &dst[i], p.at+i
		if revision.Nulls == nil || !revision.Nulls[at] {
			c.Revision, c.HasRevision = int32(intAt(revision, at)), true
		}
		c.Direction = engine.Direction(min(uint64(intAt(direction, at)), uint64(engine.Out)))
		c.Source = engine.DurationSource(min(uint64(intAt(source, at)), uint64(engine.SourceOperator)))
		c.ClockUntrusted = intAt(untrusted, at) != 0
	}
}

// Close implements engine.Part.
func (p *callPart) Close() error {
	if p.rows != nil {
		p.rows.Close()
		p.rows = nil
		p.f.accepted.Add(p.given)
	}
	return nil
}
