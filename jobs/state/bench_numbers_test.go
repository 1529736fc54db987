package state_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"concord/engine/numbers"
	"concord/jobs"
)

// BenchmarkListings takes a listing of 100,000 numbers in, then listings of
// which one number in a hundred has changed, and walks what is known.
func BenchmarkListings(b *testing.B) {
	const count = 100_000
	for name, fresh := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(b.TempDir(), "state.db") },
		"PostgreSQL": func() string { return postgres.Database(b) },
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b, fresh())
			r := jobs.Run{Job: "numbers", Kind: "numbers", Carrier: "fabrikam", Trigger: jobs.TriggerManual}
			if _, err := s.Enqueue(b.Context(), r, now); err != nil {
				b.Fatal(err)
			}
			r, err := s.Claim(b.Context(), jobs.ClaimOptions{Owner: "a", Now: now, Lease: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			take := func() {
				n++
				x := jobs.Listing{Carrier: "fabrikam", Name: fmt.Sprint(n), Changed: now, AsOf: now.Add(time.Duration(n) * time.Hour), Status: jobs.ListingTaken}
				if _, err := s.RecordListing(b.Context(), r.Lease(), x, jobs.Taking{}, func() jobs.ListedRows { return hundredth(count, n) }, now); err != nil {
					b.Fatal(err)
				}
			}
			began := time.Now()
			take()
			b.Logf("first listing of %d numbers: %v", count, time.Since(began).Round(time.Millisecond))
			for b.Loop() {
				take()
			}
			began = time.Now()
			rows := 0
			for _, err := range s.KnownNumbers(b.Context(), jobs.NumbersAt{Carrier: "fabrikam", Position: int64(n), Present: true}) {
				if err != nil {
					b.Fatal(err)
				}
				rows++
			}
			b.Logf("%d present numbers walked: %v", rows, time.Since(began).Round(time.Millisecond))
		})
	}
}

// hundredth are numbers of which one in a hundred has another user each time.
func hundredth(count, n int) jobs.ListedRows {
	return func(yield func(jobs.ListedRow, error) bool) {
		for i := range count {
			user := 0
			if i%100 == n%100 {
				user = n
			}
			a := numbers.Assignment{Line: numbers.Line{Digits: uint64(493000000000 + i)}, From: numbers.Unsaid, To: numbers.Open, Facts: numbers.Facts{
				NumberType: "operatorConnect", ActivationState: "activated", AssignmentStatus: "userAssigned", TargetType: "user", Capabilities: "userAssignment",
				TargetID: fmt.Sprintf("22ed44ab-7759-4649-%04d-%012d", user, i), TenantID: "72f988bf-86f1-41af-91ab-2d7cd011db47", SIPURI: fmt.Sprintf("sip:user%06d@contoso.example", i),
			}}
			if !yield(jobs.ListedRow{Assignment: a}, nil) {
				return
			}
		}
	}
}
