package formats

import (
	"context"
	"math"
	"slices"
	"strings"
	"unsafe"

	"concord/engine"
	"concord/formats/parquetio"
)

// typedPart fills calls column by column from typed values.
type typedPart struct {
	parquetPart
	views []view
	bad   []badRow // of the batch, in row order, one a row, not yet reported
	find  bool     // bad rows are looked for: once a batch
	ends  []int64  // of the block: microseconds, or noEnd
}

// badRow is a row of the batch that becomes a RowError. The lowest rank wins:
// fields in their order, then what is missing, then what does not fit
// together, as Decoder has it.
type badRow struct {
	row, rank int
	field     fieldID
	reason    string
	id        string
}

// view is a column of the batch with the dictionary resolved: spans and ints
// hold a slot a row. words and numbers are what dictionary values mean.
type view struct {
	vec     *parquetio.Vector
	spans   []parquetio.Span
	data    []byte
	ints    []int64
	nulls   []bool
	dict    *parquetio.Dict // what words and numbers are of
	numbers []engine.Number
	words   []word
	wide    bool // some number of the dictionary is too long
	scratch parquetio.Values
}

// word is the meaning of a direction or a duration source.
type word struct {
	value  uint8
	reason string
}

const (
	noEnd       = int64(math.MinInt64)
	rankMissing = int(numFields)
	rankOrder   = 2 * int(numFields)
	reasonWide  = "longer than a field may be"
	reasonInt32 = "not a whole number, or too large"
	// blockRows is how many calls are filled at once, column after column,
	// before the next ones: they fit the innermost cache.
	blockRows = 64
)

func newTypedPart(p parquetPart) *typedPart {
	return &typedPart{parquetPart: p, views: make([]view, len(p.r.typed)), ends: make([]int64, blockRows)}
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
func (p *typedPart) mark(row, rank int, f fieldID, reason string) {
	if p.find {
		p.bad = append(p.bad, badRow{row: row, rank: rank, field: f, reason: reason})
	}
}

// resolve makes a view of v.
func (w *view) resolve(v *parquetio.Vector, s *setter) {
	w.vec, w.nulls = v, v.Nulls
	w.spans, w.data, w.ints = v.Spans, v.Data, v.Ints
	if v.Dict == nil {
		return
	}
	switch {
	case s.kind == KindNumber || s.kind == KindDirection || s.kind == KindSource:
		if w.dict != v.Dict {
			w.learn(v.Dict, s)
		}
	case v.Dict.Ints != nil:
		w.ints = pick(&w.scratch.Ints, v.Dict.Ints, v)
	default:
		w.spans, w.data = pick(&w.scratch.Spans, v.Dict.Spans, v), v.Dict.Data
	}
}

// pick looks up the values of a batch in a dictionary. A null becomes zero.
func pick[T any](scratch *[]T, dict []T, v *parquetio.Vector) []T {
	if cap(*scratch) < len(v.Index) {
		*scratch = make([]T, batchRows)
	}
	s := (*scratch)[:len(v.Index)]
	if v.Nulls == nil {
		for i, at := range v.Index {
			s[i] = dict[at]
		}
		return s
	}
	clear(s)
	for i, at := range v.Index {
		if !v.Nulls[i] {
			s[i] = dict[at]
		}
	}
	return s
}

// learn works out what each value of a dictionary means, once.
func (w *view) learn(d *parquetio.Dict, s *setter) {
	w.dict, w.wide, w.numbers, w.words = d, false, w.numbers[:0], w.words[:0]
	for _, sp := range d.Spans {
		w.wide = w.wide || sp.Len > s.most
		if s.kind == KindNumber {
			w.numbers = append(w.numbers, engine.ParseNumber(sp.In(d.Data)))
		} else {
			w.words = append(w.words, s.word(sp.In(d.Data)))
		}
	}
}

// word reads a direction or a duration source.
func (s *setter) word(text string) word {
	var c engine.Call
	if text == "" {
		return word{}
	}
	if s.kind == KindDirection {
		reason := setDirection(bytesOf(text), &c)
		return word{uint8(c.Direction), reason}
	}
	reason := setSource(bytesOf(text), &c)
	return word{uint8(c.Source), reason}
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
	ended := false
	for i := range p.r.typed {
		s, v := &p.r.typed[i], &p.views[i]
		switch s.kind {
		case KindText:
			p.texts(s, v, dst, at)
		case KindNumber:
			p.numbers(s, v, dst, at)
		case KindTime:
			p.times(s, v, dst, at)
			ended = ended || s.field == fieldEnd
		case KindDirection, KindSource:
			p.words(s, v, dst, at)
		default:
			p.ints(s, v, dst, at)
		}
	}
	if ended && p.find {
		p.order(dst, at)
	}
}

func (v *view) null(i int) bool { return v.nulls != nil && v.nulls[i] }

// texts sets a text of each call. A null leaves it empty.
func (p *typedPart) texts(s *setter, v *view, dst []engine.Call, at int) {
	must := s.field == fieldRecordID && p.r.job.side == engine.Microsoft
	spans := v.spans[at:][:len(dst)]
	for i := range dst {
		sp := spans[i] // of length 0 for a null
		if sp.Len > s.most {
			p.mark(at+i, int(s.field), s.field, reasonWide)
		}
		if sp.Len > 0 {
			*(*string)(unsafe.Add(unsafe.Pointer(&dst[i]), s.offset)) = sp.In(v.data)
		} else if must {
			p.mark(at+i, rankMissing+int(s.field), s.field, reasonEmpty)
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
		if spans[i].Len > s.most {
			p.mark(at+i, int(s.field), s.field, reasonWide)
		}
		*(*engine.Number)(unsafe.Add(unsafe.Pointer(&dst[i]), s.offset)) = engine.ParseNumber(spans[i].In(v.data))
	}
}

// knownNumbers is numbers for a column with a dictionary.
func (p *typedPart) knownNumbers(s *setter, v *view, dst []engine.Call, at int) {
	index := v.vec.Index[at:][:len(dst)]
	for i := range dst {
		if v.null(at + i) {
			continue
		}
		*(*engine.Number)(unsafe.Add(unsafe.Pointer(&dst[i]), s.offset)) = v.numbers[index[i]]
		if v.wide && v.dict.Spans[index[i]].Len > s.most {
			p.mark(at+i, int(s.field), s.field, reasonWide)
		}
	}
}

// words sets the direction or the duration source of each call.
func (p *typedPart) words(s *setter, v *view, dst []engine.Call, at int) {
	for i := range dst {
		var w word
		switch {
		case v.null(at + i):
		case v.vec.Dict != nil:
			w = v.words[v.vec.Index[at+i]]
		default:
			w = s.word(v.spans[at+i].In(v.data))
		}
		if w.reason != "" {
			p.mark(at+i, int(s.field), s.field, w.reason)
		}
		if s.kind == KindDirection {
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
				p.mark(at+i, int(s.field), s.field, reasonYears)
			}
		}
		switch {
		case s.field == fieldEnd:
			p.ends[i] = us
		case known:
			dst[i].Start = us
		default:
			p.mark(at+i, rankMissing+int(s.field), s.field, reasonEmpty)
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
			if s.field == fieldDuration {
				p.mark(at+i, rankMissing+int(s.field), s.field, reasonEmpty)
			}
			continue
		}
		x := v.ints[at+i]
		if reason := s.setInt(x, &dst[i]); reason != "" {
			p.mark(at+i, int(s.field), s.field, reason)
		}
	}
}

func (s *setter) setInt(x int64, c *engine.Call) (reason string) {
	switch {
	case s.field == fieldDuration && x < 0:
		return reasonNegative
	case s.field == fieldDuration && x > engine.MaxDuration:
		return reasonLong
	case s.field == fieldDuration:
		c.DurationMS = x
	case s.field == fieldClockUntrusted:
		c.ClockUntrusted = x != 0
	case int64(int32(x)) != x:
		return reasonInt32
	default:
		c.Revision, c.HasRevision = int32(x), true
	}
	return ""
}

// order marks calls that end before they start.
func (p *typedPart) order(dst []engine.Call, at int) {
	for i := range dst {
		if p.ends[i] != noEnd && p.ends[i] < dst[i].Start {
			p.mark(at+i, rankOrder, fieldEnd, reasonEndFirst)
		}
	}
}

// Close implements engine.Part.
func (p *typedPart) Close() error {
	p.close()
	return nil
}
