package formats

import (
	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/inert"
	"concord/formats/parquetio"
)

// CallColumns are the columns of a canonical file of Microsoft's side, for who
// writes many such files at once and keeps the rows of each apart. A
// CanonicalWriter writes the same into one file.
type CallColumns struct {
	fields []outField
	// Inert keeps spreadsheets from taking texts in CSV for formulas: those
	// that could be begin with an apostrophe, also when they are read again.
	Inert bool
}

// NewCallColumns chooses columns in an order; nil is all of WrittenColumns. An
// unknown or repeated column is an error.
func NewCallColumns(names []string) (*CallColumns, error) {
	fields, err := chosenFields(names)
	return &CallColumns{fields: fields}, err
}

// Parquet describes the columns to a writer.
func (c *CallColumns) Parquet() []parquetio.WriteColumn {
	cols := make([]parquetio.WriteColumn, len(c.fields))
	for i := range c.fields {
		cols[i] = c.fields[i].column(engine.Microsoft)
	}
	return cols
}

// Header returns the first line of a CSV file.
func (c *CallColumns) Header() []byte {
	e, _ := newCSVEncoder(nil, c.fields)
	return e.buf
}

// Encoder returns an encoder of rows. It is not safe for concurrent use; there
// may be several.
func (c *CallColumns) Encoder() *CallEncoder {
	return &CallEncoder{csv: csvEncoder{fields: c.fields, inert: c.Inert}}
}

// CallEncoder encodes calls row by row. It keeps nothing of them.
type CallEncoder struct {
	csv  csvEncoder
	none engine.Details // of calls without
	buf  []byte
}

func (e *CallEncoder) details(c *engine.Call) *engine.Details {
	if c.Details == nil {
		return &e.none
	}
	return c.Details
}

// AppendCSV appends the line of a call.
func (e *CallEncoder) AppendCSV(b []byte, c *engine.Call) []byte {
	e.csv.buf = b
	e.csv.row(c, e.details(c))
	b, e.csv.buf = e.csv.buf, nil
	return b
}

// Append adds the call to the buffers of its columns.
func (e *CallEncoder) Append(bufs []parquetio.Buffer, c *engine.Call) {
	d := e.details(c)
	for i := range e.csv.fields {
		f, b := &e.csv.fields[i], &bufs[i]
		switch {
		case f.text != nil:
			if s := f.text(c, d); s == "" {
				b.Null()
			} else {
				b.String(s)
			}
		case f.kind == dialect.KindNumber:
			e.buf = f.number(c).AppendFull(e.buf[:0])
			if len(e.buf) == 0 {
				b.Null()
			} else {
				b.Bytes(e.buf)
			}
		default:
			e.int(f, b, c, d)
		}
	}
}

func (e *CallEncoder) int(f *outField, b *parquetio.Buffer, c *engine.Call, d *engine.Details) {
	v, ok := f.int(c, d)
	switch {
	case !ok:
		b.Null()
	case f.kind == dialect.KindBool:
		b.Bool(v != 0)
	case f.kind == dialect.KindInt:
		b.Int32(int32(v))
	default:
		b.Int64(v)
	}
}

// AppendInert is AppendCSV for text that came from outside and that a
// spreadsheet must not take for a formula.
func AppendInert(b []byte, s string) []byte { return AppendCSV(b, inert.Text(s)) }

// AppendCSV appends the text of a field of a canonical file, in quotes when it
// would be read differently without.
func AppendCSV(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		// Nearly every text is digits, letters and hyphens: two comparisons.
		if c := s[i]; c < '-' && c != '+' || c == ';' || c == '|' {
			switch c {
			case ',', '"', '\n', '\r', ';', '\t', '|', '\'', '#':
				plain = false
			}
		}
	}
	if plain && (s == "" || s[0] != ' ' && s[len(s)-1] != ' ') {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
