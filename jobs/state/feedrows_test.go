package state_test

import (
	"fmt"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// Rows that were taken are known again as they were, however many there are,
// until their time is over; and each feed knows its own.
func TestRowsOfFeedsAreKnownAgain(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, ctx := open(t, fresh(t)), t.Context()
		at := time.Date(2026, 10, 1, 10, 0, 0, 0, time.UTC)
		seconds := int64(61)
		want := map[string]jobs.FeedRow{}
		var rows []jobs.FeedRow
		var ids []string
		for i := range 1201 {
			r := jobs.FeedRow{ID: fmt.Sprint("id'", i), Sum: fmt.Sprint(i), Start: at.Add(time.Duration(i) * time.Second)}
			if i%2 == 0 {
				r.Seconds = &seconds
			}
			want[r.ID] = r
			rows, ids = append(rows, r), append(ids, r.ID)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		know := func(want map[string]jobs.FeedRow, feed string) {
			t.Helper()
			got, err := s.FeedRows(ctx, feed, ids)
			must(err)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		}
		must(s.KeepFeedRows(ctx, "a", rows))
		know(want, "a")
		know(map[string]jobs.FeedRow{}, "b")
		changed := rows[1200]
		changed.Sum, changed.Seconds = "other", nil
		must(s.KeepFeedRows(ctx, "a", []jobs.FeedRow{changed}))
		want[changed.ID] = changed
		know(want, "a")
		if mark, err := s.FeedMark(ctx, "a"); err != nil || !mark.IsZero() {
			t.Error(mark, err)
		}
		must(s.SetFeedMark(ctx, "a", at, at))
		must(s.SetFeedMark(ctx, "a", at.Add(time.Hour), at.Add(1200*time.Second)))
		if mark, err := s.FeedMark(ctx, "a"); err != nil || !mark.Equal(at.Add(time.Hour)) {
			t.Error(mark, err)
		}
		know(map[string]jobs.FeedRow{changed.ID: changed}, "a")
	})
}
