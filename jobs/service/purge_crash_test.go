package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
	"concord/jobs/privacy"
	"concord/jobs/service"
)

// fragilePurges is a state that a crash may keep from being changed.
type fragilePurges struct {
	jobs.Purges
	*crash
}

func (f fragilePurges) Purge(ctx context.Context, o jobs.PurgeOrder, now time.Time) (p jobs.Proof, left []jobs.Remains, err error) {
	return p, left, f.step(func() (err error) {
		p, left, err = f.Purges.Purge(ctx, o, now)
		return err
	})
}

func (f fragilePurges) EndRemains(ctx context.Context, seq int64) error {
	return f.step(func() error { return f.Purges.EndRemains(ctx, seq) })
}

func (f fragilePurges) ScrubPurged(ctx context.Context, l jobs.Lease) error {
	return f.step(func() error { return f.Purges.ScrubPurged(ctx, l) })
}

// fragileDisk is a disk that a crash may keep from being changed.
type fragileDisk struct {
	privacy.Disk
	*crash
}

func (f fragileDisk) Remove(ctx context.Context, r jobs.Remains) (gone bool, err error) {
	return gone, f.step(func() (err error) {
		gone, err = f.Disk.Remove(ctx, r)
		return err
	})
}

// at opens a service on a copy of the data folder, that does nothing by itself.
func (h *house) at(dir string) *service.Service {
	h.t.Helper()
	cfg := h.config(h.t)
	cfg.Data, cfg.Microsoft = dir, filepath.Join(dir, "microsoft")
	srv, err := service.Open(h.t.Context(), cfg, h.options(&h.out))
	if err != nil {
		h.t.Fatal(err)
	}
	return srv
}

// in has something done by a service on a data folder.
func (h *house) in(dir string, do func(*service.Service)) {
	h.t.Helper()
	srv := h.at(dir)
	defer func() {
		if err := srv.Close(); err != nil {
			h.t.Error(err)
		}
	}()
	do(srv)
}

// purgeBy does a run of the purge until the crash. What a crash has interrupted is
// queued again by the next start.
func (h *house) purgeBy(srv *service.Service, c *crash) error {
	h.t.Helper()
	ctx, store := h.t.Context(), srv.Store()
	if _, err := srv.Desk().Start(ctx, control.Start{Job: "purge", By: "test"}); err != nil {
		h.t.Fatal(err)
	}
	run, err := store.Claim(ctx, jobs.ClaimOptions{Owner: "test", Now: h.now(), Lease: time.Hour, Kinds: []string{"purge"}})
	if err != nil {
		h.t.Fatal(err)
	}
	p := srv.Purger()
	p.State, p.Disk = fragilePurges{p.State, c}, fragileDisk{p.Disk, c}
	end, err := p.Do(ctx, run)
	if err != nil {
		return err
	}
	_, err = store.Finish(ctx, run.Lease(), end, h.now())
	return err
}

// came is what a purge came to: what each proof is about, and what lies there.
func (h *house) came(srv *service.Service) string {
	h.t.Helper()
	ctx := h.t.Context()
	var lines []string
	proofs, err := srv.Desk().Proofs(ctx, jobs.ProofFilter{})
	for _, p := range proofs {
		lines = append(lines, fmt.Sprint(p.Act, p.Class, p.Country, p.Rule, p.Count, p.Bytes, p.From, p.To, p.Items))
	}
	check, err2 := srv.Desk().VerifyProofs(ctx)
	left, err3 := srv.Store().Remaining(ctx, "fabrikam")
	shared, err5 := srv.Store().Remaining(ctx, "")
	entries, err4 := srv.Store().Files(ctx, "fabrikam")
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		lines = append(lines, fmt.Sprint(e.ID, e.Name, e.RawPurged != 0, e.RecordsPurged != 0))
	}
	slices.Sort(lines)
	return strings.Join(append(lines, check.Fault, fmt.Sprint(len(left), len(shared))), "\n")
}

// TestAPurgeIsGoneOnWith breaks off a purge behind each of its steps.
// At each of them what is marked is proved, and the next run ends as if nothing
// had been.
func TestAPurgeIsGoneOnWith(t *testing.T) {
	h := keptHouse(t)
	h.fillKept()
	h.sweepPurge(30, "/microsoft/")
}

// TestAPurgeOfWhatWasDealtIsGoneOnWith does so with files about several carriers,
// what was dealt out of them, and deliveries.
func TestAPurgeOfWhatWasDealtIsGoneOnWith(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	h.append("    operators: [Fabrikam Telecom]\nmicrosoft: {calls: shared}\n" + storyJobs +
		"  calls: {kind: calls}\n  purge: {kind: purge}\nretention: {raw: 30d, records: 30d, cases: 30d, reports: 30d, deliveries: 30d, logs: 30d}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.put("shared/calls_"+canary+".json", graphCalls(600))
	h.put("data/microsoft/fabrikam/quality/"+callsFolder+"/q_"+canary+".json", callRecord("c-f1", 1, "PT0.010S"))
	list, err := h.desk.Start(t.Context(), control.Start{Job: "calls", Period: "2026-10-01", By: "test"})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	h.ends(list[0].Run)
	if len(h.outbox()) != 6 {
		t.Fatalf("%q %s", h.outbox(), h.out.String())
	}
	h.sent()
	h.until("every file is followed", func() bool {
		list, err := h.srv.Store().Unfollowed(t.Context(), "", 10)
		return err == nil && len(list) == 0
	})
	h.sweepPurge(12)
}

// callsFolder is where the service puts what it deals out, among quality rows.
const callsFolder = "shared"

// sent has all that lies in outboxes be of the second of October, by the clock of
// the house.
func (h *house) sent() {
	h.t.Helper()
	at := time.Date(2026, 10, 2, 7, 0, 0, 0, time.UTC)
	for _, name := range h.lies("homes") {
		if err := os.Chtimes(filepath.Join(h.dir, "data", "homes", name), at, at); err != nil {
			h.t.Fatal(err)
		}
	}
}

// sweepPurge breaks off a purge behind each of its steps, of which there are so
// many at the least. What Microsoft's folders have may stay.
func (h *house) sweepPurge(least int, but ...string) {
	t := h.t
	t.Helper()
	h.stop()
	h.offset = offsetTo("2026-12-20T06:00:00Z")
	whole := filepath.Join(t.TempDir(), "data")
	h.copied(whole)
	count := new(crash)
	var want string
	h.in(whole, func(srv *service.Service) {
		if err := h.purgeBy(srv, count); err != nil {
			t.Fatal(err)
		}
		want = h.came(srv)
	})
	h.nowhere(whole, but...)
	if count.n < least || strings.Count(want, "purge") < 3 {
		t.Errorf("%d steps\n%s", count.n, want)
	}
	for at := 1; at <= count.n; at += stride(2) {
		dir := filepath.Join(t.TempDir(), "data")
		h.copied(dir)
		// Behind one step is before the next.
		h.in(dir, func(srv *service.Service) {
			if err := h.purgeBy(srv, &crash{at: at, after: at > 1}); !errors.Is(err, errCrash) {
				t.Fatalf("step %d: %v", at, err)
			}
		})
		h.in(dir, func(srv *service.Service) {
			h.provable(dir, srv)
			if err := h.purgeBy(srv, new(crash)); err != nil {
				t.Fatalf("behind step %d: %v", at, err)
			}
			if got := h.came(srv); got != want {
				t.Errorf("behind step %d:\n%s\nnot\n%s", at, got, want)
			}
		})
		h.nowhere(dir, but...)
	}
}

// stride is how many steps a sweep passes over where it usually does so many: none
// in make chaos.
func stride(usual int) int {
	switch {
	case os.Getenv("SWEEP") == "all":
		return 1
	case testing.Short():
		return 3 * usual
	}
	return usual
}

// provable checks that whatever is not there any more is marked, and that each
// mark has its proof.
func (h *house) provable(dir string, srv *service.Service) {
	h.t.Helper()
	there := h.dir
	h.dir = filepath.Dir(dir)
	defer func() { h.dir = there }()
	records, spool, reports := strings.Join(h.lies("records"), "\n"), strings.Join(h.lies("spool"), "\n"), strings.Join(h.lies("reports"), "\n")
	ctx := h.t.Context()
	check, err := srv.Desk().VerifyProofs(ctx)
	if err != nil || check.Fault != "" {
		h.t.Errorf("%+v, %v", check, err)
	}
	entries, err := srv.Store().Files(ctx, "fabrikam")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if e.RawPurged == 0 && !strings.Contains(spool, e.SHA256) || e.RecordsPurged == 0 && e.Ingested() && !strings.Contains(records, e.ID) {
			h.t.Errorf("%s is gone without a mark", e.ID)
		}
		if max(e.RawPurged, e.RecordsPurged) > check.Count {
			h.t.Errorf("%s is marked without a proof", e.ID)
		}
	}
	list, err := srv.Store().Reports(ctx, jobs.ReportFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range list {
		if r.Purged == 0 && !strings.Contains(reports, r.Folder[len("fabrikam/"):]+"/manifest.json") {
			h.t.Errorf("%s is gone without a mark", r.Folder)
		}
	}
}
