package privacy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

var today = time.Date(2026, 12, 1, 6, 0, 0, 0, time.UTC)

// books is a state in memory. jobs/state has the real one.
type books struct {
	things map[jobs.Class][]jobs.Purgeable
	shared []jobs.Purgeable // what arrived about several carriers
	guard  jobs.PurgeGuard
	left   []jobs.Remains
	orders []jobs.PurgeOrder
	scrubs int
	fail   error // of Purge
}

func (b *books) Purgeable(_ context.Context, class jobs.Class, carrier string, _ jobs.PurgeBounds, _ time.Time) ([]jobs.Purgeable, error) {
	if carrier == "" {
		return slices.Clone(b.shared), nil
	}
	return slices.Clone(b.things[class]), nil
}

func (b *books) PurgeGuard(context.Context, string, jobs.PurgeBounds, time.Time) (jobs.PurgeGuard, error) {
	return b.guard, nil
}

func (b *books) Purge(_ context.Context, o jobs.PurgeOrder, _ time.Time) (jobs.Proof, []jobs.Remains, error) {
	if b.fail != nil {
		return jobs.Proof{}, nil, b.fail
	}
	b.orders = append(b.orders, o)
	var left []jobs.Remains
	for _, x := range o.Things {
		is := func(p jobs.Purgeable) bool { return p.ID == x.ID }
		if o.Carrier == "" {
			b.shared = slices.DeleteFunc(b.shared, is)
		} else {
			b.things[o.Class] = slices.DeleteFunc(b.things[o.Class], is)
		}
		left = append(left, jobs.Remains{Seq: int64(len(b.left) + 1), Class: o.Class, Carrier: o.Carrier, Object: x.ID})
		b.left = append(b.left, left[len(left)-1])
	}
	return jobs.Proof{Seq: int64(len(b.orders)), Class: string(o.Class), Count: int64(len(o.Things))}, left, nil
}

func (b *books) Remaining(_ context.Context, carrier string) ([]jobs.Remains, error) {
	return slices.DeleteFunc(slices.Clone(b.left), func(r jobs.Remains) bool { return r.Carrier != carrier }), nil
}

func (b *books) EndRemains(_ context.Context, seq int64) error {
	b.left = slices.DeleteFunc(b.left, func(r jobs.Remains) bool { return r.Seq == seq })
	return nil
}

func (b *books) ScrubPurged(context.Context, jobs.Lease) error {
	b.scrubs++
	return nil
}

// disk notes what is removed.
type disk struct {
	gone  []string
	stuck string // what cannot be removed
	busy  string // what is not settled yet
}

func (d *disk) Size(_ jobs.Class, _ string, p *jobs.Purgeable) int64 { return p.Bytes + 1 }

func (d *disk) Delivered(string) ([]jobs.Purgeable, error) {
	return []jobs.Purgeable{aged("sent.csv", 50), aged("new.csv", 1)}, nil
}

func (d *disk) Remove(_ context.Context, r jobs.Remains) (bool, error) {
	if r.Object == d.stuck {
		return false, errors.New("the disk is full")
	}
	if r.Object == d.busy {
		return false, nil
	}
	d.gone = append(d.gone, string(r.Class)+" "+r.Object)
	return true, nil
}

// aged is a thing about the day that ended so many days ago.
func aged(id string, days int) jobs.Purgeable {
	to := today.AddDate(0, 0, -days)
	return jobs.Purgeable{ID: id, Count: 1, Bytes: 9, From: to.AddDate(0, 0, -1), To: to}
}

type desk struct {
	*Purger
	b *books
	d *disk
}

func newDesk() *desk {
	x := &desk{b: &books{things: map[jobs.Class][]jobs.Purgeable{
		jobs.ClassRaw:     {aged("a", 100), aged("b", 30), aged("c", 29)},
		jobs.ClassRecords: {aged("a", 100), aged("b", 30)},
		jobs.ClassReports: {aged("r", 100)},
		jobs.ClassLogs:    {aged("r x", 100)},
	}}, d: &disk{}}
	rules := map[jobs.Class]Rule{jobs.ClassRaw: {30, "raw: 30d"}, jobs.ClassRecords: {90, "records: 90d"}, jobs.ClassDeliveries: {40, "deliveries: 40d"}}
	x.Purger = &Purger{State: x.b, Disk: x.d, Now: func() time.Time { return today }, Carrier: func(name string) (Carrier, bool) {
		return Carrier{Country: "DE", Rules: rules}, name == "fabrikam"
	}, Shared: func() Carrier { return Carrier{Rules: map[jobs.Class]Rule{jobs.ClassRaw: {60, "raw: 60d"}}} }}
	return x
}

func (x *desk) do(t *testing.T) (string, error) {
	t.Helper()
	end, err := x.Do(t.Context(), jobs.Run{ID: "run", Carrier: "fabrikam", By: "ann"})
	return end.Error, err
}

// TestWhatIsOlderThanItsRuleGoes keeps what is a day younger, and what has no
// rule.
func TestWhatIsOlderThanItsRuleGoes(t *testing.T) {
	x := newDesk()
	said, err := x.do(t)
	if want := "purged 1 deliveries, 1 records, 2 raw"; said != want || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	if d := cmp.Diff([]string{"deliveries sent.csv", "records a", "raw a", "raw b"}, x.d.gone); d != "" {
		t.Error(d)
	}
	for _, o := range x.b.orders {
		if o.Country != "DE" || !strings.HasPrefix(o.Rule, string(o.Class)+": ") || o.By != "ann" || o.Lease.Run != "run" || o.Things[0].Bytes != 10 {
			t.Errorf("%+v", o)
		}
	}
	if said, err := x.do(t); !strings.Contains(said, "deliveries") || err != nil || x.b.scrubs != 2 { // the disk says so still
		t.Errorf("%q, %v", said, err)
	}
}

// TestWhatIsHeldOrNeededStays foresees it, and purges.
func TestWhatIsHeldOrNeededStays(t *testing.T) {
	x := newDesk()
	a, b := x.b.things[jobs.ClassRaw][0], &x.b.things[jobs.ClassRaw][1]
	x.b.guard.Holds = []jobs.Hold{{ID: "h", Period: jobs.Period{From: a.From, To: a.To, Text: "August"}}}
	b.Waits = "its receipt is not delivered yet"
	lines, err := x.Foresee(t.Context(), []string{"fabrikam"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%s %s %d %d %s%s %s", l.Class, l.Fate, l.Count, l.Bytes, l.Hold, l.Why, l.Oldest.Format(time.DateOnly)))
	}
	if d := cmp.Diff([]string{
		"deliveries hold 1 10 hheld for August 2026-10-11", "records hold 1 10 hheld for August 2026-08-22", "raw hold 1 10 hheld for August 2026-08-22",
		"raw wait 1 10 its receipt is not delivered yet 2026-10-31",
	}, got); d != "" {
		t.Error(d)
	}
	if said, err := x.do(t); err != nil || len(x.d.gone) > 0 || said != "held 1 deliveries, 1 records, 1 raw; waiting 1 raw" {
		t.Errorf("%q %v %v", said, x.d.gone, err)
	}
}

// TestWhatCannotBeRemovedNowIsRemovedByTheNextRun has a file that is stuck, and
// one that somebody decides of.
func TestWhatCannotBeRemovedNowIsRemovedByTheNextRun(t *testing.T) {
	x := newDesk()
	x.d.stuck, x.d.busy = "a", "b"
	_, err := x.do(t)
	if err == nil || !strings.Contains(err.Error(), "the disk is full") || !slices.Contains(x.d.gone, "deliveries sent.csv") || x.b.scrubs != 0 {
		t.Errorf("%v, %v", x.d.gone, err)
	}
	if len(x.b.left) != 3 {
		t.Errorf("%+v", x.b.left)
	}
	x.d.stuck, x.d.busy = "", ""
	said, err := x.do(t)
	if err != nil || !strings.Contains(said, "3 left by an earlier run") || len(x.b.left) > 0 {
		t.Errorf("%q, %+v, %v", said, x.b.left, err)
	}
}

// TestAPurgeThatCannotBeRecordedRemovesNothing loses its run.
func TestAPurgeThatCannotBeRecordedRemovesNothing(t *testing.T) {
	x := newDesk()
	x.b.fail = jobs.ErrLost
	if _, err := x.do(t); !errors.Is(err, jobs.ErrLost) || len(x.d.gone) > 0 {
		t.Error(x.d.gone, err)
	}
	if _, err := x.Do(t.Context(), jobs.Run{Carrier: "nobody"}); err == nil {
		t.Error("a carrier that is not there")
	}
	if _, err := x.Foresee(t.Context(), []string{"nobody"}); err == nil {
		t.Error("a carrier that is not there")
	}
}

// TestWhatIsAboutSeveralCarriersGoesByItsOwnRule goes with the run of any of them,
// and what is stuck is gone on with by the next.
func TestWhatIsAboutSeveralCarriersGoesByItsOwnRule(t *testing.T) {
	x := newDesk()
	x.b.things = map[jobs.Class][]jobs.Purgeable{}
	x.Disk.(*disk).stuck = "old"
	x.b.shared = []jobs.Purgeable{aged("old", 60), aged("young", 59)}
	lines, err := x.Foresee(t.Context(), nil)
	if err != nil || len(lines) != 1 || lines[0].Carrier != "" || lines[0].Count != 1 || lines[0].Rule != "raw: 60d" || lines[0].Fate != jobs.FatePurge {
		t.Errorf("%+v, %v", lines, err)
	}
	if _, err := x.do(t); err == nil || len(x.b.left) != 1 || x.b.left[0].Carrier != "" {
		t.Errorf("%+v, %v", x.b.left, err)
	}
	x.d.stuck = ""
	said, err := x.do(t)
	if err != nil || !strings.Contains(said, "1 left by an earlier run") || len(x.b.left) > 0 || len(x.b.shared) != 1 {
		t.Errorf("%q %v %+v", said, err, x.b)
	}
}
