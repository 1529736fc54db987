package formats

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats/dialect"
	"concord/formats/parquetio"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// col makes a column of a test file.
func col(name string, p parquetio.Physical, more ...func(*parquetio.WriteColumn)) parquetio.WriteColumn {
	c := parquetio.WriteColumn{Column: parquetio.Column{Name: name, Physical: p}}
	for _, f := range more {
		f(&c)
	}
	return c
}

func optional(c *parquetio.WriteColumn)   { c.Optional = true }
func dictionary(c *parquetio.WriteColumn) { c.Dictionary = true }

func stamp(u parquetio.Unit, utc bool) func(*parquetio.WriteColumn) {
	return func(c *parquetio.WriteColumn) { c.Logical, c.Unit, c.UTC = parquetio.Timestamp, u, utc }
}

// parquetFile writes rows of nil, int, float64 and string.
func parquetFile(t interface{ Fatal(...any) }, group int, cols []parquetio.WriteColumn, rows ...[]any) []byte {
	var b bytes.Buffer
	w, err := parquetio.NewWriter(&b, cols, parquetio.WriterOptions{Codec: parquetio.Snappy, RowGroupRows: group, PageBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for i, v := range row {
			switch v := v.(type) {
			case nil:
				w.Column(i).Null()
			case int:
				w.Column(i).Int(int64(v))
			case float64:
				w.Column(i).Float(v)
			case string:
				w.Column(i).String(v)
			}
		}
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// carrierColumns are what the tests below need of a canonical file.
func carrierColumns(more ...func(*parquetio.WriteColumn)) []parquetio.WriteColumn {
	at := func(u parquetio.Unit) func(*parquetio.WriteColumn) { return stamp(u, true) }
	cols := []parquetio.WriteColumn{
		col("record_id", parquetio.ByteArray, more...), col("caller", parquetio.ByteArray, more...),
		col("direction", parquetio.ByteArray, more...), col("duration_source", parquetio.ByteArray, more...),
		col("start", parquetio.Int64, append(more, at(parquetio.Millis))...), col("end", parquetio.Int64, append(more, at(parquetio.Nanos))...),
		col("duration_ms", parquetio.Int64, more...), col("revision", parquetio.Int64, more...),
		col("clock_untrusted", parquetio.Boolean, more...),
		col("carrier", parquetio.ByteArray, more...), col("caller_raw", parquetio.ByteArray, more...), col("charge", parquetio.ByteArray, more...),
		col("answered", parquetio.Boolean, more...), col("sip_code", parquetio.Int64, more...), col("invite", parquetio.Int64, append(more, at(parquetio.Micros))...),
	}
	return cols
}

// Canonical columns are read as they are, others go through text. Both say the
// same of every row, good or bad, with details and without.
func TestTypedAndTextAgree(t *testing.T) {
	const start = 1_760_000_000_000
	pools := [][]any{
		{"a", "b", "", "\xff", nil}, {"+4930123456", "anonymous", "+4930***", "x", "\xff", strings.Repeat("9", 40), "", nil},
		{"in", "out", "unknown", "IN", "\xff", "", nil}, {"microsoft", "operator", "?", strings.Repeat("x", 40), nil},
		{start, start + 1, start, -3_000_000_000_000, 1 << 62, nil}, {start * 1_000_000, (start + 7) * 1_000_000, -1 << 62, nil, nil},
		{0, 1, 60_000, -1, engine.MaxDuration + 1, nil}, {0, 1, 1 << 40, nil}, {0, 1, nil},
		{"fabrikam", "\xff", "", nil}, {"+49 30", "", nil}, {"0.50", "-1", "1e2", "x", "", nil}, {0, 1, nil}, {404, 0, -1, 1 << 40, nil}, {start * 1000, -1 << 62, nil},
	}
	rapid.Check(t, func(t *rapid.T) {
		more := []func(*parquetio.WriteColumn){optional}
		if rapid.Bool().Draw(t, "dictionary") {
			more = append(more, dictionary)
		}
		tidy := rapid.IntRange(0, 9).Draw(t, "tidy")
		var rows [][]any
		for range rapid.IntRange(1, 60).Draw(t, "rows") {
			row := make([]any, len(pools))
			for j, p := range pools {
				row[j] = p[0]
				if rapid.IntRange(0, 9).Draw(t, "how tidy") >= tidy {
					row[j] = rapid.SampledFrom(p).Draw(t, "value")
				}
			}
			rows = append(rows, row)
		}
		file := parquetFile(t, rapid.IntRange(1, 70).Draw(t, "group"), carrierColumns(more...), rows...)
		side := rapid.SampledFrom([]engine.Side{engine.Microsoft, engine.Carrier}).Draw(t, "side")
		limits := dialect.Limits{MaxRejected: 1, Field: 30}
		room := rapid.IntRange(1, 70).Draw(t, "room")
		details := rapid.Bool().Draw(t, "details")
		typed, badTyped, infoTyped, err := readBack(side, file, Options{Limits: limits, Details: details}, room)
		if err != nil {
			t.Fatal(err)
		}
		text, badText, infoText, err := readBack(side, file, Options{Limits: limits, Details: details, texts: true}, room)
		if err != nil {
			t.Fatal(err)
		}
		same := cmp.Comparer(func(a, b engine.Number) bool { return a == b })
		if d := cmp.Diff(text, typed, same) + cmp.Diff(badText, badTyped) + cmp.Diff(infoText, infoTyped); d != "" {
			t.Fatal(d)
		}
		if n := int64(len(typed) + len(badTyped)); n != int64(len(rows)) || n != infoTyped.Rows {
			t.Fatalf("%d rows became %d", len(rows), n)
		}
	})
}

func TestBadParquetRowsAreLocated(t *testing.T) {
	cols := []parquetio.WriteColumn{col("record_id", parquetio.ByteArray), col("start", parquetio.Int64, stamp(parquetio.Micros, true)), col("duration_ms", parquetio.Int64, optional)}
	file := parquetFile(t, 2, cols,
		[]any{"a", 0, 1}, []any{"b", 0, 2}, []any{"c", 0, -1}, []any{"d", 0, 3}, []any{"e", 0, nil}, []any{"f", 0, 4})
	calls, bad, _, err := readBack(engine.Carrier, file, Options{}, 10)
	if err != nil || len(calls) != 4 || calls[3].Row != 6 {
		t.Fatal(err, calls)
	}
	want := []*engine.RowError{
		{Row: 3, RowGroup: 2, RecordID: "c", Field: "duration_ms", Reason: dialect.ReasonNegative},
		{Row: 5, RowGroup: 3, RecordID: "e", Field: "duration_ms", Reason: dialect.ReasonEmpty},
	}
	if d := cmp.Diff(want, bad); d != "" {
		t.Fatal(d)
	}
	if !strings.Contains(bad[0].Error(), "row group 2, row 3") {
		t.Error(bad[0])
	}
}

// One call, in each of the types in which a sender may keep it.
func TestTypesOfOtherWriters(t *testing.T) {
	const us = 1_760_000_000_500_000
	id := col("record_id", parquetio.ByteArray)
	at := col("start", parquetio.Int64, stamp(parquetio.Micros, true))
	ms := col("duration_ms", parquetio.Int64)
	for _, tc := range []struct {
		name string
		cols []parquetio.WriteColumn
		row  []any
		want string // what the file is rejected with
	}{
		{"plain", []parquetio.WriteColumn{id, at, ms}, []any{"42", us, 61000}, ""},
		{"ids are numbers", []parquetio.WriteColumn{col("record_id", parquetio.Int64), at, ms}, []any{42, us, 61000}, ""},
		{"milliseconds", []parquetio.WriteColumn{id, col("start", parquetio.Int64, stamp(parquetio.Millis, true)), ms}, []any{"42", us / 1000, 61000}, ""},
		{"nanoseconds", []parquetio.WriteColumn{id, col("start", parquetio.Int64, stamp(parquetio.Nanos, true)), ms}, []any{"42", us * 1000, 61000}, ""},
		{"times without a zone are UTC", []parquetio.WriteColumn{id, col("start", parquetio.Int64, stamp(parquetio.Micros, false)), ms}, []any{"42", us, 61000}, ""},
		{"times are text", []parquetio.WriteColumn{id, col("start", parquetio.ByteArray), ms}, []any{"42", "2025-10-09T10:53:20.5+02:00", 61000}, ""},
		{"a short duration", []parquetio.WriteColumn{id, at, col("duration_ms", parquetio.Int32)}, []any{"42", us, 61000}, ""},
		{"a duration with a fraction", []parquetio.WriteColumn{id, at, col("duration_ms", parquetio.Double)}, []any{"42", us, 61000.0}, ""},
		{"columns in another order", []parquetio.WriteColumn{ms, at, id}, []any{61000, us, "42"}, ""},
		{"times are numbers of who knows what", []parquetio.WriteColumn{id, col("start", parquetio.Int64), ms}, []any{"42", us, 61000}, "layout"},
		{"no start", []parquetio.WriteColumn{id, ms}, []any{"42", 61000}, `"start" is missing`},
		{"a column twice", []parquetio.WriteColumn{id, at, at, ms}, []any{"42", us, us, 61000}, "more than once"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			calls, bad, _, err := readBack(engine.Carrier, parquetFile(t, 10, tc.cols, tc.row), Options{}, 5)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want %q", err, tc.want)
				}
				return
			}
			want := []engine.Call{{RecordID: "42", Start: us, DurationMS: 61000, Row: 1}}
			if d := cmp.Diff(want, calls, cmp.Comparer(func(a, b engine.Number) bool { return a == b })); d != "" || err != nil || len(bad) > 0 {
				t.Fatal(d, err, bad)
			}
		})
	}
}

// A row group that is too large for one worker is read in parts that fit
// together.
func TestLargeRowGroupIsSplit(t *testing.T) {
	const rows = maxPartRows + 100
	var b bytes.Buffer
	w, err := NewCanonicalWriter(&b, engine.Carrier, CanonicalParquet, CanonicalOptions{Columns: []string{"start", "duration_ms"}, RowGroupRows: 2 * rows})
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]engine.Call, 1024)
	for i := 0; i < rows; i += len(batch) {
		batch = batch[:min(len(batch), rows-i)]
		for k := range batch {
			batch[k].Start, batch[k].DurationMS = int64(i+k), int64(i+k)%1000
		}
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(context.Background(), engine.Carrier, []Input{bytesInput("large", b.Bytes())}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parts, next := 0, int64(0)
	for ; ; parts++ {
		p, err := f.Next(context.Background())
		if err == io.EOF {
			break
		}
		if err != nil || p.Place().First != next+1 {
			t.Fatal(err, p.Place())
		}
		next = wantRising(t, p, next)
	}
	if err := f.Finish(context.Background()); err != nil || parts != 2 || next != rows {
		t.Fatal(err, parts, next)
	}
}

// wantRising reads a part of calls whose start is their place in the file.
func wantRising(t *testing.T, p engine.Part, next int64) int64 {
	t.Helper()
	dst := make([]engine.Call, 1000)
	var err error
	for err == nil {
		var n int
		n, err = p.Read(context.Background(), dst)
		for _, c := range dst[:n] {
			if c.Start != next || c.Row != next+1 {
				t.Fatalf("call %d: start %d, row %d", next, c.Start, c.Row)
			}
			next++
		}
	}
	if err = errors.Join(p.Close()); err != nil {
		t.Fatal(err)
	}
	return next
}

func TestBrokenParquetIsAFileError(t *testing.T) {
	file, err := written(engine.Carrier, CanonicalParquet, CanonicalOptions{}, benchCalls(500))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(file)
	flipped[len(file)/4] ^= 4
	for name, tc := range map[string]struct {
		file []byte
		want string
	}{
		"cut short":        {file[:len(file)/2], "cut short"},
		"a bit is flipped": {flipped, "broken"},
		"22 bytes":         {append([]byte("PAR1\x15\x02\x19\xfc\xff\xff\xff\xff\x07\x00"), "\x0a\x00\x00\x00PAR1"...), "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := readBack(engine.Carrier, tc.file, Options{}, 100)
			var fe *FileError
			if !errors.As(err, &fe) || !strings.Contains(fe.Reason, tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestScaledDecimals(t *testing.T) {
	for _, tc := range []struct {
		value int64
		scale int
		want  string
	}{{0, 2, "0.00"}, {5, 3, "0.005"}, {-5, 1, "-0.5"}, {12345, 2, "123.45"}, {-12345, 0, "-12345"}} {
		x := texter{col: parquetio.Column{Scale: tc.scale}}
		got := string(appendDecimalInt(&x, nil, &parquetio.Values{Ints: []int64{tc.value}}, 0))
		if got != tc.want {
			t.Errorf("%d with %d decimals: %s", tc.value, tc.scale, got)
		}
		raw := string([]byte{byte(tc.value >> 56), byte(tc.value >> 48), byte(tc.value >> 40), byte(tc.value >> 32), byte(tc.value >> 24), byte(tc.value >> 16), byte(tc.value >> 8), byte(tc.value)})
		v := &parquetio.Values{Spans: []parquetio.Span{{Len: 8}}, Data: []byte(raw)}
		if got := string(appendDecimalBytes(&x, nil, v, 0)); got != tc.want {
			t.Errorf("%d with %d decimals in bytes: %s", tc.value, tc.scale, got)
		}
	}
}

func TestWriterRefusesWhatNoReaderAccepts(t *testing.T) {
	for name, c := range map[string]engine.Call{
		"no record id": {}, "a negative duration": {RecordID: "a", DurationMS: -1}, "a start in the year 1000": {RecordID: "a", Start: -30_000_000_000_000_000},
	} {
		if _, err := written(engine.Microsoft, CanonicalCSV, CanonicalOptions{}, []engine.Call{c}); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if _, err := written(engine.Carrier, CanonicalCSV, CanonicalOptions{Columns: []string{"start", "start"}}, nil); err == nil {
		t.Error("a column was written twice")
	}
}

// A profile reads a carrier's own Parquet dialect as it reads its CSV.
func TestParquetThroughAProfile(t *testing.T) {
	profile, err := dialect.Parse("carrier.yaml", []byte(`carrier: fabrikam
columns:
  record_id: CDR
  caller: A
  callee: B
  start: {column: BEGIN, zone: Europe/Berlin}
  duration: {column: SECONDS, unit: s}
numbers: {country: DE, national_prefix: "0", international_prefix: "00"}
`))
	if err != nil {
		t.Fatal(err)
	}
	file := parquetFile(t, 10, []parquetio.WriteColumn{
		col("CDR", parquetio.Int64, dictionary), col("A", parquetio.ByteArray), col("B", parquetio.ByteArray, optional),
		col("BEGIN", parquetio.Int64, stamp(parquetio.Millis, false)), col("SECONDS", parquetio.Double), col("NOTE", parquetio.ByteArray),
	},
		[]any{7, "03012345678", nil, 1_790_856_000_000, 1.5, "x"},
		[]any{8, "00442071234567", "030999999", 1_790_856_000_000, -1.0, "y"},
		[]any{9, "00442071234567", "030999999", 1_790_856_000_000, 0.0, "z"})
	calls, bad, info, err := readBack(engine.Carrier, file, Options{Profile: profile, Limits: dialect.Limits{MaxRejected: 1}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	const noonInBerlin = 1_790_856_000_000_000 - 7_200_000_000
	want := []engine.Call{
		{RecordID: "7", Caller: engine.E164(493012345678), Start: noonInBerlin, DurationMS: 1500, Row: 1},
		{RecordID: "9", Caller: engine.E164(442071234567), Callee: engine.E164(4930999999), Start: noonInBerlin, Row: 3},
	}
	if d := cmp.Diff(want, calls, cmp.Comparer(func(a, b engine.Number) bool { return a == b })); d != "" {
		t.Fatal(d)
	}
	if len(bad) != 1 || bad[0].Row != 2 || bad[0].RowGroup != 1 || bad[0].RecordID != "8" || bad[0].Field != "duration_ms" {
		t.Fatal(bad)
	}
	if !cmp.Equal(info.UnknownColumns, []string{"NOTE"}) || len(info.Notes) != 1 || info.Rows != 3 {
		t.Fatalf("%+v", info)
	}
}
