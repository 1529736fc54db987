package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// failing is a queue whose n-th enqueueing fails, counted from 0.
type failing struct {
	control.Queue
	n int
}

func (f *failing) Enqueue(ctx context.Context, r jobs.Run, now time.Time) (jobs.Run, error) {
	if f.n--; f.n == -1 {
		return jobs.Run{}, errors.New("the disk is full")
	}
	return f.Queue.Enqueue(ctx, r, now)
}

// TestABackfillThatBreaksOffGoesOnWhereItStopped fails each step in turn: what
// was enqueued until then is noted and done, and asking again does the rest.
func TestABackfillThatBreaksOffGoesOnWhereItStopped(t *testing.T) {
	b := control.Backfill{Job: "daily", From: "2026-10-01", To: "2026-10-02", By: "ann"}
	for n := 0; ; n++ {
		o := newOffice(t)
		o.Queue = &failing{o.store, n}
		_, err := o.Backfill(t.Context(), b)
		if err == nil {
			if n != 4 {
				t.Errorf("a backfill of 4 runs took %d steps", n)
			}
			return
		}
		runs, rerr := o.Runs(t.Context(), jobs.RunFilter{})
		rows, aerr := o.Audit(t.Context(), jobs.AuditFilter{What: "run.backfill"})
		if rerr != nil || aerr != nil || len(runs) != n || (len(rows) == 1) != (n > 0) || (o.woken == 1) != (n > 0) {
			t.Fatalf("step %d: %d runs, %v in the audit trail, woken %d times", n, len(runs), rows, o.woken)
		}
		for _, r := range runs {
			if !strings.Contains(rows[0].Detail, r.ID) {
				t.Errorf("step %d: run %s is not in the audit trail", n, r.ID)
			}
		}
		list, err := o.Backfill(t.Context(), b)
		if err != nil || len(list) != 4 {
			t.Errorf("step %d: again: %v, %v", n, list, err)
		}
		if runs, _ = o.Runs(t.Context(), jobs.RunFilter{}); len(runs) != 4 {
			t.Errorf("step %d: %d runs in the end", n, len(runs))
		}
	}
}
