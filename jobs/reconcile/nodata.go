package reconcile

import (
	"context"

	"concord/engine"
)

// tellEmpty says which sides have no record of the period. It is said before the
// version is recorded, or else a crash between the two would keep it from being
// said at all.
func (t *task) tellEmpty(ctx context.Context, empty [2]bool) error {
	if t.Empty == nil {
		return nil
	}
	return t.Empty(ctx, t.run, empty[engine.Microsoft], empty[engine.Carrier])
}

// tellSame says the same of a version that stays as it is, and was made before
// the period was over: what it lacked then may have been to come.
func (t *task) tellSame(ctx context.Context) error {
	f := &t.latest.Figures
	if !t.latest.AsOf.Before(t.run.Period.To) || f.Pending > 0 {
		return nil
	}
	return t.tellEmpty(ctx, [2]bool{engine.Microsoft: f.Microsoft.Records == 0, engine.Carrier: f.Carrier.Records == 0})
}
