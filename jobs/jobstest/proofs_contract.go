package jobstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// TestProofs is the contract of a jobs.Proofs. open returns an empty one;
// reopen returns the same one as a new process, or a second service, would find
// it; nil: it does not outlive the process.
func TestProofs(t *testing.T, open func(t *testing.T) jobs.Proofs, reopen func(t *testing.T, p jobs.Proofs) jobs.Proofs) {
	for name, test := range map[string]func(*proofs){
		"each proof follows the one before":           (*proofs).chained,
		"a proof comes back as it was testified":      (*proofs).whole,
		"a proof without times and texts":             (*proofs).bare,
		"what cannot be written is not testified":     (*proofs).refused,
		"proofs are found by what they say":           (*proofs).found,
		"many testify at once":                        (*proofs).crowd,
		"who gives up leaves nothing":                 (*proofs).cancelled,
		"the sum is that of the text as an auditor's": (*proofs).byHand,
		"more proofs than a page":                     (*proofs).many,
	} {
		t.Run(name, func(t *testing.T) {
			c := &proofs{T: t, p: open(t)}
			c.reopen = func() {
				if reopen != nil {
					c.p = reopen(t, c.p)
				}
			}
			test(c)
		})
	}
}

// proofs is one test of a chain.
type proofs struct {
	*testing.T
	p      jobs.Proofs
	reopen func()
}

// purged is a proof of records that were purged on a day.
func purged(carrier string, n int) jobs.Proof {
	return jobs.Proof{
		At: day(n).Add(1234567 * time.Nanosecond), Act: jobs.ActPurge, Class: "records", Country: "DE", Carrier: carrier, Rule: "retention.records: 90d",
		Ref: "r", Count: int64(n), Bytes: 1 << 40, From: day(n - 1), To: day(n), Run: "0198b1f0-0000-7000-8000-000000000001", By: "ann", Items: strings.Repeat("ab", 32),
	}
}

func (c *proofs) testify(p jobs.Proof) jobs.Proof {
	c.Helper()
	out, err := c.p.Testify(c.Context(), p)
	if err != nil {
		c.Fatal(err)
	}
	return out
}

func (c *proofs) all(f jobs.ProofFilter) []jobs.Proof {
	c.Helper()
	list, err := c.p.Proofs(c.Context(), f)
	if err != nil {
		c.Fatal(err)
	}
	return list
}

// right checks that the chain is whole and has n proofs.
func (c *proofs) right(n int64) {
	c.Helper()
	got, err := jobs.VerifyProofs(c.Context(), c.p)
	seq, sum, err2 := c.p.ProofHead(c.Context())
	if want := (jobs.ProofCheck{Count: n, Last: sum}); got != want || seq != n || errors.Join(err, err2) != nil {
		c.Errorf("%+v, want %+v and %d, %v, %v", got, want, seq, err, err2)
	}
}

func (c *proofs) chained() {
	c.right(0)
	first := c.testify(purged("fabrikam", 2))
	c.reopen()
	second := c.testify(purged("northwind", 3))
	if first.Seq != 1 || first.Prev != jobs.FirstProof || second.Seq != 2 || second.Prev != first.Sum || first.Sum == second.Sum {
		c.Errorf("%+v\n%+v", first, second)
	}
	c.reopen()
	c.right(2)
}

func (c *proofs) whole() {
	p := purged("fabrikam", 2)
	want, err := p.Seal(0, jobs.FirstProof)
	got := c.testify(p)
	c.reopen()
	if d := cmp.Diff([]jobs.Proof{want, want}, append(c.all(jobs.ProofFilter{}), got)); d != "" || err != nil {
		c.Error(d, err)
	}
	if want.At.Nanosecond()%1000 != 0 {
		c.Error(want.At)
	}
}

func (c *proofs) bare() {
	want := c.testify(jobs.Proof{At: day(1), Act: jobs.ActHold})
	c.reopen()
	if d := cmp.Diff([]jobs.Proof{want}, c.all(jobs.ProofFilter{})); d != "" || !want.From.IsZero() {
		c.Error(d)
	}
	c.right(1)
}

func (c *proofs) refused() {
	for _, spoil := range []func(*jobs.Proof){
		func(p *jobs.Proof) { p.Act = "look" },
		func(p *jobs.Proof) { p.At = time.Time{} },
		func(p *jobs.Proof) { p.Count = -1 },
		func(p *jobs.Proof) { p.Rule = "two\nlines" },
		func(p *jobs.Proof) { p.By = "\xff" },
		func(p *jobs.Proof) { p.Ref = "+49 30 1234567" },
		func(p *jobs.Proof) { p.Class = "a\x00" },
	} {
		p := purged("fabrikam", 2)
		spoil(&p)
		if _, err := c.p.Testify(c.Context(), p); !errors.Is(err, jobs.ErrProof) || strings.Contains(err.Error(), "1234567") {
			c.Errorf("%+v: %v", p, err)
		}
	}
	c.testify(purged("fabrikam", 2))
	c.right(1)
}

func (c *proofs) found() {
	for i, carrier := range []string{"fabrikam", "northwind", "fabrikam"} {
		p := purged(carrier, i+1)
		if i == 2 {
			p.Act, p.Class, p.Ref = jobs.ActErase, "cases", "req"
		}
		c.testify(p)
	}
	c.reopen()
	for name, test := range map[string]struct {
		f    jobs.ProofFilter
		want []int64
	}{
		"all":        {jobs.ProofFilter{}, []int64{1, 2, 3}},
		"by act":     {jobs.ProofFilter{Act: jobs.ActErase}, []int64{3}},
		"by class":   {jobs.ProofFilter{Class: "records"}, []int64{1, 2}},
		"by carrier": {jobs.ProofFilter{Carrier: "fabrikam"}, []int64{1, 3}},
		"by ref":     {jobs.ProofFilter{Ref: "req"}, []int64{3}},
		"by time":    {jobs.ProofFilter{Since: day(2)}, []int64{2, 3}},
		"the next":   {jobs.ProofFilter{After: 1, Limit: 1}, []int64{2}},
		"none":       {jobs.ProofFilter{After: 3}, nil},
		"the latest": {jobs.ProofFilter{Latest: true, Limit: 2}, []int64{3, 2}},
		"before it":  {jobs.ProofFilter{Latest: true, Before: 3, Carrier: "fabrikam"}, []int64{1}},
	} {
		var got []int64
		for _, p := range c.all(test.f) {
			got = append(got, p.Seq)
		}
		if !slices.Equal(got, test.want) {
			c.Errorf("%s: %v", name, got)
		}
	}
}

func (c *proofs) crowd() {
	const n = 16
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := c.p.Testify(c.Context(), purged("fabrikam", i+1)); err != nil {
				c.Error(err)
			}
		})
	}
	wg.Wait()
	c.reopen()
	c.right(n)
}

func (c *proofs) cancelled() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	if _, err := c.p.Testify(ctx, purged("fabrikam", 1)); !errors.Is(err, context.Canceled) {
		c.Error(err)
	}
	c.reopen()
	c.right(0)
}

func (c *proofs) byHand() {
	p := c.testify(jobs.Proof{
		At: time.Date(2026, 10, 1, 6, 0, 0, 120_000_000, time.UTC), Act: jobs.ActPurge, Class: "raw", Country: "DE", Carrier: "fabrikam", Rule: "retention.raw: 30d",
		Count: 2, Bytes: 17, From: time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 8, 2, 0, 0, 0, 0, time.UTC), Run: "r1", By: "ann",
	})
	sum := sha256.Sum256([]byte("seq=1\nat=2026-10-01T06:00:00.12Z\nact=purge\nclass=raw\ncountry=DE\ncarrier=fabrikam\nrule=retention.raw: 30d\nref=\nrun=r1\nby=ann\nitems=\n" +
		"count=2\nbytes=17\nfrom=2026-08-01T00:00:00Z\nto=2026-08-02T00:00:00Z\nprev=0000000000000000000000000000000000000000000000000000000000000000\n"))
	if p.Sum != hex.EncodeToString(sum[:]) {
		c.Error(p.Sum)
	}
}

// many also looks through a chain of exactly a page.
func (c *proofs) many() {
	for i := range 1001 {
		if i == 1000 {
			c.right(1000)
		}
		c.testify(purged("fabrikam", i%28+1))
	}
	c.right(1001)
}
