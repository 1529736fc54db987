package jobs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/fixtures"
)

var benchRows = flag.Int64("records.rows", 100_000, "rows of the files of the benchmarks of records")

// monthOf writes a month of both sides as CSV.
func monthOf(b *testing.B) (dir string, f fixtures.Files) {
	b.Helper()
	dir = b.TempDir()
	f, err := fixtures.Write(dir, fixtures.Options{Seed: 1, Calls: *benchRows, Dialect: "german", Microsoft: "csv", NoTruth: true})
	if err != nil {
		b.Fatal(err)
	}
	return dir, f
}

// BenchmarkInspect reads a month's CSV of a carrier, with and without writing
// its records.
func BenchmarkInspect(b *testing.B) {
	dir, f := monthOf(b)
	for _, name := range []string{"", filepath.Join(dir, "c.records")} {
		b.Run(fmt.Sprintf("records=%t", name != ""), func(b *testing.B) {
			o := InspectOptions{Path: filepath.Join(dir, f.Carrier[0]), Name: "c.csv", Profile: filepath.Join(dir, f.Profile), Records: name}
			for b.Loop() {
				if found, err := inspect(b.Context(), o); err != nil || len(found.Faults) > 0 {
					b.Fatal(err, found)
				}
			}
		})
	}
}

// BenchmarkMatchDay matches one day of a month, from the files and from the
// records of them.
func BenchmarkMatchDay(b *testing.B) {
	dir, f := monthOf(b)
	day := time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC)
	raw := MatchOptions{Profile: filepath.Join(dir, f.Profile), From: day, To: day.AddDate(0, 0, 1)}
	kept := raw
	for side, names := range [2][]string{f.Microsoft, f.Carrier} {
		for _, name := range names {
			o := InspectOptions{Path: filepath.Join(dir, name), Name: name, Microsoft: side == 0, Records: filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+recordsEnding)}
			if side == 1 {
				o.Profile = raw.Profile
				raw.Carrier = append(raw.Carrier, o.Path)
			} else {
				raw.Microsoft = append(raw.Microsoft, o.Path)
			}
			if found, err := inspect(b.Context(), o); err != nil || len(found.Faults) > 0 {
				b.Fatal(err, found)
			}
			kept.Records[side] = append(kept.Records[side], RecordsInput{o.Records, name})
		}
	}
	for name, o := range map[string]MatchOptions{"files": raw, "records": kept} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o.Out = filepath.Join(dir, "out")
				if _, err := Match(b.Context(), o, engine.Observer{}); err != nil {
					b.Fatal(err)
				}
				if err := os.RemoveAll(o.Out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
