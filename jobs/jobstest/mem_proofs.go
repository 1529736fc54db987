package jobstest

import (
	"context"
	"slices"
	"sync"

	"concord/jobs"
)

// Chain is a jobs.Proofs in memory. Its zero value is empty and ready.
type Chain struct {
	mu   sync.Mutex
	list []jobs.Proof
}

var _ jobs.Proofs = (*Chain)(nil)

// Testify implements jobs.Proofs.
func (c *Chain) Testify(ctx context.Context, p jobs.Proof) (jobs.Proof, error) {
	if err := ctx.Err(); err != nil {
		return jobs.Proof{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := p.Seal(c.head())
	if err == nil {
		c.list = append(c.list, p)
	}
	return p, err
}

func (c *Chain) head() (int64, string) {
	if len(c.list) == 0 {
		return 0, jobs.FirstProof
	}
	last := c.list[len(c.list)-1]
	return last.Seq, last.Sum
}

// ProofHead implements jobs.Proofs.
func (c *Chain) ProofHead(ctx context.Context) (int64, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seq, sum := c.head()
	return seq, sum, ctx.Err()
}

// Proofs implements jobs.Proofs.
func (c *Chain) Proofs(ctx context.Context, f jobs.ProofFilter) (list []jobs.Proof, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.list)
	if f.Latest {
		slices.Reverse(all)
	}
	for _, p := range all {
		if p.Seq > f.After && (f.Before == 0 || p.Seq < f.Before) && !p.At.Before(f.Since) && (f.Limit == 0 || len(list) < f.Limit) &&
			(f.Act == "" || f.Act == p.Act) && among(f.Class, p.Class) && among(f.Carrier, p.Carrier) && among(f.Ref, p.Ref) {
			list = append(list, p)
		}
	}
	return list, ctx.Err()
}

// among says whether a filter selects a value.
func among(filter, value string) bool { return filter == "" || filter == value }
