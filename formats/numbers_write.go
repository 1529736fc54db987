package formats

import (
	"io"
	"strings"

	"concord/engine/numbers"
	"concord/formats/inert"
	"concord/formats/parquetio"
)

// NumbersWriter writes number assignments of one carrier as a canonical
// listing, in CSV or Parquet, or what changed between two listings. The same
// rows give the same bytes. It holds one Parquet row group, or one buffer of
// CSV. In CSV a text that a spreadsheet would take for a formula gets an
// apostrophe before it; a number keeps its plus.
type NumbersWriter struct {
	cells   []numberCell
	csv     *csvEncoder
	parquet *parquetio.Writer
	buf     []byte
}

// numberCell is a column of a written listing and where its value is found.
type numberCell struct {
	name string
	text func(c *numbers.Change) string
	time func(a *numbers.Assignment) (us int64, ok bool)
	few  bool // few distinct values are expected
}

// NumbersColumns returns the columns of a written listing in their order; with
// changes, those of a list of changes.
func NumbersColumns(changes bool) (names []string) {
	for _, c := range numberCells("", changes) {
		names = append(names, c.name)
	}
	return names
}

func numberCells(carrier string, changes bool) (cells []numberCell) {
	if changes {
		cells = append(cells,
			numberCell{name: "change", few: true, text: func(c *numbers.Change) string { return string(c.Kind) }},
			numberCell{name: "changed_fields", few: true, text: func(c *numbers.Change) string { return strings.Join(c.Fields, " ") }})
	}
	cells = append(cells,
		numberCell{name: "telephone_number"},
		numberCell{name: "carrier", few: true, text: func(*numbers.Change) string { return carrier }})
	for i, name := range numbers.FactNames() {
		cells = append(cells, numberCell{
			name: name, few: name != "target_id" && name != "sip_uri",
			text: func(c *numbers.Change) string { return *c.Facts.Fields()[i] },
		})
	}
	return append(cells,
		numberCell{name: "valid_from", time: func(a *numbers.Assignment) (int64, bool) { return a.From, a.From != numbers.Unsaid }},
		numberCell{name: "valid_to", time: func(a *numbers.Assignment) (int64, bool) { return a.To, a.To != numbers.Open }})
}

// NewNumbersWriter begins a file of a carrier's numbers, or with changes of
// what became of them. Close completes it and leaves w open.
func NewNumbersWriter(w io.Writer, format CanonicalFormat, carrier string, changes bool) (*NumbersWriter, error) {
	n := &NumbersWriter{cells: numberCells(carrier, changes)}
	if format == CanonicalCSV {
		n.csv = &csvEncoder{w: w, buf: make([]byte, 0, csvBuffer+4096)}
		n.csv.buf = append(append(n.csv.buf, strings.Join(NumbersColumns(changes), ",")...), '\n')
		return n, nil
	}
	var cols []parquetio.WriteColumn
	for _, c := range n.cells {
		col := parquetio.WriteColumn{Dictionary: c.few}
		col.Name, col.Physical, col.Logical = c.name, parquetio.ByteArray, parquetio.String
		col.Optional = c.text != nil && c.name != "carrier" && c.name != "change" || c.time != nil
		if c.time != nil {
			col.Physical, col.Logical, col.Unit, col.UTC = parquetio.Int64, parquetio.Timestamp, parquetio.Micros, true
		}
		cols = append(cols, col)
	}
	var err error
	n.parquet, err = parquetio.NewWriter(w, cols, parquetio.WriterOptions{Codec: parquetio.Snappy})
	return n, err
}

// Write adds an assignment. Of a list of changes the kind and the fields are
// written, too.
func (n *NumbersWriter) Write(c *numbers.Change) error {
	if n.parquet != nil {
		return n.writeParquet(c)
	}
	for i := range n.cells {
		if i > 0 {
			n.csv.buf = append(n.csv.buf, ',')
		}
		n.cell(&n.cells[i], c)
	}
	n.csv.buf = append(n.csv.buf, '\n')
	if len(n.csv.buf) < csvBuffer {
		return nil
	}
	return n.csv.flush()
}

func (n *NumbersWriter) cell(cell *numberCell, c *numbers.Change) {
	switch {
	case cell.text != nil:
		n.csv.text(inert.Text(cell.text(c)))
	case cell.time != nil:
		if us, ok := cell.time(&c.Assignment); ok {
			n.csv.time(us)
		}
	default:
		n.buf = c.Line.AppendFull(n.buf[:0])
		n.csv.text(string(n.buf))
	}
}
func (n *NumbersWriter) writeParquet(c *numbers.Change) error {
	for i := range n.cells {
		col := n.parquet.Column(i)
		switch cell := &n.cells[i]; {
		case cell.text != nil:
			if s := cell.text(c); s == "" {
				col.Null()
			} else {
				col.String(s)
			}
		case cell.time != nil:
			if us, ok := cell.time(&c.Assignment); ok {
				col.Int(us)
			} else {
				col.Null()
			}
		default:
			n.buf = c.Line.AppendFull(n.buf[:0])
			col.Bytes(n.buf)
		}
	}
	return n.parquet.EndRow()
}

// Close completes the file.
func (n *NumbersWriter) Close() error {
	if n.parquet != nil {
		return n.parquet.Close()
	}
	return n.csv.finish()
}
