// Package jobstest is for tests only: ledgers that need no database, and the
// contracts of all that package jobs wants to be remembered.
//
// Mem forgets when the process ends. Journal outlives it, and outlives a kill
// at any instant: it is one file of JSON lines, each synced before anything is
// said of it. Both are safe for concurrent use. TestLedger, TestCoverage,
// TestRuns, TestReports and TestAlerts are the contracts.
package jobstest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"concord/jobs"
)

// Mem is a jobs.Ledger in memory that knows its coverage. Its zero value is
// empty and ready.
type Mem struct {
	mu       sync.Mutex
	entries  []jobs.Entry
	followed map[string]bool // by id
}

var _ jobs.Ledger = (*Mem)(nil)

// Record implements jobs.Ledger.
func (m *Mem) Record(ctx context.Context, a jobs.Arrival, decide func(jobs.Known) jobs.Entry) (jobs.Entry, error) {
	return m.record(ctx, a, decide, func(jobs.Entry) error { return nil })
}

// record is Record with a step that makes the entry last.
func (m *Mem) record(ctx context.Context, a jobs.Arrival, decide func(jobs.Known) jobs.Entry, keep func(jobs.Entry) error) (jobs.Entry, error) {
	if err := ctx.Err(); err != nil {
		return jobs.Entry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if (!e.Settled || e.Microsoft) && e.Arrived(a) {
			return clone(e), nil
		}
	}
	e := decide(m.known(a))
	e.Settled = e.Microsoft
	if err := keep(e); err != nil {
		return jobs.Entry{}, err
	}
	m.entries = append(m.entries, clone(e))
	return e, nil
}

// known looks for what matters of the entries before.
func (m *Mem) known(a jobs.Arrival) (k jobs.Known) {
	best := 0
	for i := range m.entries {
		e := clone(m.entries[i])
		if e.Carrier != a.Carrier || e.Microsoft != a.Microsoft || !e.Ingested() {
			continue
		}
		if a.SHA256 != "" && e.SHA256 == a.SHA256 && likeness(&e, a) > best {
			k.Content, best = &e, likeness(&e, a)
		}
		if e.Sequence == nil {
			continue
		}
		if a.Sequence != nil && *e.Sequence == *a.Sequence {
			k.Number = &e
		}
		if k.Highest == nil || *e.Sequence > *k.Highest {
			k.Highest = e.Sequence
		}
	}
	return k
}

// likeness ranks entries of one content.
func likeness(e *jobs.Entry, a jobs.Arrival) int {
	switch {
	case a.Sequence != nil && e.Sequence != nil && *e.Sequence == *a.Sequence:
		return 3
	case e.Name == a.Name:
		return 2
	}
	return 1
}

// Unsettled implements jobs.Ledger.
func (m *Mem) Unsettled(ctx context.Context, carrier string) ([]jobs.Entry, error) {
	return m.list(ctx, func(e *jobs.Entry) bool { return e.Carrier == carrier && !e.Settled })
}

// Files implements jobs.Ledger.
func (m *Mem) Files(ctx context.Context, carrier string) ([]jobs.Entry, error) {
	return m.list(ctx, func(e *jobs.Entry) bool { return e.Carrier == carrier })
}

func (m *Mem) list(ctx context.Context, wanted func(*jobs.Entry) bool) (list []jobs.Entry, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.entries {
		if wanted(&m.entries[i]) {
			list = append(list, clone(m.entries[i]))
		}
	}
	return list, ctx.Err()
}

// Settle implements jobs.Ledger.
func (m *Mem) Settle(ctx context.Context, carrier, id string) error {
	return m.settle(ctx, carrier, id, func() error { return nil })
}

func (m *Mem) settle(ctx context.Context, carrier, id string, keep func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.entries, func(e jobs.Entry) bool { return e.Carrier == carrier && e.ID == id })
	switch {
	case i < 0:
		return fmt.Errorf("%s has no file %s", carrier, id)
	case m.entries[i].Settled:
		return nil
	}
	if err := keep(); err != nil {
		return err
	}
	m.entries[i].Settled = true
	return nil
}

// Holds implements jobs.Ledger.
func (m *Mem) Holds(ctx context.Context, sha256 string) (bool, error) {
	list, err := m.list(ctx, func(e *jobs.Entry) bool { return sha256 != "" && e.SHA256 == sha256 })
	return len(list) > 0, err
}

// clone copies what a caller could change.
func clone(e jobs.Entry) jobs.Entry {
	if e.Sequence != nil {
		n := *e.Sequence
		e.Sequence = &n
	}
	e.Reasons, e.Missing, e.Notes, e.Days = slices.Clone(e.Reasons), slices.Clone(e.Missing), slices.Clone(e.Notes), slices.Clone(e.Days)
	return e
}
