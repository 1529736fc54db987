package calls

import (
	"strings"
	"testing"
	"time"

	"concord/jobs"
)

// A shared file is read once; each carrier's part is its own, and what is
// nobody's is counted.
func TestSharedFilesAreDealtOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("shared/tenant/a.csv", callHead+callRow("a", "Fabrikam", 1)+callRow("l", "OP-L", 1)+callRow("x", "nobody", 1)+callRow("y", "", 1)+"z,,fabrikam,never,1\n")
	w.put("shared/q.csv", qualityHead+qualityRow("c-A", "", 1)+qualityRow("c-l", "litware", 1)+qualityRow("c-none", "", 1)+qualityRow("c-x", "nobody", 1))
	w.taken()
	if err := w.scan(); err != nil { // what was dealt is taken, and nothing twice
		t.Fatal(err)
	}
	if len(w.told) != 2 {
		t.Fatalf("%+v", w.told)
	}
	calls, quality := w.told[0], w.told[1]
	if calls.Holds != jobs.HoldsCalls || calls.Rows != 5 || calls.Rejected != 1 || calls.Nobody != 2 || len(calls.Shares) != 2 || len(calls.Reasons) != 1 {
		t.Errorf("%+v", calls)
	}
	if quality.Holds != jobs.HoldsQuality || quality.Rows != 4 || quality.Nobody != 1 || quality.Waiting != 2 && quality.Waiting != 1 || len(quality.Shares) == 0 {
		t.Errorf("%+v", quality)
	}
	if err := w.dealer.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.taken()
	for carrier, own := range map[string][]string{"fabrikam": {"a", "c-A"}, "litware": {"l", "c-l"}} {
		w.succeed(carrier)
		files, m := w.delivered(carrier, 1)
		if m.Calls.Rows != 1 || m.Quality.Rows != 1 || !strings.Contains(files["_calls.csv"], "\n"+own[0]+",") || !strings.Contains(files["_quality.csv"], "\n"+own[1]+",") {
			t.Errorf("%+v %q %q", m, files["_calls.csv"], files["_quality.csv"])
		}
	}
	for _, name := range w.parts() {
		if !strings.HasSuffix(name, ".parquet") || !strings.Contains(name, ".csv~") {
			t.Errorf("%q", name)
		}
	}
}

// Rows of a call that nobody has wait for it, and not for ever. Of a call that
// two carriers have nobody is shown the quality.
func TestQualityWaitsForItsCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("shared/q.csv", qualityHead+qualityRow("c-late", "", 1)+qualityRow("c-both", "", 1)+qualityRow("c-never", "", 1))
	w.put("microsoft/fabrikam/both.csv", callHead+callRow("both", "", 1))
	w.put("microsoft/litware/both.csv", callHead+callRow("both", "", 1))
	w.taken()
	again := func() jobs.MicrosoftFile {
		t.Helper()
		if err := w.dealer.Again(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := w.store.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{})
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0]
	}
	f := again()
	if f.Waiting != 2 || f.Nobody != 1 {
		t.Errorf("%+v", f)
	}
	w.put("microsoft/litware/late.csv", callHead+callRow("late", "", 1))
	w.taken()
	if f = again(); f.Waiting != 1 || f.Nobody != 1 || len(f.Shares) != 1 || f.Shares[0] != (jobs.Share{Carrier: "litware", Rows: 1}) {
		t.Errorf("%+v", f)
	}
	if parts := w.parts(); len(parts) != 1 || !strings.HasPrefix(parts[0], "microsoft/litware/quality/shared/q.csv~") {
		t.Errorf("%q", parts)
	}
	w.now = w.now.Add(defaultWait + time.Hour)
	if f = again(); f.Waiting != 0 || f.Nobody != 2 || f.Rest != "" {
		t.Errorf("%+v", f)
	}
	if again(); len(w.told) != 4 {
		t.Errorf("told %d times", len(w.told))
	}
}

// Rows that wait and are erased with a number wait no more.
func TestRowsThatWereErasedDoNotWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("shared/q.csv", qualityHead+qualityRow("c-late", "", 1))
	w.taken()
	list, err := w.store.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{Waiting: true})
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := w.spool.Erase(list[0].Rest); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.dealer.Again(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	list, err = w.store.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{})
	if err != nil || len(list) != 1 || list[0].Waiting != 0 || list[0].Nobody != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}
