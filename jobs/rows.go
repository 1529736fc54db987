package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"concord/engine"
	"concord/exchange/landing"
	"concord/formats"
)

// MostRows is how many rows a carrier may post at once.
const MostRows = 1000

// RowBatch is what a carrier's key stands for.
type RowBatch struct {
	Body   string // SHA-256 of what was sent with it, in hex
	Fresh  bool   // the key was never seen before
	Placed bool   // its file has been in the inbox
}

// RowBatches remembers under which keys carriers have posted rows.
type RowBatches interface {
	// BindRows binds a carrier's key to what was sent with it, unless it is
	// bound already, and returns what it stands for. Of several at once one
	// binds it. Fresh may be false for one that was never seen, and is never true for
	// another one.
	BindRows(ctx context.Context, carrier, key, body string, now time.Time) (RowBatch, error)
	// PlaceRows remembers that the file of a key is in the inbox. Repeated, it
	// changes nothing.
	PlaceRows(ctx context.Context, carrier, key string, now time.Time) error
}

// RowFault is what is wrong with a row, and never a value.
type RowFault struct {
	Row    int    // from 1; 0: it is about all of them
	Field  string // empty: it is about the row
	Reason string
}

// ErrRows says that what was posted is not of the form of rows.
var ErrRows = errors.New("it is not of the form {\"rows\": [{\"start\": …, \"duration_ms\": …}, …]}")

// RowsName returns the name of the file of rows that were posted under a key.
// It is of the kind that no carrier can give a file, and whatever is called so is
// read as canonical, whatever the carrier's profile says. It has no digits, which
// could look like those of a number.
func RowsName(key string) string {
	sum := sha256.Sum256([]byte(key))
	name := make([]byte, 0, 32)
	for _, b := range sum[:16] {
		name = append(name, 'a'+b>>4, 'a'+b&15)
	}
	return landing.ReservedPrefix + string(name) + ".csv"
}

// isRows reports whether a file of a carrier was made of rows that it posted.
func isRows(name string) bool { return landing.IsReserved(name) }

// rowFields are those of a duration record, in the order of the columns.
func rowFields() []string {
	return []string{"record_id", "correlation_id", "direction", "caller", "callee", "start", "end", "duration_ms", "cause", "revision"}
}

// RowsFile makes a canonical file of rows in JSON. The same rows make the same
// file. When something is wrong with any of them there is none: the faults say
// what. An ErrRows says what is wrong with the whole.
func RowsFile(ctx context.Context, carrier string, body []byte) (content []byte, rows int, faults []RowFault, err error) {
	t := &rowTable{carrier: carrier}
	if err := t.read(body); err != nil {
		return nil, 0, nil, err
	}
	if len(t.cells) == 0 {
		return nil, 0, nil, fmt.Errorf("%w: there are no rows", ErrRows)
	}
	content, err = t.encode()
	if err == nil && len(t.faults) == 0 {
		err = t.check(ctx, content)
	}
	if err != nil || len(t.faults) > 0 {
		return nil, len(t.cells), t.faults, err
	}
	return content, len(t.cells), nil, nil
}

// rowTable is what was posted, as a table.
type rowTable struct {
	carrier string
	cells   [][]string
	faults  []RowFault
}

func (t *rowTable) fault(field, format string, args ...any) {
	t.faults = append(t.faults, RowFault{Row: len(t.cells), Field: field, Reason: fmt.Sprintf(format, args...)})
}

// read takes an object with rows apart. Its names are looked at one by one: what is
// there twice must not count as one of the two.
func (t *rowTable) read(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	err := t.object(d)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind it")
		}
	}
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it is no JSON, from byte %d on", ErrRows, d.InputOffset())
	}
	return fmt.Errorf("%w: %w", ErrRows, err)
}

func (t *rowTable) object(d *json.Decoder) error {
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	if err := expect(d, "rows"); err != nil {
		return err
	}
	if err := expect(d, json.Delim('[')); err != nil {
		return err
	}
	for d.More() {
		if len(t.cells) == MostRows {
			return fmt.Errorf("there are more than %d rows; send them in several requests, each with a key of its own", MostRows)
		}
		if err := t.row(d); err != nil {
			return err
		}
	}
	if err := expect(d, json.Delim(']')); err != nil {
		return err
	}
	return expect(d, json.Delim('}'))
}

func expect(d *json.Decoder, want json.Token) error {
	switch got, err := d.Token(); {
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("%v is expected before byte %d", want, d.InputOffset())
	}
	return nil
}

// row reads one object.
func (t *rowTable) row(d *json.Decoder) error {
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	names := rowFields()
	cells, seen := make([]string, len(names)), make([]bool, len(names))
	t.cells = append(t.cells, cells)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		i := slices.Index(names, name.(string)) // names of objects are texts
		switch {
		case i < 0:
			t.fault("", "has a field that is none of %v", names)
		case seen[i]:
			t.fault(names[i], "is there twice")
		default:
			seen[i] = true
			cells[i] = t.cell(names[i], value)
		}
	}
	return expect(d, json.Delim('}'))
}

// cell is a value as the text of a canonical file.
func (t *rowTable) cell(field string, value json.RawMessage) (s string) {
	switch value[0] {
	case 'n': // null
	case '"':
		if err := json.Unmarshal(value, &s); err != nil {
			t.fault(field, "is no text")
		}
	case '{', '[', 't', 'f':
		t.fault(field, "is neither a text nor a number")
	default:
		s = string(value)
	}
	return s
}

// encode writes the table as a canonical file.
func (t *rowTable) encode() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.Write(rowFields())
	for _, cells := range t.cells {
		err = errors.Join(err, w.Write(cells))
	}
	w.Flush()
	return b.Bytes(), errors.Join(err, w.Error())
}

// check reads the file as it will be read, and notes what is wrong with it.
func (t *rowTable) check(ctx context.Context, content []byte) error {
	in := formats.Input{Name: "rows", R: bytes.NewReader(content), Size: int64(len(content))}
	files, err := formats.Open(ctx, engine.Carrier, []formats.Input{in}, formats.Options{Carrier: t.carrier, Details: true})
	if err == nil {
		err = errors.Join(t.rows(ctx, files), files.Close())
	}
	if len(t.faults) > 0 {
		return ctx.Err()
	}
	for _, f := range faults(err) {
		t.faults = append(t.faults, RowFault{Reason: f.Reason})
	}
	return noted(err)
}

func (t *rowTable) rows(ctx context.Context, files *formats.Files) error {
	calls := make([]engine.Call, 256)
	for {
		part, err := files.Next(ctx)
		if errors.Is(err, io.EOF) {
			err = files.Finish(ctx)
			if got := files.Info()[0].Rows; err == nil && got != int64(len(t.cells)) {
				err = fmt.Errorf("%d rows are read as %d", len(t.cells), got)
			}
			return err
		}
		if err != nil {
			return err
		}
		for err == nil {
			var bad *engine.RowError
			if _, err = part.Read(ctx, calls); errors.As(err, &bad) {
				t.faults, err = append(t.faults, RowFault{Row: int(bad.Row), Field: bad.Field, Reason: bad.Reason}), nil
			}
		}
		if err = errors.Join(part.Close(), unlessEOF(err)); err != nil {
			return err
		}
	}
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
