package state_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/state"

	"github.com/google/uuid"
)

// BenchmarkWrites records, and runs, beside a long history.
func BenchmarkWrites(b *testing.B) {
	eachDatabase(b, func(b *testing.B, url string) {
		s := history(b, url)
		b.Run("record and settle", func(b *testing.B) {
			for b.Loop() {
				e, err := recordFile(b.Context(), s, uuid.NewString())
				if err == nil {
					err = s.Settle(b.Context(), e.Carrier, e.ID)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("enqueue, claim and finish", func(b *testing.B) {
			for b.Loop() {
				if err := runOne(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("publish", func(b *testing.B) { benchPublish(b, s, 0) })
		b.Run("publish 100,000 events", func(b *testing.B) { benchPublish(b, s, 100_000) })
		b.Run("raise, tell and resolve", func(b *testing.B) {
			for b.Loop() {
				if err := alertOnce(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("fire for 400 carriers", func(b *testing.B) {
			f := jobs.Fire{Job: "daily", At: now, Now: now, Runs: make([]jobs.Run, 400)}
			for b.Loop() {
				f.At = f.At.Add(time.Hour)
				for i := range f.Runs {
					f.Runs[i] = jobs.Run{Job: "daily", Carrier: fmt.Sprint("carrier ", i), Period: jobs.Period{From: f.At, To: f.At.Add(time.Hour)}}
				}
				if list, err := s.RecordFire(b.Context(), f); len(list) != 400 || err != nil {
					b.Fatal(len(list), err)
				}
			}
		})
	})
}

// BenchmarkClaims claims beside a year that waits to be done again.
func BenchmarkClaims(b *testing.B) {
	eachDatabase(b, func(b *testing.B, url string) {
		s := history(b, url)
		populate(b, url, makeBackfill, historyFirst)
		for _, c := range []struct {
			name string
			o    jobs.ClaimOptions
		}{
			{"any", jobs.ClaimOptions{}},
			{"two of a carrier", jobs.ClaimOptions{PerCarrier: 2}},
			{"a kind", jobs.ClaimOptions{PerCarrier: 2, Kinds: []string{"reconcile"}}},
			{"a kind of which there are none", jobs.ClaimOptions{Kinds: []string{"numbers", "calls"}}},
			{"no backfill", jobs.ClaimOptions{Urgent: true, Kinds: []string{"numbers"}}},
		} {
			b.Run(c.name, func(b *testing.B) {
				c.o.Owner, c.o.Now, c.o.Lease = "a", now, time.Minute
				for b.Loop() {
					if _, err := s.Claim(b.Context(), c.o); err != nil && !errors.Is(err, jobs.ErrNoRun) {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

func runOne(ctx context.Context, s *state.Store) error {
	if _, err := s.Enqueue(ctx, jobs.Run{Job: "daily", Carrier: uuid.NewString()}, now); err != nil {
		return err
	}
	r, err := s.Claim(ctx, jobs.ClaimOptions{Owner: "a", Now: now, Lease: time.Minute, PerCarrier: 2})
	if err != nil {
		return err
	}
	_, err = s.Finish(ctx, r.Lease(), jobs.Ending{State: jobs.RunSucceeded}, now)
	return err
}

func benchPublish(b *testing.B, s *state.Store, events int) {
	list := make([]jobs.CaseEvent, events)
	for i := range list {
		list[i] = jobs.CaseEvent{CaseID: fmt.Sprintf("%024x", i*104729), Event: "changed", Class: "duration_over", Before: "duration_under", DiffMS: int64(i)}
	}
	carrier := uuid.NewString()
	version := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Enqueue(b.Context(), jobs.Run{Job: "publish", Carrier: carrier, Priority: 1}, now); err != nil {
			b.Fatal(err)
		}
		r, err := s.Claim(b.Context(), jobs.ClaimOptions{Owner: "a", Now: now, Lease: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		version++
		if _, err := s.Publish(b.Context(), r.Lease(), jobs.Report{ID: uuid.NewString(), Folder: uuid.NewString(), Carrier: carrier, Version: version}, list, now); err != nil {
			b.Fatal(err)
		}
	}
}

func alertOnce(ctx context.Context, s *state.Store) error {
	key := uuid.NewString()
	if _, _, err := s.Raise(ctx, jobs.Alert{Key: key}, now); err != nil {
		return err
	}
	list, err := s.Messages(ctx, now.AddDate(1, 0, 0), 0)
	if err != nil {
		return err
	}
	if err := s.Delivered(ctx, list[len(list)-1].ID); err != nil {
		return err
	}
	_, err = s.Resolve(ctx, key, now)
	return err
}

func eachDatabase(b *testing.B, bench func(b *testing.B, url string)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, b.TempDir()) })
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, postgres.Database(b)) })
}
