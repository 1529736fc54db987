package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Backoff says how often something is tried and how long one waits in between.
// Waits are drawn evenly from nothing up to a bound that doubles each time, so
// that those who failed together do not come back together.
type Backoff struct {
	Attempts int           // in all; 0 stands for 5
	First    time.Duration // the first bound; 0 stands for a second
	Most     time.Duration // the largest bound; 0 stands for a minute
}

// Retry calls try until it succeeds, the attempts are used up, the error is
// ErrPermanent or the context has ended. It returns the last error.
func Retry(ctx context.Context, b Backoff, try func(ctx context.Context) error) error {
	attempts, bound := cmp.Or(b.Attempts, 5), cmp.Or(b.First, time.Second)
	for n := 1; ; n++ {
		err := try(ctx)
		switch {
		case err == nil, errors.Is(err, ErrPermanent), ctx.Err() != nil:
			return err
		case n >= attempts:
			return fmt.Errorf("%w (tried %d times)", err, n)
		}
		bound = min(bound, cmp.Or(b.Most, time.Minute))
		if stopped := wait(ctx, rand.N(bound+1)); stopped != nil {
			return fmt.Errorf("%w; not tried again: %w", err, stopped)
		}
		bound *= 2
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
