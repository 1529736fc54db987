package dialect

import (
	"strings"
	"unsafe"

	"concord/engine"
)

// Filtered is what Decode returns for a row that the profile leaves out. It
// is no error: the reader counts the row and goes on.
var Filtered = &engine.RowError{Reason: "left out by the profile"}

// Reasons for which a row is rejected whatever its file is made of. No reason
// ever holds the value.
const (
	ReasonEmpty    = "empty, but every record must have it"
	ReasonNegative = "negative duration"
	ReasonLong     = "longer than ten years"
	ReasonYears    = "outside the years 1900 to 2261"
	ReasonEndFirst = "the call ends before it starts"
	ReasonDecimal  = "not a decimal number"
)

// A Decoder turns the fields of rows into calls. It keeps caches and is used
// by one goroutine at a time; Plan.Decoder makes as many as are needed.
type Decoder struct {
	plan    *Plan
	steps   []stepReader
	must    uint32 // required fields, one bit each
	have    uint32 // fields of the row that are not null
	start   int64  // the row's times, where have says so
	end     int64
	invite  int64
	lasted  int64 // a computed duration in milliseconds; -1: none
	numbers numberReader
	arena   arena
	details slab[engine.Details]
	ints    slab[int64]
	ints32  slab[int32]
	bools   slab[bool]
}

// stepReader is a step with the state of one decoder.
type stepReader struct {
	step
	at    int // the only field it reads, or -1
	plain bool
	trim  bool
	times timeReader
	dur   durationReader
	dec   decimalReader
}

// Decoder returns a new decoder of the plan.
func (pl *Plan) Decoder() *Decoder {
	d := &Decoder{plan: pl, must: 1<<FieldStart | 1<<FieldDuration}
	if pl.side == engine.Microsoft {
		d.must |= 1 << FieldRecordID
	}
	d.numbers = newNumberReader(pl.profile.numbers)
	for _, s := range pl.steps {
		d.steps = append(d.steps, pl.stepReader(s))
	}
	return d
}

func (pl *Plan) stepReader(s step) stepReader {
	r := stepReader{step: s, at: -1, trim: pl.profile.trim}
	if len(s.from) == 1 {
		r.at = s.from[0]
	}
	r.plain = r.at >= 0 && s.or < 0 && s.expr.values == nil && s.expr.byDefault == nil
	switch s.kind {
	case KindTime:
		r.times = newTimeReader(s.expr.layouts, pl.zoneOf(s.expr))
		if r.at >= 0 {
			r.times.typed(pl.typed[r.at])
		}
	case KindDuration:
		r.dur = newDurationReader(s.expr)
	case KindDecimal:
		r.dec = newDecimalReader(s.expr)
	}
	return r
}

// Decode fills c from the fields of one row, which are in the order of
// Plan.Columns; a nil field is null, and so is an empty one. Strings of c may
// point into fields. It sets neither c.Row nor a place in the error: the
// reader knows them. The error says the canonical field and why, never the
// value; for a row that the profile leaves out it is Filtered.
func (d *Decoder) Decode(fields [][]byte, c *engine.Call) *engine.RowError {
	if len(d.plan.filters) > 0 && !d.plan.keeps(fields) {
		return Filtered
	}
	*c = engine.Call{}
	d.have, d.lasted = 0, -1
	if d.plan.details {
		c.Details = d.details.next()
		c.Carrier = d.plan.Carrier
	}
	for i := range d.steps {
		s := &d.steps[i]
		b, reason := d.value(s, fields)
		if reason == "" && b != nil {
			d.have |= 1 << s.field
			reason = d.set(s, b, c)
		}
		if reason != "" {
			return reject(s.field, reason, c)
		}
	}
	return d.check(c)
}

func reject(f Field, reason string, c *engine.Call) *engine.RowError {
	return &engine.RowError{RecordID: strings.Clone(c.RecordID), Field: f.String(), Reason: reason}
}

// keeps reports whether a row meets every condition.
func (pl *Plan) keeps(fields [][]byte) bool {
	for i := range pl.filters {
		f := &pl.filters[i]
		v := fields[f.at]
		if pl.profile.trim {
			v = trimSpace(v)
		}
		if oneOf(v, f.values) == f.except {
			return false
		}
	}
	return true
}

func oneOf(b []byte, values []string) bool {
	for _, v := range values {
		if string(b) == v {
			return true
		}
	}
	return false
}

// value returns the text that a step reads; nil when it is null.
func (d *Decoder) value(s *stepReader, fields [][]byte) (b []byte, reason string) {
	if s.at >= 0 {
		b = s.orNull(fields[s.at])
	}
	if s.plain {
		return b, ""
	}
	return d.computed(s, fields, b)
}

// orNull returns b without the space around it, or nil when it is null.
func (s *stepReader) orNull(b []byte) []byte {
	if s.trim {
		b = trimSpace(b)
	}
	if len(b) == 0 || len(s.nulls) > 0 && oneOf(b, s.nulls) {
		return nil
	}
	return b
}

// computed is value for what is more than one plain column.
func (d *Decoder) computed(s *stepReader, fields [][]byte, b []byte) ([]byte, string) {
	switch {
	case s.expr.minus != nil:
		return nil, d.difference(s)
	case s.expr.constant != nil:
		b = bytesOf(*s.expr.constant)
	case len(s.from) > 1:
		b = d.joined(s, fields)
	}
	if b == nil && s.or >= 0 {
		b = s.orNull(fields[s.or])
	}
	if b != nil && s.expr.values != nil {
		return s.mapped(b)
	}
	if b == nil && s.expr.byDefault != nil {
		b = bytesOf(*s.expr.byDefault)
	}
	return b, ""
}

// mapped looks the value up in the words of the profile.
func (s *stepReader) mapped(b []byte) ([]byte, string) {
	v, ok := s.expr.values[string(b)]
	switch {
	case !ok && s.expr.other == nil:
		return nil, "value is not in the map of the profile"
	case !ok:
		v = *s.expr.other
	}
	if v == "" {
		return nil, ""
	}
	return bytesOf(v), ""
}

// joined puts the texts of several columns together; null when one is.
func (d *Decoder) joined(s *stepReader, fields [][]byte) []byte {
	n := len(s.expr.join) * (len(s.from) - 1)
	for _, at := range s.from {
		if s.orNull(fields[at]) == nil {
			return nil
		}
		n += len(fields[at])
	}
	b := d.arena.take(n)
	for i, at := range s.from {
		if i > 0 {
			b = append(b, s.expr.join...)
		}
		b = append(b, s.orNull(fields[at])...)
	}
	return b
}

// trimSpace takes spaces and tabs off both ends; what is nil stays nil.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// textOf returns b as a string without copying it.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s as bytes that must not be written to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// arena hands out bytes that are never handed out again.
type arena struct{ free []byte }

// take returns n free bytes, as a slice of length 0.
func (a *arena) take(n int) []byte {
	if n > cap(a.free)-len(a.free) {
		a.free = make([]byte, 0, max(n, 16<<10))
	}
	at := len(a.free)
	a.free = a.free[:at+n]
	return a.free[at : at : at+n]
}

// slab makes values many at a time.
type slab[T any] struct{ free []T }

func (s *slab[T]) next() *T {
	if len(s.free) == 0 {
		s.free = make([]T, 128)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}

func (s *slab[T]) of(v T) *T {
	p := s.next()
	*p = v
	return p
}
