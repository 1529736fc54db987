package service_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/formats/trace"
	"concord/jobs"
	"concord/jobs/service"
	"concord/jobs/subject"
)

// errCrash stands for the end of the process.
var errCrash = errors.New("crash")

// crash ends the process before or behind the change numbered at: nothing is
// done from then on.
type crash struct {
	n, at int
	after bool
}

// step does a change, unless the process has ended.
func (c *crash) step(do func() error) error {
	c.n++
	switch {
	case c.at == 0 || c.n < c.at:
		return do()
	case c.n == c.at && c.after:
		return errors.Join(do(), errCrash)
	}
	return errCrash
}

// fragile is a state that a crash may keep from being changed.
type fragile struct {
	subject.State
	*crash
}

func (f fragile) AdvanceErasure(ctx context.Context, id string, s jobs.ErasureState, left []string) error {
	return f.step(func() error { return f.State.AdvanceErasure(ctx, id, s, left) })
}

func (f fragile) NoteErased(ctx context.Context, id string, items ...jobs.ErasedItem) error {
	return f.step(func() error { return f.State.NoteErased(ctx, id, items...) })
}

func (f fragile) EraseContent(ctx context.Context, id, sum string) error {
	return f.step(func() error { return f.State.EraseContent(ctx, id, sum) })
}

func (f fragile) KeepInstead(ctx context.Context, sum, instead string) error {
	return f.step(func() error { return f.State.KeepInstead(ctx, sum, instead) })
}

func (f fragile) RewriteText(ctx context.Context, id string, change func(string) string) error {
	return f.step(func() error { return f.State.RewriteText(ctx, id, change) })
}

func (f fragile) ReplaceNumber(ctx context.Context, id string, digits, by uint64) error {
	return f.step(func() error { return f.State.ReplaceNumber(ctx, id, digits, by) })
}

func (f fragile) RemakeDelivery(ctx context.Context, d jobs.NumbersDelivery) error {
	return f.step(func() error { return f.State.RemakeDelivery(ctx, d) })
}

func (f fragile) ReplaceReport(ctx context.Context, id string, r jobs.Report, events []jobs.CaseEvent, again bool) error {
	return f.step(func() error { return f.State.ReplaceReport(ctx, id, r, events, again) })
}

func (f fragile) SettleReport(ctx context.Context, id string) error {
	return f.step(func() error { return f.State.SettleReport(ctx, id) })
}

func (f fragile) Scrub(ctx context.Context) error {
	return f.step(func() error { return f.State.Scrub(ctx) })
}

func (f fragile) EndErasure(ctx context.Context, id string, now time.Time) (e jobs.Erasure, err error) {
	return e, f.step(func() (err error) {
		e, err = f.State.EndErasure(ctx, id, now)
		return err
	})
}

// fragileSpool is a spool that a crash may keep from being changed.
type fragileSpool struct {
	subject.Spool
	*crash
}

func (f fragileSpool) Erase(sum string) error {
	return f.step(func() error { return f.Spool.Erase(sum) })
}

func (f fragileSpool) Add(ctx context.Context, r io.Reader) (c landing.Content, err error) {
	return c, f.step(func() (err error) {
		c, err = f.Spool.Add(ctx, r)
		return err
	})
}

func (f fragileSpool) Release(sum string, keep bool) error {
	return f.step(func() error { return f.Spool.Release(sum, keep) })
}

// eraseBy does what is to be erased, until the crash.
func (h *house) eraseBy(srv *service.Service, c *crash) error {
	d := srv.Subjects()
	d.State, d.Spool = fragile{d.State, c}, fragileSpool{d.Spool, c}
	return d.Work(h.t.Context())
}

// Wherever an erasure is broken off, the next start ends it as if it had not
// been: the number is nowhere, every report has the same bytes, and what was
// erased is counted once.
func TestAnErasureIsGoneOnWith(t *testing.T) {
	h := subjectHouse(t)
	same := func(int) int { return 60 }
	h.alsoCalls()
	h.microsoft("m1.csv", subjectCalls("m", 0, 12, same))
	h.send("cdr_"+canary+".csv", subjectCalls("c", 0, 12, func(i int) int { return 60 + i%3*40 }))
	h.send("bad.csv", "record_id,start,duration_ms,caller,callee\nx,+"+canary+",60000,+"+canary+",+442071234567\n")
	h.list("a-20260930T200000Z.csv", shared("u1"))
	h.number1()
	h.run()
	h.version(1)
	h.delivered(1)
	if r := h.callsOf("2026-10-01"); r.State != string(jobs.RunSucceeded) {
		t.Fatalf("%+v", r)
	}
	h.gone()
	h.stop()
	h.in(filepath.Join(h.dir, "data"), func(srv *service.Service) {
		n, err := trace.Parse("+" + canary)
		if err == nil {
			_, err = srv.Subjects().Ask(t.Context(), n, "test")
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	whole, count := filepath.Join(t.TempDir(), "data"), new(crash)
	h.copied(whole)
	want := h.goneOnWith(whole, count)
	if count.n < 20 {
		t.Errorf("%d changes", count.n)
	}
	for at := 1; at <= count.n; at += stride(5) {
		dir := filepath.Join(t.TempDir(), "data")
		h.copied(dir)
		h.in(dir, func(srv *service.Service) {
			// Behind one change is before the next.
			if err := h.eraseBy(srv, &crash{at: at, after: at > 1}); !errors.Is(err, errCrash) {
				t.Fatalf("change %d: %v", at, err)
			}
		})
		if got := h.goneOnWith(dir, new(crash)); got != want {
			t.Errorf("behind change %d:\n%s\nnot\n%s", at, got, want)
		}
	}
}

// number1 delivers numbers to the one carrier.
func (h *house) number1() {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), startNumbers())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range list {
		h.ends(p.Run)
	}
}

// copied copies the data folder.
func (h *house) copied(to string) {
	h.t.Helper()
	from := filepath.Join(h.dir, "data")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		h.t.Fatal(err)
	}
	// A copy has times of its own, by which Microsoft's files are known.
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		copied := filepath.Join(to, rel)
		return errors.Join(os.Chtimes(copied, time.Time{}, info.ModTime()), os.Chmod(copied, info.Mode().Perm()))
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// goneOnWith ends an erasure in a data folder, in which the number is nowhere then, and
// returns what it came to.
func (h *house) goneOnWith(dir string, c *crash) (got string) {
	h.t.Helper()
	h.in(dir, func(srv *service.Service) {
		if err := h.eraseBy(srv, c); err != nil {
			h.t.Fatal(err)
		}
		got = outcomeOf(h.t, srv.Desk(), filepath.Join(dir, "reports", "fabrikam", "2026-10-01", "v1"))
	})
	h.nowhere(dir, "/microsoft/")
	return got
}
