package service_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/formats/trace"
	"concord/jobs"
	"concord/jobs/control"
	"concord/jobs/service"
)

// A carrier that hides digits keeps its pairs: of an erased number no more is
// known than its country, and that is enough.
func TestPairsWithHiddenDigitsStay(t *testing.T) {
	h := subjectHouse(t)
	same := func(int) int { return 60 }
	h.microsoft("m1.csv", subjectCalls("m", 0, 24, same))
	h.send("masked.csv", strings.ReplaceAll(subjectCalls("c", 0, 24, same), "+"+canary, "+"+canary[:len(canary)-4]+"****"))
	h.run()
	v := h.version(1)
	if v.Pending != 0 || v.CarrierSide.Records != 24 {
		t.Fatalf("%+v", v)
	}
	e, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	h.erased(e.ID)
	if r := h.run(); !strings.Contains(r.Error, "the same bytes as version 1") {
		t.Errorf("%s %q", r.State, r.Error)
	}
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
}

// Versions that another version of the program made are rewritten as they are,
// and the next run compares with them.
func TestVersionsOfAnotherProgramAreRewritten(t *testing.T) {
	h := subjectHouse(t)
	h.microsoft("m1.csv", subjectCalls("m", 0, 24, func(int) int { return 60 }))
	h.send("a.csv", subjectCalls("c", 0, 24, func(i int) int { return 60 + i%3*40 }))
	h.run()
	h.version(1)
	h.send("b.csv", subjectCalls("c", 30, 4, func(int) int { return 60 }))
	h.version(2)
	sums := [2][5]int64{h.sums(1), h.sums(2)}
	h.gone()
	h.stop()
	o := h.options(&h.out)
	o.Program = "the next one"
	srv, err := service.Open(t.Context(), h.config(t), o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := trace.Parse("+" + canary)
	if err == nil {
		_, err = srv.Subjects().Ask(t.Context(), n, "test")
	}
	if err = errors.Join(err, srv.Subjects().Work(t.Context())); err != nil {
		t.Fatal(err)
	}
	list, err := srv.Desk().Reports(t.Context(), jobs.ReportFilter{})
	if err = errors.Join(err, srv.Close()); err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	if now := [2][5]int64{h.sums(1), h.sums(2)}; now != sums {
		t.Errorf("the sums were %v and are %v", sums, now)
	}
	h.start()
	if r := h.run(); r.State != "succeeded" || !strings.Contains(r.Error, "the same bytes") && !strings.Contains(r.Error, "a number was erased since") {
		t.Errorf("%s %q", r.State, r.Error)
	}
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.start()
}

// A file about several carriers that held the number is not dealt out when it
// comes again by another name.
func TestAFileOfSeveralCarriersDoesNotBringTheNumberBack(t *testing.T) {
	h := subjectHouse(t)
	path := filepath.Join(h.dir, "concord.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h.stop()
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), "{numbers: listings}", "{numbers: listings, calls: several}", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start()
	text := strings.ReplaceAll(strings.Replace(subjectCalls("m", 0, 6, func(int) int { return 60 }), "callee", "callee,carrier", 1), "+442071234567", "+442071234567,fabrikam")
	put := func(name string) {
		file := filepath.Join(h.dir, "several", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(text), 0o600), os.Chtimes(file, time.Time{}, h.now().Add(-time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	put("one.csv")
	dealt := func() int {
		list, err := h.desk.Files(t.Context(), jobs.FileFilter{Side: "microsoft"})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	h.until("the carrier's share is taken", func() bool { return dealt() == 1 })
	e, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	h.erased(e.ID)
	put("two.csv")
	h.send("later.csv", subjectCalls("c", 1, 1, func(int) int { return 60 }))
	h.run()
	h.stop()
	h.start() // it is looked at once more
	h.run()
	if n := dealt(); n != 1 {
		t.Errorf("%d shares were taken", n)
	}
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"))
	h.start()
}

// alsoCalls has a house deliver calls and their quality, too.
func (h *house) alsoCalls() {
	h.t.Helper()
	path := filepath.Join(h.dir, "concord.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	h.stop()
	if err := os.WriteFile(path, append(b, "  calls: {kind: calls, schedule: \"0 8 * * *\", period: previous_day, late_delay: 1ms}\n"...), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

// callsOf runs the deliveries of calls of a day.
func (h *house) callsOf(period string) control.RunDetail {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "calls", Period: period, By: "test"})
	if err != nil || len(list) != 1 {
		h.t.Fatalf("%+v, %v", list, err)
	}
	return h.ends(list[0].Run)
}

// What was delivered of a number's calls and their quality goes whole, and so
// does what is remembered of it. What is kept of Microsoft's files is kept without
// the number, so that deliveries of that time and of others go on, and tell of
// nothing that has not changed.
func TestANumberIsErasedFromDeliveriesOfCalls(t *testing.T) {
	h := subjectHouse(t)
	h.alsoCalls()
	same := func(int) int { return 60 }
	h.microsoft("m1.csv", subjectCalls("m", 0, 24, same))
	h.put("data/microsoft/fabrikam/quality/q.csv", "call_record_id,stream_id,version,start,loss_avg\n"+canary+",1,1,2026-10-01T00:10:00Z,0.5\n")
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunSucceeded) {
		t.Fatalf("%+v", r)
	}
	const first = "calls_fabrikam_2026-10-01_000001"
	before := outbox(t, h.remote, first)
	e, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	e = h.erased(e.ID)
	h.clean("the erasure", fmt.Sprintf("%+v", e))
	if left := strings.Join(e.Left, "\n"); !strings.Contains(left, "outbox of fabrikam: tell the carrier") || strings.Contains(left, "have ended") {
		t.Errorf("%q", e.Left)
	}
	if now := outbox(t, h.remote, first); len(before) != 6 || len(now) != 0 {
		t.Errorf("%d files were in the outbox, and %d are", len(before), len(now))
	}
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunSucceeded) || !strings.Contains(r.Error, "as much as delivery 1, from which a number was erased") {
		t.Errorf("made anew: %+v", r)
	}
	h.microsoft("m2.csv", strings.NewReplacer("+"+canary, "+493087654321", canary, "x").Replace(subjectCalls("m", 24, 2, same)))
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunSucceeded) {
		t.Errorf("with a late file: %+v", r)
	}
	now := outbox(t, h.remote, "calls_fabrikam_2026-10-01_000002")
	if got := rowsIn(t, now["_calls_changes.csv"], "change", "record_id"); !slices.Equal(got, []string{"added m-x-24", "added m25"}) {
		t.Errorf("told as changes: %q", got)
	}
	was, is := rowsIn(t, before["_calls.csv"], "start", "duration_ms", "callee"), rowsIn(t, now["_calls.csv"], "start", "duration_ms", "callee")
	if len(is) != 26 || !slices.Equal(was, is[:24]) {
		t.Errorf("%q became %q", was, is)
	}
	h.microsoft("m3.csv", strings.NewReplacer("+"+canary, "+493087654321", canary, "x", "2026-10-01", "2026-10-02").Replace(subjectCalls("m", 26, 2, same)))
	if r := h.callsOf("2026-10-02"); r.State != string(jobs.RunSucceeded) {
		t.Errorf("the next day: %+v", r)
	}
	if got := rowsIn(t, outbox(t, h.remote, "calls_fabrikam_2026-10-02_000003")["_calls.csv"], "record_id"); len(got) != 2 {
		t.Errorf("the next day: %q", got)
	}
	h.gone()
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.start()
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunSucceeded) {
		t.Errorf("after a restart: %+v", r)
	}
}

// A file of wide characters is not written anew: deliveries of its time end, and
// both the erasure and the run say so.
func TestDeliveriesOfWhatCannotBeWrittenAnewEnd(t *testing.T) {
	h := subjectHouse(t)
	h.alsoCalls()
	h.microsoft("m1.csv", utf16Of(subjectCalls("m", 0, 6, func(int) int { return 60 })))
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunSucceeded) {
		t.Fatalf("%+v", r)
	}
	e, err := h.desk.EraseSubject(t.Context(), "+"+canary, "test")
	if err != nil {
		t.Fatal(err)
	}
	if e = h.erased(e.ID); !strings.Contains(strings.Join(e.Left, "\n"), "deliveries of calls of its time have ended") {
		t.Errorf("%q", e.Left)
	}
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunFailed) || !strings.Contains(r.Error, "if a number was erased from it") {
		t.Errorf("%+v", r)
	}
	h.gone()
	h.stop()
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.start()
}
