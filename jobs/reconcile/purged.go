package reconcile

import (
	"context"
	"fmt"
	"slices"

	"concord/jobs"
	"concord/jobs/dispatch"
)

// refusePurged refuses a version that would lack what was purged, or that could
// not say what it changes.
func (t *task) refusePurged() error {
	if l := t.latest; l != nil && l.Purged != 0 {
		return dispatch.Permanent(fmt.Errorf("%s of %s cannot be reported any more: version %d was purged (proof %d), and a new one could not say what it changes",
			t.run.Period.Text, t.run.Carrier, l.Version, l.Purged))
	}
	gone, proof := purgedAmong(t.entries)
	if gone == 0 {
		return nil
	}
	stays := ""
	if t.latest != nil {
		stays = fmt.Sprintf("; version %d stays as it is", t.latest.Version)
	}
	return dispatch.Permanent(fmt.Errorf("%s of %s cannot be reported any more: the records of %d of its %d files were purged (proof %d), and a report would lack their calls%s",
		t.run.Period.Text, t.run.Carrier, gone, len(t.entries), proof, stays))
}

// purgedAmong counts the entries whose records were purged, and returns the first
// proof of one.
func purgedAmong(list []jobs.Entry) (n int, proof int64) {
	for _, e := range list {
		if e.RecordsPurged == 0 {
			continue
		}
		if n++; proof == 0 || e.RecordsPurged < proof {
			proof = e.RecordsPurged
		}
	}
	return n, proof
}

// final reports whether a report cannot be made anew, because it or records of
// its period were purged.
func (f *Follower) final(ctx context.Context, rep jobs.Report) (bool, error) {
	if rep.Purged != 0 || f.Covering == nil {
		return rep.Purged != 0, nil
	}
	reach := f.Reach(rep.Carrier)
	list, err := f.Covering(ctx, rep.Carrier, rep.Period.From.Add(-reach), rep.Period.To.Add(reach))
	if f.Kind != nil && f.Kind(rep.Job) == "calls" { // it is made of what arrived
		return slices.ContainsFunc(list, func(e jobs.Entry) bool { return e.Microsoft && e.RawPurged != 0 }), err
	}
	n, _ := purgedAmong(list)
	return n > 0, err
}

// open reports whether a report that a file changes can be made anew, and tells if
// not.
func (f *Follower) open(ctx context.Context, e jobs.Entry, rep jobs.Report) (bool, error) {
	final, err := f.final(ctx, rep)
	if final && f.Final != nil {
		f.Final(e, rep)
	}
	return !final, err
}
