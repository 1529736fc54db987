package formats

import (
	"context"
	"math"
	"slices"
	"strings"
	"unsafe"

	"concord/engine"
	"concord/formats/csvscan"
	"concord/formats/dialect"
)

// typedPart fills calls column by column from typed values.
type typedPart struct {
	parquetPart
	views []view
	bad   []badRow // of the batch, in row order, one a row, not yet reported
	find  bool     // bad rows are looked for: once a batch
	ends  []int64  // of the block: microseconds, or noEnd

	details []detailRow // of the batch; nil when nobody wants them
}

// detailRow is the details of a call with what they point to.
type detailRow struct {
	engine.Details
	invite, end           int64
	sipCode, sipSub, q850 int32
	answered              bool
}

// badRow is a row of the batch that becomes a RowError. The lowest rank wins:
// what is no text, then fields in their order, then what is missing, then what
// does not fit together, as textPart and Decoder have it.
type badRow struct {
	row, rank int
	field     dialect.Field
	reason    string
	id        string
}

const (
	noEnd       = int64(math.MinInt64)
	rankText    = -1 << 8 // ranks of fields are less than 1 << 8
	rankMissing = 1 << 8
	rankOrder   = 2 << 8
	reasonWide  = string(csvscan.FieldTooLong)
	reasonUTF8  = "the text is not UTF-8"
	reasonInt32 = "not a whole number, or too large"
	// blockRows is how many calls are filled at once, column after column,
	// before the next ones: they fit the innermost cache.
	blockRows = 64
)

func newTypedPart(p parquetPart) *typedPart {
	t := &typedPart{parquetPart: p, views: make([]view, len(p.r.typed)), ends: make([]int64, blockRows)}
	if p.r.job.opts.Details {
		t.details = make([]detailRow, batchRows)
	}
	return t
}

// Read implements engine.Part.
func (p *typedPart) Read(ctx context.Context, dst []engine.Call) (int, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	fresh, err := p.advance(ctx, len(dst))
	if err != nil {
		return 0, err
	}
	if fresh {
		p.look(dst[:p.n])
	}
	n := min(p.n-p.at, len(dst))
	if len(p.bad) > 0 {
		n = min(n, p.bad[0].row-p.at)
	}
	if !fresh {
		p.fill(dst[:n])
	}
	for i := range dst[:n] {
		p.tally.accept(&dst[i])
	}
	p.at += n
	if len(p.bad) > 0 && p.bad[0].row == p.at {
		return n, p.reject()
	}
	return n, nil
}

// look fills the calls of a new batch and finds its bad rows. What follows a
// bad row is filled again when it is read: dst is not ours to keep.
func (p *typedPart) look(dst []engine.Call) {
	for i := range p.views {
		p.views[i].resolve(p.rows.Vector(i), &p.r.typed[i])
	}
	p.bad, p.find = p.bad[:0], true
	p.fill(dst)
	p.find = false
	slices.SortFunc(p.bad, func(a, b badRow) int {
		if a.row != b.row {
			return a.row - b.row
		}
		return a.rank - b.rank
	})
	p.bad = slices.CompactFunc(p.bad, func(a, b badRow) bool { return a.row == b.row })
	for i := range p.bad {
		if p.bad[i].rank < 0 {
			continue // the id may be what is wrong
		}
		p.bad[i].id = strings.Clone(dst[p.bad[i].row].RecordID)
	}
}

// reject reports the bad row that comes next.
func (p *typedPart) reject() error {
	b := p.bad[0]
	p.bad = p.bad[1:]
	p.at++
	return p.rejected(&engine.RowError{RecordID: b.id, Field: b.field.String(), Reason: b.reason}, b.row)
}

// mark notes a bad row of the batch.
func (p *typedPart) mark(row, rank int, f dialect.Field, reason string) {
	if p.find {
		p.bad = append(p.bad, badRow{row: row, rank: rank, field: f, reason: reason})
	}
}

// fill fills dst with the rows of the batch from p.at on.
func (p *typedPart) fill(dst []engine.Call) {
	for at := p.at; len(dst) > 0; {
		n := min(len(dst), blockRows)
		p.block(dst[:n], at)
		dst, at = dst[n:], at+n
	}
}

// block fills calls, of which the first is row at of the batch.
func (p *typedPart) block(dst []engine.Call, at int) {
	first := p.row(at)
	for i := range dst {
		dst[i] = engine.Call{Row: first + int64(i)}
	}
	p.blankDetails(dst, at)
	ended := false
	for i := range p.r.typed {
		s, v := &p.r.typed[i], &p.views[i]
		switch s.kind {
		case dialect.KindText, dialect.KindDecimal:
			p.texts(s, v, dst, at)
		case dialect.KindNumber:
			p.numbers(s, v, dst, at)
		case dialect.KindTime:
			p.times(s, v, dst, at)
			ended = ended || s.field == dialect.FieldEnd
		case dialect.KindDirection, dialect.KindSource:
			p.words(s, v, dst, at)
		default:
			p.ints(s, v, dst, at)
		}
	}
	if ended && p.find {
		p.order(dst, at)
	}
}

// texts sets a text of each call. A null leaves it empty.
func (p *typedPart) texts(s *setter, v *view, dst []engine.Call, at int) {
	must := s.field == dialect.FieldRecordID && p.r.job.side == engine.Microsoft
	spans := v.spans[at:][:len(dst)]
	for i := range dst {
		sp := spans[i] // of length 0 for a null
		if sp.Len > 0 {
			text := sp.In(v.data)
			into := unsafe.Pointer(&dst[i])
			if s.detail {
				into = unsafe.Pointer(dst[i].Details)
			}
			*(*string)(unsafe.Add(into, s.offset)) = text
			if v.odd {
				p.checkText(s, text, at+i)
			}
			if s.kind == dialect.KindDecimal && !dialect.IsDecimal(text) {
				p.mark(at+i, int(s.field), s.field, dialect.ReasonDecimal)
			}
		} else if must {
			p.mark(at+i, rankMissing+int(s.field), s.field, dialect.ReasonEmpty)
		}
	}
}

// numbers sets the caller or callee of each call.
func (p *typedPart) numbers(s *setter, v *view, dst []engine.Call, at int) {
	if v.vec.Dict != nil {
		p.knownNumbers(s, v, dst, at)
		return
	}
	spans := v.spans[at:][:len(dst)]
	for i := range dst {
		text := spans[i].In(v.data)
		n := engine.ParseNumber(text)
		*(*engine.Number)(unsafe.Add(unsafe.Pointer(&dst[i]), s.offset)) = n
		if s.detail {
			setRaw(s.field, n, text, dst[i].Details)
		}
		if v.odd {
			p.checkText(s, text, at+i)
		}
	}
}

// checkText marks a row whose text is too long or none.
func (p *typedPart) checkText(s *setter, text string, row int) {
	if !p.find {
		return
	}
	if reason := badText(bytesOf(text), int(s.most)); reason != "" {
		p.mark(row, rankText+int(s.field), s.field, reason)
	}
}

// knownNumbers is numbers for a column with a dictionary.
func (p *typedPart) knownNumbers(s *setter, v *view, dst []engine.Call, at int) {
	index := v.vec.Index[at:][:len(dst)]
	for i := range dst {
		if v.null(at + i) {
			continue
		}
		n := v.numbers[index[i]]
		*(*engine.Number)(unsafe.Add(unsafe.Pointer(&dst[i]), s.offset)) = n
		if s.detail {
			setRaw(s.field, n, v.dict.Spans[index[i]].In(v.dict.Data), dst[i].Details)
		}
		if v.odd {
			p.checkText(s, v.dict.Spans[index[i]].In(v.dict.Data), at+i)
		}
	}
}

// words sets the direction or the duration source of each call.
func (p *typedPart) words(s *setter, v *view, dst []engine.Call, at int) {
	for i := range dst {
		w := v.word(s, at+i)
		if w.reason != "" {
			p.mark(at+i, int(s.field), s.field, w.reason)
			p.checkText(s, v.text(at+i), at+i)
		}
		if s.kind == dialect.KindDirection {
			dst[i].Direction = engine.Direction(w.value)
		} else {
			dst[i].Source = engine.DurationSource(w.value)
		}
	}
}

// times sets the start of each call, or notes its end.
func (p *typedPart) times(s *setter, v *view, dst []engine.Call, at int) {
	for i := range dst {
		us, known := noEnd, !v.null(at+i)
		if known {
			var ok bool
			if us, ok = s.instant(v.ints[at+i]); !ok {
				p.mark(at+i, int(s.field), s.field, dialect.ReasonYears)
			}
		}
		switch {
		case s.field == dialect.FieldEnd || s.field == dialect.FieldInvite:
			p.setDetailTime(s.field, us, i, at)
		case known:
			dst[i].Start = us
		default:
			p.mark(at+i, rankMissing+int(s.field), s.field, dialect.ReasonEmpty)
		}
	}
}

// instant converts to microseconds since 1970, and says whether a Call may
// hold them.
func (s *setter) instant(v int64) (us int64, ok bool) {
	switch us = v; s.micros {
	case 0:
		us = microsOf(v)
	case 1000:
		if v > engine.MaxStart/1000 || v < engine.MinStart/1000 {
			return 0, false
		}
		us = v * 1000
	}
	return us, us >= engine.MinStart && us < engine.MaxStart
}

// microsOf rounds nanoseconds down.
func microsOf(ns int64) int64 {
	us := ns / 1000
	if ns%1000 < 0 {
		us--
	}
	return us
}

// ints sets the duration, the revision or the flag of each call.
func (p *typedPart) ints(s *setter, v *view, dst []engine.Call, at int) {
	for i := range dst {
		if v.null(at + i) {
			if s.field == dialect.FieldDuration {
				p.mark(at+i, rankMissing+int(s.field), s.field, dialect.ReasonEmpty)
			}
			continue
		}
		x := v.ints[at+i]
		if reason := s.setInt(x, &dst[i]); reason != "" {
			p.mark(at+i, int(s.field), s.field, reason)
		}
		if p.details != nil {
			p.details[at+i].setInt(s.field, x)
		}
	}
}

func (s *setter) setInt(x int64, c *engine.Call) (reason string) {
	switch {
	case s.field == dialect.FieldDuration && x < 0:
		return dialect.ReasonNegative
	case s.field == dialect.FieldDuration && x > engine.MaxDuration:
		return dialect.ReasonLong
	case s.field == dialect.FieldDuration:
		c.DurationMS = x
	case s.field == dialect.FieldClockUntrusted:
		c.ClockUntrusted = x != 0
	case s.field == dialect.FieldAnswered:
	case int64(int32(x)) != x:
		return reasonInt32
	case s.field == dialect.FieldRevision:
		c.Revision, c.HasRevision = int32(x), true
	}
	return ""
}

// order marks calls that end before they start.
func (p *typedPart) order(dst []engine.Call, at int) {
	for i := range dst {
		if p.ends[i] != noEnd && p.ends[i] < dst[i].Start {
			p.mark(at+i, rankOrder, dialect.FieldEnd, dialect.ReasonEndFirst)
		}
	}
}

// Close implements engine.Part.
func (p *typedPart) Close() error {
	p.close()
	return nil
}
