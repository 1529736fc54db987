package jobs

import (
	"context"
	"time"
)

// FeedRow is what is remembered of a row of one of Microsoft's feeds, by which
// it is known again.
type FeedRow struct {
	ID    string    // within the feed
	Sum   string    // of what counts of the row, as it was handed on
	Start time.Time // of the call
	// Seconds is the duration of the row that was seen first with one of
	// Microsoft's own measuring; nil: there was none yet.
	Seconds *int64
}

// FeedRows remembers what was taken from Microsoft's feeds.
type FeedRows interface {
	// FeedRows returns what is remembered of rows, by id.
	FeedRows(ctx context.Context, feed string, ids []string) (map[string]FeedRow, error)
	// KeepFeedRows remembers rows, in place of what was known of them.
	KeepFeedRows(ctx context.Context, feed string, rows []FeedRow) error
	// FeedMark returns until when a feed was read; zero: it never was.
	FeedMark(ctx context.Context, feed string) (time.Time, error)
	// SetFeedMark says until when a feed was read, and forgets rows of calls
	// that began before a time.
	SetFeedMark(ctx context.Context, feed string, mark, forget time.Time) error
}
