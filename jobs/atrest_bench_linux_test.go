package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/fixtures"
)

// BenchmarkAtRest reads a month's files, writes their records, and makes the
// report of the month from those: in clear and encrypted.
func BenchmarkAtRest(b *testing.B) {
	dir, f := monthOf(b)
	to, id, err := atrest.Generate()
	if err != nil {
		b.Fatal(err)
	}
	keys, err := atrest.New(atrest.Given{Recipients: []string{to}, Identities: []string{id}})
	if err != nil {
		b.Fatal(err)
	}
	for name, k := range map[string]*atrest.Keys{"clear": nil, "encrypted": keys} {
		b.Run(name, func(b *testing.B) {
			m := newMonth(b, dir, f, k)
			b.Run("collect", func(b *testing.B) {
				measured(b, func() { m.collect(b) })
			})
			b.Run("report", func(b *testing.B) {
				measured(b, func() { m.report(b) })
			})
		})
	}
}

// measured also reports the processor time, which says more on a busy machine.
func measured(b *testing.B, do func()) {
	b.Helper()
	before := processorTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// month is one whose files are in a folder of their own, as the spool has them.
type month struct {
	dir     string
	keys    *atrest.Keys
	profile string
	inputs  []InspectOptions
}

func newMonth(b *testing.B, dir string, f fixtures.Files, k *atrest.Keys) *month {
	b.Helper()
	m := &month{dir: b.TempDir(), keys: k, profile: filepath.Join(dir, f.Profile)}
	for side, names := range [2][]string{f.Microsoft, f.Carrier} {
		for _, name := range names {
			path := filepath.Join(m.dir, strings.ReplaceAll(name, "/", "-"))
			o := InspectOptions{Path: path, Name: name, Microsoft: side == 0, Records: path + recordsEnding, Keys: k}
			if side == 1 {
				o.Profile = m.profile
			}
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				b.Fatal(err)
			}
			out, err := k.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			_, err = out.Write(text)
			if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
				b.Fatal(err)
			}
			m.inputs = append(m.inputs, o)
		}
	}
	m.collect(b)
	return m
}

func (m *month) collect(b *testing.B) {
	b.Helper()
	for _, o := range m.inputs {
		if found, err := inspect(b.Context(), o); err != nil || len(found.Faults) > 0 {
			b.Fatal(err, found)
		}
	}
}

func (m *month) report(b *testing.B) {
	b.Helper()
	o := MatchOptions{Profile: m.profile, Out: filepath.Join(m.dir, "out"), Keys: m.keys, Period: "2026-10"}
	for _, i := range m.inputs {
		side := engine.Carrier
		if i.Microsoft {
			side = engine.Microsoft
		}
		o.Records[side] = append(o.Records[side], RecordsInput{i.Records, i.Name})
	}
	if _, err := Match(b.Context(), o, engine.Observer{}); err != nil {
		b.Fatal(err)
	}
	if err := os.RemoveAll(o.Out); err != nil {
		b.Fatal(err)
	}
}
