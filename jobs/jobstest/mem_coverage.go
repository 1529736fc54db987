package jobstest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"concord/jobs"
)

var _ jobs.Coverage = (*Mem)(nil)

// Covering implements jobs.Coverage.
func (m *Mem) Covering(ctx context.Context, carrier string, from, to time.Time) ([]jobs.Entry, error) {
	first, last := from.UTC().Format(time.DateOnly), to.Add(-1).UTC().Format(time.DateOnly)
	return m.list(ctx, func(e *jobs.Entry) bool {
		within := func(d jobs.Day) bool { return d.Rows > 0 && first <= d.Date && d.Date <= last && from.Before(to) }
		return e.Carrier == carrier && e.Ingested() && slices.ContainsFunc(e.Days, within) && !m.replaced(e)
	})
}

// replaced says whether a later entry takes the place of e.
func (m *Mem) replaced(e *jobs.Entry) bool {
	later := false
	for i := range m.entries {
		r := &m.entries[i]
		if later && r.ReplacesID == e.ID && r.Ingested() && r.Carrier == e.Carrier && r.Microsoft == e.Microsoft {
			return true
		}
		later = later || r == e
	}
	return false
}

// Unfollowed implements jobs.Coverage.
func (m *Mem) Unfollowed(ctx context.Context, after string, limit int) (list []jobs.Followup, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	beyond := after == ""
	for i := range m.entries {
		e := &m.entries[i]
		if !beyond {
			beyond = e.ID == after
			continue
		}
		if e.Ingested() && !m.followed[e.ID] && (limit == 0 || len(list) < limit) {
			list = append(list, jobs.Followup{Entry: clone(*e), Touched: m.touched(e)})
		}
	}
	return list, ctx.Err()
}

// touched returns the days of e and of all that it replaces.
func (m *Mem) touched(e *jobs.Entry) (days []string) {
	for seen := map[*jobs.Entry]bool{}; e != nil && !seen[e]; e = m.replacedBy(e) {
		seen[e] = true
		for _, d := range e.Days {
			days = append(days, d.Date)
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// replacedBy returns the entry that e takes the place of, or nil.
func (m *Mem) replacedBy(e *jobs.Entry) *jobs.Entry {
	i := slices.IndexFunc(m.entries, func(b jobs.Entry) bool {
		return b.ID == e.ReplacesID && b.Carrier == e.Carrier && b.Microsoft == e.Microsoft
	})
	if i < 0 {
		return nil
	}
	return &m.entries[i]
}

// Follow implements jobs.Coverage.
func (m *Mem) Follow(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.ContainsFunc(m.entries, func(e jobs.Entry) bool { return e.ID == id }) {
		return fmt.Errorf("%w: %s", jobs.ErrNoFile, id)
	}
	if m.followed == nil {
		m.followed = map[string]bool{}
	}
	m.followed[id] = true
	return ctx.Err()
}
