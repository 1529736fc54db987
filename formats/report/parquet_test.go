package report_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"concord/engine"
	"concord/formats/report"
)

// TestParquetHoldsWhatCSVHolds reads both with readers of their own.
func TestParquetHoldsWhatCSVHolds(t *testing.T) {
	many := report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet"}}, {{Name: "carrier.csv"}}}, Rules: engine.DefaultRules()}
	for name, out := range map[string]string{
		"every kind of row":  writeTo(t, sampleResult(), sampleOptions()),
		"several row groups": writeTo(t, manyCases(70_001), many),
		"no row":             writeTo(t, manyCases(0), many),
	} {
		t.Run(name, func(t *testing.T) {
			for _, table := range []string{"discrepancies", "usage", "verdicts"} {
				if _, err := os.Stat(filepath.Join(out, table+".csv")); err == nil {
					sameTable(t, filepath.Join(out, table))
				}
			}
		})
	}
}

func sameTable(t *testing.T, base string) {
	t.Helper()
	want, err := csv.NewReader(strings.NewReader(read(t, base+".csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := readParquet(t, base+".parquet")
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows in Parquet, %d in CSV", base, len(got), len(want))
	}
	for i := range want {
		for j, cell := range want[i] {
			// A quote that keeps a spreadsheet from calculating is no part of the value.
			if plain := strings.TrimPrefix(cell, "'"); got[i][j] != plain {
				t.Fatalf("%s: row %d, column %s: %q in Parquet, %q in CSV", base, i, want[0][j], got[i][j], plain)
			}
		}
	}
}

func readParquet(t *testing.T, name string) (rows [][]string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	fields := p.Schema().Fields()
	for _, field := range fields {
		head = append(head, field.Name())
	}
	rows = append(rows, head)
	r := parquet.NewReader(p)
	defer r.Close()
	buf := make([]parquet.Row, 100)
	for {
		n, err := r.ReadRows(buf)
		for _, row := range buf[:n] {
			line := make([]string, len(fields))
			for i, v := range row {
				line[i] = shown(fields[i].Type(), v)
			}
			rows = append(rows, line)
		}
		if err != nil {
			return rows
		}
	}
}

// shown writes a value as the CSV does, by its Parquet type alone.
func shown(typ parquet.Type, v parquet.Value) string {
	lt := typ.LogicalType()
	switch {
	case v.IsNull():
		return ""
	case lt == nil, lt.String() == "INT(64,true)":
		return strconv.FormatInt(v.Int64(), 10)
	}
	switch lt.String() {
	case "STRING":
		return v.String()
	case "DATE":
		return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly)
	case "DECIMAL(18,3)":
		s := strconv.FormatFloat(float64(v.Int64())/1000, 'f', -1, 64)
		return s
	case "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)":
		return time.UnixMicro(v.Int64()).UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint("unknown type ", lt)
}
