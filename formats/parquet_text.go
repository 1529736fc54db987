package formats

import (
	"context"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"time"
	"unsafe"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/parquetio"
)

// textPart reads rows through a profile: typed values become the text that
// Decoder takes.
type textPart struct {
	parquetPart
	work *textWork
}

// textWork is what one worker needs to read parts.
type textWork struct {
	dec    *dialect.Decoder
	fields [][]byte
	buf    []byte // texts of the batch; never moved, as calls may point into it
}

func newTextPart(p parquetPart) *textPart {
	w, ok := p.r.spare.Get().(*textWork)
	if !ok {
		w = &textWork{dec: p.r.plan.Decoder(), fields: make([][]byte, len(p.r.cols))}
	}
	return &textPart{parquetPart: p, work: w}
}

// Read implements engine.Part.
func (p *textPart) Read(ctx context.Context, dst []engine.Call) (n int, err error) {
	if len(dst) == 0 {
		return 0, nil
	}
	fresh, err := p.advance(ctx, len(dst))
	if err != nil {
		return 0, err
	}
	if fresh {
		p.work.buf = p.work.buf[:0]
	}
	for ; p.at < p.n && n < len(dst); p.at++ {
		switch bad, keep := p.decode(p.at, &dst[n]); {
		case bad != nil:
			p.at++
			return n, bad
		case keep:
			p.tally.accept(&dst[n])
			n++
		default:
			p.tally.filtered++
		}
	}
	return n, nil
}

// decode makes a call of row i of the batch; keep is false when the profile
// leaves it out.
func (p *textPart) decode(i int, c *engine.Call) (bad *engine.RowError, keep bool) {
	most := p.r.job.opts.Limits.Field
	w := p.work
	for k := range p.r.texts {
		b := w.text(&p.r.texts[k], p.rows.Vector(k), i)
		if reason := badText(b, most); reason != "" {
			return p.rejected(&engine.RowError{Field: p.r.texts[k].field, Reason: reason}, i), false
		}
		w.fields[k] = b
	}
	switch bad = w.dec.Decode(w.fields, c); {
	case bad == dialect.Filtered:
		return nil, false
	case bad != nil:
		return p.rejected(bad, i), false
	}
	c.Row = p.row(i)
	return nil, true
}

// Close implements engine.Part.
func (p *textPart) Close() error {
	if p.close() {
		p.r.spare.Put(p.work)
	}
	return nil
}

// texter turns the values of one column into text.
type texter struct {
	col    parquetio.Column
	field  string // the first canonical field that is made of it
	typed  dialect.TypedTime
	append func(t *texter, b []byte, v *parquetio.Values, i int) []byte // nil: the bytes themselves
}

func texterOf(c parquetio.Column) texter {
	t := texter{col: c}
	switch {
	case c.Logical == parquetio.Timestamp && c.UTC:
		t.typed, t.append = dialect.TypedInstant, appendInstant
	case c.Logical == parquetio.Timestamp:
		t.typed, t.append = dialect.TypedLocal, appendInstant
	case c.Logical == parquetio.Time:
		t.append = appendClock
	case c.Logical == parquetio.Date:
		t.append = appendDate
	case c.Logical == parquetio.Decimal && c.Physical <= parquetio.Int64:
		t.append = appendDecimalInt
	case c.Logical == parquetio.Decimal:
		t.append = appendDecimalBytes
	case c.Logical == parquetio.UUID && c.Width == 16:
		t.append = appendUUID
	case c.Physical == parquetio.Boolean:
		t.append = appendBool
	case c.Physical == parquetio.Float:
		t.append = appendFloat32
	case c.Physical == parquetio.Double:
		t.append = appendFloat64
	case c.Physical <= parquetio.Int64:
		t.append = appendInt
	}
	return t
}

// text returns the text of row i, or nil for null. It is valid until the next
// batch.
func (w *textWork) text(t *texter, v *parquetio.Vector, i int) []byte {
	if v.Nulls != nil && v.Nulls[i] {
		return nil
	}
	vals := &v.Values
	if v.Dict != nil {
		vals, i = &v.Dict.Values, int(v.Index[i])
	}
	if t.append == nil {
		return bytesOf(vals.Spans[i].In(vals.Data))
	}
	if cap(w.buf)-len(w.buf) < maxTypedText {
		w.buf = make([]byte, 0, 64<<10)
	}
	from := len(w.buf)
	w.buf = t.append(t, w.buf, vals, i)
	return w.buf[from:len(w.buf):len(w.buf)]
}

// maxTypedText is more than most typed values take as text. A longer one makes
// append move the buffer, which leaves the texts before it where they are.
const maxTypedText = 64

func appendInt(t *texter, b []byte, v *parquetio.Values, i int) []byte {
	if t.col.Unsigned {
		return strconv.AppendUint(b, uint64(v.Ints[i]), 10)
	}
	return strconv.AppendInt(b, v.Ints[i], 10)
}

func appendBool(_ *texter, b []byte, v *parquetio.Values, i int) []byte {
	return strconv.AppendBool(b, v.Ints[i] != 0)
}

// appendFloat32 writes the shortest decimal that stands for the value: what
// the sender would have printed.
func appendFloat32(_ *texter, b []byte, v *parquetio.Values, i int) []byte {
	return strconv.AppendFloat(b, v.Floats[i], 'f', -1, 32)
}

func appendFloat64(_ *texter, b []byte, v *parquetio.Values, i int) []byte {
	return strconv.AppendFloat(b, v.Floats[i], 'f', -1, 64)
}

func appendUUID(_ *texter, b []byte, v *parquetio.Values, i int) []byte {
	id := bytesOf(v.Spans[i].In(v.Data))
	if len(id) != 16 {
		return b
	}
	for k, part := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if k > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

// micros converts a value of a time column; what is finer is cut off.
func (t *texter) micros(v int64) (us int64, ok bool) {
	switch t.col.Unit {
	case parquetio.Nanos:
		return microsOf(v), true
	case parquetio.Millis:
		return v * 1000, v < math.MaxInt64/1000 && v > math.MinInt64/1000
	}
	return v, true
}

// appendInstant writes a timestamp for Decoder: with a Z when it is an
// instant. One that no Call may hold becomes a time of the year 9999, which
// Decoder rejects as such.
func appendInstant(t *texter, b []byte, v *parquetio.Values, i int) []byte {
	us, ok := t.micros(v.Ints[i])
	const day = 86400_000_000 // a local time may lie beyond the limits by its offset
	if !ok || us < engine.MinStart-day || us >= engine.MaxStart+day {
		b = append(b, "9999-01-01T00:00:00"...)
	} else {
		b = time.UnixMicro(us).UTC().AppendFormat(b, "2006-01-02T15:04:05.999999")
	}
	if t.typed == dialect.TypedInstant {
		b = append(b, 'Z')
	}
	return b
}

func appendClock(t *texter, b []byte, v *parquetio.Values, i int) []byte {
	us, ok := t.micros(v.Ints[i])
	if !ok || us < 0 || us >= 86400_000_000 {
		return append(b, "not a time of day"...)
	}
	return time.UnixMicro(us).UTC().AppendFormat(b, "15:04:05.999999")
}

func appendDate(_ *texter, b []byte, v *parquetio.Values, i int) []byte {
	days := v.Ints[i]
	if days < -25567 || days > 106751 { // 1900 to 2262
		return append(b, "9999-01-01"...)
	}
	return time.Unix(days*86400, 0).UTC().AppendFormat(b, time.DateOnly)
}

func appendDecimalInt(t *texter, b []byte, v *parquetio.Values, i int) []byte {
	return appendScaled(b, big.NewInt(v.Ints[i]), t.col.Scale)
}

// maxDecimalBytes is more than the 38 digits that any writer offers take.
const maxDecimalBytes = 32

func appendDecimalBytes(t *texter, b []byte, v *parquetio.Values, i int) []byte {
	raw := bytesOf(v.Spans[i].In(v.Data))
	if len(raw) == 0 || len(raw) > maxDecimalBytes {
		return append(b, "not a decimal"...)
	}
	x := new(big.Int).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return appendScaled(b, x, t.col.Scale)
}

// appendScaled writes x / 10^scale with all its decimals.
func appendScaled(b []byte, x *big.Int, scale int) []byte {
	if x.Sign() < 0 {
		b = append(b, '-')
		x = new(big.Int).Neg(x)
	}
	if scale == 0 {
		return x.Append(b, 10)
	}
	digits := x.Append(nil, 10)
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	b = append(b, digits[:len(digits)-scale]...)
	b = append(b, '.')
	return append(b, digits[len(digits)-scale:]...)
}

// bytesOf returns s as bytes that must not be written to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// ColumnText turns the values of a Parquet column into text, for readers of
// other records than calls. It is not safe for concurrent use.
type ColumnText struct {
	texter texter
	work   textWork
}

// TextOf returns the ColumnText of a column.
func TextOf(c parquetio.Column) *ColumnText { return &ColumnText{texter: texterOf(c)} }

// At returns the text of row i of a batch, or nil for null. It is valid until
// the next call.
func (c *ColumnText) At(v *parquetio.Vector, i int) []byte {
	c.work.buf = c.work.buf[:0]
	return c.work.text(&c.texter, v, i)
}
