package jobstest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// Callbook is what remembers runs, and deliveries of calls.
type Callbook interface {
	State
	jobs.Calls
}

// TestCalls is the contract of a Callbook. open returns an empty one; reopen
// returns the same one as a new process, or a second service, would find it.
func TestCalls(t *testing.T, open func(t *testing.T) Callbook, reopen func(t *testing.T, d Callbook) Callbook) {
	for name, test := range map[string]func(*callbook){
		"a file comes back as it was recorded":              (*callbook).whole,
		"a file is recorded once":                           (*callbook).once,
		"carriers know nothing of each other":               (*callbook).apart,
		"files are found by when their calls were":          (*callbook).spans,
		"what became of rows that waited":                   (*callbook).waits,
		"contents of files and of waiting rows are held":    (*callbook).holding,
		"deliveries follow each other":                      (*callbook).follow,
		"versions of a period follow each other":            (*callbook).versions,
		"a delivery is begun once and ended once":           (*callbook).begun,
		"who lost the run begins and ends nothing":          (*callbook).lost,
		"deliveries are found by their periods and carrier": (*callbook).lists,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			c := &callbook{runs: runs{T: t, s: d, now: day(1)}, d: d}
			c.reopen = func(t *testing.T, _ State) State {
				c.d = reopen(t, c.d)
				return c.d
			}
			c.enqueue(run("fabrikam", 1))
			r := c.claim("a")
			c.lease = r.Lease()
			test(c)
		})
	}
}

// callbook is one test of a Callbook.
type callbook struct {
	runs
	d     Callbook
	lease jobs.Lease
}

// anew goes on as a new process would.
// anew goes on as a new process would.
func (c *callbook) anew() { c.s = c.reopen(c.T, c.s) }

func (c *callbook) file(carrier string, n int) jobs.MicrosoftFile {
	return jobs.MicrosoftFile{
		Carrier: carrier, Name: fmt.Sprintf("a/%d.json", n), Bytes: 1 << 40, Received: day(n), SHA256: fmt.Sprint("sum", n), Holds: jobs.HoldsQuality,
		Status: landing.StatusPartly, Format: "json", Rows: 3, Accepted: 2, Rejected: 1, First: day(n), Last: day(n).Add(time.Hour),
		Reasons: []landing.Reason{{Line: 3, Row: 2, Field: "start", Reason: "no \"time\" ü"}}, Notes: []string{"a note"}, Decided: c.now,
	}
}

func (c *callbook) record(f jobs.MicrosoftFile) jobs.MicrosoftFile {
	c.Helper()
	out, err := c.d.RecordMicrosoft(c.Context(), f)
	c.must(err)
	return out
}

func (c *callbook) files(f jobs.MicrosoftFilter) []jobs.MicrosoftFile {
	c.Helper()
	list, err := c.d.MicrosoftFiles(c.Context(), f)
	c.must(err)
	return list
}

func (c *callbook) same(got, want any) {
	c.Helper()
	if d := cmp.Diff(want, got); d != "" {
		c.Error(d)
	}
}

func (c *callbook) whole() {
	want := c.file("", 1)
	want.Shares, want.Nobody = []jobs.Share{{Carrier: "fabrikam", Rows: 1}}, 1
	want.Waiting, want.Rest, want.Until = 1, "rest", day(9)
	want.Faults = []string{"why"}
	got := c.record(want)
	want.ID = got.ID
	c.same(got, want)
	c.anew()
	c.same(c.files(jobs.MicrosoftFilter{}), []jobs.MicrosoftFile{want})
}

func (c *callbook) once() {
	first := c.record(c.file("fabrikam", 1))
	again := c.file("fabrikam", 1)
	again.Rows, again.SHA256 = 99, "other"
	c.same(c.record(again), first)
	again.Bytes++
	if replaced := c.record(again); replaced.ID <= first.ID || replaced.Rows != 99 {
		c.Errorf("%+v", replaced)
	}
	if list := c.files(jobs.MicrosoftFilter{Carrier: "fabrikam"}); len(list) != 2 || list[0].ID != first.ID {
		c.Errorf("%+v", list)
	}
}

func (c *callbook) apart() {
	for _, carrier := range []string{"", "fabrikam", "litware"} {
		c.record(c.file(carrier, 1))
	}
	for _, carrier := range []string{"", "fabrikam", "litware"} {
		if list := c.files(jobs.MicrosoftFilter{Carrier: carrier}); len(list) != 1 || list[0].Carrier != carrier {
			c.Errorf("%q: %+v", carrier, list)
		}
	}
}

func (c *callbook) spans() {
	for n := range 4 {
		c.record(c.file("fabrikam", n+1))
	}
	none := c.file("fabrikam", 5)
	none.First, none.Last = time.Time{}, time.Time{}
	c.record(none)
	for _, x := range []struct {
		from, to time.Time
		want     int
	}{
		{day(2), day(3), 1}, {day(2).Add(time.Hour), day(3), 1}, {day(2).Add(time.Hour + time.Microsecond), day(3), 0},
		{day(1), day(9), 4}, {time.Time{}, day(2), 1}, {day(4), time.Time{}, 1}, {time.Time{}, time.Time{}, 5},
	} {
		if list := c.files(jobs.MicrosoftFilter{Carrier: "fabrikam", From: x.from, To: x.to}); len(list) != x.want {
			c.Errorf("%v to %v: %d files, want %d", x.from, x.to, len(list), x.want)
		}
	}
}

func (c *callbook) waits() {
	x := c.file("", 1)
	x.Waiting, x.Rest, x.Until = 5, "rest", day(3)
	x = c.record(x)
	c.record(c.file("", 2))
	c.same(c.files(jobs.MicrosoftFilter{Waiting: true}), []jobs.MicrosoftFile{x})
	x.Shares, x.Nobody, x.Waiting, x.Rest = []jobs.Share{{Carrier: "a", Rows: 4}}, 1, 0, ""
	c.must(c.d.DealRest(c.Context(), x))
	c.anew()
	if list := c.files(jobs.MicrosoftFilter{Waiting: true}); len(list) != 0 {
		c.Errorf("%+v", list)
	}
	c.same(c.files(jobs.MicrosoftFilter{})[0], x)
	x.ID = 999
	c.fails(c.d.DealRest(c.Context(), x), jobs.ErrNoFile)
}

func (c *callbook) holding() {
	ledger, is := c.d.(jobs.Ledger)
	if !is {
		c.Fatal("it keeps no contents")
	}
	x := c.file("", 1)
	x.Rest, x.Waiting = "rest", 1
	c.record(x)
	for sum, want := range map[string]bool{"sum1": true, "rest": true, "other": false} {
		if held, err := ledger.Holds(c.Context(), sum); err != nil || held != want {
			c.Errorf("%s: %v, %v", sum, held, err)
		}
	}
}

// delivery is one of a carrier about a day.
func delivery(carrier string, sequence, version, base, n int) jobs.CallsDelivery {
	return jobs.CallsDelivery{
		Carrier: carrier, Sequence: sequence, Version: version, Base: base, Job: "calls", Basis: fmt.Sprint("basis", sequence, version),
		Period:   jobs.Period{From: day(n), To: day(n + 1), Text: fmt.Sprint("day ", n)},
		Settings: json.RawMessage(`{"program":"x"}`), Inputs: []jobs.CallsInput{{Holds: jobs.HoldsCalls, ID: "1", Name: "n", SHA256: "s"}},
		Files: []jobs.DeliveredFile{{Name: "f", Bytes: 1, Rows: 2, SHA256: "h"}},
		Calls: jobs.Delivery{Rows: 1, DurationMS: 2, Added: 3, Changed: 4, Removed: 5, Rejected: 6, Others: 7}, Quality: jobs.Delivery{Rows: 8},
	}
}

func (c *callbook) begin(d jobs.CallsDelivery) (jobs.CallsDelivery, error) {
	return c.d.BeginCalls(c.Context(), c.lease, d, c.now)
}

func (c *callbook) deliver(d jobs.CallsDelivery) jobs.CallsDelivery {
	c.Helper()
	d, err := c.begin(d)
	c.must(err)
	c.must(c.d.EndCalls(c.Context(), c.lease, d, c.now))
	d.Ended = c.now
	return d
}

func (c *callbook) deliveries(f jobs.CallsFilter) []jobs.CallsDelivery {
	c.Helper()
	list, err := c.d.CallsDeliveries(c.Context(), f)
	c.must(err)
	return list
}

func (c *callbook) follow() {
	_, err := c.begin(delivery("fabrikam", 2, 1, 0, 1))
	c.fails(err, jobs.ErrDelivery)
	one := c.deliver(delivery("fabrikam", 1, 1, 0, 1))
	for _, bad := range []jobs.CallsDelivery{delivery("fabrikam", 1, 1, 0, 2), delivery("fabrikam", 3, 1, 0, 2), delivery("fabrikam", 2, 2, 0, 2), delivery("fabrikam", 2, 1, 1, 2)} {
		_, err := c.begin(bad)
		c.fails(err, jobs.ErrDelivery)
	}
	two := c.deliver(delivery("fabrikam", 2, 1, 0, 2))
	other := c.deliver(delivery("litware", 1, 1, 0, 1))
	c.anew()
	c.same(c.deliveries(jobs.CallsFilter{Carrier: "fabrikam"}), []jobs.CallsDelivery{two, one})
	c.same(c.deliveries(jobs.CallsFilter{Carrier: "litware"}), []jobs.CallsDelivery{other})
}

func (c *callbook) versions() {
	one := c.deliver(delivery("fabrikam", 1, 1, 0, 1))
	c.deliver(delivery("fabrikam", 2, 1, 0, 2))
	for _, bad := range []jobs.CallsDelivery{delivery("fabrikam", 3, 1, 1, 1), delivery("fabrikam", 3, 3, 1, 1), delivery("fabrikam", 3, 2, 2, 1)} {
		_, err := c.begin(bad)
		c.fails(err, jobs.ErrDelivery)
	}
	three := c.deliver(delivery("fabrikam", 3, 2, 1, 1))
	c.same(c.deliveries(jobs.CallsFilter{Carrier: "fabrikam", Period: &one.Period}), []jobs.CallsDelivery{three, one})
	c.same(c.deliveries(jobs.CallsFilter{Carrier: "fabrikam", Period: &one.Period, Newest: true}), []jobs.CallsDelivery{three})
	c.same(c.deliveries(jobs.CallsFilter{Carrier: "fabrikam", Sequence: 1}), []jobs.CallsDelivery{one})
}

func (c *callbook) begun() {
	d, err := c.begin(delivery("fabrikam", 1, 1, 0, 1))
	c.must(err)
	if d.Run != c.lease.Run || !d.Begun.Equal(c.now) || !d.Ended.IsZero() {
		c.Errorf("%+v", d)
	}
	again, err := c.begin(delivery("fabrikam", 1, 1, 0, 1))
	c.must(err)
	c.same(again, d)
	_, err = c.begin(delivery("fabrikam", 2, 1, 0, 2)) // the first has not ended
	c.fails(err, jobs.ErrDelivery)
	d.Calls.Rows, d.Files[0].Bytes = 77, 88
	c.must(c.d.EndCalls(c.Context(), c.lease, d, c.now))
	d.Ended = c.now
	c.now = c.now.Add(time.Hour)
	c.must(c.d.EndCalls(c.Context(), c.lease, delivery("fabrikam", 1, 1, 0, 1), c.now))
	c.anew()
	c.same(c.deliveries(jobs.CallsFilter{}), []jobs.CallsDelivery{d})
}

func (c *callbook) lost() {
	lost := c.lease
	lost.Attempt++
	_, err := c.d.BeginCalls(c.Context(), lost, delivery("fabrikam", 1, 1, 0, 1), c.now)
	c.fails(err, jobs.ErrLost)
	d, err := c.begin(delivery("fabrikam", 1, 1, 0, 1))
	c.must(err)
	c.fails(c.d.EndCalls(c.Context(), lost, d, c.now), jobs.ErrLost)
	c.same(c.deliveries(jobs.CallsFilter{}), []jobs.CallsDelivery{d})
}

func (c *callbook) lists() {
	for n := range 5 {
		c.deliver(delivery("fabrikam", n+1, 1, 0, n+1))
	}
	for _, x := range []struct {
		f    jobs.CallsFilter
		want int
	}{
		{jobs.CallsFilter{From: day(2), To: day(4)}, 2}, {jobs.CallsFilter{From: day(2).Add(time.Hour), To: day(3).Add(time.Hour)}, 2},
		{jobs.CallsFilter{Limit: 3}, 3}, {jobs.CallsFilter{Carrier: "litware"}, 0}, {jobs.CallsFilter{Sequence: 9}, 0},
	} {
		if list := c.deliveries(x.f); len(list) != x.want {
			c.Errorf("%+v: %d, want %d", x.f, len(list), x.want)
		}
	}
}
