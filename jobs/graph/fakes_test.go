package graph_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"time"

	"concord/jobs"
	"concord/jobs/state"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

var errForgotten = errors.New("the database is away")

// forgetful cannot remember rows.
type forgetful struct{ *state.Store }

func (forgetful) KeepFeedRows(context.Context, string, []jobs.FeedRow) error { return errForgotten }

// memory remembers rows without a database.
type memory struct {
	rows map[string]jobs.FeedRow
	mark time.Time
}

func newMemory() *memory { return &memory{rows: map[string]jobs.FeedRow{}} }

func (m *memory) FeedRows(_ context.Context, _ string, ids []string) (map[string]jobs.FeedRow, error) {
	known := map[string]jobs.FeedRow{}
	for _, id := range ids {
		if r, ok := m.rows[id]; ok {
			known[id] = r
		}
	}
	return known, nil
}

func (m *memory) KeepFeedRows(_ context.Context, _ string, rows []jobs.FeedRow) error {
	for _, r := range rows {
		m.rows[r.ID] = r
	}
	return nil
}

func (m *memory) FeedMark(context.Context, string) (time.Time, error) { return m.mark, nil }

func (m *memory) SetFeedMark(_ context.Context, _ string, mark, _ time.Time) error {
	m.mark = mark
	return nil
}
