package jobstest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"concord/engine/numbers"
	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// Directory is what remembers runs and the numbers of carriers.
type Directory interface {
	State
	jobs.Numbers
}

// TestNumbers is the contract of a Directory. open returns an empty one; reopen
// returns the same one as a new process, or a second service, would find it.
func TestNumbers(t *testing.T, open func(t *testing.T) Directory, reopen func(t *testing.T, d Directory) Directory) {
	for name, test := range map[string]func(*directory){
		"a listing comes back as it was recorded":                      (*directory).whole,
		"numbers are known from one listing to the next":               (*directory).history,
		"a listing that is recorded again changes nothing":             (*directory).again,
		"a late listing changes nothing":                               (*directory).late,
		"a listing of the same instant corrects the one before":        (*directory).corrected,
		"a listing that cannot be used changes nothing":                (*directory).rejected,
		"a row that cannot be read takes no number away":               (*directory).held,
		"a listing that takes too many numbers away is not taken":      (*directory).removes,
		"rows without a line take no number away":                      (*directory).blind,
		"sources and carriers know nothing of each other":              (*directory).apart,
		"a history of its own is kept":                                 (*directory).told,
		"what was known after each listing can be told again":          (*directory).positions,
		"more numbers than a page":                                     (*directory).many,
		"a listing that breaks off leaves nothing":                     (*directory).broken,
		"who lost the run records nothing":                             (*directory).lost,
		"deliveries follow each other":                                 (*directory).deliveries,
		"contents of listings are held":                                (*directory).holding,
		"sources are known since their first listings":                 (*directory).sources,
		"the newest listing has the latest time, and says what is new": (*directory).newest,
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			c := &directory{runs: runs{T: t, s: d, now: day(1)}, d: d}
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

// directory is one test of a Directory.
type directory struct {
	runs
	d     Directory
	lease jobs.Lease
	n     int
}

func present(digits uint64, user string) jobs.ListedRow {
	return jobs.ListedRow{Assignment: numbers.Assignment{Line: numbers.Line{Digits: digits}, Facts: numbers.Facts{TargetID: user}, From: numbers.Unsaid, To: numbers.Open}}
}

func held(digits uint64) jobs.ListedRow {
	return jobs.ListedRow{Assignment: numbers.Assignment{Line: numbers.Line{Digits: digits}}, Held: true}
}

// listing is a new file as of the nth hour.
func (c *directory) listing(hour int) jobs.Listing {
	c.n++
	return jobs.Listing{
		Carrier: "fabrikam", Name: fmt.Sprintf("%03d.csv", c.n), Bytes: 10, Changed: day(1), SHA256: fmt.Sprint("sum ", c.n), Basis: "b",
		AsOf: day(1).Add(time.Duration(hour) * time.Hour), Status: jobs.ListingTaken, Rows: 9, Accepted: 7, Rejected: 1, Others: 1,
	}
}

func (c *directory) record(x jobs.Listing, blind bool, rows ...jobs.ListedRow) jobs.Listing {
	c.Helper()
	out, err := c.d.RecordListing(c.Context(), c.lease, x, jobs.Taking{Blind: blind, MostRemoved: 100}, listed(rows, nil), c.now)
	c.must(err)
	return out
}

func listed(rows []jobs.ListedRow, err error) func() jobs.ListedRows {
	return func() jobs.ListedRows {
		return func(yield func(jobs.ListedRow, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(jobs.ListedRow{}, err)
			}
		}
	}
}

// known are the rows of a walk in short: number, user, hours.
func (c *directory) known(at jobs.NumbersAt) (list []string) {
	c.Helper()
	hour := func(us int64) string {
		if us == numbers.Open {
			return ""
		}
		return fmt.Sprint(time.UnixMicro(us).Sub(day(1)).Hours())
	}
	for a, err := range c.d.KnownNumbers(c.Context(), at) {
		c.must(err)
		list = append(list, fmt.Sprintf("%d%s%s %s %s-%s", a.Digits, a.Ext, a.Source, a.TargetID, hour(a.From), hour(a.To)))
	}
	return list
}

// knows checks what is known after a listing.
func (c *directory) knows(position int64, want ...string) {
	c.Helper()
	if got := c.known(jobs.NumbersAt{Carrier: "fabrikam", Position: position}); !slices.Equal(got, want) {
		c.Errorf("known: %s", cmp.Diff(want, got))
	}
}

func (c *directory) whole() {
	x := c.listing(1)
	x.Source, x.Name, x.Status = "tenant a", "b/ü\xff.csv", jobs.ListingRejected
	x.Reasons, x.Faults, x.Notes = []landing.Reason{{Line: 3, Field: "f", Reason: "r"}}, []string{"it is empty"}, []string{"n"}
	want := c.record(x, false)
	if want.Position == 0 || want.Run != c.lease.Run || !want.Decided.Equal(c.now) {
		c.Errorf("%+v", want)
	}
	c.anew()
	got, err := c.d.Listings(c.Context(), "fabrikam")
	c.must(err)
	want.Reasons, want.Notes = nil, nil
	if d := cmp.Diff([]jobs.Listing{want}, got); d != "" {
		c.Error(d)
	}
}

// anew goes on as a new process would.
func (c *directory) anew() { c.s = c.reopen(c.T, c.s) }

func (c *directory) history() {
	a := c.record(c.listing(1), false, present(1, "x"), present(2, "x"))
	b := c.record(c.listing(2), false, present(1, "x"), present(2, "y"), present(3, "z"))
	e := c.record(c.listing(3), false, present(2, "y"))
	if a.Learned != 2 || b.Learned != 2 || e.Learned != 2 {
		c.Errorf("learned %d, %d, %d", a.Learned, b.Learned, e.Learned)
	}
	c.anew()
	c.knows(e.Position, "1 x 1-3", "2 x 1-2", "2 y 2-", "3 z 2-3")
	if got := c.known(jobs.NumbersAt{Carrier: "fabrikam", Position: e.Position, Present: true}); !slices.Equal(got, []string{"2 y 2-"}) {
		c.Errorf("present: %q", got)
	}
	c.knows(0)
}

func (c *directory) again() {
	x := c.listing(1)
	a := c.record(x, false, present(1, "x"))
	c.record(c.listing(2), false)
	b := c.record(x, false, present(1, "x"), present(2, "x"))
	if b.Position != a.Position || b.Name != a.Name || !b.Decided.Equal(a.Decided) {
		c.Errorf("%+v", b)
	}
	other := x
	other.Changed = other.Changed.Add(time.Microsecond)
	other.AsOf = other.AsOf.Add(5 * time.Hour)
	c.knows(c.record(other, false, present(2, "x")).Position, "1 x 1-2", "2 x 6-")
}

func (c *directory) late() {
	a := c.record(c.listing(5), false, present(1, "x"))
	b := c.record(c.listing(4), false, present(1, "y"))
	if b.Status != jobs.ListingLate || b.Learned != 0 {
		c.Errorf("%+v", b)
	}
	c.knows(b.Position, "1 x 5-")
	if x, _, err := c.d.NewestListing(c.Context(), "fabrikam", 0); err != nil || x.Position != a.Position {
		c.Errorf("%+v, %v", x, err)
	}
}

func (c *directory) corrected() {
	c.record(c.listing(1), false, present(1, "x"))
	c.record(c.listing(5), false, present(1, "y"))
	b := c.record(c.listing(5), false, present(1, "z"))
	c.knows(b.Position, "1 x 1-5", "1 z 5-")
	c.knows(b.Position-1, "1 x 1-5", "1 y 5-")
}

func (c *directory) rejected() {
	c.record(c.listing(1), false, present(1, "x"))
	x := c.listing(2)
	x.Status = jobs.ListingRejected
	c.knows(c.record(x, false, present(2, "x")).Position, "1 x 1-")
	c.knows(c.record(c.listing(1), false, present(3, "x")).Position, "3 x 1-") // its time counts for nothing
}

func (c *directory) held() {
	c.record(c.listing(1), false, present(1, "x"), present(2, "x"))
	c.knows(c.record(c.listing(2), false, held(1), held(3)).Position, "1 x 1-", "2 x 1-2")
}

func (c *directory) blind() {
	c.record(c.listing(1), false, present(1, "x"), present(2, "x"))
	c.knows(c.record(c.listing(2), true, present(1, "y"), present(3, "z")).Position, "1 x 1-2", "1 y 2-", "2 x 1-", "3 z 2-")
}

func (c *directory) apart() {
	c.record(c.listing(1), false, present(1, "x"))
	a := c.listing(1)
	a.Source = "a"
	c.record(a, false, present(1, "y"), present(2, "y"))
	b := c.listing(0)
	b.Carrier = "litware"
	last := c.record(b, false, present(1, "z"))
	c.knows(last.Position, "1 x 1-", "1a y 1-", "2a y 1-")
	if got := c.known(jobs.NumbersAt{Carrier: "litware", Position: last.Position}); !slices.Equal(got, []string{"1 z 0-"}) {
		c.Errorf("litware: %q", got)
	}
	a = c.listing(2)
	a.Source = "a"
	c.knows(c.record(a, false).Position, "1 x 1-", "1a y 1-2", "2a y 1-2")
}

func (c *directory) told() {
	at := func(h int) int64 { return day(1).Add(time.Duration(h) * time.Hour).UnixMicro() }
	row := func(user string, from, to int64) jobs.ListedRow {
		r := present(1, user)
		r.From, r.To, r.Ext = from, to, "7"
		return r
	}
	x := c.record(c.listing(9), false, row("x", at(1), at(3)), row("y", at(4), at(99)))
	c.knows(x.Position, "17 x 1-3", "17 y 4-")
	y := c.record(c.listing(10), false, row("z", at(2), numbers.Open))
	c.knows(y.Position, "17 x 1-2", "17 z 2-")
	c.knows(x.Position, "17 x 1-3", "17 y 4-")
}

// positions compares with a directory that remembers everything.
func (c *directory) positions() {
	rng := rand.New(rand.NewPCG(1, 2))
	known := map[uint64][]numbers.Assignment{}
	want := map[int64][]string{}
	for h := range 25 {
		var rows []jobs.ListedRow
		said := map[uint64][]numbers.Assignment{}
		for n := range uint64(6) {
			if user := []string{"", "x", "y"}[rng.IntN(3)]; user != "" {
				r := present(n+1, user)
				rows = append(rows, r)
				said[n+1] = []numbers.Assignment{r.Assignment}
			}
		}
		x := c.record(c.listing(h+1), false, rows...)
		for n := range uint64(6) {
			known[n+1] = numbers.Learn(known[n+1], said[n+1], x.AsOf.UnixMicro())
			for _, a := range known[n+1] {
				s := fmt.Sprintf("%d %s %v-", a.Digits, a.TargetID, time.UnixMicro(a.From).Sub(day(1)).Hours())
				if a.To != numbers.Open {
					s += fmt.Sprint(time.UnixMicro(a.To).Sub(day(1)).Hours())
				}
				want[x.Position] = append(want[x.Position], s)
			}
		}
	}
	c.anew()
	for position, list := range want {
		c.knows(position, list...)
	}
}

func (c *directory) many() {
	const count = 4500 // more than two pages
	rows := make([]jobs.ListedRow, count)
	for i := range rows {
		rows[i] = present(uint64(i+1), "x")
	}
	a := c.record(c.listing(1), false, rows...)
	for i := range rows {
		if i%3 == 0 {
			rows[i] = present(uint64(i+1), "y")
		}
	}
	b := c.record(c.listing(2), false, rows[:count-1]...)
	if a.Learned != count || b.Learned != count/3+1 {
		c.Errorf("learned %d, then %d", a.Learned, b.Learned)
	}
	for position, want := range map[int64]int{a.Position: count, b.Position: count + count/3} {
		if got := c.known(jobs.NumbersAt{Carrier: "fabrikam", Position: position}); len(got) != want || !slices.IsSortedFunc(got, numerically) {
			c.Errorf("%d rows, want %d", len(got), want)
		}
	}
}

func numerically(a, b string) int {
	var x, y int
	_, _ = fmt.Sscan(a, &x)
	_, _ = fmt.Sscan(b, &y)
	return x - y
}

func (c *directory) broken() {
	a := c.record(c.listing(1), false, present(1, "x"))
	bad := errors.New("broken")
	_, err := c.d.RecordListing(c.Context(), c.lease, c.listing(2), jobs.Taking{}, listed([]jobs.ListedRow{present(2, "x")}, bad), c.now)
	c.fails(err, bad)
	c.anew()
	list, err := c.d.Listings(c.Context(), "fabrikam")
	c.must(err)
	if len(list) != 1 {
		c.Errorf("%d listings", len(list))
	}
	c.knows(a.Position+10, "1 x 1-")
}

func (c *directory) lost() {
	other := c.lease
	other.Owner = "b"
	_, err := c.d.RecordListing(c.Context(), other, c.listing(1), jobs.Taking{}, listed(nil, nil), c.now)
	c.fails(err, jobs.ErrLost)
	_, err = c.d.BeginDelivery(c.Context(), other, jobs.NumbersDelivery{Carrier: "fabrikam", Sequence: 1}, c.now)
	c.fails(err, jobs.ErrLost)
	c.fails(c.d.EndDelivery(c.Context(), other, jobs.NumbersDelivery{Carrier: "fabrikam", Sequence: 1}, c.now), jobs.ErrLost)
}
