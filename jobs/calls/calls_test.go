package calls

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/jobstest"
)

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// A first delivery, one with nothing new, and one that tells what was added,
// changed and removed.
func TestDeliveriesOfAPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if said := w.succeed("fabrikam"); said != saidNothing || len(w.boxes["fabrikam"]) != 0 {
		t.Errorf("%q, %v", said, w.boxes["fabrikam"])
	}
	w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1)+callRow("b", "op-F", 1)+callRow("l", "OP-L", 1)+callRow("x", "somebody", 1)+"bad,,,never,1\n")
	w.put("microsoft/fabrikam/quality/a.csv", qualityHead+qualityRow("c-a", "", 1)+qualityRow("c-l", "litware", 1)+qualityRow("c-y", "somebody", 1))
	w.taken()
	w.succeed("fabrikam")
	first, m := w.delivered("fabrikam", 1)
	if m.Version != 1 || m.Calls.Rows != 3 || m.Calls.Added != 3 || m.Quality.Rows != 1 || len(first) != 6 {
		t.Errorf("%+v", m)
	}
	if d := w.sent[0]; d.Calls.Rejected != 1 || d.Calls.Others != 1 || d.Quality.Others != 2 {
		t.Errorf("%+v", d)
	}
	if said := w.succeed("fabrikam"); said != "nothing has changed since delivery 1: nothing was delivered" {
		t.Errorf("%q", said)
	}
	if e, err := w.run("fabrikam", jobs.TriggerManual); err != nil || e.Error != "made anew: the same bytes as delivery 1" {
		t.Errorf("%+v, %v", e, err)
	}
	w.put("microsoft/fabrikam/b.csv", callHead+callRow("a", "", 2)+strings.ReplaceAll(callRow("b", "", 1), "10-01", "10-03")+callRow("d", "", 1))
	w.taken()
	w.succeed("fabrikam")
	second, m := w.delivered("fabrikam", 2)
	if m.Version != 2 || m.Supersedes != 1 || m.Calls != (manifestRows{Rows: 3, DurationMS: 4, Added: 1, Changed: 1, Removed: 1}) || m.Quality.Added+m.Quality.Changed+m.Quality.Removed != 0 {
		t.Errorf("%+v", m)
	}
	if got := second["_calls_changes.csv"]; !strings.Contains(got, "\nremoved,b,") || !strings.Contains(got, "\nchanged,a,") || !strings.Contains(got, "\nadded,d,") {
		t.Errorf("%q", got)
	}
	w.put("microsoft/fabrikam/c.csv", callHead+callRow("a", "", 2)) // says nothing new
	w.taken()
	if said := w.succeed("fabrikam"); said != "nothing has changed since delivery 2: nothing was delivered" {
		t.Errorf("%q", said)
	}
	if len(w.boxes["fabrikam"]) != 6+8 || len(w.boxes["litware"]) != 0 {
		t.Errorf("%d files", len(w.boxes["fabrikam"]))
	}
}

// What is remembered for the next version can be made anew, also when it is
// damaged.
func TestWhatIsRememberedIsMadeAnew(t *testing.T) {
	t.Parallel()
	var want jobstest.Outbox
	for _, spoil := range []func(path string) error{
		func(string) error { return nil },
		func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		func(path string) error { return os.Truncate(path, 20) },
	} {
		w := newWorld(t)
		w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1)+callRow("b", "", 1))
		w.taken()
		w.succeed("fabrikam")
		if err := spoil(filepath.Join(w.clerk.kept("fabrikam", 1), "index", "fabrikam.calls")); err != nil {
			t.Fatal(err)
		}
		w.put("microsoft/fabrikam/b.csv", callHead+callRow("a", "litware", 2))
		w.taken()
		w.succeed("fabrikam")
		if _, m := w.delivered("fabrikam", 2); m.Calls.Removed != 1 {
			t.Errorf("%+v", m)
		}
		if want == nil {
			want = w.boxes["fabrikam"]
		}
		if !maps.Equal(want, w.boxes["fabrikam"]) {
			t.Error("the files differ")
		}
		if left, err := os.ReadDir(filepath.Join(w.clerk.Folder, "fabrikam")); err != nil || len(left) != 1 {
			t.Errorf("%v, %v", left, err)
		}
	}
}

// A delivery whose files are gone is not made by half: the carrier would be
// told that its calls were removed.
func TestFilesThatAreGoneRemoveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1))
	w.taken()
	w.succeed("fabrikam")
	good := w.clerk.State
	w.clerk.State = forgetful{good}
	_, err := w.run("fabrikam", jobs.TriggerSchedule)
	if err == nil || !strings.Contains(err.Error(), "a.csv, of which delivery 1 of this period was made, is not kept any more") || len(w.boxes["fabrikam"]) != 4 {
		t.Errorf("%v", err)
	}
	w.clerk.State = good
	entries, err := w.store.Files(t.Context(), "fabrikam")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(w.spool.Path(entries[0].SHA256)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.run("fabrikam", jobs.TriggerRerun); err == nil || !strings.Contains(err.Error(), "the content of a.csv is not in the spool any more") {
		t.Errorf("%v", err)
	}
}

// Late quality leads to a run about every delivered period that it touches,
// once.
func TestLateQualityIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("microsoft/fabrikam/a.csv", callHead+callRow("a", "", 1))
	w.taken()
	w.succeed("fabrikam")
	queued := func(want int) (list []jobs.Run) {
		t.Helper()
		if err := w.clerk.Follow(t.Context(), "fabrikam"); err != nil {
			t.Fatal(err)
		}
		list, err := w.store.Runs(t.Context(), jobs.RunFilter{State: jobs.RunQueued})
		if err != nil || len(list) != want {
			t.Fatalf("%+v, %v; want %d", list, err, want)
		}
		return list
	}
	w.put("microsoft/fabrikam/quality/other.csv", qualityHead+strings.ReplaceAll(qualityRow("c-a", "", 1), "10-01", "10-07"))
	w.taken()
	queued(0)
	w.put("microsoft/fabrikam/quality/late.csv", qualityHead+qualityRow("c-a", "", 1))
	w.taken()
	r := queued(1)[0]
	if r.Kind != Kind || r.Job != "calls" || r.Trigger != jobs.TriggerUpload || !r.NotBefore.Equal(w.now.Add(time.Minute)) {
		t.Errorf("%+v", r)
	}
	w.now = w.now.Add(time.Hour)
	w.succeed("fabrikam") // it stands in for the one that waits
	if _, m := w.delivered("fabrikam", 2); m.Quality.Added != 1 {
		t.Errorf("%+v", m)
	}
	w.clerk.follow = followed{} // as after a restart
	queued(0)
}

// A file that is no file of quality rows is refused in words, and one of which
// rows are bad is counted.
func TestQualityFilesAreJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("microsoft/fabrikam/quality/calls.csv", callHead+callRow("a", "", 1))
	w.put("microsoft/fabrikam/quality/part.csv", qualityHead+qualityRow("c-a", "", 1)+"x,1,one,,,\n")
	w.put("microsoft/fabrikam/quality/half.json", `{"value":[{"id":"a","version":1,"sessions":[`)
	w.taken()
	list, err := w.store.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{Carrier: "fabrikam"})
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if f := list[0]; f.Usable() || len(f.Faults) != 1 || !strings.Contains(f.Faults[0], "it has no column call_record_id") {
		t.Errorf("%+v", f)
	}
	if f := list[1]; !f.Usable() || f.Accepted != 1 || f.Rejected != 1 || len(f.Reasons) != 1 || f.Reasons[0].Field != "version" || !f.First.Equal(f.Last) {
		t.Errorf("%+v", f)
	}
	w.now = w.now.Add(2 * time.Hour) // the half one has had its time
	w.taken()
	if list, err = w.store.MicrosoftFiles(t.Context(), jobs.MicrosoftFilter{Carrier: "fabrikam"}); err != nil || len(list) != 3 || list[2].Usable() {
		t.Errorf("%+v, %v", list, err)
	}
	if files, err := w.store.Files(t.Context(), "fabrikam"); err != nil || len(files) != 0 {
		t.Errorf("%+v, %v", files, err)
	}
}

// A carrier that is not in the configuration any more is told so.
func TestACarrierThatHasLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clerk.Carrier = func(string, string) (Carrier, error) { return Carrier{}, errors.New("it has left") }
	if _, err := w.run("fabrikam", jobs.TriggerManual); err == nil || !strings.Contains(err.Error(), "it has left") {
		t.Error(err)
	}
}
