package records_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"concord/engine"
	"concord/formats"
	"concord/formats/records"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var standIn = engine.E164(490001234567890)

// rewritten takes +493012345678 out of the records on a disk.
func rewritten(d *disk) (rows []int64, changed bool, err error) {
	file := slices.Clone(d.files["a.records"].Bytes())
	in := formats.Input{Name: "a", R: bytes.NewReader(file), Size: int64(len(file))}
	return records.Rewrite(ctx, d, "a.records", engine.Carrier, in, scratch{d}, records.Rewriting{
		Text: func(s string) string { return s },
		Call: func(c *engine.Call) bool {
			is := c.Caller == engine.E164(493012345678)
			if is {
				c.Caller = standIn
			}
			return is
		},
	})
}

// Records that are rewritten are those of the file in which the stand-in stood
// from the beginning: the same rows, days and totals.
func TestRewrittenRecordsDifferInNothingElse(t *testing.T) {
	check(t, func(t *rapid.T) {
		c, d := drawContent(t), newDisk()
		if _, err := c.write(d); err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(d.files["a.records"].Bytes())
		rows, changed, err := rewritten(d)
		if err != nil {
			t.Fatal(err)
		}
		var want []int64
		for i := range c.calls {
			if c.calls[i].Caller == engine.E164(493012345678) {
				c.calls[i].Caller = standIn
				want = append(want, c.calls[i].Row)
			}
		}
		slices.Sort(rows)
		if !slices.Equal(rows, want) || changed != (len(want) > 0) {
			t.Errorf("%d rows changed, not %d", len(rows), len(want))
		}
		if len(want) == 0 && !bytes.Equal(before, d.files["a.records"].Bytes()) {
			t.Error("a file without the number was written anew")
		}
		got, f, err := read(d.files["a.records"].Bytes(), time.Time{}, time.Time{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.on(time.Time{}, time.Time{}), got.calls, sameCalls); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(c.bad, got.bad); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]formats.FileInfo{c.info()}, f.Info()); d != "" {
			t.Error(d)
		}
	})
}

// Whatever fails, the records are the old ones or the new ones, and whole.
func TestRewrittenRecordsAppearWholeOrNotAtAll(t *testing.T) {
	c := month(3000, func(i int) int { return i % 5 })
	for i := range c.calls {
		if i%7 == 0 {
			c.calls[i].Caller = engine.E164(493012345678)
		}
	}
	before := whole(t, c)
	clean := newDisk()
	clean.files["a.records"] = bytes.NewBuffer(slices.Clone(before))
	if _, _, err := rewritten(clean); err != nil {
		t.Fatal(err)
	}
	after := clean.files["a.records"].Bytes()
	for i := 1; i <= clean.ops; i++ {
		d := newDisk()
		d.files["a.records"], d.at = bytes.NewBuffer(slices.Clone(before)), i
		_, _, err := rewritten(d)
		if !errors.Is(err, errInjected) {
			t.Errorf("operation %d: %v", i, err)
		}
		if got := d.files["a.records"].Bytes(); !bytes.Equal(got, before) && !bytes.Equal(got, after) || len(d.files) > 1 {
			t.Fatalf("operation %d left a part, or %d files", i, len(d.files))
		}
	}
}
