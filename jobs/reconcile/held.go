package reconcile

import (
	"context"

	"concord/jobs"
)

// publishOrHold makes the next version, unless an approval keeps the period. One
// that comes while the version is made is found by the next attempt, and the end of
// a run that is held finds that the period was reopened meanwhile.
func (t *task) publishOrHold(ctx context.Context) (jobs.Ending, error) {
	lock, err := t.State.Lock(ctx, t.run.Carrier, t.run.Period)
	if err != nil {
		return jobs.Ending{}, err
	}
	if lock == nil {
		return t.publish(ctx)
	}
	if t.Held != nil {
		if err := t.Held(ctx, t.run, *lock); err != nil {
			return jobs.Ending{}, err
		}
	}
	return jobs.Ending{State: jobs.RunSucceeded, Report: lock.Report, Held: lock, Error: lock.Locked() +
		"; there is something new to say, which is not published: have it reopened with a reason, concord reports sign-off reopen " + lock.Report}, nil
}
