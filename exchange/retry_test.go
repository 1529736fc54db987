package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"concord/exchange"
)

var errPassing = errors.New("passing")

func TestRetryWaitsLongerEachTimeAndGivesUp(t *testing.T) {
	var longest time.Duration
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			last, tries, bound := time.Now(), 0, time.Second
			err := exchange.Retry(t.Context(), exchange.Backoff{Most: 6 * time.Second}, func(context.Context) error {
				waited := time.Since(last)
				if tries > 1 {
					bound = min(2*bound, 6*time.Second)
				}
				if tries > 0 && waited > bound {
					t.Errorf("waited %v before try %d", waited, tries+1)
				}
				longest = max(longest, waited)
				last, tries = time.Now(), tries+1
				return errPassing
			})
			if !errors.Is(err, errPassing) || tries != 5 {
				t.Errorf("%d tries, %v", tries, err)
			}
		})
	}
	if longest < 3*time.Second || longest > 6*time.Second {
		t.Errorf("the longest of 200 waits was %v", longest)
	}
}

func TestRetryStopsWhenItHelps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := exchange.Retry(t.Context(), exchange.Backoff{}, func(context.Context) error {
			if tries++; tries < 4 {
				return errPassing
			}
			return nil
		})
		if err != nil || tries != 4 {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}

func TestRetryStopsWhenItCannotHelp(t *testing.T) {
	tries := 0
	err := exchange.Retry(t.Context(), exchange.Backoff{}, func(context.Context) error {
		tries++
		return fmt.Errorf("log in: %w", exchange.Permanent(errPassing))
	})
	if tries != 1 || !errors.Is(err, exchange.ErrPermanent) || !errors.Is(err, errPassing) || err.Error() != "log in: passing" {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestRetryStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b := exchange.Backoff{Attempts: 1000, First: time.Hour, Most: time.Hour}
		start := time.Now()
		err := exchange.Retry(ctx, b, func(context.Context) error { return errPassing })
		if !errors.Is(err, errPassing) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
