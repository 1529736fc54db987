// Package privacy does runs of kind purge: it removes what is older than the
// configuration keeps it, and leaves a proof of each removal. PRIVACY.md beside
// this file says what goes when, what stays nevertheless, and how the chain of
// proofs is checked.
//
// What is removed is marked first, together with its proof, in one transaction:
// from that instant on it is purged, and nobody reads it any more. Then the disk
// follows. What a crash leaves between the two is removed by the next run, before
// anything else. What is held for a dispute, and what a run or a receipt still
// needs, is not marked.
package privacy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"concord/jobs"
)

// Disk is where what is purged lies.
type Disk interface {
	// Size is how many bytes a thing has there.
	Size(class jobs.Class, carrier string, p *jobs.Purgeable) int64
	// Delivered lists what lies in the outbox of a carrier.
	Delivered(carrier string) ([]jobs.Purgeable, error)
	// Remove removes what remains of something, and reports whether nothing does.
	// What is not there is no error.
	Remove(ctx context.Context, r jobs.Remains) (gone bool, err error)
}

// Rule is how long a class of data is kept.
type Rule struct {
	Days int    // 0: for ever
	Text string // where it is and what it says
}

// Carrier is what holds for a carrier's data.
type Carrier struct {
	Country string
	Rules   map[jobs.Class]Rule
	Bounds  jobs.PurgeBounds
}

// Purger purges. Every field but Purged is required.
type Purger struct {
	State jobs.Purges
	Disk  Disk
	// Carrier returns what holds for one; false: it is not in the configuration.
	Carrier func(name string) (Carrier, bool)
	// Shared is what holds for what is about several carriers, which the run
	// of any carrier purges. It is kept for as long as the one with the
	// longest rule keeps its own.
	Shared func() Carrier
	Now    func() time.Time
	Purged func(jobs.Proof) // is told of each proof
}

// classes are the order in which is purged: what others are made of goes last.
var classes = []jobs.Class{jobs.ClassDeliveries, jobs.ClassReports, jobs.ClassCases, jobs.ClassRecords, jobs.ClassRaw, jobs.ClassLogs}

// atOnce is how many things one proof is about at the most.
const atOnce = 500

// Do does one run. What cannot be removed from the disk keeps nothing else from
// being purged.
func (p *Purger) Do(ctx context.Context, run jobs.Run) (jobs.Ending, error) {
	c, ok := p.Carrier(run.Carrier)
	if !ok {
		return jobs.Ending{}, fmt.Errorf("%s is not in the configuration any more", run.Carrier)
	}
	w := &work{Purger: p, carrier: c, run: run, counts: map[string]int64{}}
	err := errors.Join(w.finish(ctx, run.Carrier), w.finish(ctx, ""))
	for _, class := range classes {
		if ctx.Err() == nil {
			err = errors.Join(err, w.purge(ctx, run.Carrier, c, class))
		}
	}
	if ctx.Err() == nil {
		err = errors.Join(err, w.purge(ctx, "", p.Shared(), jobs.ClassRaw))
	}
	if err = errors.Join(err, ctx.Err()); err == nil {
		err = p.State.ScrubPurged(ctx, run.Lease())
	}
	return jobs.Ending{State: jobs.RunSucceeded, Error: w.said()}, err
}

// work is one run on its way.
type work struct {
	*Purger
	carrier Carrier
	run     jobs.Run
	counts  map[string]int64 // what was done, in words
}

// finish removes what earlier runs have marked of a carrier, or of several.
func (w *work) finish(ctx context.Context, carrier string) error {
	left, err := w.State.Remaining(ctx, carrier)
	if err != nil {
		return err
	}
	w.counts["left by an earlier run and removed now"] += int64(len(left))
	return w.remove(ctx, left)
}

func (w *work) remove(ctx context.Context, left []jobs.Remains) error {
	var errs []error
	for _, r := range left {
		gone, err := w.Disk.Remove(ctx, r)
		if err == nil && gone {
			err = w.State.EndRemains(ctx, r.Seq)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove what proof %d is about, %s of %s: %w", r.Proof, r.Class, r.Object, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// purge purges what is due of a class.
func (w *work) purge(ctx context.Context, carrier string, c Carrier, class jobs.Class) error {
	due, err := w.due(ctx, carrier, c, class)
	if err != nil {
		return err
	}
	for _, d := range due {
		if d.fate != jobs.FatePurge {
			w.counts[d.fate+" "+string(class)] += d.count()
		}
	}
	due = slices.DeleteFunc(due, func(d overdue) bool { return d.fate != jobs.FatePurge })
	var errs []error
	for some := range slices.Chunk(due, atOnce) {
		o := jobs.PurgeOrder{
			Lease: w.run.Lease(), Class: class, Carrier: carrier, Country: c.Country, Rule: c.Rules[class].Text, By: w.run.By, Bounds: c.Bounds,
		}
		for _, d := range some {
			o.Things = append(o.Things, d.Purgeable)
		}
		proof, left, err := w.State.Purge(ctx, o, w.Now())
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if proof.Seq != 0 {
			w.tell(proof)
		}
		errs = append(errs, w.remove(ctx, left))
	}
	return errors.Join(errs...)
}

func (w *work) tell(proof jobs.Proof) {
	w.counts["purge "+proof.Class] += proof.Count
	if w.Purged != nil {
		w.Purged(proof)
	}
}

// said is what the run has done, in one line.
func (w *work) said() string {
	if !slices.ContainsFunc(classes, func(c jobs.Class) bool { return w.carrier.Rules[c].Days > 0 }) {
		return "nothing is purged: the configuration keeps everything for ever; say under retention how long"
	}
	words := map[string]string{jobs.FatePurge: "purged", jobs.FateHold: "held", jobs.FateWait: "waiting"}
	var parts []string
	for _, fate := range []string{jobs.FatePurge, jobs.FateHold, jobs.FateWait} {
		var some []string
		for _, c := range classes {
			if n := w.counts[fate+" "+string(c)]; n > 0 {
				some = append(some, fmt.Sprintf("%d %s", n, c))
			}
		}
		if len(some) > 0 {
			parts = append(parts, words[fate]+" "+strings.Join(some, ", "))
		}
	}
	if n := w.counts["left by an earlier run and removed now"]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d left by an earlier run", n))
	}
	if len(parts) == 0 {
		return "nothing is older than it is kept"
	}
	return strings.Join(parts, "; ")
}
