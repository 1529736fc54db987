package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/exchange/landing"
	"concord/jobs"
)

// carrierHost is a carrier's own host, pulled from in virtual time.
type carrierHost struct {
	jobs.Host
	remote exchange.Remote
	dir    string
}

func newCarrierHost(t *testing.T) *carrierHost {
	t.Helper()
	dir := t.TempDir()
	home, err := landing.OpenHome(filepath.Join(dir, "home"), "fabrikam", landing.Terms{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	spool, err := landing.OpenSpool(filepath.Join(dir, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		home.Tend(ctx, spool, new(acceptAll), landing.Watch{})
	}()
	t.Cleanup(func() {
		stop()
		<-done
		_ = errors.Join(home.Close(), spool.Close())
	})
	h := &carrierHost{
		Host:   jobs.Host{Home: home, Inbox: "out", Done: "done", Receipts: "receipts", Outbox: "in"},
		remote: exchangetest.NewMem(), dir: dir,
	}
	h.put(t, "out/keep.part", "") // or the folder would go with its last file
	return h
}

// acceptAll is a taker that accepts whatever it is offered.
type acceptAll struct{ taken []string }

// Take implements landing.Taker.
func (a *acceptAll) Take(_ context.Context, o landing.Offer) (landing.Answer, error) {
	a.taken = append(a.taken, o.Name)
	r := landing.Receipt{File: o.Name, Status: landing.StatusAccepted, SHA256: o.SHA256, Seconds: "0", Received: o.Received, Time: o.Received}
	return landing.Answer{ID: o.SHA256, Verdict: landing.Accept, Receipt: r}, nil
}

// Unsettled implements landing.Taker.
func (a *acceptAll) Unsettled(context.Context, string) ([]landing.Answer, error) { return nil, nil }

// Settle implements landing.Taker.
func (a *acceptAll) Settle(context.Context, string, string) error { return nil }

// Holds implements landing.Taker.
func (a *acceptAll) Holds(context.Context, string) (bool, error) { return true, nil }

func (h *carrierHost) put(t *testing.T, name, content string) {
	t.Helper()
	if err := h.remote.Put(t.Context(), name, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

// look pulls once, and lets a minute pass.
func (h *carrierHost) look(t *testing.T, r exchange.Remote) error {
	t.Helper()
	err := h.Pull(t.Context(), r)
	time.Sleep(time.Minute)
	synctest.Wait()
	return err
}

func (h *carrierHost) holds(t *testing.T, name string) string {
	t.Helper()
	var b strings.Builder
	if err := h.remote.Get(t.Context(), name, &b, 0); err != nil {
		return "(none)"
	}
	return b.String()
}

func (h *carrierHost) local(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(h.dir, "home", landing.Archive, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i] = filepath.Base(all[i])
	}
	return all
}

func TestAFileIsPulledAnsweredAndTakenOffTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCarrierHost(t)
		h.put(t, "out/a.csv", strings.Repeat("x", 1<<17)) // a whole number of blocks
		h.put(t, "out/b.csv.part", "unfinished")
		if err := h.look(t, h.remote); err != nil || len(h.local(t)) > 0 {
			t.Fatalf("pulled at first sight: %v, %v", h.local(t), err)
		}
		for range 3 {
			if err := h.look(t, h.remote); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.local(t); !slices.Equal(got, []string{"a.csv"}) {
			t.Errorf("archived %v", got)
		}
		var r landing.Receipt
		if err := json.Unmarshal([]byte(h.holds(t, "receipts/a.csv.json")), &r); err != nil || r.Status != landing.StatusAccepted {
			t.Errorf("receipt %+v, %v", r, err)
		}
		if h.holds(t, "out/a.csv") != "(none)" || len(h.holds(t, "done/a.csv")) != 1<<17 || h.holds(t, "out/b.csv.part") != "unfinished" {
			t.Error("the host was not left as agreed")
		}
	})
}

func TestAFileThatGrowsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCarrierHost(t)
		for i := range 5 {
			h.put(t, "out/a.csv", strings.Repeat("row\n", i+1))
			if err := h.look(t, h.remote); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.local(t); len(got) > 0 {
			t.Errorf("pulled while it grew: %v", got)
		}
	})
}

// A file that is replaced between the fetch and the answer is not taken off.
func TestWhatWasReplacedMeanwhileStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCarrierHost(t)
		h.put(t, "out/a.csv", "first")
		_ = h.look(t, h.remote)
		_ = h.look(t, h.remote)
		h.put(t, "out/a.csv", "second")
		for range 4 {
			if err := h.look(t, h.remote); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.holds(t, "done/a.csv"); got != "second" || len(h.local(t)) != 2 {
			t.Errorf("taken off: %q, archived %v", got, h.local(t))
		}
	})
}

func TestAPullThatFailsGoesOn(t *testing.T) {
	for i := 0; ; i++ {
		failed := false
		synctest.Test(t, func(t *testing.T) {
			h := newCarrierHost(t)
			content := strings.Repeat("0123456789\n", 2000)
			h.put(t, "out/a.csv", content)
			faulty := exchangetest.FailAt(i, h.remote)
			for range 8 {
				failed = h.look(t, faulty) != nil || failed
			}
			if got := h.holds(t, "done/a.csv"); got != content || !slices.Equal(h.local(t), []string{"a.csv"}) {
				t.Errorf("operation %d: %d bytes on the host, archived %v", i, len(got), h.local(t))
			}
		})
		if !failed {
			t.Logf("%d operations", i)
			return
		}
	}
}

func TestTheOutboxIsPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCarrierHost(t)
		if err := h.Home.Deliver(t.Context(), "numbers.csv", strings.NewReader("+49…")); err != nil {
			t.Fatal(err)
		}
		if err := h.Push(t.Context(), exchangetest.FailFrom(0, h.remote)); err == nil {
			t.Error("a push to a host that is gone succeeds")
		}
		if err := h.Push(t.Context(), h.remote); err != nil || h.holds(t, "in/numbers.csv") != "+49…" {
			t.Error(err)
		}
		s := h.Home.Session()
		defer s.End()
		if _, err := s.Stat("outbox/numbers.csv"); err == nil {
			t.Error("it is still in the outbox")
		}
		if f, err := s.Open("outbox/numbers.csv"); err == nil {
			_, _ = io.Copy(io.Discard, f)
		}
	})
}

// A manifest follows what it names, and stays here when not all of that could be
// pushed.
func TestAManifestIsPushedLast(t *testing.T) {
	for _, end := range []string{"", ".pgp"} {
		manifestLast(t, end)
	}
}

func manifestLast(t *testing.T, end string) {
	t.Helper()
	names := []string{"a_1_data.csv" + end, "a_1_manifest.json" + end, "a_1_rest.csv" + end, "b.csv" + end}
	synctest.Test(t, func(t *testing.T) {
		for n := 0; ; n++ {
			h := newCarrierHost(t)
			for _, name := range names {
				if err := h.Home.Deliver(t.Context(), name, strings.NewReader(name)); err != nil {
					t.Fatal(err)
				}
			}
			err := h.Push(t.Context(), exchangetest.FailAt(n, h.remote))
			whole := h.holds(t, "in/"+names[0]) == names[0] && h.holds(t, "in/"+names[2]) == names[2]
			if h.holds(t, "in/"+names[1]) != "(none)" && !whole {
				t.Errorf("operation %d: there is a manifest, and not all that it names", n)
			}
			if again := h.Push(t.Context(), h.remote); again != nil || h.holds(t, "in/"+names[1]) != names[1] || h.holds(t, "in/"+names[0]) != names[0] {
				t.Errorf("operation %d: %v", n, again)
			}
			if err == nil {
				return
			}
		}
	})
}
