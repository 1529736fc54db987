package records_test

import (
	"bytes"
	"errors"
	"flag"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/formats"
	"concord/formats/records"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var sameCalls = cmp.Comparer(func(a, b engine.Call) bool { return a == b })

// check runs a property from a fixed seed, unless the command line has one.
func check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for name, value := range map[string]string{"rapid.checks": "150", "rapid.seed": "20261125", "rapid.nofailfile": "true"} {
		f := flag.Lookup(name)
		if old := f.Value.String(); old == f.DefValue {
			_ = f.Value.Set(value)
			t.Cleanup(func() { _ = f.Value.Set(old) })
		}
	}
	rapid.Check(t, property)
}

// What a run reads of records is what it would have read of those days in the
// file: every field, every row number, and every rejected row.
func TestRecordsOfDaysAreTheRowsOfTheFile(t *testing.T) {
	check(t, func(t *rapid.T) {
		c := drawContent(t)
		d := newDisk()
		w, err := c.write(d)
		if err != nil {
			t.Fatal(err)
		}
		var from, to time.Time
		if rapid.Bool().Draw(t, "span") {
			from = day0.AddDate(0, 0, rapid.IntRange(-3, 3).Draw(t, "from")).Add(time.Duration(rapid.IntRange(0, 24).Draw(t, "hour")) * time.Hour)
			to = from.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "hours")) * time.Hour)
		}
		file := d.files["a.records"].Bytes()
		got, f, err := read(file, from, to, rapid.IntRange(1, 100).Draw(t, "room"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.on(from, to), got.calls, sameCalls); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(c.bad, got.bad); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]formats.FileInfo{c.info()}, f.Info()); d != "" {
			t.Error(d)
		}
		if n := f.Accepted()[0]; n != int64(len(got.calls)) {
			t.Errorf("%d calls read, says %d", len(got.calls), n)
		}
		checkDays(t, c, w.Days())
		checkHolds(t, c, file, from, to)
	})
}

func checkDays(t *rapid.T, c *content, days []records.Day) {
	for _, day := range days {
		at, _ := time.Parse(time.DateOnly, day.Date)
		for _, k := range c.on(at, at.Add(time.Hour)) {
			day.Rows, day.DurationMS = day.Rows-1, day.DurationMS-k.DurationMS
		}
		if day.Rows != 0 || day.DurationMS != 0 {
			t.Errorf("day %s: %d rows and %d ms too many", day.Date, day.Rows, day.DurationMS)
		}
	}
	if !slices.IsSortedFunc(days, func(a, b records.Day) int { return strings.Compare(a.Date, b.Date) }) {
		t.Errorf("not in order: %v", days)
	}
}

func checkHolds(t *rapid.T, c *content, file []byte, from, to time.Time) {
	want := from.IsZero() && len(c.calls) > 0
	for _, k := range c.calls {
		want = want || from.UnixMicro() <= k.Start && k.Start < to.UnixMicro()
	}
	got, err := records.Holds(ctx, formats.Input{Name: "a", R: bytes.NewReader(file), Size: int64(len(file))}, from, to)
	if err != nil || got != want {
		t.Errorf("holds calls from %s to %s: %v, want %v, %v", from, to, got, want, err)
	}
}

// Days that come in any order, more than memory holds, are all there; rows of
// more days than have groups of their own, too.
func TestDaysInAnyOrderAreKeptApart(t *testing.T) {
	for _, c := range []struct {
		name string
		rows int
		pick func(i int) int
	}{
		{"a day", 200_000, func(int) int { return 0 }},
		{"a month in order", 150_000, func(i int) int { return i / 5000 }},
		{"a month in any order", 300_000, func(i int) int { return i * 7919 % 31 }},
		{"years of wrong dates", 20_000, func(i int) int { return i*7919%5000 - 2500 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := month(c.rows, c.pick)
			file := whole(t, all)
			if again := whole(t, all); !bytes.Equal(file, again) {
				t.Error("the same rows gave other bytes")
			}
			from := day0.AddDate(0, 0, 3)
			got, f, err := read(file, from, from.AddDate(0, 0, 2), 512)
			if err != nil {
				t.Fatal(err)
			}
			want := all.on(from, from.AddDate(0, 0, 2))
			byRow := func(a, b engine.Call) int { return int(a.Row - b.Row) }
			slices.SortFunc(want, byRow)
			slices.SortFunc(got.calls, byRow)
			if d := cmp.Diff(want, got.calls, sameCalls); d != "" {
				t.Errorf("%d rows, want %d", len(got.calls), len(want))
			}
			if c.rows == 150_000 && f.Bytes() > int64(len(file))/8 {
				t.Errorf("two days of thirty are %d of %d bytes", f.Bytes(), len(file))
			}
		})
	}
}

// A reader that stops anywhere, or a disk that does, must not leave half of a
// file under its name, nor hide the error.
func TestRecordsAppearWholeOrNotAtAll(t *testing.T) {
	c := month(130_000, func(i int) int { return i % 40 }) // more than is held in memory
	for i := range c.calls {
		c.calls[i].UserID = strings.Repeat("u", 80)
	}
	c.bad = []*engine.RowError{{Row: 200_000, Line: 7, Field: "start", Reason: "is not a time"}}
	clean := newDisk()
	if _, err := c.write(clean); err != nil || clean.ops < 40 {
		t.Fatalf("%d operations, %v", clean.ops, err)
	}
	want, step := clean.files["a.records"].Bytes(), 1
	for i := 1; i <= clean.ops; i += step {
		d := newDisk()
		d.at = i
		_, err := c.write(d)
		if d.open != 0 {
			t.Errorf("operation %d failed and left %d files open", i, d.open)
		}
		if left, is := d.files["a.records"]; is && !bytes.Equal(left.Bytes(), want) || len(d.files) > 1 || !is && len(d.files) > 0 {
			t.Fatalf("operation %d failed and left %d files, or a part of one", i, len(d.files))
		}
		if !errors.Is(err, errInjected) {
			t.Errorf("operation %d failed, the writer says %v", i, err)
		}
		if step = 1; i > many(6, 1) && i < clean.ops-many(16, 4) {
			step = min(many(7, 61), clean.ops-many(16, 4)-i) // in the middle they are all alike
		}
	}
}

// many is a step through alike cases: a longer one when time is short, as
// with the race detector.
func many(step, short int) int {
	if testing.Short() {
		return short
	}
	return step
}

// A flipped bit or a lost end is told as damage, and never changes a call.
func TestDamageIsTold(t *testing.T) {
	c := month(300, func(i int) int { return i % 3 })
	c.bad = []*engine.RowError{{Row: 400, Line: 7, RecordID: "x", Field: "start", Reason: "is not a time"}}
	file := whole(t, c)
	for at := 0; at < len(file); at += many(1, 17) {
		for _, bit := range []byte{1, 0x80} {
			broken := bytes.Clone(file)
			broken[at] ^= bit
			if got, _, err := read(broken, time.Time{}, time.Time{}, 64); err == nil {
				if cmp.Diff(c.on(time.Time{}, time.Time{}), got.calls, sameCalls) != "" || cmp.Diff(c.bad, got.bad) != "" {
					t.Fatalf("byte %d of %d: rows changed and nobody said so", at, len(file))
				}
			} else if !errors.Is(err, records.ErrDamaged) || !strings.Contains(err.Error(), "FAB_000001.csv: the records kept of it are damaged") {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
	}
	for _, n := range []int{0, 1, 15, 16, len(file) / 2, len(file) - 1} {
		if _, _, err := read(file[:n], time.Time{}, time.Time{}, 64); !errors.Is(err, records.ErrDamaged) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
		if err := records.Check(bytes.NewReader(file[:n]), int64(n)); !errors.Is(err, records.ErrDamaged) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

// Records of one side must not pass for the other's.
func TestTheSideIsKept(t *testing.T) {
	file := whole(t, month(3, func(int) int { return 0 }))
	in := formats.Input{Name: "a.csv", R: bytes.NewReader(file), Size: int64(len(file))}
	if _, err := records.Open(ctx, engine.Microsoft, []formats.Input{in}, time.Time{}, time.Time{}); !errors.Is(err, records.ErrDamaged) {
		t.Errorf("%v", err)
	}
}

// What is given must be what was received: else the report would not tie out.
func TestAFileThatDoesNotAddUpIsNotWritten(t *testing.T) {
	c := month(3, func(int) int { return 0 })
	d := newDisk()
	w, err := records.Create(d, "a.records", engine.Carrier, scratch{d})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(c.calls[:2]); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(c.info()); err == nil || !strings.Contains(err.Error(), "write records of FAB_000001.csv: 2 rows") || len(d.files) > 0 {
		t.Errorf("%v, %d files", err, len(d.files))
	}
	if err := w.Abort(); err != nil || d.open > 0 {
		t.Errorf("%v, %d open", err, d.open)
	}
}

// A carrier's month in any order is written in little memory.
func TestAMonthIsWrittenInLittleMemory(t *testing.T) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, peak := m.HeapAlloc, uint64(0)
	d := &quietDisk{}
	w, err := records.Create(d, "a", engine.Carrier, fileScratch{t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := month(1, func(int) int { return 0 })
	info := formats.FileInfo{}
	for i := range 700_000 {
		k := &c.calls[0]
		k.Row, k.Start = int64(i+1), day0.AddDate(0, 0, i*7919%31).UnixMicro()
		k.UserID = c.calls[0].RecordID
		info.Rows, info.Accepted, info.DurationMS = info.Rows+1, info.Accepted+1, info.DurationMS+k.DurationMS
		if err := w.Write(c.calls); err != nil {
			t.Fatal(err)
		}
		if i%20_000 == 0 {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	}
	if err := w.Finish(info); err != nil {
		t.Fatal(err)
	}
	if grown := int64(peak - before); grown > 96<<20 { // with what is not collected yet
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}
