package partition

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"concord/engine"
	"concord/formats"
)

// The rules of engine/MATCHING.md about repeats, one case each.
func TestWhichRowOfARecordCounts(t *testing.T) {
	const head = "record_id,start,duration_ms,revision,country_usage\n"
	row := func(duration, revision, country string) string {
		return "a,2026-10-01T10:00:00Z," + duration + "," + revision + "," + country + "\n"
	}
	for _, c := range []struct {
		name  string
		files []string
		want  string // the rows that count, as file:row
	}{
		{"one of each", []string{row("1", "", "") + "b,2026-10-01T10:00:00Z,1,,\n"}, "0:1 0:2"},
		{"a later file corrects an earlier one", []string{row("1", "", ""), row("2", "", "")}, "1:1"},
		{"of two in one file the first counts", []string{row("1", "", "") + row("2", "", "")}, "0:1"},
		{"a later file repeats it and knows the country", []string{row("1", "", ""), row("1", "", "DE")}, "1:1"},
		{"the same twice in a file", []string{row("1", "", "") + row("1", "", "DE")}, "0:1"},
		{"the higher revision, whichever came first", []string{row("1", "2", ""), row("2", "1", "")}, "0:1"},
		{"the higher revision in one file", []string{row("1", "1", "") + row("2", "2", "")}, "0:2"},
		{"a correction and what conflicts with it", []string{row("1", "", ""), row("2", "", "") + row("3", "", "")}, "1:1"},
		{"a repeat and what corrects it", []string{row("1", "", ""), row("1", "", "") + row("2", "", "")}, "1:2"},
		{"it moves to another day", []string{row("1", "", ""), "a,2026-11-01T10:00:00Z,1,,\n"}, "1:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var inputs []formats.Input
			for i, text := range c.files {
				text = head + text
				inputs = append(inputs, formats.Input{Name: fmt.Sprint(i, ".csv"), R: strings.NewReader(text), Size: int64(len(text))})
			}
			for _, memory := range []int{1 << 20, 200} {
				src, err := formats.Open(context.Background(), engine.Microsoft, inputs, formats.Options{Details: true})
				if err != nil {
					t.Fatal(err)
				}
				s, err := FindSuperseded(context.Background(), src, fileScratch{t.TempDir()}, memory)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				rows := int64(0)
				for i, text := range c.files {
					for n := int64(1); n <= int64(strings.Count(text, "\n")); n++ {
						if rows++; !s.Has(i, n) {
							got = append(got, fmt.Sprintf("%d:%d", i, n))
						}
					}
				}
				if strings.Join(got, " ") != c.want || rows-s.Rows != int64(len(got)) || s.Has(99, 1) {
					t.Errorf("%q count, want %q; %d rows do not", got, c.want, s.Rows)
				}
				if err := src.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
