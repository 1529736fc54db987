package reconcile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/jobs"
)

const first = "fabrikam/2026-10-01/v1 2026-10-02T06:30:00Z"

// daily is a run by the schedule.
func daily() jobs.Run {
	return jobs.Run{Trigger: jobs.TriggerSchedule, ScheduledFor: at("2026-10-02T06:30:00Z")}
}

func TestTheSameInputsMakeOneVersionHoweverOftenItIsAskedFor(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	w.want(first)
	for _, r := range []jobs.Run{
		{Trigger: jobs.TriggerManual},
		{Trigger: jobs.TriggerRerun, RerunOf: "run1"},
		{Trigger: jobs.TriggerUpload},
		{Trigger: jobs.TriggerBackfill},
		{Trigger: jobs.TriggerRetry, RerunOf: "run2"},
	} {
		e := w.must(r)
		if e.State != jobs.RunSucceeded || e.Report != w.a.reports[0].ID {
			t.Errorf("%s: ending %+v", r.Trigger, e)
		}
		byPerson := r.Trigger == jobs.TriggerManual || r.Trigger == jobs.TriggerRerun || r.RerunOf == "run2"
		if proven := strings.Contains(e.Error, "the same bytes as version 1"); proven != byPerson {
			t.Errorf("%s: %q", r.Trigger, e.Error)
		}
		w.want(first)
	}
}

// A run of the schedule that is tried again is not one that somebody asked for,
// and a rerun that is tried again still looks from when the first run did.
func TestAFurtherAttemptWantsWhatTheFirstOneDid(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	if e := w.must(jobs.Run{Trigger: jobs.TriggerRetry, RerunOf: "run1"}); e.Error != "" {
		t.Errorf("nobody asked for it: %q", e.Error)
	}
	w.a.reports[0].Figures.Pending = 1                                                                            // so that time could make a version
	w.a.runs["rerun"] = jobs.Run{ID: "rerun", Trigger: jobs.TriggerRerun, RerunOf: "run1", State: jobs.RunFailed} // before its snapshot
	if e := w.must(jobs.Run{Trigger: jobs.TriggerRetry, RerunOf: "rerun"}); !strings.Contains(e.Error, "the same bytes as version 1") {
		t.Errorf("%q", e.Error)
	}
	w.want(first)
}

// The folder of a version is lost, by a disk or by hand.
func TestALostVersionIsMadeAnew(t *testing.T) {
	for _, r := range []jobs.Run{{Trigger: jobs.TriggerRerun, RerunOf: "run1"}, {Trigger: jobs.TriggerUpload}} {
		w := newWorld(t)
		w.must(daily())
		if err := os.RemoveAll(filepath.Join(w.r.Folder, "fabrikam")); err != nil {
			t.Fatal(err)
		}
		if missing, err := w.r.Missing(t.Context()); len(missing) != 1 || err != nil {
			t.Errorf("missing %v, %v", missing, err)
		}
		if e := w.must(r); !strings.Contains(e.Error, "in its place again") {
			t.Errorf("%q", e.Error)
		}
		w.want(first)
	}
}

// The version to be superseded is recorded and has not got its name yet.
func TestTheVersionBeforeIsBroughtToItsPlace(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	place := filepath.Join(w.r.Folder, "fabrikam/2026-10-01/v1")
	if err := os.Rename(place, filepath.Join(w.r.Folder, stagingDir, w.a.reports[0].ID+"~run1~1")); err != nil {
		t.Fatal(err)
	}
	w.file("late.csv", "s3", false)
	w.must(jobs.Run{Trigger: jobs.TriggerUpload})
	w.want(first, "fabrikam/2026-10-01/v2 2026-11-02T06:00:00Z")
	if err := os.RemoveAll(filepath.Join(w.r.Folder, "fabrikam/2026-10-01/v2")); err != nil {
		t.Fatal(err)
	}
	w.file("later.csv", "s4", false)
	if _, err := w.do(jobs.Run{Trigger: jobs.TriggerUpload}); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("%v", err)
	}
}

func TestNewInputsMakeAVersionThatSupersedes(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	w.file("late.csv", "s3", false)
	w.must(jobs.Run{Trigger: jobs.TriggerUpload})
	w.want(first, "fabrikam/2026-10-01/v2 2026-11-02T06:00:00Z")
	v1, v2 := w.a.reports[0], w.a.reports[1]
	if v2.Supersedes != v1.ID || v1.SupersededBy != v2.ID || v2.Version != 2 {
		t.Errorf("%+v supersedes %+v", v2, v1)
	}
	if in := w.a.runs["run2"].Inputs; len(in) != 3 || in[1].Role != "microsoft" || in[2].File != "id of s3" {
		t.Errorf("inputs %+v", in)
	}
	w.must(jobs.Run{Trigger: jobs.TriggerRerun, RerunOf: "run1"}) // the world does not become younger
	w.want(first, "fabrikam/2026-10-01/v2 2026-11-02T06:00:00Z")
}

func TestOtherSettingsMakeAVersion(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"a profile":    func(w *world) { w.r.Profile = func(string) (Profile, error) { return Profile{SHA256: "p2"}, nil } },
		"verdicts":     func(w *world) { w.r.Job = func(string) Job { return Job{Verdicts: true} } },
		"a program":    func(w *world) { w.r.Program = "v2" },
		"another name": func(w *world) { w.a.entries[0].Name = "b.csv" },
	} {
		w := newWorld(t)
		w.must(daily())
		change(w)
		w.must(jobs.Run{Trigger: jobs.TriggerManual})
		if len(w.versions()) != 2 {
			t.Errorf("%s: versions %v", name, w.versions())
		}
	}
}

// Time makes a version only when calls are pending that it may settle.
func TestTimeAloneMakesNoVersion(t *testing.T) {
	w := newWorld(t)
	w.pending = 1
	w.must(daily())
	w.now = at("2026-10-03T12:00:00Z") // the first call is waited for until the fourth
	w.must(jobs.Run{Trigger: jobs.TriggerManual})
	w.want(first)
	w.pending = 0
	w.now = at("2026-10-05T00:00:00Z")
	w.must(jobs.Run{Trigger: jobs.TriggerPending})
	w.want(first, "fabrikam/2026-10-01/v2 2026-10-05T00:00:00Z")
	w.now = at("2026-12-05T00:00:00Z")
	w.must(jobs.Run{Trigger: jobs.TriggerManual})
	w.want(first, "fabrikam/2026-10-01/v2 2026-10-05T00:00:00Z")
}

func TestOtherBytesOfTheSameAreADefectThatIsTold(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	w.noise = "x"
	if _, err := w.do(jobs.Run{Trigger: jobs.TriggerManual}); err == nil || !strings.Contains(err.Error(), "other bytes than version 1") {
		t.Errorf("%v", err)
	}
	w.want(first)
}

func TestAReportThatCannotBeRecordedIsNotPublished(t *testing.T) {
	w := newWorld(t)
	w.a.refuse = jobs.ErrVersion
	if _, err := w.do(daily()); !errors.Is(err, jobs.ErrVersion) {
		t.Errorf("%v", err)
	}
	w.want()
	if list, _ := filepath.Glob(filepath.Join(w.r.Folder, "fabrikam/*/v*")); len(list) > 0 {
		t.Errorf("on disk: %v", list)
	}
	w.a.refuse = nil
	w.must(daily())
	w.want(first)
}

// The transaction went through and nobody was told: the report is published,
// and its folder must get its place.
func TestAReportThatWasRecordedIsFinishedAfterACrash(t *testing.T) {
	w := newWorld(t)
	w.a.lost = true
	if _, err := w.do(daily()); err == nil {
		t.Error("nothing is told")
	}
	if missing, err := w.r.Missing(t.Context()); len(missing) != 0 || err != nil { // it is on its way
		t.Errorf("missing %v, %v", missing, err)
	}
	for range 2 {
		if err := w.r.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want(first)
	}
	if missing, err := w.r.Missing(t.Context()); len(missing) != 0 || err != nil {
		t.Errorf("missing %v, %v", missing, err)
	}
}

// Recover looks at a report in the very moment in which it is published.
func TestAReportThatIsJustBeingPublishedIsNotTakenForUnfinished(t *testing.T) {
	w := newWorld(t)
	match := w.r.Match
	w.r.Match = func(ctx context.Context, o jobs.MatchOptions, watch engine.Observer) (*jobs.Outcome, error) {
		out, err := match(ctx, o, watch)
		id, _, _ := strings.Cut(filepath.Base(o.Staging), "~")
		// The transaction lands between two looks of Recover.
		w.a.asked = func() {
			w.a.reports = append(w.a.reports, jobs.Report{ID: id, Folder: "fabrikam/2026-10-01/v1", Version: 1, Manifest: out.Manifest, AsOf: w.now})
			w.a.ends("run1")
		}
		if err := w.r.Recover(ctx); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(o.Staging); err != nil {
			t.Error("the only copy of a published report was removed")
		}
		w.a.reports = nil
		return out, err
	}
	w.must(daily())
}

// The answer of a commit may be late: a report of which nobody knows whether it
// was recorded stays.
func TestAReportInDoubtIsKept(t *testing.T) {
	w := newWorld(t)
	w.a.refuse = errors.New("the connection broke while it was committed")
	if _, err := w.do(daily()); err == nil {
		t.Error("nothing is told")
	}
	if left, err := filepath.Glob(filepath.Join(w.r.Folder, stagingDir, "*~run1~1")); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestWhatACrashLeftUnfinishedIsRemovedUnlessSomebodyMakesIt(t *testing.T) {
	w := newWorld(t)
	w.a.runs["alive"] = jobs.Run{ID: "alive", State: jobs.RunRunning, Attempt: 2, LeaseUntil: w.now.Add(time.Second)}
	w.a.runs["silent"] = jobs.Run{ID: "silent", State: jobs.RunRunning, Attempt: 1, LeaseUntil: w.now.Add(-time.Second)}
	w.a.runs["over"] = jobs.Run{ID: "over", State: jobs.RunFailed, Attempt: 1}
	for _, name := range []string{"r1~alive~2", "r2~alive~1", "r3~silent~1", "r4~over~1", "r5~unknown~1", "nonsense"} {
		if err := os.MkdirAll(filepath.Join(w.r.Folder, stagingDir, name, "part"), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.r.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(w.r.Folder, stagingDir))
	if err != nil || len(left) != 2 || left[0].Name() != "r1~alive~2" || left[1].Name() != "r3~silent~1" {
		t.Errorf("left %v, %v", left, err)
	}
}

// Two zones call different spans by the same name.
func TestPeriodsOfOneNameDoNotShareAFolder(t *testing.T) {
	w := newWorld(t)
	w.must(daily())
	r := daily()
	r.Period = jobs.Period{From: at("2026-09-30T22:00:00Z"), To: at("2026-10-01T22:00:00Z"), Text: "2026-10-01"}
	w.must(r)
	r.Period = jobs.Period{From: at("2026-09-30T22:00:00Z"), To: at("2026-10-01T23:30:00Z"), Text: "2026-10-01/2026-10-01T23:30:00Z"}
	w.must(r)
	w.want(first, "fabrikam/2026-10-01_from_20260930T220000Z/v1 2026-10-02T06:30:00Z", "fabrikam/2026-10-01_2026-10-01T233000Z/v1 2026-10-02T06:30:00Z")
}

func TestFilesOfOneNameCanBeToldApart(t *testing.T) {
	got := uniqueNames([]jobs.Entry{{Name: "a.csv"}, {Name: "a.csv", Microsoft: true}, {Name: "a.csv"}, {Name: "b.csv"}})
	if strings.Join(got, "|") != "a.csv|a.csv|a.csv (2)|b.csv" {
		t.Errorf("%q", got)
	}
}
