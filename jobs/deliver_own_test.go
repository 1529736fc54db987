package jobs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concord/formats/partition"
)

// ownFiles are files of one carrier, as they lie in the spool: under names that
// say nothing.
func ownFiles(t *testing.T, o DeliverOptions, previous string, calls ...string) DeliverOptions {
	t.Helper()
	dir := t.TempDir()
	o.Out, o.Previous, o.Calls, o.CallNames = filepath.Join(dir, "out"), previous, nil, nil
	for i, text := range calls {
		path := filepath.Join(dir, strings.Repeat("x", i+1))
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		o.Calls, o.CallNames = append(o.Calls, path), append(o.CallNames, "received.csv")
	}
	return o
}

func deliverOwn(t *testing.T, o DeliverOptions) *Delivered {
	t.Helper()
	d, err := Worker{Program: os.Args[0], Args: []string{"worker", "well"}}.DeliverCalls(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A call that a later file puts into another period, or gives to another
// carrier, leaves the delivery, and the carrier is told.
func TestACallThatLeavesIsTold(t *testing.T) {
	base := deliverIn(t, t.TempDir(), firstCalls, "")
	base.Carriers, base.Rest, base.Foreign = []partition.Carrier{{ID: "fabrikam", Names: []string{"fabrikam", "OP-F"}}}, "fabrikam", []string{"Litware", "op-l"}
	one := callHead + "a,,2026-10-01T10:00:00Z,1,u\nb,op-f,2026-10-01T11:00:00Z,1,u\nc,Fabrikam Telecom,2026-10-01T12:00:00Z,1,u\n" +
		"d,,2026-10-01T13:00:00Z,1,u\ne,LITWARE,2026-10-01T13:00:00Z,1,u\n"
	first := ownFiles(t, base, "", one)
	if d := deliverOwn(t, first); d.Calls.Carriers[0].Rows != 4 || len(d.Calls.Unknown) != 1 || d.Calls.Unknown[0].Name != "LITWARE" || d.Inputs[0].Name != "received.csv" {
		t.Errorf("%+v", d.Calls)
	}
	late := callHead + "a,,2026-11-01T00:00:00Z,1,u\nb,op-l,2026-10-01T11:00:00Z,2,u\nd,,2026-10-01T13:00:00Z,7,u\n"
	second := ownFiles(t, base, first.Out, one, late)
	d := deliverOwn(t, second)
	if c := d.Compared[0]; c.Added != 0 || c.Changed != 1 || c.Removed != 2 {
		t.Errorf("%+v", c)
	}
	lines := strings.Split(strings.TrimSpace(text(t, second.Out, "fabrikam", "calls_changes.csv")), "\n")
	slices.Sort(lines[2:])
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "changed,d,") || !strings.HasPrefix(lines[2], "removed,a,,") || !strings.HasPrefix(lines[3], "removed,b,,") {
		t.Errorf("%q", lines)
	}
	if got := text(t, second.Out, "fabrikam", "calls.csv"); strings.Contains(strings.ToLower(got), "litware") || strings.Contains(got, "op-l") {
		t.Errorf("%q", got)
	}
	if left, err := os.ReadDir(filepath.Join(second.Out, indexFolder)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// What a spreadsheet would take for a formula is text in a delivered CSV, and
// as it was in Parquet. A number in E.164 keeps its plus.
func TestDeliveredTextIsNoFormula(t *testing.T) {
	head := "record_id,correlation_id,start,duration_ms,call_type,caller,callee\n"
	calls := head + "=1+1,\"@SUM(1,2)\",2026-10-01T10:00:00Z,1,-cmd,+4930123456,\"=HYPERLINK(\"\"x\"\")\"\n"
	quality := qualityHead + "+x,-1,1,,2026-10-01T10:00:00Z,0.2\n"
	o := deliverIn(t, t.TempDir(), calls, quality)
	o.Carriers, o.Rest = []partition.Carrier{{ID: "fabrikam"}}, "fabrikam"
	deliverOwn(t, o)
	got := text(t, o.Out, "fabrikam", "calls.csv")
	for _, want := range []string{"\n\"'=1+1\",\"'@SUM(1,2)\",", ",\"'-cmd\",", ",+4930123456,", "\"'=HYPERLINK(\"\"x\"\")\""} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if got := text(t, o.Out, "fabrikam", "quality.csv"); !strings.Contains(got, "\n\"'+x\",\"'-1\",1,fabrikam,") {
		t.Errorf("%q", got)
	}
	if got := text(t, o.Out, "fabrikam", "calls.parquet"); !strings.Contains(got, "=1+1") || strings.Contains(got, "'=1+1") {
		t.Error("the Parquet file does not hold the text as it was")
	}
}
