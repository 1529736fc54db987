package service_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/control"
)

// keptHouse is a service that purges at night. Its clock shows the second of
// October.
func keptHouse(t *testing.T) *house {
	t.Helper()
	h := &house{site: newSite(t), t: t}
	h.append("    country: DE\n    files: {grace: 1s}\nzone: UTC\nretention: {raw: 300d, records: 40d, cases: 40d, reports: 60d, deliveries: 40d, logs: 60d, countries: {DE: {raw: 30d}}}\njobs:\n" +
		"  daily: {kind: reconcile, late_delay: 1ms, deliver: true}\n  purge: {kind: purge, schedule: \"0 3 * * *\"}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// jump starts the service again at another time.
func (h *house) jump(to string) {
	h.t.Helper()
	h.stop()
	h.offset = offsetTo(to)
	h.start()
}

const stale = "cdr_" + canary + ".csv"

// fillKept makes two versions of a report of files that are full of the number.
func (h *house) fillKept() {
	h.t.Helper()
	same := func(int) int { return 60 }
	h.microsoft("m_"+canary+".csv", subjectCalls("m", 0, 12, same))
	h.send(stale, subjectCalls("c", 0, 12, func(i int) int { return 60 + i%3*40 }))
	h.run()
	h.version(1)
	h.send("more.csv", subjectCalls("c", 12, 6, same)+"x,+"+canary+",60000,+"+canary+",+442071234567\n")
	h.version(2)
	h.send("bad_"+canary+".csv", "nonsense +"+canary)
	h.settled()
	h.jump("2026-10-06T06:00:00Z") // calls are waited for no longer
	h.version(3)
	h.until("the reports are delivered", func() bool { return len(h.outbox()) > 0 && h.waiting() == 0 })
	for _, name := range h.outbox() { // by the clock of the house
		at := time.Date(2026, 10, 2, 7, 0, 0, 0, time.UTC)
		if err := os.Chtimes(name, at, at); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) waiting() int {
	list, err := h.srv.Store().WaitingReports(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

func (h *house) outbox() []string {
	list, err := filepath.Glob(filepath.Join(h.dir, "data", "homes", "fabrikam", "outbox", "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// purges asks for a purge, and returns what it says.
func (h *house) purges() control.RunDetail {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "purge", By: "test"})
	if err != nil || len(list) != 1 {
		h.t.Fatal(list, err)
	}
	r := h.ends(list[0].Run)
	if r.State != string(jobs.RunSucceeded) {
		h.t.Fatalf("%+v\n%s", r.Run, h.out.String())
	}
	return r
}

// ledger is what is known of each file, but for its name.
func (h *house) ledger() (list []string) {
	h.t.Helper()
	entries, err := h.srv.Store().Files(h.t.Context(), "fabrikam")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, fmt.Sprint(e.ID, e.SHA256, e.Bytes, e.Status, e.Rows, e.Accepted, e.Rejected, e.DurationMS, e.Days))
	}
	return list
}

func (h *house) figures() (list []string) {
	h.t.Helper()
	all, err := h.desk.Reports(h.t.Context(), jobs.ReportFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range all {
		list = append(list, fmt.Sprint(r.ID, r.Version, r.Verdict, r.Microsoft, r.CarrierSide, r.Discrepancies, r.Changes))
	}
	return list
}

// lies lists the files in a part of the data folder.
func (h *house) lies(part string) (list []string) {
	h.t.Helper()
	root := filepath.Join(h.dir, "data", part)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(root, p)
			list = append(list, rel)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.t.Fatal(err)
	}
	return list
}

func (h *house) fates() (list []string) {
	h.t.Helper()
	lines, err := h.desk.ForeseePurge(h.t.Context(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range lines {
		list = append(list, fmt.Sprintf("%s %s %s %d %s", l.Fate, l.Class, l.Country, l.Count, l.Rule))
	}
	slices.Sort(list)
	return list
}

func (h *house) chain() {
	h.t.Helper()
	x, err := h.desk.VerifyProofs(h.t.Context())
	if err != nil || x.Fault != "" || x.Count == 0 {
		h.t.Errorf("%+v, %v", x, err)
	}
}

// TestWhatIsPurgedIsGoneAndProved goes through the life of a day's data: what
// arrived goes by the rule of its country, what is in dispute stays, and at the
// end the numbers are in no byte of the data folder, while what was counted is
// still known.
func TestWhatIsPurgedIsGoneAndProved(t *testing.T) {
	h := keptHouse(t)
	h.fillKept()
	ledger, figures := h.ledger(), h.figures()
	if got := h.purges(); got.Error != "nothing is older than it is kept" {
		t.Errorf("%q", got.Error)
	}
	// The night after the thirtieth day.
	h.jump("2026-11-02T02:59:57Z")
	h.until("the schedule purges", func() bool { return len(h.lies("spool")) == 0 })
	h.until("and all of it is done", func() bool {
		left, err := h.srv.Store().Remaining(t.Context(), "fabrikam")
		return err == nil && len(left) == 0
	})
	if got := append(h.lies("homes/fabrikam/archive"), h.lies("homes/fabrikam/rejected")...); len(got) > 0 {
		t.Error(got)
	}
	if got := h.lies("homes/fabrikam/receipts"); len(got) > 0 {
		t.Error(got)
	}
	if got := len(h.lies("records")); got != 3 {
		t.Errorf("%d files have records", got)
	}
	h.asBefore(ledger, figures)
	h.repeats(stale, "again.csv")
	// Its records are kept, so that its report can be made anew.
	if r := h.run(); !strings.Contains(r.Error, "the same bytes as version 3") {
		t.Errorf("%s %q", r.State, r.Error)
	}
	h.disputed(figures)
	h.allGone(figures)
}

// disputed has everything held when its time is over.
func (h *house) disputed(figures []string) {
	h.t.Helper()
	if _, err := h.desk.Hold(h.t.Context(), control.NewHold{Carrier: "fabrikam", Period: "2026-10-01", Why: "they say that +" + canary + " never called", By: "fin"}); err != nil {
		h.t.Fatal(err)
	}
	h.jump("2026-12-20T06:00:00Z")
	records, reports := h.lies("records"), h.lies("reports")
	held := []string{
		"hold cases DE 1 retention.cases: 40d", fmt.Sprintf("hold deliveries DE %d retention.deliveries: 40d", len(h.outbox())), "hold raw DE 1 retention.countries.DE.raw: 30d",
		"hold records DE 3 retention.records: 40d", "hold reports DE 3 retention.reports: 60d",
	}
	got := slices.DeleteFunc(h.fates(), func(s string) bool { return strings.Contains(s, " logs ") || strings.Contains(s, " cases ") })
	held = held[1:]
	if !slices.Equal(got, held) {
		h.t.Errorf("foreseen: %q, want %q", got, held)
	}
	if r := h.purges(); !strings.Contains(r.Error, "held") {
		h.t.Errorf("%q", r.Error)
	}
	if !slices.Equal(records, h.lies("records")) || !slices.Equal(reports, h.lies("reports")) || len(h.lies("spool")) != 1 {
		h.t.Errorf("what is held is gone: %q %q", h.lies("records"), h.lies("spool"))
	}
	if !slices.Equal(figures, h.figures()) {
		h.t.Error(h.figures())
	}
}

// allGone releases what is held, and purges it.
func (h *house) allGone(figures []string) {
	h.t.Helper()
	ctx := h.t.Context()
	holds, err := h.desk.Holds(ctx, "fabrikam", true)
	if err != nil || len(holds) != 1 || strings.Contains(holds[0].Why, canary) {
		h.t.Fatal(holds, err)
	}
	if _, err := h.desk.Release(ctx, holds[0].ID, "they paid", "fin"); err != nil {
		h.t.Fatal(err)
	}
	h.settled()
	ledger := h.ledger()
	h.purges()
	if got := h.fates(); len(got) > 0 && !strings.Contains(got[0], "logs") {
		h.t.Errorf("left: %q", got)
	}
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	if got := slices.Concat(h.lies("spool"), h.lies("records"), h.lies("reports"), h.lies("homes/fabrikam/receipts"), h.outbox()); len(got) > 0 {
		h.t.Errorf("%q", got)
	}
	h.asBefore(ledger, figures)
	h.chain()
	h.readersKnow()
	// A copy that comes again is known, and goes with the next night.
	h.repeats(stale, "later.csv")
	h.settled()
	h.purges()
	// Microsoft's file lies in its folder still. It is not taken anew, nor is
	// anything lost.
	h.stop()
	h.start()
	ledger = h.ledger()
	h.refused()
	h.asBefore(ledger, figures)
	if list, err := h.desk.Alerts(ctx, jobs.AlertFilter{Kind: jobs.AlertReportLost}); len(list) > 0 || err != nil {
		h.t.Error(list, err)
	}
	h.nowhere(filepath.Join(h.dir, "data"), "/microsoft/")
	h.chain()
}

// settled has the carrier leave, and waits until all that it sent is put away.
func (h *house) settled() {
	h.t.Helper()
	if err := h.remote.(io.Closer).Close(); err != nil {
		h.t.Fatal(err)
	}
	h.until("everything has left the inbox", func() bool {
		list, err := h.srv.Store().Unsettled(h.t.Context(), "fabrikam")
		return err == nil && len(list) == 0
	})
	h.remote = h.dial("fabrikam", h.key)
}

// repeats sends the content of a file again, under another name.
func (h *house) repeats(_, name string) {
	h.t.Helper()
	text := subjectCalls("c", 0, 12, func(i int) int { return 60 + i%3*40 })
	if err := exchange.Publish(h.t.Context(), h.remote, "inbox/"+name, strings.NewReader(text), int64(len(text))); err != nil {
		h.t.Fatal(err)
	}
	if r := await(h.t, h.remote, name); r.Status != landing.StatusDuplicate {
		h.t.Errorf("%+v", r)
	}
}

func (h *house) asBefore(ledger, figures []string) {
	h.t.Helper()
	if got := h.ledger(); !slices.Equal(ledger, got) {
		h.t.Errorf("%q\nnot\n%q", got, ledger)
	}
	if got := h.figures(); !slices.Equal(figures, got) {
		h.t.Errorf("%q\nnot\n%q", got, figures)
	}
}

// readersKnow asks for what is purged.
func (h *house) readersKnow() {
	h.t.Helper()
	ctx := h.t.Context()
	list, err := h.desk.Reports(ctx, jobs.ReportFilter{Newest: true})
	if err != nil || len(list) != 1 {
		h.t.Fatal(list, err)
	}
	x, err := h.desk.Report(ctx, list[0].ID)
	if err != nil || len(x.Files) > 0 || len(x.Purged) == 0 || x.Purged[0].Class != "reports" || x.Purged[0].At.IsZero() {
		h.t.Errorf("%+v, %v", x, err)
	}
	_, _, err = h.desk.OpenReportFile(ctx, list[0].ID, "summary.json", "fin")
	if r, ok := errors.AsType[*control.Refusal](err); !ok || !strings.Contains(r.Text, "were purged, as proof") {
		h.t.Error(err)
	}
	files, err := h.desk.Files(ctx, jobs.FileFilter{Side: "microsoft"})
	if err != nil || len(files) != 1 {
		h.t.Fatal(files, err)
	}
	f, err := h.desk.UnmaskedFile(ctx, files[0].ID, "fin")
	if err != nil || len(f.Purged) != 2 || strings.Contains(f.File.File, canary) {
		h.t.Errorf("%+v, %v", f, err)
	}
}

// refused asks for a report that would lack what was purged.
func (h *house) refused() {
	h.t.Helper()
	if r := h.run(); r.State != string(jobs.RunFailed) || !strings.Contains(r.Error, "cannot be reported any more") || r.Attempt != 1 {
		h.t.Errorf("%+v", r.Run)
	}
}

// TestNothingIsPurgedWithoutARule has a job and no retention.
func TestNothingIsPurgedWithoutARule(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	h.append("    files: {grace: 1s}\nzone: UTC\njobs: {purge: {kind: purge}}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.send("a.csv", table(call{"a", "2026-10-01T10:00:00Z", 60}))
	h.jump("2036-10-02T06:00:00Z")
	if r := h.purges(); !strings.Contains(r.Error, "nothing is purged: the configuration keeps everything for ever") {
		t.Errorf("%q", r.Error)
	}
	if got := h.fates(); len(got) > 0 || len(h.lies("spool")) != 1 {
		t.Error(got, h.lies("spool"))
	}
}
