package records_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/engine"
	"concord/formats"
	"concord/formats/records"

	"pgregory.net/rapid"
)

var ctx = context.Background()

// errInjected is what a faulty disk says.
var errInjected = errors.New("injected")

// disk keeps files in memory and fails the operation numbered at.
type disk struct {
	mu      sync.Mutex
	files   map[string]*bytes.Buffer
	ops, at int
	open    int
}

func newDisk() *disk { return &disk{files: map[string]*bytes.Buffer{}} }

func (d *disk) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ops++; d.ops == d.at {
		return errInjected
	}
	return nil
}

func (d *disk) Create(name string) (records.File, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	d.open++
	d.files[name] = new(bytes.Buffer)
	return &diskFile{d, d.files[name]}, nil
}

func (d *disk) Rename(from, to string) error {
	if err := d.step(); err != nil {
		return err
	}
	d.files[to] = d.files[from]
	delete(d.files, from)
	return nil
}

func (d *disk) Remove(name string) error {
	delete(d.files, name)
	return nil
}

func (d *disk) SyncDir(string) error { return d.step() }

type diskFile struct {
	d *disk
	b *bytes.Buffer
}

func (f *diskFile) Write(p []byte) (int, error) {
	if err := f.d.step(); err != nil {
		return 0, err
	}
	return f.b.Write(p)
}

func (f *diskFile) Sync() error { return f.d.step() }

func (f *diskFile) Close() error {
	f.d.open--
	return f.d.step()
}

// scratch makes temporary files in memory, on the same faulty disk.
type scratch struct{ d *disk }

func (s scratch) Create() (engine.ScratchFile, error) {
	if err := s.d.step(); err != nil {
		return nil, err
	}
	s.d.open++
	return &scratchFile{d: s.d}, nil
}

type scratchFile struct {
	d *disk
	b []byte
}

func (f *scratchFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.d.step(); err != nil {
		return 0, err
	}
	if n := copy(p, f.b[at:]); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}

func (f *scratchFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.d.step(); err != nil {
		return 0, err
	}
	f.b = append(f.b[:at], p...)
	return len(p), nil
}

func (f *scratchFile) Close() error {
	f.d.open--
	return f.d.step()
}

// content is what one received file holds: calls and rejected rows, each with
// its row.
type content struct {
	calls []engine.Call
	bad   []*engine.RowError
}

func (c *content) info() formats.FileInfo {
	i := formats.FileInfo{
		Name: "FAB_000001.csv", SHA256: strings.Repeat("5f", 32), Bytes: 4711, Format: "csv+gzip",
		Accepted: int64(len(c.calls)), Rejected: int64(len(c.bad)), IntegrityVerified: true, OwnEnd: true, Trailer: formats.TrailerAgrees,
		UnknownColumns: []string{"X"}, Notes: []string{"3 blank lines"},
	}
	for _, k := range c.calls {
		i.DurationMS += k.DurationMS
		i.Rows = max(i.Rows, k.Row)
	}
	for _, e := range c.bad {
		i.Rows = max(i.Rows, e.Row)
	}
	i.Filtered = i.Rows - i.Accepted - i.Rejected // the rows that are neither
	return i
}

// write writes the content to a disk, in the order of its rows.
func (c *content) write(d *disk) (*records.Writer, error) {
	w, err := records.Create(d, "a.records", engine.Carrier, scratch{d})
	if err != nil {
		return nil, err
	}
	if err := c.add(w); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, w.Finish(c.info())
}

func (c *content) add(w *records.Writer) error {
	calls, bad := c.calls, c.bad
	for len(calls)+len(bad) > 0 {
		if len(bad) > 0 && (len(calls) == 0 || bad[0].Row < calls[0].Row) {
			if err := w.Reject(bad[0]); err != nil {
				return err
			}
			bad = bad[1:]
			continue
		}
		if err := w.Write(calls[:1]); err != nil {
			return err
		}
		calls = calls[1:]
	}
	return nil
}

// read returns all that is read of a file of records for a span.
func read(file []byte, from, to time.Time, room int) (c content, f *records.Files, err error) {
	in := formats.Input{Name: "FAB_000001.csv", R: bytes.NewReader(file), Size: int64(len(file))}
	if f, err = records.Open(ctx, engine.Carrier, []formats.Input{in}, from, to); err != nil {
		return c, nil, err
	}
	for {
		p, err := f.Next(ctx)
		if err == io.EOF {
			return c, f, f.Finish(ctx)
		}
		if err != nil {
			return c, f, err
		}
		if err := errors.Join(c.part(p, room), p.Close()); err != nil {
			return c, f, err
		}
	}
}

func (c *content) part(p engine.Part, room int) error {
	dst := make([]engine.Call, room)
	for {
		n, err := p.Read(ctx, dst)
		for _, k := range dst[:n] {
			c.calls = append(c.calls, owned(k))
		}
		var row *engine.RowError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &row):
			c.bad = append(c.bad, row)
		case err != nil:
			return err
		}
	}
}

// owned returns a call with texts of its own.
func owned(c engine.Call) engine.Call {
	for _, s := range []*string{&c.RecordID, &c.CorrelationID, &c.TenantID, &c.UserID, &c.CallType, &c.Carrier} {
		*s = strings.Clone(*s)
	}
	for _, n := range []*engine.Number{&c.Caller, &c.Callee} {
		if n.E164Digits() == 0 {
			*n = engine.OtherNumber(strings.Clone(n.Full()))
		}
	}
	return c
}

var day0 = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// drawContent draws a file of a few hundred rows at most, on days in any order.
func drawContent(t *rapid.T) *content {
	c, row := new(content), int64(0)
	text := rapid.SampledFrom([]string{"", "a", "7f1c6d3e-9b5a-4c39-8f10-0242ac120002", "ünï;\"", strings.Repeat("long", 300)})
	number := rapid.SampledFrom([]engine.Number{{}, engine.E164(493012345678), engine.E164(999_999_999_999_999), engine.OtherNumber("+49301***"), engine.OtherNumber("0049"), engine.OtherNumber("+0"), engine.OtherNumber("alice@contoso.example")})
	days := rapid.SampledFrom([]int{0, 0, 0, 1, 2, -1, 30, -40000})
	for range rapid.IntRange(0, 200).Draw(t, "rows") {
		row += rapid.Int64Range(1, 3).Draw(t, "step")
		if rapid.IntRange(0, 9).Draw(t, "bad") == 0 {
			c.bad = append(c.bad, &engine.RowError{Row: row, Line: row + 1, RowGroup: int(row % 3), RecordID: text.Draw(t, "id"), Field: "start", Reason: "is not a time"})
			continue
		}
		at := day0.AddDate(0, 0, days.Draw(t, "day")).UnixMicro() + rapid.Int64Range(0, 86400_000_000-1).Draw(t, "time")
		k := engine.Call{
			Row: row, Start: at, DurationMS: rapid.Int64Range(0, engine.MaxDuration).Draw(t, "ms"),
			RecordID: text.Draw(t, "id"), CorrelationID: text.Draw(t, "corr"), TenantID: text.Draw(t, "tenant"), UserID: text.Draw(t, "user"), CallType: text.Draw(t, "type"), Carrier: text.Draw(t, "carrier"),
			Caller: number.Draw(t, "caller"), Callee: number.Draw(t, "callee"),
			Direction: engine.Direction(rapid.IntRange(0, 2).Draw(t, "direction")), Source: engine.DurationSource(rapid.IntRange(0, 2).Draw(t, "source")),
			ClockUntrusted: rapid.Bool().Draw(t, "untrusted"), HasRevision: rapid.Bool().Draw(t, "revised"),
		}
		if k.HasRevision {
			k.Revision = rapid.Int32().Draw(t, "revision")
		}
		c.calls = append(c.calls, k)
	}
	return c
}

// on returns the calls on days with a part in [from, to), by day and row.
func (c *content) on(from, to time.Time) (list []engine.Call) {
	day := func(k engine.Call) time.Time { return time.UnixMicro(k.Start).UTC().Truncate(24 * time.Hour) }
	for _, k := range c.calls {
		if d := day(k); from.IsZero() || d.Before(to) && d.AddDate(0, 0, 1).After(from) {
			list = append(list, k)
		}
	}
	slices.SortStableFunc(list, func(a, b engine.Call) int { return day(a).Compare(day(b)) })
	return list
}

// month is a file of n calls whose days follow pick.
func month(n int, pick func(i int) int) *content {
	c := new(content)
	for i := range n {
		c.calls = append(c.calls, engine.Call{
			Row: int64(i + 1), Start: day0.AddDate(0, 0, pick(i)).UnixMicro() + int64(i%86400)*1_000_000, DurationMS: int64(i % 1000),
			RecordID: fmt.Sprintf("%08x-9b5a-4c39-8f10-0242ac120002", i), Caller: engine.E164(uint64(493000000000 + i)), Callee: engine.E164(442071234567),
		})
	}
	return c
}

func whole(t testing.TB, c *content) []byte {
	t.Helper()
	d := newDisk()
	if _, err := c.write(d); err != nil {
		t.Fatal(err)
	}
	return d.files["a.records"].Bytes()
}

// quietDisk takes what is written and keeps nothing.
type quietDisk struct{}

func (quietDisk) Create(string) (records.File, error) { return quietFile{}, nil }
func (quietDisk) Rename(string, string) error         { return nil }
func (quietDisk) Remove(string) error                 { return nil }
func (quietDisk) SyncDir(string) error                { return nil }

type quietFile struct{}

func (quietFile) Write(p []byte) (int, error) { return len(p), nil }
func (quietFile) Sync() error                 { return nil }
func (quietFile) Close() error                { return nil }

// fileScratch makes temporary files in a folder.
type fileScratch struct{ dir string }

func (s fileScratch) Create() (engine.ScratchFile, error) { return os.CreateTemp(s.dir, "scratch") }
